CREATE FUNCTION total() RETURNS bigint LANGUAGE sql SET search_path = pg_catalog AS 'SELECT 1';
