-- given tenant: CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12,2), code varchar(100), quantity bigint);
-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
-- scope: shared
ALTER TABLE clients ADD COLUMN state text;
