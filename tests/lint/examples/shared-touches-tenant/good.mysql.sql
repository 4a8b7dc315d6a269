-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
-- scope: shared
DELETE FROM shop.clients WHERE id = 1;
