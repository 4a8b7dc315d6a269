-- tenantgate: no-transaction
CREATE TABLE IF NOT EXISTS lines (id bigint);
CREATE TABLE IF NOT EXISTS more_lines (id bigint);
