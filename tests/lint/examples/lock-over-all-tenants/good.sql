-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
ALTER TABLE orders ADD COLUMN state text;
UPDATE clients SET name = 'x' WHERE id = 1;
