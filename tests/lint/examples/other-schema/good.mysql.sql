INSERT IGNORE INTO old_orders (id) SELECT orders.id FROM orders;
