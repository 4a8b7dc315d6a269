ALTER TABLE orders CHANGE note note longtext;
