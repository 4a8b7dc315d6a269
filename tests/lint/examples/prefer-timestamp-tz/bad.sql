CREATE TABLE lines (made timestamp);
