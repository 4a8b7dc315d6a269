-- tenantgate: no-transaction
ALTER TABLE orders DETACH PARTITION orders_2020 CONCURRENTLY;
