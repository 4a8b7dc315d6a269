-- squawk-ignore ban-drop-colum
ALTER TABLE orders DROP COLUMN note;
