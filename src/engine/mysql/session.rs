//! Migrations of one database after the other over one connection, statement by statement.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;

use crate::domain::{Checksum, Direction, Migration};
use crate::engine::{
    EngineError, EngineOptions, ErrorKind, Load, RangeError, RangeStanding, Session, StepError, Target,
};

use super::carry::{Position, Work};
use super::connect::{self, Answer, Failed};
use super::ownership::{Owner, WHO_AM_I};
use super::parts::Known;
use super::place::place;
use super::sql::{self, ident, literal};

/// No such value: the sum is out of range, which is an error in every `sql_mode`.
/// <https://dev.mysql.com/doc/refman/8.0/en/out-of-range-and-overflow.html>
pub(super) const LARGEST: &str = "9223372036854775807";
pub(super) const OUT_OF_RANGE: u16 = 1690;
pub(super) const DUPLICATE_ENTRY: u16 = 1062;

pub(super) struct MysqlSession {
    connection: MySqlConnection,
    pub(super) options: EngineOptions,
    shared: String,
    pub(super) ledger: String,
    /// Unlike any other session's: an [`Owner`] as text.
    pub(super) owner: String,
    /// The ledger row that is ours.
    pub(super) owned: Option<String>,
    pub(super) reusable: bool,
    /// Migrations by their checksum, taken apart.
    pub(super) known: BTreeMap<Checksum, Arc<Vec<Known>>>,
}

impl MysqlSession {
    pub(super) async fn open(
        connection: MySqlConnection,
        options: EngineOptions,
        shared: String,
        ledger: String,
    ) -> Result<Self, EngineError> {
        let mut session = Self {
            connection,
            options,
            shared,
            ledger,
            owner: String::new(),
            owned: None,
            reusable: true,
            known: BTreeMap::new(),
        };
        let limits = sql::limits(session.options.lock_timeout, session.options.statement_timeout);
        let answers = match session.send(format!("{limits};{WHO_AM_I}")).await {
            Ok(answers) => answers,
            // The limits are set; who we are, this server does not say.
            Err(failed) if failed.completed > 0 && failed.number.is_some() => {
                session.reusable = true;
                Vec::new()
            }
            Err(failed) => return Err(failed.error),
        };
        session.owner = Owner::new(answers.get(1..).unwrap_or_default()).text();
        Ok(session)
    }

    pub(super) async fn send(&mut self, sql: String) -> Result<Vec<Answer>, Failed> {
        let sent = connect::send(&mut self.connection, sql, &self.options.redactor).await;
        self.reusable &= sent.is_ok();
        sent
    }

    /// For text with a transaction in it.
    pub(super) async fn send_or_roll_back(&mut self, sql: String) -> Result<Vec<Answer>, Failed> {
        let sent = self.send(sql).await;
        if sent.is_err() {
            // Where this fails too, the connection has ended, and with it the transaction.
            let _ = self.send("ROLLBACK".to_owned()).await;
        }
        sent
    }

    pub(super) fn wrong(&self, kind: ErrorKind, message: &str) -> EngineError {
        EngineError::new(kind, message, &self.options.redactor)
    }

    pub(super) fn database(&self, target: Target<'_>) -> String {
        match target {
            Target::Shared => self.shared.clone(),
            Target::Tenant(tenant) => tenant.location.clone(),
        }
    }

    /// The migration's row, as a condition.
    pub(super) fn key(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "scope = {} AND tenant = {} AND version = {}",
            literal(target.scope().as_str()),
            literal(target.ledger_name()),
            migration.version.0
        )
    }

    /// Locks the row, and fails where it is not this session's any more.
    pub(super) fn fence(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "SELECT {LARGEST} + (count(*) <> 1) FROM {}.ledger WHERE {} AND state = '{}' AND owner = {} FOR UPDATE",
            ident(&self.ledger),
            self.key(target, migration),
            migration.direction.underway(),
            literal(&self.owner)
        )
    }

    pub(super) fn update(&self, target: Target<'_>, migration: &Migration, set: &str) -> String {
        format!(
            "UPDATE {}.ledger SET {set} WHERE {}",
            ident(&self.ledger),
            self.key(target, migration)
        )
    }

    pub(super) fn advanced(&self, target: Target<'_>, migration: &Migration, done: usize) -> String {
        let last = done >= migration.statements.len();
        let state = match migration.direction {
            Direction::Forward if last => "applied",
            Direction::Back if last => {
                let key = self.key(target, migration);
                return format!("DELETE FROM {}.ledger WHERE {key}", ident(&self.ledger));
            }
            direction => direction.underway(),
        };
        let set = format!(
            "state = '{state}', statement = {done}, done = {}, checksum = {}, in_doubt = 0, probe = '', applied_at = UTC_TIMESTAMP(6)",
            literal(&migration.done_checksum(done).0),
            literal(&migration.checksum.0)
        );
        self.update(target, migration, &set)
    }

    /// Opens the way back of an applied migration.
    async fn turn(&mut self, target: Target<'_>, down: &Migration) -> Result<(), EngineError> {
        let key = self.key(target, down);
        let text = format!(
            "START TRANSACTION;
UPDATE {}.ledger SET state = 'reverting', statement = 0, done = {}, checksum = {}, in_doubt = 0, probe = '', owner = {}, run = {}
WHERE {key} AND state = 'applied';
COMMIT",
            ident(&self.ledger),
            literal(&down.done_checksum(0).0),
            literal(&down.checksum.0),
            literal(&self.owner),
            literal(&self.options.run)
        );
        let answers = self.send_or_roll_back(text).await?;
        if answers.get(1).is_none_or(|answer| answer.affected != 1) {
            return Err(self.moved());
        }
        self.owned = Some(key);
        Ok(())
    }

    /// Three statements before `text`, one after.
    fn fenced(&self, target: Target<'_>, migration: &Migration, text: &str) -> String {
        format!(
            "START TRANSACTION;{};{text};COMMIT",
            self.fence(target, migration)
        )
    }

    pub(super) async fn send_fenced(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        text: &str,
    ) -> Result<(), EngineError> {
        let text = self.fenced(target, migration, text);
        match self.send_or_roll_back(text).await {
            Ok(_) => Ok(()),
            Err(failed) => Err(self.fence_error(failed, 1)),
        }
    }

    /// An error of the fence, which is the statement at this index, means another run.
    fn fence_error(&self, failed: Failed, index: usize) -> EngineError {
        if failed.completed == index && failed.number == Some(OUT_OF_RANGE) {
            self.moved()
        } else {
            failed.error
        }
    }

    /// Records a DDL statement that took effect. Where that fails, the answer must not look like the
    /// server's refusal of the statement: it stays in doubt, and its probe will tell.
    pub(super) async fn record(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError> {
        let advanced = self.advanced(target, migration, done);
        let mut last = String::new();
        for attempt in 0..5 {
            match self.send_fenced(target, migration, &advanced).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == ErrorKind::AlreadyApplied => return Err(error),
                Err(error) => last = error.message,
            }
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        let message = format!("the statement took effect, but the ledger could not record it: {last}");
        Err(self.wrong(ErrorKind::Disconnected, &message))
    }

    /// The row of a migration that begins, its first statements in doubt where there is a probe.
    pub(super) fn begin_row(&self, target: Target<'_>, migration: &Migration, probe: Option<&str>) -> String {
        format!(
            "INSERT INTO {}.ledger (scope, tenant, version, name, checksum, state, done, in_doubt, probe, owner, run, applied_at)
VALUES ({}, {}, {}, {}, {}, 'running', {}, {}, {}, {}, {}, UTC_TIMESTAMP(6))",
            ident(&self.ledger),
            literal(target.scope().as_str()),
            literal(target.ledger_name()),
            migration.version.0,
            literal(&migration.name),
            literal(&migration.checksum.0),
            literal(&migration.done_checksum(0).0),
            u8::from(probe.is_some()),
            literal(probe.unwrap_or_default()),
            literal(&self.owner),
            literal(&self.options.run)
        )
    }
}

#[async_trait]
impl Session for MysqlSession {
    fn reusable(&self) -> bool {
        self.reusable
    }

    /// Refused: several migrations in one transaction is what these servers do not have.
    async fn apply(
        &mut self,
        _target: Target<'_>,
        _create: bool,
        _migrations: &[&Migration],
    ) -> Result<(), StepError> {
        let message = "a bug of tenantgate: this engine carries migrations out by statements only";
        Err(StepError {
            error: self.wrong(ErrorKind::Statement, message),
            migration: 0,
            place: None,
        })
    }

    /// Refused for the same reason.
    async fn revert(&mut self, _target: Target<'_>, _migrations: &[&Migration]) -> Result<(), StepError> {
        let message = "a bug of tenantgate: this engine takes migrations back by statements only";
        Err(StepError {
            error: self.wrong(ErrorKind::Statement, message),
            migration: 0,
            place: None,
        })
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
        let mut text = String::new();
        if let (Target::Tenant(tenant), true) = (target, create) {
            let _ = write!(text, "CREATE DATABASE IF NOT EXISTS {};", ident(&tenant.location));
        }
        // In a transaction, because an earlier migration may have switched `autocommit` off.
        let row = self.begin_row(target, migration, None);
        let _ = write!(text, "START TRANSACTION;\n{row};\nCOMMIT");
        match self.send_or_roll_back(text).await {
            Ok(_) => {
                self.owned = Some(self.key(target, migration));
                Ok(())
            }
            // The ledger's primary key: another run was faster.
            Err(failed) if failed.number == Some(DUPLICATE_ENTRY) => Err(self.moved()),
            Err(failed) => Err(failed.error),
        }
    }

    async fn settle(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<bool, EngineError> {
        Ok(self.go_on_with(target, migration, index).await? > index)
    }

    async fn step(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), StepError> {
        let owned = match self.own_at(target, migration, index).await {
            // Its statement was sent after the ledger was read.
            Ok(Some(row)) if row.in_doubt => Err(self.moved()),
            owned => owned,
        };
        owned.map_err(|error| StepError {
            place: Some(place(&error.message, &migration.statements[index])),
            error,
            migration: 0,
        })?;
        let work = Work {
            target,
            create: false,
            migrations: &[migration],
            until: index + 1,
        };
        self.carry(&work, Position::begun_at(index)).await
    }

    async fn carry_on(
        &mut self,
        target: Target<'_>,
        create: bool,
        migrations: &[&Migration],
        from: Option<usize>,
    ) -> Result<(), StepError> {
        let work = Work {
            target,
            create,
            migrations,
            until: usize::MAX,
        };
        let at = match (from, migrations.first()) {
            (Some(index), Some(first)) => {
                let next = self.go_on_with(target, first, index).await;
                Position::begun_at(next.map_err(|error| StepError {
                    error,
                    migration: 0,
                    place: None,
                })?)
            }
            _ => Position::default(),
        };
        self.carry(&work, at).await
    }

    async fn withdraw(&mut self, target: Target<'_>, migration: &Migration) -> Result<(), EngineError> {
        // Ends the connection before, which may be at work on it still.
        self.own(target, migration).await?;
        let gone = format!(
            "START TRANSACTION;
DELETE FROM {}.ledger WHERE {} AND state = 'running' AND statement = 0 AND in_doubt = 0 AND done = {} AND owner = {};
COMMIT",
            ident(&self.ledger),
            self.key(target, migration),
            literal(&Checksum::of("").0),
            literal(&self.owner)
        );
        let answers = self.send_or_roll_back(gone).await?;
        self.owned = None;
        if answers.get(1).is_none_or(|answer| answer.affected != 1) {
            return Err(self.moved());
        }
        Ok(())
    }

    async fn refuse(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        self.own_at(target, migration, index).await?;
        let set = format!("in_doubt = 0, probe = '', statement = {index}");
        let update = self.update(target, migration, &set);
        self.send_fenced(target, migration, &update).await
    }

    async fn advance(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        done: usize,
    ) -> Result<(), EngineError> {
        self.own(target, migration).await?;
        let update = self.advanced(target, migration, done);
        self.send_fenced(target, migration, &update).await
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
