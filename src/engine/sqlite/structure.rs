//! What a file is made of, and what migrations make of nothing.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, ObjectKind, Redactor, Structure};
use crate::engine::{EngineError, EngineOptions, NotMade};
use crate::migrations::words;

use super::connect::{self, Access, Row};

/// Rows (kind, table, name, attribute, text). What the library and the gate keep for themselves is left out.
const FACTS: &str = r#"WITH m AS (SELECT * FROM sqlite_schema
    WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name NOT LIKE 'tenantgate\_%' ESCAPE '\'),
t AS (SELECT m.name, l.wr, l.strict FROM m JOIN pragma_table_list(m.name) l WHERE m.type = 'table' AND l.schema = 'main')
SELECT 'table', '', name, 'kind', 'table' || CASE wr WHEN 1 THEN ' without rowid' ELSE '' END || CASE strict WHEN 1 THEN ' strict' ELSE '' END FROM t
UNION ALL SELECT 'column', t.name, c.name, 'type', c.type FROM t JOIN pragma_table_xinfo(t.name) c
UNION ALL SELECT 'column', t.name, c.name, 'null', CASE c."notnull" WHEN 0 THEN 'NULL' ELSE 'NOT NULL' END FROM t JOIN pragma_table_xinfo(t.name) c
UNION ALL SELECT 'column', t.name, c.name, 'default', c.dflt_value FROM t JOIN pragma_table_xinfo(t.name) c
UNION ALL SELECT 'column', t.name, c.name, 'generated', CASE c.hidden WHEN 2 THEN 'virtual' ELSE 'stored' END
    FROM t JOIN pragma_table_xinfo(t.name) c WHERE c.hidden IN (2, 3)
UNION ALL SELECT 'constraint', name, 'primary key', 'definition', text FROM (
    SELECT name, group_concat(part, ', ') AS text FROM (
        SELECT t.name, c.name AS part FROM t JOIN pragma_table_xinfo(t.name) c WHERE c.pk > 0 ORDER BY t.name, c.pk) GROUP BY name)
UNION ALL SELECT 'constraint', name, 'foreign key (' || columns || ')', 'definition', text FROM (
    SELECT name, group_concat("from", ', ') AS columns,
        'REFERENCES ' || min("table") || ' (' || group_concat(coalesce("to", ''), ', ') || ') ON DELETE ' || min(on_delete) || ' ON UPDATE ' || min(on_update) AS text
    FROM (SELECT t.name, f.* FROM t JOIN pragma_foreign_key_list(t.name) f ORDER BY t.name, f.id, f.seq) GROUP BY name, id)
UNION ALL SELECT CASE origin WHEN 'c' THEN 'index' ELSE 'constraint' END, name, CASE origin WHEN 'c' THEN "index" ELSE 'unique (' || columns || ')' END,
    'definition', CASE "unique" WHEN 1 THEN 'unique ' ELSE '' END || '(' || columns || ')' || CASE partial WHEN 1 THEN ' partial' ELSE '' END FROM (
    SELECT name, "index", origin, "unique", partial, group_concat(part, ', ') AS columns FROM (
        SELECT t.name, i.name AS "index", i.origin, i."unique", i.partial,
            coalesce(x.name, 'expression') || CASE x.desc WHEN 1 THEN ' desc' ELSE '' END || CASE x.coll WHEN 'BINARY' THEN '' ELSE ' collate ' || x.coll END AS part
        FROM t JOIN pragma_index_list(t.name) i JOIN pragma_index_xinfo(i.name) x WHERE x.key = 1 AND i.origin <> 'pk'
        ORDER BY t.name, i.name, x.seqno) GROUP BY name, "index")"#;

/// Texts that only the schema's own table has: (type, table, name, text).
const TEXTS: &str = r"SELECT type, tbl_name, name, sql FROM sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name NOT LIKE 'tenantgate\_%' ESCAPE '\'";

/// Reads the structure of what the connection has open.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    redactor: &Redactor,
) -> Result<Structure, EngineError> {
    let mut structure = Structure::default();
    for row in connect::send(connection, FACTS.to_owned(), redactor).await? {
        let [kind, table, name, attribute, text] = values(row);
        if let (Some(kind), Some(text)) = (ObjectKind::parse(&kind.unwrap_or_default()), text) {
            let of = |value: Option<String>| value.unwrap_or_default();
            structure.add(kind, of(table), of(name), of(attribute), text);
        }
    }
    for row in connect::send(connection, TEXTS.to_owned(), redactor).await? {
        let [kind, table, name, sql] = values(row).map(Option::unwrap_or_default);
        let words = words(&sql, EngineKind::Sqlite, usize::MAX);
        match kind.as_str() {
            "view" => structure.add(ObjectKind::View, "", name, "definition", words.join(" ")),
            "trigger" => structure.add(ObjectKind::Trigger, table, name, "definition", words.join(" ")),
            "table" => {
                for check in checks(&words) {
                    structure.add(
                        ObjectKind::Constraint,
                        &name,
                        format!("check {check}"),
                        "definition",
                        check,
                    );
                }
            }
            // Expressions, and the condition of a partial index.
            "index" => {
                let on = words.iter().position(|word| word == "ON");
                let behind = words
                    .get(on.map_or(0, |at| at + 2)..)
                    .unwrap_or_default()
                    .join(" ");
                structure.add(ObjectKind::Index, table, name, "text", behind);
            }
            _ => {}
        }
    }
    Ok(structure)
}

fn values<const N: usize>(row: Row) -> [Option<String>; N] {
    let mut values = row.into_iter().map(|(_, value)| value);
    std::array::from_fn(|_| values.next().flatten())
}

/// What stands in parentheses behind each CHECK.
fn checks(words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for at in words
        .iter()
        .enumerate()
        .filter(|(_, word)| *word == "CHECK")
        .map(|(at, _)| at + 1)
    {
        let mut depth = 0_usize;
        let mut text = Vec::new();
        for word in &words[at..] {
            match word.as_str() {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            text.push(word.as_str());
            if depth == 0 {
                break;
            }
        }
        found.push(text.join(" "));
    }
    found
}

/// Tries migrations out in memory, where no file is.
pub(super) async fn learn(migrations: &[&Migration], options: &EngineOptions) -> Result<Structure, NotMade> {
    let mut connection = connect::open(
        Path::new(":memory:"),
        Access::Write,
        options.lock_timeout,
        &options.redactor,
    )
    .await?;
    for (index, migration) in migrations.iter().enumerate() {
        let statements = migration.statements.iter();
        for statement in statements.filter(|it| !passed_over(&it.sql, EngineKind::Sqlite)) {
            let sent = connect::send(&mut connection, statement.sql.clone(), &options.redactor).await;
            sent.map_err(|error| NotMade {
                error,
                migration: Some(index),
            })?;
        }
    }
    Ok(read(&mut connection, &options.redactor).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_read_from_the_text() {
        let sql = "create table a (b int check (b > 0 and (b < 9)), constraint c CHECK (b <> 3))";
        let words = words(sql, EngineKind::Sqlite, usize::MAX);
        assert_eq!(checks(&words), ["( B > 0 AND ( B < 9 ) )", "( B <> 3 )"]);
    }
}
