//! Tables, columns, indexes and foreign keys of one file.

use std::collections::BTreeMap;

use crate::database_url::EngineKind;
use crate::engine::{FoundColumn, FoundTable};
use crate::migrations::words;

use super::connect::Row;
use super::sql::literal;

/// Tables with their text, columns, indexes.
pub(super) fn statements(tables: &[&str]) -> [String; 3] {
    let names: Vec<String> = tables.iter().map(|name| literal(name)).collect();
    let these = format!("m.type IN ('table', 'view') AND m.name IN ({})", names.join(", "));
    [
        format!("SELECT m.name, m.sql FROM sqlite_schema m WHERE {these}"),
        format!(
            "SELECT m.name, c.name, c.type, c.\"notnull\", c.dflt_value
FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE {these} AND c.hidden <> 1 ORDER BY m.name, c.cid"
        ),
        format!("SELECT m.name, i.name FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE {these}"),
    ]
}

pub(super) fn tables(results: Vec<Vec<Row>>) -> Vec<FoundTable> {
    let mut found: BTreeMap<String, FoundTable> = BTreeMap::new();
    for (kind, rows) in results.into_iter().enumerate() {
        for row in rows {
            let mut row = row.into_iter().map(|(_, value)| value);
            let mut text = || row.next().flatten().unwrap_or_default();
            let name = text();
            let table = found.entry(name.clone()).or_insert_with(|| FoundTable {
                name,
                ..FoundTable::default()
            });
            match kind {
                0 => table.foreign_keys = foreign_keys(&text()),
                1 => {
                    let (name, data_type, not_null) = (text(), text(), text());
                    let default = row.next().flatten();
                    table.columns.push(FoundColumn {
                        name,
                        data_type,
                        nullable: not_null == "0",
                        default,
                    });
                }
                _ => table.indexes.push(text()),
            }
        }
    }
    found.into_values().collect()
}

/// Names of constraints stand only in the table's text (SQLite, "PRAGMA foreign_key_list").
fn foreign_keys(sql: &str) -> Vec<String> {
    let words = words(sql, EngineKind::Sqlite, usize::MAX);
    let named = |window: &[String]| {
        let is_key = window[0] == "CONSTRAINT" && matches!(window[2].as_str(), "FOREIGN" | "REFERENCES");
        // Bare words come in upper case; the text has the name as it was written.
        is_key.then(|| {
            let name = window[1].trim_matches(|c| matches!(c, '"' | '`' | '[' | ']'));
            let at = sql.to_uppercase().find(&name.to_uppercase());
            at.and_then(|at| sql.get(at..at + name.len()))
                .unwrap_or(name)
                .to_owned()
        })
    };
    words.windows(3).filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_foreign_keys_are_read_from_the_text() {
        let sql = "CREATE TABLE orders (id INTEGER, c INTEGER CONSTRAINT c_fk REFERENCES c (id),
            CONSTRAINT positive CHECK (id > 0), CONSTRAINT \"o fk\" FOREIGN KEY (id) REFERENCES o (id))";
        assert_eq!(foreign_keys(sql), ["c_fk", "o fk"]);
    }
}
