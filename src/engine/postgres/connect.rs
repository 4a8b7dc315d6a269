//! Connections, and the one way to send text over them.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgRow, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Either, Row as _};

use crate::database_url::{Address, DatabaseUrl, TlsMode};
use crate::domain::Redactor;
use crate::engine::{EngineError, ErrorKind};

/// A row as text; NULL is `None`.
pub(super) type Row = Vec<Option<String>>;

/// What went wrong after how many statements of the text that was sent.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) error: EngineError,
    pub(super) completed: usize,
}

impl From<Failed> for EngineError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Tries the addresses in order, as libpq does.
pub(super) async fn connect(
    url: &DatabaseUrl,
    timeout: Duration,
    redactor: &Redactor,
) -> Result<PgConnection, EngineError> {
    let mut last = EngineError::new(ErrorKind::Unreachable, "the URL names no host", redactor);
    for address in &url.addresses {
        let attempt = tokio::time::timeout(timeout, connect_to(url, address, redactor));
        last = match attempt.await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => error.of_connecting(&redactor.redact(&address.to_string())),
            Err(_) => EngineError::new(
                ErrorKind::Unreachable,
                format!("no answer within {timeout:?}"),
                redactor,
            ),
        };
        // A server that answered no would be asked in vain again under another name; libpq stops as well.
        if !matches!(last.kind, ErrorKind::Unreachable | ErrorKind::Disconnected) {
            break;
        }
    }
    Err(last)
}

async fn connect_to(
    url: &DatabaseUrl,
    address: &Address,
    redactor: &Redactor,
) -> Result<PgConnection, EngineError> {
    let options = options(url, address, redactor)?;
    let mut connection = options
        .connect()
        .await
        .map_err(|error| from_driver(&error, redactor))?;
    if url.primary_only {
        let standby = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
        let answer = send(&mut connection, standby.to_owned(), redactor).await?;
        if answer
            .first()
            .and_then(|rows| rows.first())
            .is_some_and(|row| row[0].as_deref() == Some("t"))
        {
            return Err(EngineError::new(
                ErrorKind::Unreachable,
                "the server is a standby",
                redactor,
            ));
        }
    }
    Ok(connection)
}

fn options(
    url: &DatabaseUrl,
    address: &Address,
    redactor: &Redactor,
) -> Result<PgConnectOptions, EngineError> {
    let mut options = match &url.options {
        None => PgConnectOptions::new_without_pgpass(),
        // The one way to hand the driver the text as it is.
        Some(text) => {
            let encoded =
                percent_encoding::utf8_percent_encode(text.expose(), percent_encoding::NON_ALPHANUMERIC);
            format!("postgres://?options={encoded}").parse().map_err(|_| {
                EngineError::new(
                    ErrorKind::Unreachable,
                    "the URL's `options` cannot be handed on",
                    redactor,
                )
            })?
        }
    };
    options = options
        .database(&url.database)
        .application_name(url.application_name.as_deref().unwrap_or("tenantgate"))
        // A startup parameter that PgBouncer refuses.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .ssl_mode(match url.tls {
            TlsMode::Disable => PgSslMode::Disable,
            TlsMode::Allow => PgSslMode::Allow,
            TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        });
    options = match address {
        Address::Tcp { host, port } => options.host(host).port(*port),
        Address::Socket { path, port } => options.socket(path).port(*port),
    };
    if let Some(user) = &url.user {
        options = options.username(user);
    }
    if let Some(password) = &url.password {
        options = options.password(password.expose());
    }
    if let Some(path) = &url.tls_root_cert {
        options = options.ssl_root_cert(path);
    }
    if let (Some(cert), Some(key)) = (&url.tls_client_cert, &url.tls_client_key) {
        options = options.ssl_client_cert(cert).ssl_client_key(key);
    }
    Ok(options)
}

/// Sends one or more statements in one message; the rows of each come back in its place.
pub(super) async fn send(
    connection: &mut PgConnection,
    sql: String,
    redactor: &Redactor,
) -> Result<Vec<Vec<Row>>, Failed> {
    let mut results = vec![Vec::new()];
    let outcome = {
        let mut stream = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut *connection);
        loop {
            match stream.try_next().await {
                Ok(Some(Either::Right(row))) => {
                    if let Some(rows) = results.last_mut() {
                        rows.push(text_row(&row));
                    }
                }
                Ok(Some(Either::Left(_))) => results.push(Vec::new()),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        }
    };
    // One list more than statements is open.
    let completed = results.len() - 1;
    results.truncate(completed);
    match outcome {
        Ok(()) => Ok(results),
        Err(error) => Err(Failed {
            error: from_driver(&error, redactor),
            completed,
        }),
    }
}

fn text_row(row: &PgRow) -> Row {
    let text = |index| row.try_get_raw(index).ok()?.as_str().ok().map(str::to_owned);
    (0..row.len()).map(text).collect()
}

/// PostgreSQL, appendix A: error codes.
pub(super) fn from_driver(error: &sqlx::Error, redactor: &Redactor) -> EngineError {
    let mut found = EngineError::from_driver(error, redactor);
    let sqlx::Error::Database(database) = error else {
        return found;
    };
    let Some(error) = database.try_downcast_ref::<PgDatabaseError>() else {
        return found;
    };
    found.kind = match error.code() {
        "28P01" | "28000" => ErrorKind::Refused,
        "3D000" => ErrorKind::NoDatabase,
        // A policy refused a row: no privilege would help.
        "42501" if error.routine() == Some("ExecWithCheckOptions") => ErrorKind::Statement,
        "42501" => ErrorKind::Forbidden,
        "25006" => ErrorKind::ReadOnly,
        "55P03" | "40P01" | "40001" => ErrorKind::Contended,
        "57014" => ErrorKind::TimedOut,
        "42P01" | "42703" | "3F000" | "42883" => ErrorKind::Missing,
        "23505" if error.constraint() == Some("ledger_pkey") => ErrorKind::AlreadyApplied,
        code if code.starts_with("53") => ErrorKind::Exhausted,
        // Idle in a transaction for too long, or in one that took too long.
        "25P03" | "25P04" => ErrorKind::Disconnected,
        code if code.starts_with("57P") || code.starts_with("08") => ErrorKind::Disconnected,
        _ => ErrorKind::Statement,
    };
    if let Some(detail) = error.detail() {
        found.message = redactor.redact(&format!("{} ({detail})", error.message()));
    }
    found.server_hint = error.hint().map(|hint| redactor.redact(hint));
    found.position = match error.position() {
        Some(PgErrorPosition::Original(position)) => Some(position),
        _ => None,
    };
    found
}
