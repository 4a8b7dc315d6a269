//! Changes to tables, their columns and constraints.

use super::{BY_HAND, Mutation, YES};

pub(super) const TABLES: &[Mutation] = &[
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
];
