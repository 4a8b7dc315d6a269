-- tenantgate: no-transaction
DROP DATABASE shop;
