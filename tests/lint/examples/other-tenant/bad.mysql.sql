INSERT IGNORE INTO shop_acme.orders (id) VALUES (1);
