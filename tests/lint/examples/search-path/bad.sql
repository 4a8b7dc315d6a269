SET search_path TO acme;
SELECT 1;
