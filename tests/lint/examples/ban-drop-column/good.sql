-- given tenant: CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12,2), code varchar(100), quantity bigint);
-- What is made here is new.
CREATE TABLE drafts (id bigint, note text);
ALTER TABLE drafts DROP COLUMN note;
