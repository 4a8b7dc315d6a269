-- tenantgate: no-transaction
VACUUM orders;
