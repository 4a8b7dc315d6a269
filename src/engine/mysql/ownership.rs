//! Which session may carry a migration on, and what became of the one before.
//!
//! A session holds a [user-level lock](https://dev.mysql.com/doc/refman/8.0/en/locking-functions.html)
//! named by a token that no other session has, and a migration's ledger row names its owner's token.
//! The server frees the lock when the connection has ended, after its last statement. So whoever takes a
//! row over can tell whether the owner before is still at it, end it, and know when it is gone:
//! without the privilege to see processes, and without mistaking a reused connection number for it.

use std::time::Duration;

use crate::domain::Migration;
use crate::engine::{EngineError, ErrorKind, Target};

use super::connect::Failed;
use super::session::MysqlSession;
use super::sql::{ident, literal};
use super::words::sets_session;

/// A row as it was taken over.
pub(super) struct Taken {
    pub(super) statement: usize,
    pub(super) in_doubt: bool,
    pub(super) probe: String,
}

pub(super) fn lock_name(token: &str) -> String {
    literal(&format!("tenantgate:{token}"))
}

impl MysqlSession {
    /// Makes this session the row's owner; none: it is already. Ends the owner before.
    pub(super) async fn own(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
    ) -> Result<Option<Taken>, EngineError> {
        let key = self.key(target, migration);
        if self.owned.as_ref() == Some(&key) {
            return Ok(None);
        }
        let ledger = ident(&self.ledger);
        let underway = migration.direction.underway();
        let read = format!("SELECT owner FROM {ledger}.ledger WHERE {key} AND state = '{underway}'");
        let answers = self.send(read).await?;
        let Some(owner) = answers
            .first()
            .and_then(|answer| answer.value())
            .map(str::to_owned)
        else {
            return Err(self.moved());
        };
        self.end_connection(&owner).await?;
        let take = format!(
            "START TRANSACTION;
UPDATE {ledger}.ledger SET owner = {}, run = {} WHERE {key} AND state = '{underway}' AND owner = {};
SELECT statement, in_doubt, probe FROM {ledger}.ledger WHERE {key};
COMMIT",
            literal(&self.token),
            literal(&self.options.run),
            literal(&owner)
        );
        let answers = self.send_or_roll_back(take).await?;
        let (Some(update), Some(row)) = (answers.get(1), answers.get(2).and_then(|it| it.rows.first()))
        else {
            return Err(self.moved());
        };
        if update.affected != 1 {
            return Err(self.moved());
        }
        let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
        let taken = Taken {
            statement: text(0).parse().unwrap_or(usize::MAX),
            in_doubt: text(1) == "1",
            probe: text(2),
        };
        self.owned = Some(key);
        self.replay(target, migration, taken.statement).await?;
        Ok(Some(taken))
    }

    /// The same, where the ledger was seen at the statement of this index.
    pub(super) async fn own_at(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<Option<Taken>, EngineError> {
        let taken = self.own(target, migration).await?;
        match &taken {
            Some(row) if row.statement != index => Err(self.moved()),
            _ => Ok(taken),
        }
    }

    /// Settings that the migration made for itself are made again for what is left of it.
    async fn replay(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError> {
        let database = ident(&self.database(target));
        for statement in migration.statements.iter().take(done) {
            if sets_session(&statement.sql) {
                self.reusable = false;
                self.send(format!("USE {database};{}", statement.sql)).await?;
            }
        }
        Ok(())
    }

    /// Waits until a session of an earlier run is gone, and sees to it.
    async fn end_connection(&mut self, token: &str) -> Result<(), EngineError> {
        if token.is_empty() || token == self.token {
            return Ok(());
        }
        let mut denied = None;
        for attempt in 0..100 {
            let answers = self
                .send(format!("SELECT is_used_lock({})", lock_name(token)))
                .await?;
            let Some(connection) = answers
                .first()
                .and_then(|answer| answer.value()?.parse::<u64>().ok())
            else {
                return Ok(());
            };
            let reusable = self.reusable;
            let kill = self.send(format!("KILL {connection}")).await;
            self.reusable = reusable;
            match kill {
                // 1094: it is gone.
                Ok(_)
                | Err(Failed {
                    number: Some(1094), ..
                }) => {}
                // Another user's. It may end by itself.
                Err(Failed {
                    number: Some(1095), ..
                }) => denied = Some(connection),
                Err(failed) => {
                    self.reusable = false;
                    return Err(failed.error);
                }
            }
            tokio::time::sleep(Duration::from_millis(if attempt < 20 { 50 } else { 300 })).await;
        }
        Err(match denied {
            Some(connection) => {
                let message = format!(
                    "connection {connection} of an earlier run still works at this migration, and it is another user's: KILL it"
                );
                self.wrong(ErrorKind::Forbidden, &message)
            }
            None => {
                let message = "a connection of an earlier run still works at this migration and does not end";
                self.wrong(ErrorKind::Contended, message)
            }
        })
    }

    pub(super) fn moved(&self) -> EngineError {
        let message = "another run has begun this migration or carried it on in the meantime";
        self.wrong(ErrorKind::AlreadyApplied, message)
    }
}
