-- given tenant: CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12,2), code varchar(100), quantity bigint);
ALTER TABLE orders DROP COLUMN note;
