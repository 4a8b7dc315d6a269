INSERT IGNORE INTO warehouse.orders (id) SELECT id FROM orders;
