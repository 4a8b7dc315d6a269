CREATE VIEW people AS SELECT u.id FROM users u JOIN orders ON orders.id = u.id;
CREATE FUNCTION value_of(r orders) RETURNS int LANGUAGE sql AS $$ SELECT r.total $$;
