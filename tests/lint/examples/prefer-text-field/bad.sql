CREATE TABLE lines (name varchar(20));
