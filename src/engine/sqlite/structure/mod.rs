//! What a file is made of, and what migrations make of nothing.
//!
//! All of it is in the texts of `sqlite_schema`: pragmas do not show collations, conflict clauses, deferred keys,
//! expressions and checks. `user_version` and `application_id` are the application's data, and how the file is
//! stored (`auto_vacuum`, `journal_mode`, `encoding`) is not what is in it.

mod table;
mod text;

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::ObjectKind::{Index, Table, Trigger, View};
use crate::domain::{Migration, Print, Redactor, Structure};
use crate::engine::{EngineError, EngineOptions, NotMade};

use super::connect::{self, Access, Row};
use super::sql::literal;
use table::{Cursor, columns};
use text::{Piece, pieces, written};

/// Rows (type, table, name, text). What the library and the gate keep for themselves is left out.
fn texts(schema: &str) -> String {
    format!(
        r"SELECT type, tbl_name, name, sql FROM {schema}.sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND tbl_name NOT LIKE 'tenantgate\_%' ESCAPE '\'
ORDER BY type, name"
    )
}

/// All that is read of one file. Prints are made of it and structures of nothing else.
#[derive(Debug, Default)]
pub(super) struct Raw(Vec<[String; 4]>);

impl Raw {
    fn of(rows: Vec<Row>) -> Self {
        let values = |row: Row| {
            let mut values = row.into_iter().map(|(_, value)| value);
            std::array::from_fn(|_| values.next().flatten().unwrap_or_default())
        };
        Self(rows.into_iter().map(values).collect())
    }

    pub(super) fn print(&self) -> Print {
        let mut hash = Sha256::new();
        for text in self.0.iter().flatten() {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Print(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// What would make all of it again: a virtual table makes its shadows itself. Tables come first.
    pub(super) fn makers(&self) -> Vec<&str> {
        let shadows = self.shadows();
        let of = |wanted: &'static str| self.0.iter().filter(move |[kind, ..]| kind == wanted);
        let all = ["table", "view", "index", "trigger"].into_iter().flat_map(of);
        let kept = all.filter(|[_, table, ..]| !shadows.contains(&table.to_lowercase()));
        kept.map(|[.., sql]| sql.as_str()).collect()
    }

    /// Tables that somebody may put rows into.
    pub(super) fn tables(&self) -> Vec<&str> {
        let shadows = self.shadows();
        let tables = self.0.iter().filter(|[kind, ..]| kind == "table");
        let names = tables.map(|[_, _, name, _]| name.as_str());
        names
            .filter(|name| !shadows.contains(&name.to_lowercase()))
            .collect()
    }

    /// Tables in which virtual ones keep what is in them, in small letters.
    fn shadows(&self) -> BTreeSet<String> {
        let tables = self.0.iter().filter(|row| is_virtual(row));
        tables.flat_map(|[_, _, name, sql]| shadows(name, sql)).collect()
    }

    pub(super) fn structure(&self) -> Structure {
        let mut structure = Structure::default();
        let shadows = self.shadows();
        for [kind, table, name, sql] in &self.0 {
            if shadows.contains(&table.to_lowercase()) {
                continue;
            }
            let Some(pieces) = pieces(sql) else {
                // Never taken for alike because it is not understood.
                structure.add(Table, "", name, "definition", sql);
                continue;
            };
            match kind.as_str() {
                "table" => add_table(&mut structure, name, &pieces),
                "index" => add_index(&mut structure, table, name, &pieces),
                "view" => add_view(&mut structure, name, &pieces),
                "trigger" => add_trigger(&mut structure, table, name, &pieces),
                _ => {}
            }
        }
        structure
    }
}

fn is_virtual([kind, _, _, sql]: &[String; 4]) -> bool {
    let begin: String = sql.chars().take(20).collect();
    kind == "table" && begin.to_lowercase().starts_with("create virtual table")
}

/// SQLite, "The Virtual Table Mechanism", section 2.15, and the names that FTS3, FTS4, FTS5, R-Tree and Geopoly give.
fn shadows(name: &str, sql: &str) -> Vec<String> {
    let text: String = sql
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let module = text.split_once(" using ").map_or("", |(_, rest)| rest);
    let module: String = module
        .chars()
        .take_while(|it| it.is_alphanumeric() || *it == '_')
        .collect();
    let plain = text.replace(' ', "");
    // It keeps its rows in another table, or nowhere.
    let elsewhere = plain.contains(",content=") || plain.contains("(content=");
    let suffixes: &[&str] = match module.as_str() {
        "fts3" | "fts4" => &["content", "segments", "segdir", "docsize", "stat"],
        "fts5" => &["content", "data", "idx", "docsize", "config"],
        "rtree" | "rtree_i32" | "geopoly" => &["node", "rowid", "parent"],
        _ => &[],
    };
    let suffixes = suffixes.iter().filter(|it| !(elsewhere && **it == "content"));
    suffixes
        .map(|it| format!("{}_{it}", name.to_lowercase()))
        .collect()
}

fn add_table(structure: &mut Structure, name: &str, pieces: &[Piece]) {
    let using = match pieces {
        [_, is_virtual, _, rest @ ..] if is_virtual.is("virtual") => {
            rest.iter().position(|it| it.is("using"))
        }
        _ => return table::add(structure, name, pieces),
    };
    let rest = &pieces[3 + using.map_or(0, |at| at + 1)..];
    structure.add(Table, "", name, "kind", "virtual table");
    structure.add(Table, "", name, "module", written(&rest[..rest.len().min(1)]));
    structure.add(
        Table,
        "",
        name,
        "arguments",
        written(rest.get(1..).unwrap_or_default()),
    );
}

/// `CREATE UNIQUE INDEX name ON table (…) WHERE …`
fn add_index(structure: &mut Structure, table: &str, name: &str, pieces: &[Piece]) {
    let kind = if pieces.get(1).is_some_and(|it| it.is("unique")) {
        "unique"
    } else {
        "plain"
    };
    structure.add(Index, table, name, "kind", kind);
    let open = pieces
        .iter()
        .position(|it| it.is_sign("("))
        .unwrap_or(pieces.len());
    let mut cursor = Cursor(&pieces[open..]);
    structure.add(Index, table, name, "columns", columns(cursor.group()));
    if cursor.takes("where") {
        structure.add(Index, table, name, "where", written(cursor.0));
    }
}

/// `CREATE VIEW name (…) AS …`
fn add_view(structure: &mut Structure, name: &str, pieces: &[Piece]) {
    let at = pieces.iter().position(|it| it.is("as")).unwrap_or(0);
    let open = pieces[..at].iter().position(|it| it.is_sign("("));
    structure.add(View, "", name, "kind", "view");
    if let Some(open) = open {
        structure.add(View, "", name, "columns", written(&pieces[open..at]));
    }
    structure.add(View, "", name, "definition", written(&pieces[at + 1..]));
}

/// `CREATE TRIGGER name BEFORE UPDATE OF … ON table FOR EACH ROW WHEN … BEGIN … END`
fn add_trigger(structure: &mut Structure, table: &str, name: &str, pieces: &[Piece]) {
    let find = |keyword: &str, from: usize| {
        let found = pieces.iter().skip(from).position(|it| it.is(keyword));
        found.map_or(pieces.len(), |at| from + at)
    };
    let event = ["delete", "insert", "update"]
        .into_iter()
        .map(|it| find(it, 3))
        .min()
        .unwrap_or(0);
    let on = find("on", event);
    let begin = find("begin", on);
    let when = find("when", on).min(begin);
    let timing = ["before", "after", "instead"]
        .into_iter()
        .find(|it| find(it, 2) < event);
    let timing = timing
        .unwrap_or("before")
        .replace("instead", "instead of")
        .to_uppercase();
    structure.add(Trigger, table, name, "timing", timing);
    structure.add(Trigger, table, name, "event", written(&pieces[event..on]));
    if when < begin {
        structure.add(Trigger, table, name, "when", written(&pieces[when + 1..begin]));
    }
    structure.add(Trigger, table, name, "body", written(&pieces[begin..]));
}

/// Reads what is made in a file, over a connection to another. Absent: there is no such file.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    path: &Path,
    redactor: &Redactor,
) -> Result<Option<Raw>, EngineError> {
    if !path.exists() {
        return Ok(None);
    }
    let file = literal(&path.to_string_lossy());
    let text = format!("ATTACH {file} AS one;{};DETACH one", texts("one"));
    let sent = connect::send(connection, text, redactor).await;
    if sent.is_err() {
        // It is not attached where that is what failed.
        let _ = connect::send(connection, "DETACH one".to_owned(), redactor).await;
    }
    Ok(Some(Raw::of(sent?)))
}

/// A connection to nothing, over which files are read.
pub(super) async fn reader(options: &EngineOptions) -> Result<SqliteConnection, EngineError> {
    let nothing = Path::new(":memory:");
    connect::open(nothing, Access::Read, options.lock_timeout, &options.redactor).await
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
    Ok(of(&mut connection, &options.redactor).await?)
}

/// What a connection has open.
pub(super) async fn raw(connection: &mut SqliteConnection, redactor: &Redactor) -> Result<Raw, EngineError> {
    let rows = connect::send(connection, texts("main"), redactor).await?;
    Ok(Raw::of(rows))
}

/// The structure of what a connection has open.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    redactor: &Redactor,
) -> Result<Structure, EngineError> {
    Ok(raw(connection, redactor).await?.structure())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structure(sql: [&str; 4]) -> Vec<String> {
        let raw = Raw(vec![sql.map(str::to_owned)]);
        raw.structure()
            .facts
            .into_iter()
            .map(|it| format!("{} {}: {}", it.object.name, it.attribute, it.text))
            .collect()
    }

    #[test]
    fn indexes_views_and_triggers_are_told_by_their_parts() {
        let index = "CREATE UNIQUE INDEX i ON o (lower(a) COLLATE nocase, b ASC) WHERE b > 0";
        assert_eq!(
            structure(["index", "o", "i", index]),
            [
                "i columns: (lower(a) collate nocase, b)",
                "i kind: unique",
                "i where: b > 0"
            ]
        );
        let view = "CREATE VIEW v(x) AS SELECT a AS b FROM o";
        assert_eq!(
            structure(["view", "v", "v", view]),
            [
                "v columns: (x)",
                "v definition: select a as b from o",
                "v kind: view"
            ]
        );
        let trigger = "CREATE TRIGGER t AFTER UPDATE OF a ON o WHEN new.a > 0 BEGIN DELETE FROM p; END";
        assert_eq!(
            structure(["trigger", "o", "t", trigger]),
            [
                "t body: begin delete from p; end",
                "t event: update of a",
                "t timing: AFTER",
                "t when: new.a > 0"
            ]
        );
    }

    #[test]
    fn what_a_virtual_table_keeps_is_no_part_of_it() {
        let row = |name: &str, sql: &str| ["table", name, name, sql].map(str::to_owned);
        let raw = Raw(vec![
            row("docs", "CREATE VIRTUAL TABLE docs USING fts5(title, body)"),
            row(
                "docs_data",
                "CREATE TABLE 'docs_data'(id INTEGER PRIMARY KEY, block BLOB)",
            ),
            row("docs_notes", "CREATE TABLE docs_notes(id INTEGER)"),
            row("docs_stat", "CREATE TABLE docs_stat(id INTEGER)"),
            row(
                "old",
                "CREATE VIRTUAL TABLE old USING fts4 (title, content=\"posts\")",
            ),
            row("old_segdir", "CREATE TABLE 'old_segdir'(level INTEGER)"),
            row("old_config", "CREATE TABLE old_config(id INTEGER)"),
            row("old_content", "CREATE TABLE old_content(id INTEGER)"),
        ]);
        let structure = raw.structure();
        let names: BTreeSet<&str> = structure
            .facts
            .iter()
            .filter(|it| it.object.kind == Table)
            .map(|it| it.object.name.as_str())
            .collect();
        let seen = [
            "docs",
            "docs_notes",
            "docs_stat",
            "old",
            "old_config",
            "old_content",
        ];
        assert_eq!(names, BTreeSet::from(seen));
        assert_eq!(raw.tables().len(), seen.len());
        assert!(
            structure
                .facts
                .iter()
                .any(|it| it.attribute == "module" && it.text == "fts5")
        );
    }

    #[test]
    fn what_is_not_understood_is_kept_as_it_is() {
        assert_eq!(
            structure(["table", "t", "t", "CREATE TABLE 't"]),
            ["t definition: CREATE TABLE 't"]
        );
    }
}
