CREATE TABLE lines (made timestamptz);
