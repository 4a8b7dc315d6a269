//! What can be told of a migration before any server sees it: does it fit the transaction it runs in?

use crate::database_url::EngineKind;
use crate::domain::{Finding, Migration, Statement};

use super::statements::words;

/// Findings of [`super::TRANSACTION`] in one migration.
pub(super) fn transaction_findings(migration: &Migration, kind: EngineKind) -> Vec<Finding> {
    let check = |statement| transaction_finding(migration, statement, kind);
    migration.statements.iter().filter_map(check).collect()
}

fn transaction_finding(migration: &Migration, statement: &Statement, kind: EngineKind) -> Option<Finding> {
    let words = words(&statement.sql, kind, 8);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let place = |finding: Finding| finding.file(&migration.file).at(statement.line, statement.column);
    if let Some(command) = transaction_control(&words, kind) {
        return Some(place(
            Finding::error(format!(
                "`{command}` would end or replace the transaction in which the ledger records this migration"
            ))
            .hint("take it out: every migration already runs in a transaction of its own"),
        ));
    }
    if kind == EngineKind::Postgres
        && words.first() == Some(&"COPY")
        && copies_over_the_client(&statement.sql)
    {
        return Some(place(
            Finding::error("`COPY` from or to the client needs psql: its data is no SQL")
                .hint("write INSERT statements (pg_dump has `--inserts`)"),
        ));
    }
    if kind == EngineKind::Mysql && words.first() == Some(&"USE") {
        return Some(place(
            Finding::error("`USE` would leave the tenant's database")
                .hint("take it out: the tenant's database is already the current one"),
        ));
    }
    if !needs_no_transaction(&words, kind) {
        return None;
    }
    if migration.transactional {
        let what = words.iter().take(3).copied().collect::<Vec<_>>().join(" ");
        return Some(place(
            Finding::error(format!("`{what}` cannot run inside a transaction"))
                .hint("put it into a migration whose first line is `-- tenantgate: no-transaction`"),
        ));
    }
    let nameless = matches!(
        words.as_slice(),
        ["CREATE", "INDEX", "CONCURRENTLY", "ON", ..]
            | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", "ON", ..]
    );
    nameless.then(|| {
        place(
            Finding::error(
                "this index has no name, so a rerun after a crash could not find what was left of it",
            )
            .hint("name it: CREATE INDEX CONCURRENTLY <name> ON …"),
        )
    })
}

/// `COPY … FROM STDIN`, `COPY … TO STDOUT`: the server would wait for data that nobody sends.
fn copies_over_the_client(sql: &str) -> bool {
    let words = words(sql, EngineKind::Postgres, usize::MAX);
    let over = |pair: &[String]| {
        matches!(
            (pair[0].as_str(), pair[1].as_str()),
            ("FROM", "STDIN") | ("TO", "STDOUT")
        )
    };
    words.windows(2).any(over)
}

/// Whether a text that cannot be split has a word that could end or replace the transaction.
pub(super) fn may_control(sql: &str) -> bool {
    let words = [
        "ABORT", "BEGIN", "COMMIT", "COPY", "END", "PREPARE", "ROLLBACK", "START",
    ];
    sql.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .any(|word| words.iter().any(|it| word.eq_ignore_ascii_case(it)))
}

fn transaction_control(words: &[&str], kind: EngineKind) -> Option<&'static str> {
    match words {
        ["BEGIN", "NOT", "ATOMIC", ..] if kind == EngineKind::Mysql => None,
        ["BEGIN", ..] => Some("BEGIN"),
        ["START", "TRANSACTION", ..] => Some("START TRANSACTION"),
        ["COMMIT", ..] => Some("COMMIT"),
        ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => None,
        ["ROLLBACK", ..] => Some("ROLLBACK"),
        ["END", ..] => Some("END"),
        ["ABORT", ..] => Some("ABORT"),
        ["PREPARE", "TRANSACTION", ..] => Some("PREPARE TRANSACTION"),
        ["XA", ..] => Some("XA"),
        ["LOCK", "TABLES" | "TABLE", ..] if kind == EngineKind::Mysql => Some("LOCK TABLES"),
        ["UNLOCK", "TABLES" | "TABLE", ..] if kind == EngineKind::Mysql => Some("UNLOCK TABLES"),
        _ => None,
    }
}

/// Statements that the engine's manual forbids inside a transaction block.
pub(crate) fn needs_no_transaction(words: &[&str], kind: EngineKind) -> bool {
    match kind {
        EngineKind::Postgres => match words {
            ["CREATE", "INDEX", "CONCURRENTLY", ..]
            | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ..]
            | ["DROP", "INDEX", "CONCURRENTLY", ..]
            | ["REINDEX", "DATABASE" | "SYSTEM" | "SCHEMA", ..]
            | ["VACUUM", ..]
            | ["CREATE" | "DROP", "DATABASE" | "TABLESPACE", ..]
            | ["ALTER", "SYSTEM", ..] => true,
            ["REINDEX", rest @ ..] | ["ALTER", "TABLE", rest @ ..] => rest.contains(&"CONCURRENTLY"),
            _ => false,
        },
        EngineKind::Sqlite => matches!(words, ["VACUUM", ..]),
        // DDL commits by itself there; every migration is run statement by statement.
        EngineKind::Mysql => false,
    }
}
