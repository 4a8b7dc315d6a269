CREATE VIEW open_orders_2 AS SELECT id FROM orders;
