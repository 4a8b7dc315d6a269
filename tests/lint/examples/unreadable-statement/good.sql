CREATE TABLE lines (id bigint) WITH (fillfactor = 10);
