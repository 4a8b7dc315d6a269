-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
CREATE TABLE visits (client bigint REFERENCES clients (id));
