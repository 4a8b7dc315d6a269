ALTER TABLE orders DROP INDEX orders_note, DROP FOREIGN KEY orders_customer;
