CREATE TABLE countries (code char(2));
