CREATE TABLE countries (code text);
