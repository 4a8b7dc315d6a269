//! The config's own queries: one statement each, one value for each target.

use futures_util::future::join_all;

use crate::database_url::EngineKind;
use crate::domain::Redactor;
use crate::domain::words::count;
use crate::migrations::words;

use super::fleet::split::{in_order, split};
use super::{Engine, EngineError, ErrorKind, RegistryRow, Target};

/// Targets that are asked in one message.
const AT_ONCE: usize = 500;

/// What a query gave at one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub rows: usize,
    pub columns: usize,
    /// The first column of the first row.
    pub first: Option<String>,
}

/// The rows of the registry.
pub async fn registry(engine: &dyn Engine, sql: &str) -> Result<Vec<RegistryRow>, EngineError> {
    let rows = engine.registry(&one_query(sql, engine.kind())?).await;
    rows.map_err(only_reads)
}

/// The value of one query for each target; none: no row, or NULL. Nothing is written.
pub async fn values(
    engine: &dyn Engine,
    targets: &[Target<'_>],
    sql: &str,
) -> Vec<Result<Option<String>, EngineError>> {
    let query = match one_query(sql, engine.kind()) {
        Ok(query) => query,
        Err(error) => return vec![Err(error); targets.len()],
    };
    // Each server for itself: what one of them does not answer says nothing of the others.
    let parts = split(targets);
    let given = parts
        .iter()
        .map(|part| on_one_server(engine, &part.targets, &query));
    let given = join_all(given).await;
    let values = in_order(&parts, given);
    values
        .into_iter()
        .map(|value| value.map_err(only_reads))
        .collect()
}

/// Each engine asks where nothing can be written: that is no fault of the server's.
fn only_reads(error: EngineError) -> EngineError {
    match error.kind {
        ErrorKind::ReadOnly => wrong(format!("it writes, and must only read ({})", error.message)),
        _ => error,
    }
}

async fn on_one_server(
    engine: &dyn Engine,
    targets: &[Target<'_>],
    query: &str,
) -> Vec<Result<Option<String>, EngineError>> {
    let mut values = Vec::with_capacity(targets.len());
    for chunk in targets.chunks(AT_ONCE) {
        match engine.ask(chunk, query).await {
            Ok(given) => values.extend(given.into_iter().map(one_value)),
            Err(error) if chunk.len() == 1 || error.kind == ErrorKind::Disconnected => {
                values.extend(chunk.iter().map(|_| Err(error.clone())));
            }
            // One of them fails: ask again one by one to learn which.
            Err(_) => {
                for target in chunk {
                    let given = engine.ask(std::slice::from_ref(target), query).await;
                    values.push(given.and_then(|given| given.into_iter().next().map_or(Ok(None), one_value)));
                }
            }
        }
    }
    values
}

/// How statements begin that no query is; where one hides in a query, the server finds it.
const WRITES: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "TRUNCATE", "CREATE", "ALTER", "DROP", "GRANT",
    "REVOKE",
];

/// A second statement could end the transaction in which nothing can be written, and its rows would be
/// taken for another's.
fn one_query(sql: &str, kind: EngineKind) -> Result<String, EngineError> {
    match crate::migrations::split(sql, kind) {
        Ok(mut statements) if statements.len() == 1 => {
            let query = statements.remove(0).sql;
            match words(&query, kind, 1).pop() {
                Some(word) if WRITES.contains(&word.as_str()) => Err(wrong(format!(
                    "it begins with {word}, and must be a query that only reads"
                ))),
                _ => Ok(query),
            }
        }
        Ok(statements) => Err(wrong(format!(
            "the query has {} statements, and must be one",
            statements.len()
        ))),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn one_value(given: Given) -> Result<Option<String>, EngineError> {
    let Given { rows, columns, first } = given;
    if rows <= 1 && columns <= 1 {
        return Ok(first);
    }
    let (rows, columns) = (count(rows, "row"), count(columns, "column"));
    Err(wrong(format!(
        "the query gave {rows} of {columns}, and must give one value"
    )))
}

/// Its texts are our own: there is nothing to redact.
fn wrong(message: String) -> EngineError {
    EngineError::new(ErrorKind::Statement, message, &Redactor::default())
}
