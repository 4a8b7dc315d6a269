//! Migrations of one schema after the other over one connection.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;

use crate::database_url::EngineKind;
use crate::domain::{Direction, Migration};
use crate::engine::ranges::ProgressSql;
use crate::engine::rows::LedgerSql;
use crate::engine::{
    EngineError, EngineOptions, ErrorKind, Load, RangeError, RangeStanding, Session, StepError, Target,
};
use crate::migrations::{needs_no_transaction, words};

use super::concurrently::Concurrent;
use super::connect::{self, Failed, Row};
use super::script::{self, Frame};
use super::sql::{self, ident, literal};

/// The ledger's rows, written by this run.
pub(super) fn ledger_rows(ledger: &str, run: String) -> LedgerSql {
    LedgerSql {
        table: format!("{}.ledger", ident(ledger)),
        literal,
        now: "clock_timestamp()",
        run,
    }
}

/// The ledger's schema is this.
pub(super) fn progress(ledger: &str) -> ProgressSql {
    ProgressSql {
        table: format!("{}.progress", ident(ledger)),
        literal,
        now: "clock_timestamp()",
    }
}

pub(super) struct PostgresSession {
    pub(super) connection: PgConnection,
    pub(super) options: EngineOptions,
    pub(super) rows: LedgerSql,
    pub(super) progress: ProgressSql,
    pub(super) reusable: bool,
}

impl PostgresSession {
    pub(super) fn new(connection: PgConnection, options: EngineOptions, ledger: &str) -> Self {
        let rows = ledger_rows(ledger, options.run.clone());
        Self {
            connection,
            options,
            rows,
            progress: progress(ledger),
            reusable: true,
        }
    }

    pub(super) async fn send(&mut self, sql: String) -> Result<Vec<Vec<Row>>, Failed> {
        let sent = connect::send(&mut self.connection, sql, &self.options.redactor).await;
        self.reusable &= sent.is_ok();
        sent
    }

    pub(super) fn path(&self, target: Target<'_>) -> String {
        let shared = ident(&self.options.shared_schema);
        match target {
            Target::Shared => shared,
            Target::Tenant(tenant) => format!("{}, {shared}", ident(&tenant.location)),
        }
    }

    pub(super) fn usable(&self, target: Target<'_>) -> String {
        match target {
            Target::Shared => sql::usable(&self.options.shared_schema),
            Target::Tenant(tenant) => sql::usable(&tenant.location),
        }
    }

    pub(super) fn create(&self, target: Target<'_>, create: bool) -> String {
        match target {
            Target::Tenant(tenant) if create => {
                format!("CREATE SCHEMA IF NOT EXISTS {};", ident(&tenant.location))
            }
            _ => String::new(),
        }
    }

    /// The whole transaction; an error has ended it.
    async fn send_all(
        &mut self,
        target: Target<'_>,
        create: bool,
        migrations: &[&Migration],
        longest: usize,
    ) -> Result<(), NotApplied> {
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let frame = Frame {
            opening: format!(
                "BEGIN;{limits}{}{}{}",
                self.create(target, create),
                self.usable(target),
                self.rows.insert(target, migrations, "applied")
            ),
            before: format!("{limits}SET LOCAL search_path = {};", self.path(target)),
            after: RESET.to_owned(),
            closing: "COMMIT",
        };
        for (index, message) in script::messages(&frame, migrations, longest).iter().enumerate() {
            if let Err(failed) = self.send(message.text.clone()).await {
                let _ = self.send("ROLLBACK".to_owned()).await;
                let (migration, place) = message.locate(&failed, migrations);
                let refused = failed.error.kind == ErrorKind::Statement;
                return Err(NotApplied {
                    nowhere: index == 0
                        && refused
                        && failed.completed == 0
                        && failed.error.position.is_none(),
                    error: StepError {
                        error: failed.error,
                        migration,
                        place,
                    },
                });
            }
        }
        Ok(())
    }

    /// Ends a backend that may still be carrying out the statement of a run that died.
    async fn end_backend(&mut self, backend: &str) -> Result<(), EngineError> {
        let Some((pid, start)) = backend.split_once(' ') else {
            return Ok(());
        };
        let Ok(pid) = pid.parse::<i32>() else {
            return Ok(());
        };
        let same = format!("pid = {pid} AND backend_start::text = {}", literal(start));
        for attempt in 0..100 {
            let text = format!(
                "SELECT count(*), bool_or(pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity WHERE {same}"
            );
            let results = self.send(text).await?;
            let gone = results
                .first()
                .and_then(|rows| rows.first())
                .and_then(|row| row[0].clone());
            if gone.as_deref() == Some("0") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(if attempt < 20 { 50 } else { 250 })).await;
        }
        let message = "a backend of an earlier run still carries out this statement and does not end";
        Err(EngineError::new(
            ErrorKind::Contended,
            message,
            &self.options.redactor,
        ))
    }

    /// Fails (division by zero) where the row has moved on, and else keeps it for the transaction.
    fn fence(&self, target: Target<'_>, migration: &Migration, index: usize) -> String {
        let row = self.rows.at_statement(target, migration, index);
        format!("SELECT 1 / count(*) FROM ({row} FOR UPDATE) AS mine;")
    }

    /// An error of the fence, which is the statement at this index of the text, means another run.
    pub(super) fn fence_error(&self, failed: Failed, index: usize) -> Failed {
        if failed.completed != index || failed.error.kind != ErrorKind::Statement {
            return failed;
        }
        Failed {
            error: self.carried_on_by_another(),
            ..failed
        }
    }

    fn carried_on_by_another(&self) -> EngineError {
        let message = "another run has carried this migration on in the meantime";
        EngineError::new(ErrorKind::AlreadyApplied, message, &self.options.redactor)
    }
}

/// Why migrations were not applied.
struct NotApplied {
    error: StepError,
    /// The server did not say what it refused.
    nowhere: bool,
}

#[async_trait]
impl Session for PostgresSession {
    fn reusable(&self) -> bool {
        self.reusable
    }

    async fn apply(
        &mut self,
        target: Target<'_>,
        create: bool,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let Err(failed) = self.send_all(target, create, migrations, script::LONGEST).await else {
            return Ok(());
        };
        // Nothing was carried out and no place named, as of text that the server cannot decode: sent apart,
        // it is known whose it is.
        if failed.nowhere && migrations.len() > 1 {
            self.send_all(target, create, migrations, 0)
                .await
                .map_err(|failed| failed.error)?;
            return Ok(());
        }
        Err(failed.error)
    }

    async fn apply_together(
        &mut self,
        targets: &[(Target<'_>, bool)],
        migrations: &[&Migration],
    ) -> Result<(), EngineError> {
        let number = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        // Whoever waits for one of them waits for all: together they take less than one may.
        let lock = self.options.lock_timeout / (2 * number.max(1));
        let limits = sql::limits(lock, self.options.statement_timeout);
        let mut text = format!("BEGIN;{limits}");
        for (target, create) in targets {
            text.push_str(&self.create(*target, *create));
        }
        let locations = targets.iter().filter_map(|(target, _)| match target {
            Target::Tenant(tenant) => Some(tenant.location.as_str()),
            Target::Shared => None,
        });
        text.push_str(&sql::all_usable(locations));
        let rows = targets.iter().map(|(target, _)| *target);
        text.push_str(&self.rows.insert_all(rows, migrations, "applied"));
        let limits = sql::lock_limits(lock, self.options.statement_timeout);
        for (target, _) in targets {
            let before = format!("{limits}SET LOCAL search_path = {};", self.path(*target));
            for migration in migrations {
                text.push_str(&before);
                text.push_str(&migration.sql);
                text.push_str(script::END);
                text.push_str(RESET);
            }
        }
        text.push_str("COMMIT");
        let sent = self.send(text).await;
        if sent.is_err() {
            let _ = self.send("ROLLBACK".to_owned()).await;
        }
        Ok(sent.map(|_| ())?)
    }

    async fn revert(&mut self, target: Target<'_>, migrations: &[&Migration]) -> Result<(), StepError> {
        self.take_back(target, migrations).await
    }

    async fn begin(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
    ) -> Result<(), EngineError> {
        if migration.direction == Direction::Back {
            return self.turn(target, migration).await;
        }
        let text = format!(
            "{}{}{}",
            self.create(target, create),
            self.usable(target),
            self.rows.insert(target, &[migration], "running")
        );
        self.send(text).await?;
        Ok(())
    }

    async fn settle(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<bool, EngineError> {
        let Some(statement) = migration.statements.get(index) else {
            return Ok(false);
        };
        let read = format!(
            "SELECT backend, in_doubt FROM {} WHERE {}",
            self.rows.table,
            self.rows.this_row(target, migration)
        );
        let results = self.send(read).await?;
        let row = results
            .into_iter()
            .next()
            .and_then(|rows| rows.into_iter().next());
        let [backend, in_doubt] = row.and_then(|row| row.try_into().ok()).unwrap_or_default();
        self.end_backend(&backend.unwrap_or_default()).await?;
        let action = Concurrent::of(&statement.sql);
        // What the server refused has had no effect, whatever there is of the same name.
        if let Some(action) = &action
            && in_doubt.as_deref() == Some("t")
            && self.is_done(target, action).await?
        {
            return Ok(true);
        }
        if let Some(action) = &action {
            self.clear(target, action).await?;
        }
        Ok(false)
    }

    async fn step(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), StepError> {
        let statement = &migration.statements[index];
        let words = words(&statement.sql, EngineKind::Postgres, 8);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let advanced = self.rows.advanced(target, migration, index + 1);
        let place = Some((statement.line, statement.column));
        let failed = |failed: Failed| StepError {
            error: failed.error,
            migration: 0,
            place,
        };
        // What it sets for the session is for its own statements.
        self.reusable = false;
        let path = self.path(target);
        if !needs_no_transaction(&words, EngineKind::Postgres)
            && !matches!(words.first(), Some(&"CALL" | &"DO"))
        {
            let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
            let before = format!("BEGIN;{limits}");
            let fence = self.fence(target, migration, index);
            let opening = format!("{before}{fence}SET LOCAL search_path = {path};");
            let text = format!("{opening}{}\n;{advanced};COMMIT", statement.sql);
            if let Err(error) = self.send(text).await {
                let error = self.fence_error(error, before.matches(';').count());
                let place = within(&error, &opening, statement.line, statement.column, &statement.sql);
                let _ = self.send("ROLLBACK".to_owned()).await;
                return Err(StepError {
                    error: error.error,
                    migration: 0,
                    place,
                });
            }
            return Ok(());
        }
        let doubt = "in_doubt = true, backend = (
    SELECT pid || ' ' || backend_start FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid())";
        let before = format!(
            "{}SET search_path = {path};{}",
            self.fence(target, migration, index),
            self.rows.update(target, migration, index, doubt)
        );
        if let Err(error) = self.send(before).await {
            return Err(failed(self.fence_error(error, 0)));
        }
        if let Some(action) = Concurrent::of(&statement.sql) {
            let cleared = self.clear(target, &action).await;
            cleared.map_err(|error| StepError {
                error,
                migration: 0,
                place,
            })?;
        }
        // Alone in its message: several statements in one would be a transaction.
        self.send(statement.sql.clone()).await.map_err(failed)?;
        self.send(advanced).await.map_err(failed)?;
        Ok(())
    }

    async fn withdraw(&mut self, target: Target<'_>, migration: &Migration) -> Result<(), EngineError> {
        self.send(sql::session_limit(self.options.lock_timeout)).await?;
        self.reusable = false;
        self.settle(target, migration, 0).await?;
        let results = self.send(self.rows.withdraw(target, migration)).await?;
        if results.last().is_some_and(|rows| rows.len() == 1) {
            return Ok(());
        }
        Err(self.carried_on_by_another())
    }

    async fn refuse(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        let set = "in_doubt = false, backend = ''";
        self.send(self.rows.update(target, migration, index, set)).await?;
        // An invalid unique index still refuses the application's rows: it must not stay until the next run.
        let statement = migration.statements.get(index);
        if let Some(action) = statement.and_then(|it| Concurrent::of(&it.sql)) {
            let limits = sql::session_limit(self.options.lock_timeout);
            if self.send(limits).await.is_ok() {
                // Where this fails, the next run does it.
                let _ = self.clear(target, &action).await;
            }
        }
        Ok(())
    }

    async fn advance(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError> {
        self.send(self.rows.advanced(target, migration, done)).await?;
        Ok(())
    }

    async fn open_ranges(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
        begun: bool,
    ) -> Result<RangeStanding, EngineError> {
        self.open_batch(target, create, migration, begun).await
    }

    async fn next_range(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        at: &RangeStanding,
    ) -> Result<RangeStanding, RangeError> {
        self.range(target, migration, at).await
    }

    async fn load(&mut self) -> Result<Load, EngineError> {
        self.server_load().await
    }
}

/// Takes back what a migration set for the session, or left in it: `SET`, `DO`, a function that calls
/// `set_config`, a temporary table. Inside its transaction: a fresh connection would not do, because a pooler
/// keeps the server's and hands it to the application.
pub(super) const RESET: &str = "RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;DISCARD TEMP;";

/// Translates the server's position in the text that was sent into one in the file, where `sql`
/// begins at `line` and `column` and was sent behind `prefix`.
pub(super) fn within(
    failed: &Failed,
    prefix: &str,
    line: usize,
    column: usize,
    sql: &str,
) -> Option<(usize, usize)> {
    let offset = failed.error.position?.checked_sub(prefix.chars().count() + 1)?;
    let before: String = sql.chars().take(offset).collect();
    let breaks = before.matches('\n').count();
    let last = before.rsplit('\n').next().unwrap_or_default().chars().count();
    Some((line + breaks, if breaks == 0 { column + last } else { last + 1 }))
}
