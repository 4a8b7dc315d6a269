//! What a tenant's schema may differ in without being another.

/// Nothing of this is a difference.
pub const HARMLESS: &[&str] = &[
    "INSERT INTO things VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO customers (name) VALUES ('somebody'); DELETE FROM customers",
    "SELECT setval('numbers', 5000)",
    "SELECT nextval('orders_id_seq'), nextval('customers_id_seq')",
    "ALTER SEQUENCE numbers RESTART",
    "ANALYZE orders",
    "REINDEX TABLE orders",
    "CLUSTER orders USING orders_pkey; ALTER TABLE orders SET WITHOUT CLUSTER",
    "ALTER TABLE orders ADD COLUMN gone int; ALTER TABLE orders DROP COLUMN gone",
    "ALTER TABLE scratchpad DROP COLUMN payload; ALTER TABLE scratchpad ADD COLUMN payload jsonb",
    "DROP INDEX orders_tags_idx; CREATE INDEX orders_tags_idx ON orders USING gin (tags)",
    "DROP TABLE scratchpad; CREATE UNLOGGED TABLE scratchpad (id int, payload jsonb); ALTER TABLE scratchpad OWNER TO OWNER",
    "DROP TRIGGER orders_touch ON orders; CREATE TRIGGER orders_touch BEFORE INSERT OR UPDATE OF total ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
    "ALTER TABLE orders DISABLE TRIGGER orders_touch; ALTER TABLE orders ENABLE TRIGGER orders_touch",
    "GRANT SELECT ON items TO WRITER; REVOKE SELECT ON items FROM WRITER",
    "REVOKE ALL ON orders FROM READER, WRITER; GRANT SELECT, INSERT, UPDATE ON orders TO WRITER; GRANT SELECT ON orders TO READER",
    "COMMENT ON TABLE items IS 'Something'; COMMENT ON TABLE items IS NULL",
    "ALTER TABLE customers RENAME TO clients; ALTER TABLE clients RENAME TO customers",
    "ALTER TABLE items ALTER COLUMN price TYPE text; ALTER TABLE items ALTER COLUMN price TYPE numeric(10, 2) USING price::numeric",
    "REFRESH MATERIALIZED VIEW totals",
    "ALTER DOMAIN email SET NOT NULL; ALTER DOMAIN email DROP NOT NULL",
    "CREATE TABLE passing (id serial PRIMARY KEY); DROP TABLE passing",
    "DROP POLICY own_rows ON customers; CREATE POLICY own_rows ON customers FOR SELECT TO READER USING (name = current_user)",
    "ALTER ROLE OWNER IN DATABASE OWNER SET search_path = public, pg_catalog",
];
