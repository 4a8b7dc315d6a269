CREATE TABLE work (id bigint);
RENAME TABLE work TO purchases;
