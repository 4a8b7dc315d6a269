ALTER TABLE orders CHANGE note remark text;
