ALTER TABLE orders DROP COLUMN note, ADD COLUMN remark text;
