-- The way to change a table: SQLite's manual.
CREATE TABLE orders_new (id integer PRIMARY KEY);
INSERT INTO orders_new SELECT id FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
