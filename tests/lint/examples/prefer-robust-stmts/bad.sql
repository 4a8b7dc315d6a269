-- tenantgate: no-transaction
CREATE TABLE lines (id bigint);
CREATE TABLE more_lines (id bigint);
