//! Migrations of one schema taken back.

use crate::domain::Migration;
use crate::engine::{EngineError, ErrorKind, StepError, Target};

use super::connect::Failed;
use super::session::{PostgresSession, RESET, within};
use super::sql;

impl PostgresSession {
    /// The rows go first: a second rollback waits for them, finds them gone, and has run nothing.
    pub(super) async fn take_back(
        &mut self,
        target: Target<'_>,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let taken = self.take_back_uncommitted(target, migrations).await;
        if taken.is_err() {
            let _ = self.send("ROLLBACK".to_owned()).await;
            return taken;
        }
        // A failed answer leaves it open whether it took effect; the ledger will tell.
        let committed = self.send(format!("{RESET}COMMIT")).await;
        committed.map(|_| ()).map_err(|failed| StepError {
            error: failed.error,
            migration: migrations.len().saturating_sub(1),
            place: None,
        })
    }

    async fn take_back_uncommitted(
        &mut self,
        target: Target<'_>,
        migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let failed = |error, migration, place| StepError {
            error,
            migration,
            place,
        };
        let rows = self.rows.delete(target, migrations);
        let opening = format!("BEGIN;{limits}{}{rows}", self.usable(target));
        let results = self.send(opening).await;
        let results = results.map_err(|error| failed(error.error, 0, None))?;
        let gone = results.last().map_or(0, Vec::len);
        if gone != migrations.len() {
            return Err(failed(self.taken_back_by_another(), 0, None));
        }
        let mut reset = "";
        for (index, migration) in migrations.iter().enumerate() {
            let Some(down) = migration.down.as_deref() else {
                continue;
            };
            let prefix = format!("{reset}{limits}SET LOCAL search_path = {};", self.path(target));
            if let Err(error) = self.send(format!("{prefix}{}", down.sql)).await {
                let place = place(&error, &prefix, down);
                return Err(failed(error.error, index, place));
            }
            reset = RESET;
        }
        Ok(())
    }

    /// Opens the way back statement by statement.
    pub(super) async fn turn(&mut self, target: Target<'_>, down: &Migration) -> Result<(), EngineError> {
        let text = format!("{}{}", self.usable(target), self.rows.turn(target, down));
        let results = self.send(text).await?;
        if results.last().is_some_and(|rows| rows.len() == 1) {
            return Ok(());
        }
        Err(self.taken_back_by_another())
    }

    fn taken_back_by_another(&self) -> EngineError {
        let message = "another run has taken this migration back in the meantime";
        EngineError::new(ErrorKind::AlreadyApplied, message, &self.options.redactor)
    }
}

/// Where in the file: by the server's position, else by how many statements were carried out.
fn place(failed: &Failed, prefix: &str, migration: &Migration) -> Option<(usize, usize)> {
    if let Some(place) = within(failed, prefix, 1, 1, &migration.sql) {
        return Some(place);
    }
    let statement = migration
        .statements
        .get(failed.completed.checked_sub(prefix.matches(';').count())?)?;
    Some((statement.line, statement.column))
}
