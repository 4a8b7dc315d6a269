//! What migrations make of nothing.

use std::time::Duration;

use sqlx::mysql::MySqlConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Scope, Structure};
use crate::engine::{EngineError, EngineOptions, ErrorKind, NotMade};

use super::super::connect::{self, Answer};
use super::super::sql::{ident, literal};
use super::{Place, Reader, SYSTEM};

/// A database of its own in which migrations are tried out, and which is dropped whatever comes of it.
/// Its name says when it was made: what a killed run left is dropped by a later one.
pub(in super::super) struct Scratch<'a> {
    connection: MySqlConnection,
    options: &'a EngineOptions,
    ledger: &'a str,
    shared: &'a str,
    /// What runs on nothing takes no longer, where somebody is there to run it.
    patience: Duration,
}

/// One whose connection is gone is not dropped before: a pooler may have taken the lock from it.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// What the names of all scratches of a ledger begin with.
pub(in super::super) fn scratch_prefix(ledger: &str) -> String {
    format!("{ledger}_scratch_")
}

/// Behind it stands what tells two databases of one scratch apart.
pub(in super::super) const PARTS: [&str; 2] = ["_s", "_t"];

/// The name of a new scratch.
pub(in super::super) fn scratch_name(ledger: &str, now: u64) -> String {
    format!("{}{now:x}_{:08x}", scratch_prefix(ledger), fastrand::u32(..))
}

/// While the connection lives nobody takes the scratch for left over.
pub(in super::super) fn in_use(name: &str) -> String {
    format!("SELECT GET_LOCK({}, 0)", literal(name))
}

/// The present by the server's clock, and all scratches that nobody has in use.
pub(in super::super) fn not_in_use(ledger: &str) -> String {
    let [shared, own] = PARTS.map(literal);
    let name = format!(
        "IF(right(SCHEMA_NAME, 2) IN ({shared}, {own}), left(SCHEMA_NAME, char_length(SCHEMA_NAME) - 2), SCHEMA_NAME)"
    );
    format!(
        "SELECT UNIX_TIMESTAMP();SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE {} AND IS_USED_LOCK({name}) IS NULL",
        begins_with(&scratch_prefix(ledger))
    )
}

/// Reads the answers to that: the present, and what is to be dropped.
pub(in super::super) fn left_over(ledger: &str, answers: &[Answer]) -> (u64, Vec<String>) {
    let prefix = scratch_prefix(ledger);
    let now = answers
        .first()
        .and_then(|answer| answer.value()?.parse().ok())
        .unwrap_or(0);
    let rows = answers.get(1).map_or(&[][..], |answer| &answer.rows);
    let is_old = |name: &&String| {
        let made = name.strip_prefix(&prefix).and_then(|rest| rest.split('_').next());
        let made = made.and_then(|hex| u64::from_str_radix(hex, 16).ok());
        made.is_some_and(|made| made.saturating_add(LEFT_OVER.as_secs()) < now)
    };
    let names = rows.iter().filter_map(|row| row.first()?.as_ref());
    (now, names.filter(is_old).cloned().collect())
}

fn begins_with(prefix: &str) -> String {
    format!(
        "left(SCHEMA_NAME, {}) = {}",
        prefix.chars().count(),
        literal(prefix)
    )
}

impl<'a> Scratch<'a> {
    pub(in super::super) fn new(
        connection: MySqlConnection,
        options: &'a EngineOptions,
        ledger: &'a str,
        shared: &'a str,
        patience: Duration,
    ) -> Self {
        Self {
            connection,
            options,
            ledger,
            shared,
            patience,
        }
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Answer>, EngineError> {
        let redactor = &self.options.redactor;
        let sent = connect::send(&mut self.connection, sql, redactor);
        let sent = tokio::time::timeout(self.patience, sent).await;
        let sent = sent.map_err(|_| EngineError::silence(self.patience, redactor))?;
        sent.map_err(|failed| failed.error)
    }

    pub(in super::super) async fn learn(mut self, migrations: &[&Migration]) -> Result<Structure, NotMade> {
        let now = self.drop_left_over().await?;
        let name = scratch_name(self.ledger, now);
        self.send(in_use(&name)).await?;
        let collation = self.collation(migrations).await?;
        self.send(format!("CREATE DATABASE {}{collation}", ident(&name)))
            .await?;
        let learnt = match self.try_out(&name, migrations).await {
            Ok(()) => self.look(&name).await.map_err(NotMade::from),
            Err(not_made) => Err(not_made),
        };
        // Where the connection is gone a later run drops it.
        if let Err(not) = &learnt
            && not.error.kind == ErrorKind::Disconnected
        {
            return learnt;
        }
        let dropped = self.send(format!("DROP DATABASE {}", ident(&name))).await;
        let structure = learnt?;
        dropped?;
        Ok(structure)
    }

    /// What a database is in by itself is no migration's business: as most of the real ones are, so that only
    /// another one differs.
    async fn collation(&mut self, migrations: &[&Migration]) -> Result<String, EngineError> {
        let (prefix, _) = self.options.location.split_once("{tenant}").unwrap_or_default();
        let these = match migrations.first().map(|it| it.scope) {
            Some(Scope::Shared) => format!("SCHEMA_NAME = {}", literal(self.shared)),
            _ => format!(
                "{} AND SCHEMA_NAME NOT IN ({SYSTEM}, {}, {}) AND NOT {}",
                begins_with(prefix),
                literal(self.shared),
                literal(self.ledger),
                begins_with(&scratch_prefix(self.ledger))
            ),
        };
        let text = format!(
            "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE {these}
GROUP BY DEFAULT_COLLATION_NAME ORDER BY count(*) DESC, 1 LIMIT 1"
        );
        let answers = self.send(text).await?;
        let most = answers.first().and_then(|answer| answer.value());
        Ok(most.map_or_else(String::new, |it| format!(" COLLATE {it}")))
    }

    async fn look(&mut self, name: &str) -> Result<Structure, EngineError> {
        let place = Place {
            database: name.to_owned(),
            tenant: None,
        };
        let mut reader = Reader::new(&mut self.connection, self.shared, &self.options.redactor);
        let mut found = reader.structures(&[place]).await?;
        Ok(found.pop().unwrap_or_default())
    }

    /// The present by the server's clock.
    async fn drop_left_over(&mut self) -> Result<u64, EngineError> {
        let answers = self.send(not_in_use(self.ledger)).await?;
        let (now, names) = left_over(self.ledger, &answers);
        for name in names {
            self.send(format!("DROP DATABASE IF EXISTS {}", ident(&name)))
                .await?;
        }
        Ok(now)
    }

    async fn try_out(&mut self, name: &str, migrations: &[&Migration]) -> Result<(), NotMade> {
        for (index, migration) in migrations.iter().enumerate() {
            for statement in &migration.statements {
                if passed_over(&statement.sql, EngineKind::Mysql) {
                    continue;
                }
                let sql = statement
                    .sql
                    .trim_end_matches(|c: char| c == ';' || c.is_whitespace());
                let sent = self.send(format!("USE {};{sql}", ident(name))).await;
                sent.map_err(|error| NotMade {
                    error,
                    migration: Some(index),
                })?;
            }
        }
        Ok(())
    }
}
