//! What schemas are made of, for many at once: everything that a dump of the schema would tell.
//!
//! The statement is in files by kind of object. Names of the own schema stand alone in what PostgreSQL
//! writes, because while it writes them that schema is the first of the search path; in texts that it does not
//! read, such as literals and the bodies of functions, they are taken out afterwards.

mod text;

use crate::domain::Structure;
use crate::engine::EngineOptions;
use crate::engine::structure::gather;

use super::connect::Row;
use super::sql::{array, literal};

pub(super) use text::{expand, written};

pub(super) const OBJECTS: &str = include_str!("objects.sql");
const RELATIONS: &str = include_str!("relations.sql");
const TABLES: &str = include_str!("tables.sql");
/// Facts of what is not a table's.
pub(super) const OTHERS: [&str; 2] = [include_str!("others.sql"), include_str!("rights.sql")];

/// Compiling so many expressions takes a hundred times what evaluating them does. For the transaction, and only
/// where there is such a setting.
const NO_JIT: &str = "SELECT set_config(name, 'off', true) FROM pg_settings WHERE name = 'jit'";

/// Three statements; the last gives rows of (schema, kind, table, name, attribute, text). To be filled in.
pub(super) fn statement(schemas: &[String]) -> String {
    let schemas = array(schemas.iter().map(String::as_str));
    let facts = [TABLES, OTHERS[0], OTHERS[1]].join("UNION ALL\n");
    let text = expand(&format!(
        "{OBJECTS},\n{RELATIONS}SELECT nspname, kind, tbl, name, attribute, OWNLESS(value) FROM (\n{facts}
) AS facts (nspname, kind, tbl, name, attribute, value) WHERE value IS NOT NULL"
    ));
    format!(
        "SET LOCAL search_path = pg_catalog;{NO_JIT};\n{};",
        text.replace(":schemas", &schemas)
    )
}

/// A statement with what it must know of the environment: which schemas are tenants', and which count as the
/// shared one.
pub(super) fn fill(text: &str, options: &EngineOptions, shared: &[&str]) -> String {
    let (prefix, suffix) = options.location.split_once("{tenant}").unwrap_or_default();
    let ledger = options.ledger.as_deref().unwrap_or("tenantgate");
    text.replace(":prefix", &literal(prefix))
        .replace(":suffix", &literal(suffix))
        .replace(":apart", &array([options.shared_schema.as_str(), ledger]))
        .replace(":shared", &array(shared.iter().copied()))
}

/// The shared schemas' names become the same everywhere: what the own one's does, where that is one of them.
pub(super) fn structures(schemas: &[String], shared: &[&str], rows: Vec<Row>) -> Vec<Structure> {
    gather(schemas, rows, |own, value| text::neutral(value, own, shared))
}
