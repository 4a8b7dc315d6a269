-- tenantgate: no-transaction
CREATE DATABASE shop;
