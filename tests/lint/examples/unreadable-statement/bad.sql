CREATE TABLE lines (id bigint) WITHH (fillfactor = 10);
