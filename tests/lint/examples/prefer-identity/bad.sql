CREATE TABLE lines (id bigserial PRIMARY KEY);
