CREATE TABLE lines (amount smallint);
