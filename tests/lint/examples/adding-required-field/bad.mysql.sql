ALTER TABLE orders ADD COLUMN state varchar(20) NOT NULL;
