-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
CREATE TABLE visits (client bigint REFERENCES public.clients (id), kind public.citext);
CREATE VIEW us AS SELECT id FROM clients;
