CREATE TABLE work (id bigint);
TRUNCATE work;
