-- given shared: CREATE TABLE clients (id bigint PRIMARY KEY, name text);
CREATE VIEW us AS SELECT id FROM public.clients;
