//! Migrations of one file after the other.

use std::path::PathBuf;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;

use crate::database_url::EngineKind;
use crate::domain::{Direction, Migration, Statement};
use crate::engine::rows::LedgerSql;
use crate::engine::{
    EngineError, EngineOptions, ErrorKind, RangeError, RangeStanding, Session, StepError, Target,
};
use crate::migrations::words;

use super::connect::{self, Access, Row};
use super::sql::{self, literal};

/// The ledger's rows, written by this run.
pub(super) fn ledger_rows(run: String) -> LedgerSql {
    LedgerSql {
        table: sql::LEDGER.to_owned(),
        literal,
        now: sql::NOW,
        run,
    }
}

/// Opens each tenant's file for the time of its migrations, so nothing is carried over to the next.
pub(super) struct SqliteSession {
    shared: PathBuf,
    pub(super) options: EngineOptions,
    pub(super) rows: LedgerSql,
}

impl SqliteSession {
    pub(super) fn new(shared: PathBuf, options: EngineOptions) -> Self {
        let rows = ledger_rows(options.run.clone());
        Self {
            shared,
            options,
            rows,
        }
    }

    fn path(&self, target: Target<'_>) -> PathBuf {
        match target {
            Target::Shared => self.shared.clone(),
            Target::Tenant(tenant) => PathBuf::from(&tenant.location),
        }
    }

    pub(super) async fn open(
        &self,
        target: Target<'_>,
        create: bool,
    ) -> Result<SqliteConnection, EngineError> {
        let access = if create { Access::Create } else { Access::Write };
        connect::open(
            &self.path(target),
            access,
            self.options.lock_timeout,
            &self.options.redactor,
        )
        .await
    }

    pub(super) async fn send(
        &self,
        connection: &mut SqliteConnection,
        sql: String,
    ) -> Result<Vec<Row>, EngineError> {
        connect::send(connection, sql, &self.options.redactor).await
    }

    /// Everything from BEGIN to just before COMMIT.
    async fn carry_out(
        &self,
        connection: &mut SqliteConnection,
        target: Target<'_>,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let opening = format!(
            "BEGIN IMMEDIATE;{}{}",
            sql::CREATE_LEDGER,
            self.rows.insert(target, migrations, "applied")
        );
        let failed = |migration, place| {
            move |error| StepError {
                error,
                migration,
                place,
            }
        };
        self.send(connection, opening).await.map_err(failed(0, None))?;
        for (index, migration) in migrations.iter().enumerate() {
            for statement in &migration.statements {
                if let Err(error) = self.send(connection, statement.sql.clone()).await {
                    let place = place(statement, &error.message);
                    return Err(failed(index, Some(place))(error));
                }
            }
        }
        self.check_foreign_keys(connection)
            .await
            .map_err(failed(migrations.len() - 1, None))
    }

    /// The same the other way: the rows go first, so that of two rollbacks one finds nothing to do.
    async fn take_back(
        &self,
        connection: &mut SqliteConnection,
        target: Target<'_>,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let failed = |migration, place| {
            move |error| StepError {
                error,
                migration,
                place,
            }
        };
        let opening = format!("BEGIN IMMEDIATE;{}", self.rows.delete(target, migrations));
        let gone = self.send(connection, opening).await.map_err(failed(0, None))?;
        if gone.len() != migrations.len() {
            return Err(failed(0, None)(self.taken_back_by_another()));
        }
        for (index, migration) in migrations.iter().enumerate() {
            for statement in migration.down.iter().flat_map(|down| &down.statements) {
                if let Err(error) = self.send(connection, statement.sql.clone()).await {
                    let place = place(statement, &error.message);
                    return Err(failed(index, Some(place))(error));
                }
            }
        }
        let last = migrations.len().saturating_sub(1);
        self.check_foreign_keys(connection)
            .await
            .map_err(failed(last, None))?;
        self.send(connection, "COMMIT".to_owned())
            .await
            .map(|_| ())
            .map_err(failed(last, None))
    }

    fn taken_back_by_another(&self) -> EngineError {
        let message = "another run has taken this migration back in the meantime";
        EngineError::new(ErrorKind::AlreadyApplied, message, &self.options.redactor)
    }

    /// Opens the transaction of one statement, where the row still stands before it: another run may have
    /// taken it over while this one was asleep.
    async fn fenced(
        &self,
        connection: &mut SqliteConnection,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        let row = self.rows.at_statement(target, migration, index);
        let rows = self.send(connection, format!("BEGIN IMMEDIATE;{row}")).await?;
        if rows.is_empty() {
            return Err(self.carried_on_by_another());
        }
        Ok(())
    }

    fn carried_on_by_another(&self) -> EngineError {
        let message = "another run has carried this migration on in the meantime";
        EngineError::new(ErrorKind::AlreadyApplied, message, &self.options.redactor)
    }

    /// Foreign keys are not enforced while migrations run, so what they leave is checked.
    async fn check_foreign_keys(&self, connection: &mut SqliteConnection) -> Result<(), EngineError> {
        let rows = self
            .send(connection, "PRAGMA foreign_key_check".to_owned())
            .await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let text = |index: usize| {
            row.get(index)
                .and_then(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        let message = format!(
            "FOREIGN KEY constraint failed: table `{}` has {} that refer to rows missing in `{}`",
            text(0),
            crate::domain::words::count(rows.len(), "row"),
            text(2)
        );
        Err(EngineError::new(
            ErrorKind::Statement,
            message,
            &self.options.redactor,
        ))
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn reusable(&self) -> bool {
        true
    }

    async fn apply(
        &mut self,
        target: Target<'_>,
        create: bool,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let failed = |error| StepError {
            error,
            migration: 0,
            place: None,
        };
        let mut connection = self.open(target, create).await.map_err(failed)?;
        if let Err(error) = self.carry_out(&mut connection, target, migrations).await {
            let _ = self.send(&mut connection, "ROLLBACK".to_owned()).await;
            let path = self.path(target);
            // An empty file is no tenant: leave nothing where nothing was.
            if create && path.metadata().is_ok_and(|file| file.len() == 0) {
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        let committed = self.send(&mut connection, "COMMIT".to_owned()).await;
        committed.map(|_| ()).map_err(|error| StepError {
            error,
            migration: migrations.len() - 1,
            place: None,
        })
    }

    async fn revert(&mut self, target: Target<'_>, migrations: &[&Migration]) -> Result<(), StepError> {
        let mut connection = self.open(target, false).await.map_err(|error| StepError {
            error,
            migration: 0,
            place: None,
        })?;
        let taken = self.take_back(&mut connection, target, migrations).await;
        if taken.is_err() {
            let _ = self.send(&mut connection, "ROLLBACK".to_owned()).await;
        }
        taken
    }

    async fn begin(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
    ) -> Result<(), EngineError> {
        let mut connection = self.open(target, create).await?;
        if migration.direction == Direction::Back {
            let rows = self.rows.turn(target, migration);
            let turned = self.send(&mut connection, rows).await?;
            return match turned.len() {
                1 => Ok(()),
                _ => Err(self.taken_back_by_another()),
            };
        }
        let row = self.rows.insert(target, &[migration], "running");
        let text = format!("BEGIN IMMEDIATE;{}{row}COMMIT", sql::CREATE_LEDGER);
        self.send(&mut connection, text).await.map(|_| ())
    }

    async fn settle(&mut self, _: Target<'_>, _: &Migration, _: usize) -> Result<bool, EngineError> {
        // What cannot share a transaction with its ledger row (VACUUM, PRAGMA) does no harm twice.
        Ok(false)
    }

    async fn step(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), StepError> {
        let statement = &migration.statements[index];
        let advanced = self.rows.advanced(target, migration, index + 1);
        let failed = |error: EngineError| {
            let place = Some(place(statement, &error.message));
            StepError {
                error,
                migration: 0,
                place,
            }
        };
        let mut connection = self.open(target, false).await.map_err(failed)?;
        let first = words(&statement.sql, EngineKind::Sqlite, 1);
        let alone = matches!(
            first.first().map(String::as_str),
            Some("VACUUM" | "PRAGMA" | "ATTACH" | "DETACH")
        );
        self.fenced(&mut connection, target, migration, index)
            .await
            .map_err(failed)?;
        if alone {
            let doubt = self.rows.update(target, migration, index, "in_doubt = true");
            for text in [format!("{doubt};COMMIT"), statement.sql.clone(), advanced] {
                self.send(&mut connection, text).await.map_err(failed)?;
            }
            return Ok(());
        }
        let text = format!("{}\n;{advanced}", statement.sql);
        self.send(&mut connection, text).await.map_err(failed)?;
        self.check_foreign_keys(&mut connection).await.map_err(failed)?;
        self.send(&mut connection, "COMMIT".to_owned())
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn withdraw(&mut self, target: Target<'_>, migration: &Migration) -> Result<(), EngineError> {
        let mut connection = self.open(target, false).await?;
        let row = self.rows.withdraw(target, migration);
        let gone = self.send(&mut connection, row).await?;
        if gone.is_empty() {
            return Err(self.carried_on_by_another());
        }
        Ok(())
    }

    async fn refuse(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        let mut connection = self.open(target, false).await?;
        let text = self.rows.update(target, migration, index, "in_doubt = false");
        self.send(&mut connection, text).await.map(|_| ())
    }

    async fn advance(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError> {
        let mut connection = self.open(target, false).await?;
        let text = self.rows.advanced(target, migration, done);
        self.send(&mut connection, text).await.map(|_| ())
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
}

/// The statement's place, or the word's that SQLite names: `near "SELEC": syntax error`.
fn place(statement: &Statement, message: &str) -> (usize, usize) {
    let near = message
        .strip_prefix("near \"")
        .and_then(|rest| rest.split_once("\": syntax error"));
    let at = near.and_then(|(word, _)| {
        let mut found = statement.sql.match_indices(word);
        // A word that occurs twice is no place.
        found.next().filter(|_| found.next().is_none()).map(|(at, _)| at)
    });
    let Some(at) = at else {
        return (statement.line, statement.column);
    };
    let before = &statement.sql[..at];
    let breaks = before.matches('\n').count();
    let last = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (
        statement.line + breaks,
        if breaks == 0 {
            statement.column + last
        } else {
            last + 1
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_that_sqlite_names_is_the_place() {
        let statement = Statement {
            sql: "create table a (\n  b intt prmary key)".into(),
            line: 3,
            column: 5,
        };
        assert_eq!(place(&statement, "near \"prmary\": syntax error"), (4, 10));
        assert_eq!(place(&statement, "no such table: x"), (3, 5));
    }
}
