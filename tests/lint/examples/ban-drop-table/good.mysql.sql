CREATE TABLE work (id bigint);
DROP TABLE work;
