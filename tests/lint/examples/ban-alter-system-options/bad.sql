-- tenantgate: no-transaction
ALTER SYSTEM SET work_mem = '64MB';
