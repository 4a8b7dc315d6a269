CREATE TYPE address_2 AS (street text, country text);
