CREATE TABLE lines (amount int);
