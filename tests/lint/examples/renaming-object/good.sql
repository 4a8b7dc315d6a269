ALTER TABLE orders ADD CONSTRAINT orders_positive CHECK (id > 0) NOT VALID;
