-- given tenant: CREATE TABLE orders (id bigint PRIMARY KEY, note text, total numeric(12,2), code varchar(100), quantity bigint);
INSERT INTO orders (id) VALUES (1) ON CONFLICT DO NOTHING;
INSERT INTO orders (id) SELECT 2 WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = 2);
