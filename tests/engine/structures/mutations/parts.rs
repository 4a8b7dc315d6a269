//! Changes to indexes, triggers, rules, policies and sequences.

use super::{BY_HAND, Mutation, YES};

pub(super) const PARTS: &[Mutation] = &[
    // Indexes.
    (
        "ALTER TABLE customers DROP CONSTRAINT customers_name_key; CREATE UNIQUE INDEX customers_name_key ON customers (name)",
        "constraint `customers_name_key` of `customers` is missing; extra index `customers_name_key` of `customers`",
        YES,
    ),
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
    // As a load of much data leaves it.
    (
        "ALTER TABLE customers DISABLE TRIGGER ALL",
        "has enforced not on customers, expected none",
        BY_HAND,
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
];
