//! Which session may carry a migration on, and what became of the one before.
//!
//! A session holds a [user-level lock](https://dev.mysql.com/doc/refman/8.0/en/locking-functions.html)
//! named by a token that no other session has, and a migration's ledger row names its owner's token.
//! The server frees the lock when the connection has ended, after its last statement. So whoever takes a
//! row over can tell whether the owner before is still at it, end it, and know when it is gone:
//! without the privilege to see processes, and without mistaking a reused connection number for it.

use std::time::Duration;

use crate::domain::{Checksum, Migration};
use crate::engine::{EngineError, ErrorKind, Target};

use super::connect::Failed;
use super::effect::{Effect, Object, ObjectKind, effect, sets_session};
use super::session::MysqlSession;
use super::sql::{ident, literal};

/// What an object is like when it is not there.
const ABSENT: &str = "absent";

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
        let read = format!("SELECT owner FROM {ledger}.ledger WHERE {key} AND state = 'running'");
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
UPDATE {ledger}.ledger SET owner = {}, run = {} WHERE {key} AND state = 'running' AND owner = {};
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
            let kill = self.send(format!("KILL {connection}")).await;
            self.reusable = true;
            match kill {
                // 1094: it is gone.
                Ok(_)
                | Err(Failed {
                    number: Some(1094), ..
                }) => {}
                // Another user's. It may end by itself.
                Err(Failed {
                    number: Some(1095),
                    error,
                    ..
                }) => denied = Some(error),
                Err(failed) => {
                    self.reusable = false;
                    return Err(failed.error);
                }
            }
            tokio::time::sleep(Duration::from_millis(if attempt < 20 { 50 } else { 300 })).await;
        }
        Err(denied.unwrap_or_else(|| {
            let message = "a connection of an earlier run still works at this migration and does not end";
            self.wrong(ErrorKind::Contended, message)
        }))
    }

    pub(super) fn moved(&self) -> EngineError {
        let message = "another run has begun this migration or carried it on in the meantime";
        self.wrong(ErrorKind::AlreadyApplied, message)
    }

    /// Settles a row that is this session's already: what it carried out itself, it has recorded.
    pub(super) async fn settle_own(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<bool, EngineError> {
        let key = self.key(target, migration);
        let read = format!(
            "SELECT probe FROM {}.ledger WHERE {key} AND in_doubt = 1 AND statement = {index}",
            ident(&self.ledger)
        );
        let answers = self.send(read).await?;
        match answers
            .first()
            .and_then(|answer| answer.value())
            .map(str::to_owned)
        {
            Some(probe) => self.took_effect(target, migration, index, &probe).await,
            None => Ok(false),
        }
    }

    /// Whether a statement in doubt took effect.
    pub(super) async fn took_effect(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
        probe: &str,
    ) -> Result<bool, EngineError> {
        let Some(statement) = migration.statements.get(index) else {
            return Ok(false);
        };
        match effect(&statement.sql) {
            // Its transaction would have moved the row on. The others do no harm twice.
            Effect::Transactional | Effect::Repeatable => Ok(false),
            Effect::Changes(objects) => {
                let states = self.states(target, &objects).await?;
                Ok(probe_of(&states) != probe)
            }
            Effect::Removes(objects) => {
                let states = self.states(target, &objects).await?;
                if probe_of(&states) == probe {
                    return Ok(false);
                }
                for (object, state) in objects.iter().zip(&states) {
                    if state != ABSENT {
                        let name = self.path(target, object);
                        self.send(format!("DROP {} IF EXISTS {name}", object.kind.word()))
                            .await?;
                    }
                }
                Ok(true)
            }
            Effect::Untraceable => {
                let message = format!(
                    "nothing tells whether statement {} of {} took effect before the run that sent it ended; \
look, then set in_doubt = 0 in its row of {}.ledger, and statement = {} where it did",
                    index + 1,
                    migration.label(),
                    self.ledger,
                    index + 1
                );
                Err(self.wrong(ErrorKind::Statement, &message))
            }
        }
    }

    /// What tells later whether the statement took effect; empty where nothing does.
    pub(super) async fn probe(&mut self, target: Target<'_>, effect: &Effect) -> Result<String, EngineError> {
        match effect {
            Effect::Changes(objects) | Effect::Removes(objects) => {
                Ok(probe_of(&self.states(target, objects).await?))
            }
            _ => Ok(String::new()),
        }
    }

    async fn states(&mut self, target: Target<'_>, objects: &[Object]) -> Result<Vec<String>, EngineError> {
        let mut states = Vec::with_capacity(objects.len());
        for object in objects {
            let state = if object.kind == ObjectKind::Table {
                self.definition(target, object).await?
            } else {
                self.existence(target, object).await?
            };
            states.push(state);
        }
        Ok(states)
    }

    async fn definition(&mut self, target: Target<'_>, table: &Object) -> Result<String, EngineError> {
        let reusable = self.reusable;
        let show = format!("SHOW CREATE TABLE {}", self.path(target, table));
        match self.send(show).await {
            Ok(answers) => {
                let row = answers.first().and_then(|answer| answer.rows.first());
                let text = row.and_then(|row| row.get(1)?.as_deref()).unwrap_or_default();
                Ok(without_counter(text))
            }
            Err(failed) if matches!(failed.number, Some(1146 | 1049)) => {
                self.reusable = reusable;
                Ok(ABSENT.to_owned())
            }
            Err(failed) => Err(failed.error),
        }
    }

    async fn existence(&mut self, target: Target<'_>, object: &Object) -> Result<String, EngineError> {
        let (view, schema, name, more) = match object.kind {
            ObjectKind::Table | ObjectKind::View | ObjectKind::Sequence => {
                ("TABLES", "TABLE_SCHEMA", "TABLE_NAME", "")
            }
            ObjectKind::Trigger => ("TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", ""),
            ObjectKind::Procedure => (
                "ROUTINES",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                " AND ROUTINE_TYPE = 'PROCEDURE'",
            ),
            ObjectKind::Function => (
                "ROUTINES",
                "ROUTINE_SCHEMA",
                "ROUTINE_NAME",
                " AND ROUTINE_TYPE = 'FUNCTION'",
            ),
            ObjectKind::Event => ("EVENTS", "EVENT_SCHEMA", "EVENT_NAME", ""),
            ObjectKind::Database => ("SCHEMATA", "'def'", "SCHEMA_NAME", ""),
        };
        let within = match (&object.database, object.kind) {
            (_, ObjectKind::Database) => "def".to_owned(),
            (Some(database), _) => database.clone(),
            (None, _) => self.database(target),
        };
        let count = format!(
            "SELECT count(*) FROM information_schema.{view} WHERE {schema} = {} AND {name} = {}{more}",
            literal(&within),
            literal(&object.name)
        );
        let answers = self.send(count).await?;
        let none = answers.first().and_then(|answer| answer.value()) == Some("0");
        Ok(if none { ABSENT } else { "present" }.to_owned())
    }

    fn path(&self, target: Target<'_>, object: &Object) -> String {
        if object.kind == ObjectKind::Database {
            return ident(&object.name);
        }
        let database = object.database.clone().unwrap_or_else(|| self.database(target));
        format!("{}.{}", ident(&database), ident(&object.name))
    }
}

fn probe_of(states: &[String]) -> String {
    Checksum::of(&states.join("\0")).0
}

/// The next AUTO_INCREMENT moves with every row.
fn without_counter(definition: &str) -> String {
    let Some((before, after)) = definition.rsplit_once(" AUTO_INCREMENT=") else {
        return definition.to_owned();
    };
    format!(
        "{before}{}",
        after.trim_start_matches(|c: char| c.is_ascii_digit())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_no_part_of_a_definition() {
        let text =
            |n| format!("CREATE TABLE `a` (\n `b` int AUTO_INCREMENT\n) ENGINE=InnoDB{n} CHARSET=utf8mb4");
        assert_eq!(without_counter(&text(" AUTO_INCREMENT=42")), text(""));
        assert_eq!(without_counter(&text("")), text(""));
    }
}
