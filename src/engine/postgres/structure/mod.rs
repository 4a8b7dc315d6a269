//! What schemas are made of, for many at once: everything that a dump of the schema would tell.
//!
//! The statement is in files by kind of object. Names of the own schema stand alone in what PostgreSQL
//! writes, because while it writes them that schema is the search path; in texts that it does not read, such as
//! the bodies of functions, they are taken out afterwards.

mod scratch;
mod text;

use crate::domain::Structure;
use crate::engine::structure::gather;

use super::connect::Row;
use super::sql::array;

pub(super) use scratch::{Scratch, refuse_written, written_to};
pub(super) use text::{expand, written};

pub(super) const OBJECTS: &str = include_str!("objects.sql");
const RELATIONS: &str = include_str!("relations.sql");
const TABLES: &str = include_str!("tables.sql");
/// Facts of what is not a table's.
pub(super) const OTHERS: [&str; 2] = [include_str!("others.sql"), include_str!("rights.sql")];

/// Compiling so many expressions takes a hundred times what evaluating them does. For the transaction, and only
/// where there is such a setting.
const NO_JIT: &str = "SELECT set_config(name, 'off', true) FROM pg_settings WHERE name = 'jit'";

/// Three statements; the last gives rows of (schema, kind, table, name, attribute, text).
pub(super) fn statement(schemas: &[String]) -> String {
    let schemas = array(schemas.iter().map(String::as_str));
    let facts = [TABLES, OTHERS[0], OTHERS[1]].join("UNION ALL\n");
    let text = expand(&format!("{OBJECTS},\n{RELATIONS}{facts}"));
    format!(
        "SET LOCAL search_path = pg_catalog;{NO_JIT};\n{};",
        text.replace(":schemas", &schemas)
    )
}

/// The shared schema's name becomes the same everywhere, and what is left of the own one's disappears.
pub(super) fn structures(schemas: &[String], shared: &[&str], rows: Vec<Row>) -> Vec<Structure> {
    gather(schemas, rows, |own, value| text::neutral(value, own, shared))
}
