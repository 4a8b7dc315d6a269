//! Single changes to one tenant: what each does, and what must be said of it.

/// SQL, what the finding says, and whether the SQL that it carries undoes it.
pub type Mutation = (&'static str, &'static str, bool);

const YES: bool = true;
/// Would lose data, or no SQL would do: a person must.
const BY_HAND: bool = false;

pub const MUTATIONS: &[Mutation] = &[
    // Tables.
    ("DROP TABLE items", "table `items` is missing", YES),
    ("CREATE TABLE junk (id int)", "extra table `junk`", BY_HAND),
    (
        "ALTER TABLE orders SET (fillfactor = 70)",
        "table `orders` has options fillfactor=70, expected fillfactor=90",
        YES,
    ),
    (
        "ALTER TABLE orders RESET (fillfactor)",
        "table `orders` has no options, expected fillfactor=90",
        YES,
    ),
    (
        "ALTER TABLE orders SET (toast.autovacuum_enabled = false)",
        "table `orders` has options fillfactor=90, toast.autovacuum_enabled=false",
        YES,
    ),
    (
        "ALTER TABLE scratchpad SET LOGGED",
        "table `scratchpad` is table, expected unlogged table",
        YES,
    ),
    (
        "ALTER TABLE things SET UNLOGGED",
        "table `things` is unlogged table, expected table",
        YES,
    ),
    (
        "ALTER TABLE orders REPLICA IDENTITY FULL",
        "table `orders` has replica identity full",
        YES,
    ),
    (
        "ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey",
        "constraint `orders_pkey` of `orders` has replica identity yes",
        YES,
    ),
    (
        "ALTER TABLE customers DISABLE ROW LEVEL SECURITY",
        "table `customers` has no row security, expected on",
        YES,
    ),
    (
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
        "table `orders` has row security on, expected none",
        YES,
    ),
    (
        "ALTER TABLE customers FORCE ROW LEVEL SECURITY",
        "table `customers` has forced row security on",
        YES,
    ),
    (
        "ALTER TABLE special_things NO INHERIT things",
        "table `special_things` has no parents, expected things",
        BY_HAND,
    ),
    (
        "ALTER TABLE events DETACH PARTITION events_2024",
        "table `events_2024` has no bound",
        YES,
    ),
    ("DROP TABLE events_2024", "table `events_2024` is missing", YES),
    (
        "ALTER TABLE orders CLUSTER ON orders_pkey",
        "constraint `orders_pkey` of `orders` has clustered yes",
        YES,
    ),
    (
        "ALTER TABLE scratchpad DROP COLUMN id; ALTER TABLE scratchpad ADD COLUMN id int",
        "table `scratchpad` has column order payload, id, expected id, payload",
        BY_HAND,
    ),
    (
        "ALTER TABLE things OWNER TO WRITER",
        "table `things` has owner",
        YES,
    ),
    // Columns.
    (
        "ALTER TABLE orders ADD COLUMN extra int",
        "extra column `orders.extra`",
        BY_HAND,
    ),
    (
        "ALTER TABLE orders DROP COLUMN tags",
        "column `orders.tags` is missing",
        BY_HAND,
    ),
    (
        "ALTER TABLE items ALTER COLUMN line TYPE int",
        "column `items.line` is integer, expected smallint",
        YES,
    ),
    (
        "ALTER TABLE items ALTER COLUMN price TYPE numeric(12, 2)",
        "column `items.price` is numeric(12,2), expected numeric(10,2)",
        YES,
    ),
    (
        "ALTER TABLE items ALTER COLUMN price TYPE text",
        "column `items.price` is text",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN total DROP NOT NULL",
        "column `orders.total` is NULL, expected NOT NULL",
        YES,
    ),
    (
        "ALTER TABLE items ALTER COLUMN price SET NOT NULL",
        "column `items.price` is NOT NULL, expected NULL",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN total SET DEFAULT 1",
        "column `orders.total` has default 1, expected 0",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN created_at DROP DEFAULT",
        "column `orders.created_at` has no default, expected now()",
        YES,
    ),
    (
        "ALTER TABLE items ALTER COLUMN price SET DEFAULT 0",
        "column `items.price` has default 0, expected none",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_id_seq')",
        "column `orders.number` has default nextval('orders_id_seq'::regclass)",
        YES,
    ),
    (
        "ALTER TABLE customers ALTER COLUMN id SET GENERATED ALWAYS",
        "column `customers.id` has identity always, expected by default",
        YES,
    ),
    (
        "ALTER TABLE customers ALTER COLUMN id DROP IDENTITY",
        "column `customers.id` has no identity",
        YES,
    ),
    (
        "ALTER TABLE customers ALTER COLUMN upper_name DROP EXPRESSION",
        "column `customers.upper_name` has no generated",
        BY_HAND,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN note TYPE text COLLATE \"C\"",
        "column `orders.note` has collation",
        BY_HAND,
    ),
    (
        "ALTER TABLE scratchpad ALTER COLUMN payload SET STORAGE EXTERNAL",
        "column `scratchpad.payload` has storage external",
        BY_HAND,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN status SET STATISTICS 500",
        "column `orders.status` has statistics target 500",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER COLUMN status SET (n_distinct = 3)",
        "column `orders.status` has options n_distinct=3",
        YES,
    ),
    (
        "ALTER TABLE customers RENAME COLUMN born TO birthday",
        "column `customers.born` is missing",
        BY_HAND,
    ),
    // Constraints.
    (
        "ALTER TABLE orders DROP CONSTRAINT orders_total",
        "constraint `orders_total` of `orders` is missing",
        YES,
    ),
    (
        "ALTER TABLE orders DROP CONSTRAINT orders_customer",
        "constraint `orders_customer` of `orders` is missing",
        YES,
    ),
    (
        "ALTER TABLE items DROP CONSTRAINT items_pkey",
        "constraint `items_pkey` of `items` is missing",
        YES,
    ),
    (
        "ALTER TABLE items DROP CONSTRAINT items_during",
        "constraint `items_during` of `items` is missing",
        YES,
    ),
    (
        "ALTER TABLE items ADD CONSTRAINT cheap CHECK (price < 10)",
        "extra constraint `cheap` of `items`",
        YES,
    ),
    (
        "ALTER TABLE items ADD CONSTRAINT once UNIQUE (price)",
        "extra constraint `once` of `items`",
        YES,
    ),
    (
        "ALTER TABLE orders ALTER CONSTRAINT orders_customer DEFERRABLE INITIALLY DEFERRED",
        "constraint `orders_customer` of `orders` is",
        YES,
    ),
    (
        "ALTER TABLE orders DROP CONSTRAINT orders_customer, ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id)",
        "constraint `orders_customer` of `orders` is FOREIGN KEY (customer_id) REFERENCES customers(id), expected",
        YES,
    ),
    (
        "ALTER TABLE orders DROP CONSTRAINT orders_customer, ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE NOT VALID",
        "constraint `orders_customer` of `orders` is",
        YES,
    ),
    (
        "ALTER TABLE orders DROP CONSTRAINT orders_total, ADD CONSTRAINT orders_total CHECK (total > 0)",
        "constraint `orders_total` of `orders` is CHECK ((total > (0)::numeric))",
        YES,
    ),
    (
        "ALTER TABLE customers DROP CONSTRAINT customers_name_key, ADD CONSTRAINT customers_name_key UNIQUE (name)",
        "constraint `customers_name_key` of `customers` is UNIQUE (name), expected UNIQUE (name) DEFERRABLE",
        YES,
    ),
    (
        "ALTER TABLE customers RENAME CONSTRAINT customers_named TO customers_have_names",
        "constraint `customers_named` of `customers` is missing",
        YES,
    ),
    (
        "ALTER INDEX customers_pkey SET (fillfactor = 50)",
        "constraint `customers_pkey` of `customers` has options fillfactor=50",
        YES,
    ),
    // Indexes.
    (
        "DROP INDEX orders_created_at_idx",
        "index `orders_created_at_idx` of `orders` is missing",
        YES,
    ),
    (
        "CREATE INDEX more ON orders (total)",
        "extra index `more` of `orders`",
        YES,
    ),
    (
        "DROP INDEX orders_created_at_idx; CREATE INDEX orders_created_at_idx ON orders (created_at)",
        "index `orders_created_at_idx` of `orders` is CREATE INDEX",
        YES,
    ),
    (
        "DROP INDEX orders_number_idx; CREATE INDEX orders_number_idx ON orders (number) INCLUDE (total) WHERE status <> 'sent'",
        "index `orders_number_idx` of `orders` is CREATE INDEX",
        YES,
    ),
    (
        "DROP INDEX orders_number_idx; CREATE UNIQUE INDEX orders_number_idx ON orders (number) WHERE status <> 'sent'",
        "index `orders_number_idx` of `orders` is",
        YES,
    ),
    (
        "DROP INDEX orders_number_idx; CREATE UNIQUE INDEX orders_number_idx ON orders (number) INCLUDE (total)",
        "index `orders_number_idx` of `orders` is",
        YES,
    ),
    (
        "DROP INDEX orders_note_idx; CREATE INDEX orders_note_idx ON orders (lower(note))",
        "index `orders_note_idx` of `orders` is",
        YES,
    ),
    (
        "DROP INDEX orders_tags_idx; CREATE INDEX orders_tags_idx ON orders (tags)",
        "index `orders_tags_idx` of `orders` is",
        YES,
    ),
    (
        "ALTER INDEX orders_tags_idx SET (fastupdate = off)",
        "index `orders_tags_idx` of `orders` is",
        YES,
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_tags_idx'::regclass",
        "index `orders_tags_idx` of `orders` has state invalid",
        YES,
    ),
    (
        "ALTER INDEX orders_note_idx ALTER COLUMN 1 SET STATISTICS 7",
        "index `orders_note_idx` of `orders` has statistics target 1: 7",
        YES,
    ),
    (
        "DROP STATISTICS orders_stats",
        "statistics `orders_stats` of `orders` is missing",
        YES,
    ),
    (
        "DROP STATISTICS orders_stats; CREATE STATISTICS orders_stats (ndistinct) ON customer_id, status FROM orders",
        "statistics `orders_stats` of `orders` is",
        YES,
    ),
    (
        "ALTER STATISTICS orders_stats SET STATISTICS 50",
        "statistics `orders_stats` of `orders` has statistics target 50",
        YES,
    ),
    // Triggers, rules, policies.
    (
        "DROP TRIGGER orders_touch ON orders",
        "trigger `orders_touch` of `orders` is missing",
        YES,
    ),
    (
        "ALTER TABLE orders DISABLE TRIGGER orders_touch",
        "trigger `orders_touch` of `orders` has enabled no, expected yes",
        YES,
    ),
    (
        "ALTER TABLE orders ENABLE ALWAYS TRIGGER orders_touch",
        "trigger `orders_touch` of `orders` has enabled always, expected yes",
        YES,
    ),
    (
        "DROP TRIGGER orders_touch ON orders; CREATE TRIGGER orders_touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
        "trigger `orders_touch` of `orders` has another definition",
        YES,
    ),
    (
        "CREATE TRIGGER again BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION touch()",
        "extra trigger `again` of `customers`",
        YES,
    ),
    (
        "DROP RULE no_delete ON things",
        "rule `no_delete` of `things` is missing",
        YES,
    ),
    (
        "ALTER TABLE things DISABLE RULE no_delete",
        "rule `no_delete` of `things` has enabled no",
        YES,
    ),
    (
        "DROP POLICY own_rows ON customers",
        "policy `own_rows` of `customers` is missing",
        YES,
    ),
    (
        "ALTER POLICY own_rows ON customers USING (true)",
        "policy `own_rows` of `customers` has using true",
        YES,
    ),
    (
        "ALTER POLICY own_rows ON customers TO PUBLIC",
        "policy `own_rows` of `customers` has roles PUBLIC",
        YES,
    ),
    (
        "ALTER POLICY all_rows ON customers WITH CHECK (true)",
        "policy `all_rows` of `customers` has check true",
        YES,
    ),
    (
        "DROP POLICY all_rows ON customers; CREATE POLICY all_rows ON customers TO READER, WRITER USING (true) WITH CHECK (name <> 'root')",
        "policy `all_rows` of `customers` is permissive, expected restrictive",
        YES,
    ),
    (
        "CREATE POLICY everything ON customers USING (true)",
        "extra policy `everything` of `customers`",
        YES,
    ),
    // Sequences.
    (
        "ALTER SEQUENCE numbers INCREMENT 10",
        "sequence `numbers` has increment 10, expected 5",
        YES,
    ),
    (
        "ALTER SEQUENCE numbers MAXVALUE 1000000",
        "sequence `numbers` has maximum 1000000",
        YES,
    ),
    (
        "ALTER SEQUENCE numbers CYCLE",
        "sequence `numbers` has cycle yes",
        YES,
    ),
    (
        "ALTER SEQUENCE numbers CACHE 50",
        "sequence `numbers` has cache 50",
        YES,
    ),
    (
        "ALTER SEQUENCE orders_id_seq OWNED BY NONE",
        "sequence `orders_id_seq` has no owned by",
        YES,
    ),
    ("CREATE SEQUENCE spare", "extra sequence `spare`", YES),
    (
        "ALTER TABLE customers ALTER COLUMN id SET INCREMENT 2",
        "sequence `customers_id_seq` of `customers` has increment 2",
        YES,
    ),
    // Views.
    ("DROP VIEW open_orders", "view `open_orders` is missing", YES),
    (
        "CREATE OR REPLACE VIEW open_orders WITH (security_barrier = true) AS SELECT orders.id, customers.name, orders.total FROM orders JOIN customers ON customers.id = orders.customer_id",
        "view `open_orders` has another definition",
        YES,
    ),
    (
        "ALTER VIEW open_orders SET (security_barrier = false)",
        "view `open_orders` has options security_barrier=false",
        YES,
    ),
    (
        "ALTER VIEW open_orders ALTER COLUMN total SET DEFAULT 5",
        "column `open_orders.total` has default 5",
        YES,
    ),
    (
        "CREATE VIEW more_orders AS SELECT id FROM orders",
        "extra view `more_orders`",
        YES,
    ),
    (
        "DROP INDEX totals_customer",
        "index `totals_customer` of `totals` is missing",
        YES,
    ),
    ("DROP MATERIALIZED VIEW totals", "view `totals` is missing", YES),
    // Routines.
    (
        "DROP FUNCTION total_of",
        "routine `total_of(customer bigint, since date)` is missing",
        YES,
    ),
    (
        "CREATE OR REPLACE FUNCTION total_of(customer bigint, since date DEFAULT '2000-01-01') RETURNS numeric LANGUAGE sql STABLE AS 'SELECT 0.0'",
        "has another body",
        YES,
    ),
    (
        "ALTER FUNCTION total_of VOLATILE",
        "has volatility VOLATILE, expected STABLE",
        YES,
    ),
    (
        "ALTER FUNCTION total_of SECURITY DEFINER",
        "has security DEFINER",
        YES,
    ),
    (
        "ALTER FUNCTION either CALLED ON NULL INPUT",
        "routine `either(text, text)` has no strict",
        YES,
    ),
    (
        "ALTER FUNCTION either COST 77",
        "routine `either(text, text)` has cost 77, expected 5",
        YES,
    ),
    ("ALTER FUNCTION total_of PARALLEL SAFE", "has parallel SAFE", YES),
    (
        "ALTER FUNCTION touch() SET search_path = SELF, pg_temp",
        "routine `touch()` has other settings",
        YES,
    ),
    (
        "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "routine `touch()` has another body",
        YES,
    ),
    (
        "CREATE FUNCTION spare() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "extra routine `spare()`",
        YES,
    ),
    ("DROP PROCEDURE tidy", "routine `tidy()` is missing", YES),
    (
        "DROP AGGREGATE joined(text)",
        "routine `joined(text)` is missing",
        BY_HAND,
    ),
    // Types and what else there is.
    (
        "ALTER TYPE status ADD VALUE 'late'",
        "type `status` has labels 'new', 'paid', 'sent', 'late'",
        BY_HAND,
    ),
    (
        "ALTER TYPE status RENAME VALUE 'paid' TO 'settled'",
        "type `status` has labels 'new', 'settled', 'sent'",
        BY_HAND,
    ),
    (
        "ALTER TYPE address ADD ATTRIBUTE country text CASCADE",
        "type `address` has attributes",
        BY_HAND,
    ),
    (
        "ALTER TYPE address RENAME ATTRIBUTE town TO city",
        "type `address` has attributes",
        BY_HAND,
    ),
    (
        "ALTER DOMAIN email DROP CONSTRAINT email_check",
        "type `email email_check` is missing",
        YES,
    ),
    (
        "ALTER DOMAIN email DROP DEFAULT",
        "type `email` has no default",
        YES,
    ),
    (
        "ALTER DOMAIN email SET NOT NULL",
        "type `email` has null NOT NULL",
        YES,
    ),
    ("CREATE TYPE spare AS ENUM ('a')", "extra type `spare`", YES),
    ("DROP TYPE span", "type `span` is missing", YES),
    (
        "DROP OPERATOR ||| (text, text)",
        "operator `|||(text,text)` is missing",
        BY_HAND,
    ),
    (
        "ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR email",
        "text search `configuration words` has another definition",
        BY_HAND,
    ),
    (
        "CREATE COLLATION spare (LOCALE = 'C')",
        "extra collation `spare`",
        YES,
    ),
    // Rights and comments.
    (
        "REVOKE SELECT ON orders FROM READER",
        "table `orders` has grants INSERT, SELECT, UPDATE to",
        YES,
    ),
    (
        "GRANT DELETE ON orders TO WRITER",
        "table `orders` has grants DELETE, INSERT, SELECT, UPDATE to",
        YES,
    ),
    (
        "GRANT SELECT ON customers TO PUBLIC",
        "table `customers` has grants SELECT to PUBLIC",
        YES,
    ),
    (
        "GRANT SELECT (price) ON items TO READER",
        "column `items.price` has grants",
        YES,
    ),
    (
        "GRANT EXECUTE ON FUNCTION total_of TO PUBLIC",
        "has no grants, expected not EXECUTE to PUBLIC",
        YES,
    ),
    ("GRANT CREATE ON SCHEMA SELF TO WRITER", "schema has grants", YES),
    (
        "ALTER DEFAULT PRIVILEGES FOR ROLE OWNER IN SCHEMA SELF GRANT INSERT ON TABLES TO READER",
        "on tables` has grants INSERT, SELECT to",
        YES,
    ),
    (
        "ALTER SEQUENCE numbers OWNER TO WRITER",
        "sequence `numbers` has owner",
        YES,
    ),
    (
        "COMMENT ON TABLE orders IS 'What they bought'",
        "table `orders` has comment What they bought, expected What customers bought",
        YES,
    ),
    (
        "COMMENT ON COLUMN orders.total IS NULL",
        "column `orders.total` has no comment, expected With tax",
        YES,
    ),
];
