//! Where migrations are tried out, so that it is known what they make of nothing.

use std::time::Duration;

use sqlx::postgres::PgConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Redactor, Structure};
use crate::engine::{EngineError, EngineOptions, ErrorKind, NotMade};
use crate::migrations::without_concurrently;

use crate::engine::postgres::connect::{self, Row};
use crate::engine::postgres::session::RESET;
use crate::engine::postgres::sql::{self, ident, literal};
use crate::engine::postgres::structure;

/// Where migrations are tried out: in one transaction, which is never committed.
pub(in crate::engine::postgres) struct Scratch<'a> {
    connection: &'a mut PgConnection,
    options: &'a EngineOptions,
    shared: String,
    own: String,
    /// With the real shared schema behind the scratch, for what extensions keep there.
    real: bool,
    /// What runs on nothing takes no longer, where somebody is there to run it.
    patience: Duration,
}

impl<'a> Scratch<'a> {
    pub(in crate::engine::postgres) fn new(
        connection: &'a mut PgConnection,
        options: &'a EngineOptions,
        real: bool,
        patience: Duration,
    ) -> Self {
        let name = format!("tenantgate_scratch_{:016x}", fastrand::u64(..));
        Self {
            connection,
            options,
            shared: format!("{name}_shared"),
            own: name,
            real,
            patience,
        }
    }

    pub(in crate::engine::postgres) async fn learn(
        &mut self,
        shared: &[&Migration],
        own: &[&Migration],
    ) -> Result<Structure, NotMade> {
        let learnt = self.try_out(shared, own).await;
        // Where the connection is gone, or this fails, the transaction is gone with it.
        let gone = |not: &NotMade| not.error.kind == ErrorKind::Disconnected;
        if !learnt.as_ref().is_err_and(gone) {
            let _ = self.send("ROLLBACK".to_owned()).await;
        }
        learnt
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Vec<Row>>, EngineError> {
        let redactor = &self.options.redactor;
        let sent = tokio::time::timeout(self.patience, connect::send(self.connection, sql, redactor)).await;
        let sent = sent.map_err(|_| EngineError::silence(self.patience, redactor))?;
        sent.map_err(|failed| failed.error)
    }

    async fn try_out(&mut self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let (place, below) = (ident(&self.own), ident(&self.shared));
        self.send(format!(
            "BEGIN;{limits}CREATE SCHEMA {place};CREATE SCHEMA {below};"
        ))
        .await?;
        let real = match self.real {
            true => format!(", {}", ident(&self.options.shared_schema)),
            false => String::new(),
        };
        let paths = [format!("{below}{real}"), format!("{place}, {below}{real}")];
        let all = shared
            .iter()
            .map(|it| (it, &paths[0]))
            .chain(own.iter().map(|it| (it, &paths[1])));
        for (index, (migration, path)) in all.enumerate() {
            let prefix = format!("{RESET}{limits}SET LOCAL search_path = {path};");
            let sent = self.send(format!("{prefix}{}", text(migration))).await;
            sent.map_err(|error| NotMade {
                error,
                migration: Some(index),
            })?;
        }
        self.refuse_real_writes().await?;
        let names = [self.own.clone()];
        let results = self
            .send(format!("{RESET}{}", structure::statement(&names)))
            .await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let shared = [self.shared.as_str(), self.options.shared_schema.as_str()];
        Ok(structure::structures(&names, &shared, rows).remove(0))
    }

    /// Whatever was written to, or changed, is locked by this transaction.
    async fn refuse_real_writes(&mut self) -> Result<(), EngineError> {
        let results = self.send(written_to([&self.own, &self.shared])).await?;
        refuse_written(
            results.into_iter().next_back().unwrap_or_default(),
            &self.options.redactor,
        )
    }
}

/// Tables outside the scratch that the transaction has written to, or changed. A foreign key that refers to a
/// table of the shared schema is allowed.
pub(in crate::engine::postgres) fn written_to(scratch: [&str; 2]) -> String {
    format!(
        "SELECT DISTINCT n.nspname || '.' || c.relname FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ExclusiveLock', 'AccessExclusiveLock')
AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {}, {}) LIMIT 3",
        literal(scratch[0]),
        literal(scratch[1])
    )
}

/// An error where there are any.
pub(in crate::engine::postgres) fn refuse_written(
    rows: Vec<Row>,
    redactor: &Redactor,
) -> Result<(), EngineError> {
    let names = rows.into_iter().filter_map(|row| row.into_iter().next()?);
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the migrations write to {} itself; all of it was rolled back",
        names.join(", ")
    );
    let mut error = EngineError::new(ErrorKind::Statement, message, redactor);
    error.server_hint = Some(
        "they cannot be tried out beside it: let them name what they make without its schema".to_owned(),
    );
    Err(error)
}

/// As it can run inside a transaction: an index that would be built concurrently is the same index.
fn text(migration: &Migration) -> String {
    if migration.transactional {
        return migration.sql.clone();
    }
    let statements = migration.statements.iter();
    let kept = statements.filter(|it| !passed_over(&it.sql, EngineKind::Postgres));
    let kept: Vec<String> = kept.map(|it| without_concurrently(&it.sql)).collect();
    kept.join("\n;")
}
