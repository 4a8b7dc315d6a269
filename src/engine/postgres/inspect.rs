//! Tables, columns, indexes and foreign keys by name, for many schemas at once.

use crate::engine::found::gather;
use crate::engine::{FoundColumn, FoundTable};

use super::connect::Row;
use super::sql::array;

/// Six statements: tables, columns, indexes, foreign keys, row-level security, policies.
pub(super) fn statements(schemas: &[String], tables: &[&str]) -> String {
    let names = format!(
        "n.nspname = ANY ({}) AND c.relname = ANY ({}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        array(schemas.iter().map(String::as_str)),
        array(tables.iter().copied())
    );
    let from = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
    format!(
        "BEGIN READ ONLY;
SELECT n.nspname, c.relname {from} WHERE {names};
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
{from} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE {names} ORDER BY a.attrelid, a.attnum;
SELECT n.nspname, c.relname, i.relname
{from} JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND x.indisvalid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE {names};
SELECT n.nspname, c.relname, k.conname
{from} JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' WHERE {names};
SELECT n.nspname, c.relname, CASE WHEN NOT c.relrowsecurity THEN 'off' WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END
{from} WHERE {names};
SELECT n.nspname, c.relname, p.polname {from} JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid WHERE {names};
COMMIT"
    )
}

/// The tables of each schema, in the order of the schemas.
pub(super) fn tables(schemas: &[String], results: Vec<Vec<Row>>) -> Vec<Vec<FoundTable>> {
    let column = |name, data_type, not_null: String, default| FoundColumn {
        name,
        data_type,
        nullable: not_null != "t",
        default,
    };
    // The first result is BEGIN's, the last COMMIT's.
    gather(schemas, results.into_iter().skip(1), column)
}
