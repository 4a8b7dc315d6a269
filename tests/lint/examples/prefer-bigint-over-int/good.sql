CREATE TABLE lines (amount bigint);
