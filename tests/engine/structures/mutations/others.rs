//! Changes to views, routines, types, rights and comments.

use super::{BY_HAND, Mutation, YES};

pub(super) const OTHERS: &[Mutation] = &[
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
        "ALTER DEFAULT PRIVILEGES FOR ROLE OWNER IN SCHEMA SELF GRANT SELECT ON SEQUENCES TO READER",
        "on sequences",
        BY_HAND,
    ),
    (
        "ALTER MATERIALIZED VIEW totals ALTER customer_id SET STATISTICS 10",
        "column `totals.customer_id` has statistics target 10, expected none",
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
