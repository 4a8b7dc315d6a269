-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
CREATE INDEX clients_name ON shop.clients (name);
