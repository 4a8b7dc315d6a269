-- given tenant: CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12,2), code varchar(100), quantity bigint);
DELETE FROM orders WHERE id < 100;
DELETE FROM orders USING old WHERE old.id = orders.id;
