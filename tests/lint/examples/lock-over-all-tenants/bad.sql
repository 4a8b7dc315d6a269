-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
ALTER TABLE clients ADD COLUMN state text;
