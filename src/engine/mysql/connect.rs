//! Connections, and the one way to send text over them.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlRow, MySqlSslMode};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Either, Row as _, TypeInfo as _};
use sqlx::{ValueRef as _, mysql::MySql};

use crate::database_url::{Address, DatabaseUrl, TlsMode};
use crate::domain::Redactor;
use crate::engine::{EngineError, ErrorKind};

use super::place::without_tail;
use super::sql;

/// A row as text; NULL is `None`.
pub(super) type Row = Vec<Option<String>>;

/// What one statement gave.
#[derive(Debug, Default, Clone)]
pub(super) struct Answer {
    /// Names of the columns; empty where there are no rows.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Rows found by an UPDATE, changed or not; those inserted or deleted.
    pub(super) affected: u64,
}

impl Answer {
    /// The first value of the first row.
    pub(super) fn value(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }
}

/// What went wrong after how many statements of the text that was sent.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: EngineError,
    pub(super) completed: usize,
    /// The server's error number.
    pub(super) number: Option<u16>,
}

impl From<Failed> for EngineError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl EngineError {
    /// A syntax error's message without what was sent behind the statement.
    pub(super) fn without(mut self, tail: &str) -> Self {
        if let Some(message) = without_tail(&self.message, tail) {
            self.message = message;
        }
        self
    }
}

/// Tries the addresses in order.
pub(super) async fn connect(
    url: &DatabaseUrl,
    timeout: Duration,
    redactor: &Redactor,
) -> Result<MySqlConnection, EngineError> {
    let mut last = None;
    for address in &url.addresses {
        let options = options(url, address);
        let attempt = async {
            let mut connection = options.connect().await?;
            sqlx::raw_sql(sql::PLAIN_MODE).execute(&mut connection).await?;
            Ok(connection)
        };
        let error = match tokio::time::timeout(timeout, attempt).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => {
                connect_error(&error, redactor).of_connecting(&redactor.redact(&address.to_string()))
            }
            Err(_) => EngineError::new(
                ErrorKind::Unreachable,
                format!("no answer within {timeout:?}"),
                redactor,
            ),
        };
        let refused = error.kind != ErrorKind::Unreachable && error.kind != ErrorKind::Disconnected;
        last = Some(error);
        if refused {
            break;
        }
    }
    Err(last.unwrap_or_else(|| EngineError::new(ErrorKind::Unreachable, "the URL names no host", redactor)))
}

fn options(url: &DatabaseUrl, address: &Address) -> MySqlConnectOptions {
    // What migrations mean must not depend on this client: the server's own mode and time zone.
    let mut options = MySqlConnectOptions::new()
        .database(&url.database)
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .charset("utf8mb4")
        .set_names(true)
        .statement_cache_capacity(0)
        .ssl_mode(match url.tls {
            TlsMode::Disable => MySqlSslMode::Disabled,
            TlsMode::Allow | TlsMode::Prefer => MySqlSslMode::Preferred,
            TlsMode::Require => MySqlSslMode::Required,
            TlsMode::VerifyCa => MySqlSslMode::VerifyCa,
            TlsMode::VerifyFull => MySqlSslMode::VerifyIdentity,
        });
    options = match address {
        Address::Tcp { host, port } => options.host(host).port(*port),
        Address::Socket { path, .. } => options.socket(path),
    };
    if let Some(user) = &url.user {
        options = options.username(user);
    }
    if let Some(password) = &url.password {
        options = options.password(password.expose());
    }
    if let Some(path) = &url.tls_root_cert {
        options = options.ssl_ca(path);
    }
    if let (Some(cert), Some(key)) = (&url.tls_client_cert, &url.tls_client_key) {
        options = options.ssl_client_cert(cert).ssl_client_key(key);
    }
    options
}

/// Sends one or more statements in one message; the answer to each comes back in its place. The
/// server stops at the first error.
pub(super) async fn send(
    connection: &mut MySqlConnection,
    sql: String,
    redactor: &Redactor,
) -> Result<Vec<Answer>, Failed> {
    let mut answers = Vec::new();
    let mut open = Answer::default();
    let mut stream = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut *connection);
    loop {
        match stream.try_next().await {
            Ok(Some(Either::Right(row))) => {
                if open.rows.is_empty() {
                    open.columns = row.columns().iter().map(|it| it.name().to_owned()).collect();
                }
                open.rows.push(text_row(&row));
            }
            Ok(Some(Either::Left(done))) => {
                open.affected = done.rows_affected();
                answers.push(std::mem::take(&mut open));
            }
            Ok(None) => return Ok(answers),
            Err(error) => {
                return Err(Failed {
                    error: from_driver(&error, redactor),
                    completed: answers.len(),
                    number: number(&error),
                });
            }
        }
    }
}

fn text_row(row: &MySqlRow) -> Row {
    (0..row.len()).map(|index| text(row, index)).collect()
}

/// Values as the text protocol has them; what is not text as hexadecimal, so that it is not taken for
/// NULL; a BIT as its number, because that is how many store booleans.
fn text(row: &MySqlRow, index: usize) -> Option<String> {
    let value = row.try_get_raw(index).ok()?;
    let bit = value.type_info().name() == "BIT";
    let bytes = <&[u8] as sqlx::Decode<MySql>>::decode(value).ok()?;
    if bit {
        let number = bytes
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        return Some(number.to_string());
    }
    Some(std::str::from_utf8(bytes).map_or_else(|_| sql::hex(bytes), str::to_owned))
}

fn number(error: &sqlx::Error) -> Option<u16> {
    let sqlx::Error::Database(error) = error else {
        return None;
    };
    Some(error.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

fn connect_error(error: &sqlx::Error, redactor: &Redactor) -> EngineError {
    let mut found = from_driver(error, redactor);
    match number(error) {
        Some(1049) => found.kind = ErrorKind::NoDatabase,
        // A server on its way down or up turns connections away: another address may take them.
        Some(1053 | 1129) => found.kind = ErrorKind::Unreachable,
        // Names that do not resolve, too.
        None if matches!(error, sqlx::Error::Io(_)) => found.kind = ErrorKind::Unreachable,
        _ => {}
    }
    found
}

pub(super) fn from_driver(error: &sqlx::Error, redactor: &Redactor) -> EngineError {
    let mut found = EngineError::from_driver(error, redactor);
    if let Some(number) = number(error) {
        found.kind = kind(number);
        if is_for_want_of_room(number, &found.message) {
            found.kind = ErrorKind::Exhausted;
        }
        if is_read_only(number, &found.message) {
            found.kind = ErrorKind::ReadOnly;
        }
    }
    found
}

/// An error about a file, with the system's number for a full disk, or the server's own.
fn is_for_want_of_room(number: u16, message: &str) -> bool {
    matches!(number, 3 | 1004 | 1005 | 1030)
        && ["rrno: 28 ", "rrno: 135 "].iter().any(|it| message.contains(it))
}

/// 1290 is also for other options that forbid something.
fn is_read_only(number: u16, message: &str) -> bool {
    matches!(number, 1792 | 1836) || (number == 1290 && message.contains("read-only"))
}

/// [MySQL](https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html) and
/// [MariaDB](https://mariadb.com/kb/en/mariadb-error-code-reference/) agree on the numbers below 1900.
/// 1062, a duplicate key, is a statement's error like others: only `begin` knows whose key it was.
fn kind(number: u16) -> ErrorKind {
    match number {
        // Access denied, host not allowed, authentication plugin, password expired, account locked.
        1045 | 1130 | 1251 | 1698 | 1820 | 1862 | 3118 | 4151 => ErrorKind::Refused,
        // Access denied to database, table, column, routine, privilege; kill denied; a server that runs
        // with an option against it; read-only schema.
        1044 | 1095 | 1142 | 1143 | 1227 | 1290 | 1370 | 3989 => ErrorKind::Forbidden,
        // Lock wait timeout, deadlock, NOWAIT, a table definition that changed meanwhile.
        1205 | 1213 | 1412 | 3572 => ErrorKind::Contended,
        // Interrupted: by KILL QUERY, or by a time limit.
        1317 | 1969 | 3024 => ErrorKind::TimedOut,
        // Database, table, column, routine, view, trigger that does not exist.
        1049 | 1051 | 1054 | 1109 | 1146 | 1305 | 1360 | 4092 => ErrorKind::Missing,
        // Disk, memory, connections, table full, open files, thread stack, packet too large.
        1021 | 1026 | 1037 | 1038 | 1040 | 1041 | 1114 | 1135 | 1153 | 1203 | 1206 | 1226 => {
            ErrorKind::Exhausted
        }
        // Shutdown, aborted, connection killed, gone, lost, client inactivity.
        1053 | 1080 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => ErrorKind::Disconnected,
        _ => ErrorKind::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_kinds() {
        for (number, expected) in [
            (1045, ErrorKind::Refused),
            (1142, ErrorKind::Forbidden),
            (1205, ErrorKind::Contended),
            (1969, ErrorKind::TimedOut),
            (1146, ErrorKind::Missing),
            (1040, ErrorKind::Exhausted),
            (1927, ErrorKind::Disconnected),
            (1062, ErrorKind::Statement),
            (1064, ErrorKind::Statement),
        ] {
            assert_eq!(kind(number), expected, "{number}");
        }
    }

    #[test]
    fn a_full_disk_and_a_replica_are_known_by_their_words() {
        let table = "Can't create table `a`.`b` (errno: 28 \"No space left on device\")";
        assert!(is_for_want_of_room(1005, table));
        assert!(!is_for_want_of_room(
            1005,
            "Can't create table `a`.`b` (errno: 150)"
        ));
        let option = "The MariaDB server is running with the --{} option so it cannot execute this statement";
        assert!(is_read_only(1290, &option.replace("{}", "read-only")));
        assert!(!is_read_only(1290, &option.replace("{}", "secure-file-priv")));
    }
}
