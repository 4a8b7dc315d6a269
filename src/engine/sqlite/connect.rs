//! Opening files, and the one way to send text to them.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Either, Row as _};

use crate::domain::Redactor;
use crate::engine::{EngineError, ErrorKind};

/// A row as (column name, text); NULL is `None`.
pub(super) type Row = Vec<(String, Option<String>)>;

/// What may be done to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Statements that write fail. The file must be there.
    Read,
    /// The file must be there.
    Write,
    /// Makes the file and its folder where they are missing.
    Create,
}

pub(super) async fn open(
    path: &Path,
    access: Access,
    busy: Duration,
    redactor: &Redactor,
) -> Result<SqliteConnection, EngineError> {
    if access == Access::Create
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            let message = format!("cannot make the folder `{}`: {error}", folder.display());
            EngineError::new(ErrorKind::Forbidden, message, redactor)
        })?;
    }
    let mut options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(access == Access::Create)
        .busy_timeout(busy)
        // A migration that rebuilds a table must be able to; what it leaves is checked before the
        // commit (SQLite, "ALTER TABLE", section 7).
        .foreign_keys(false)
        .statement_cache_capacity(0);
    if access == Access::Read {
        // Not `read_only`: that could not roll back what a killed writer left.
        options = options.pragma("query_only", "ON");
    }
    options.connect().await.map_err(|error| {
        let mut found = from_driver(&error, redactor);
        found.message = format!("cannot open `{}`: {}", path.display(), found.message);
        found
    })
}

/// Sends one or more statements; the rows of all of them come back together.
pub(super) async fn send(
    connection: &mut SqliteConnection,
    sql: String,
    redactor: &Redactor,
) -> Result<Vec<Row>, EngineError> {
    let mut rows = Vec::new();
    let mut stream = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut *connection);
    loop {
        match stream.try_next().await {
            Ok(Some(Either::Right(row))) => rows.push(text_row(&row)),
            Ok(Some(Either::Left(_))) => {}
            Ok(None) => return Ok(rows),
            Err(error) => return Err(from_driver(&error, redactor)),
        }
    }
}

fn text_row(row: &SqliteRow) -> Row {
    use sqlx::Column as _;
    // SQLite itself turns numbers into text (sqlite3_value_text).
    let text = |index| row.try_get_unchecked::<Option<String>, _>(index).ok().flatten();
    row.columns()
        .iter()
        .map(|column| (column.name().to_owned(), text(column.ordinal())))
        .collect()
}

/// The first column of the first row.
pub(super) fn first(rows: &[Row]) -> Option<String> {
    rows.first()
        .and_then(|row| row.first())
        .and_then(|(_, value)| value.clone())
}

/// SQLite, "Result and Error Codes".
pub(super) fn from_driver(error: &sqlx::Error, redactor: &Redactor) -> EngineError {
    let mut found = EngineError::from_driver(error, redactor);
    let sqlx::Error::Database(error) = error else {
        return found;
    };
    let code: u32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(1);
    let message = error.message();
    found.kind = match code & 0xff {
        5 | 6 => ErrorKind::Contended,
        // Its extended codes are about what cannot be made beside the file.
        _ if code == 8 => ErrorKind::ReadOnly,
        8 | 3 | 23 => ErrorKind::Forbidden,
        7 | 10 | 13 => ErrorKind::Exhausted,
        14 | 26 => ErrorKind::NoDatabase,
        19 if message.contains("tenantgate_ledger.") => ErrorKind::AlreadyApplied,
        1 if message.starts_with("no such table") || message.starts_with("no such column") => {
            ErrorKind::Missing
        }
        _ => ErrorKind::Statement,
    };
    if matches!(found.kind, ErrorKind::Forbidden | ErrorKind::ReadOnly) {
        found.server_hint = Some("make the file and its folder writable for this user".to_owned());
    }
    found
}
