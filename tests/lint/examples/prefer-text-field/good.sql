CREATE TABLE lines (name text);
