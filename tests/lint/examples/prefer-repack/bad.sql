-- tenantgate: no-transaction
VACUUM FULL orders;
