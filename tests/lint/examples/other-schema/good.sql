CREATE VIEW people AS SELECT u.id FROM users u JOIN orders ON orders.id = u.id;
