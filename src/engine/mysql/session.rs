//! Migrations of one database after the other over one connection, statement by statement.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;

use crate::domain::{Direction, Migration};
use crate::engine::{
    EngineError, EngineOptions, ErrorKind, Load, RangeError, RangeStanding, Session, StepError, Target,
};

use super::connect::{self, Answer, Failed};
use super::effect::{Effect, effect};
use super::ownership::lock_name;
use super::place::place;
use super::sql::{self, ident, literal};
use super::words::{leaves_traces, sets_session};

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
    /// Unlike any other session's; see [`super::ownership`].
    pub(super) token: String,
    /// The ledger row that is ours.
    pub(super) owned: Option<String>,
    pub(super) reusable: bool,
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
            token: token(),
            owned: None,
            reusable: true,
        };
        let limits = sql::limits(session.options.lock_timeout, session.options.statement_timeout);
        let opening = format!("{limits};SELECT get_lock({}, 0)", lock_name(&session.token));
        let answers = session.send(opening).await?;
        if answers.get(1).and_then(Answer::value) != Some("1") {
            return Err(session.wrong(ErrorKind::Statement, "the server gave no user-level lock"));
        }
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
    fn fence(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "SELECT {LARGEST} + (count(*) <> 1) FROM {}.ledger WHERE {} AND state = '{}' AND owner = {} FOR UPDATE",
            ident(&self.ledger),
            self.key(target, migration),
            migration.direction.underway(),
            literal(&self.token)
        )
    }

    fn update(&self, target: Target<'_>, migration: &Migration, set: &str) -> String {
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
            literal(&self.token),
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

    async fn send_fenced(
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

    pub(super) fn insert_running(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "
INSERT INTO {}.ledger (scope, tenant, version, name, checksum, state, done, owner, run, applied_at)
VALUES ({}, {}, {}, {}, {}, 'running', {}, {}, {}, UTC_TIMESTAMP(6))",
            ident(&self.ledger),
            literal(target.scope().as_str()),
            literal(target.ledger_name()),
            migration.version.0,
            literal(&migration.name),
            literal(&migration.checksum.0),
            literal(&migration.done_checksum(0).0),
            literal(&self.token),
            literal(&self.options.run)
        )
    }

    /// Records a DDL statement that took effect. Where that fails, the answer must not look like the
    /// server's refusal of the statement: it stays in doubt, and its probe will tell.
    async fn record(
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

    async fn carry_out(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        let statement = &migration.statements[index];
        // A body between DELIMITER lines may bring its own `;`, and an empty statement is an error.
        let sql = statement
            .sql
            .trim_end_matches(|c: char| c == ';' || c.is_whitespace());
        let database = ident(&self.database(target));
        let advanced = self.advanced(target, migration, index + 1);
        if leaves_traces(sql) {
            self.reusable = false;
        }
        if sets_session(sql) {
            // Not every setting may be changed within a transaction.
            let tail = format!(";{}", self.fenced(target, migration, &advanced));
            let sent = self
                .send_or_roll_back(format!("USE {database};{sql}\n{tail}"))
                .await;
            return sent
                .map(|_| ())
                .map_err(|failed| self.fence_error(failed, 3).without(&tail));
        }
        let effect = effect(sql);
        if effect == Effect::Transactional {
            let tail = format!(";{advanced}");
            let fenced = self.fenced(target, migration, &format!("{sql}\n{tail}"));
            let sent = self.send_or_roll_back(format!("USE {database};{fenced}")).await;
            return sent
                .map(|_| ())
                .map_err(|failed| self.fence_error(failed, 2).without(&tail));
        }
        let probe = self.probe(target, &effect).await?;
        let doubt = format!(
            "in_doubt = 1, statement = {index}, done = {}, checksum = {}, probe = {}",
            literal(&migration.done_checksum(index).0),
            literal(&migration.checksum.0),
            literal(&probe)
        );
        let doubt = self.fenced(target, migration, &self.update(target, migration, &doubt));
        let tail = format!(";{}", self.fenced(target, migration, &advanced));
        let sent = self
            .send_or_roll_back(format!("USE {database};{doubt};{sql}\n{tail}"))
            .await;
        match sent {
            Ok(_) => Ok(()),
            // USE, START, fence, UPDATE, COMMIT, the statement: six that went well.
            Err(failed) if failed.completed >= 6 && failed.number.is_some() => {
                self.record(target, migration, index + 1).await
            }
            Err(failed) => Err(self.fence_error(failed, 2).without(&tail)),
        }
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
        let insert = self.insert_running(target, migration);
        let _ = write!(text, "START TRANSACTION;{insert};COMMIT");
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
        match self.own_at(target, migration, index).await? {
            Some(row) if row.in_doubt => self.took_effect(target, migration, index, &row.probe).await,
            Some(_) => Ok(false),
            None => self.settle_own(target, migration, index).await,
        }
    }

    async fn step(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), StepError> {
        let sent = match self.own_at(target, migration, index).await {
            // Its statement was sent after the ledger was read.
            Ok(Some(row)) if row.in_doubt => Err(self.moved()),
            Ok(_) => self.carry_out(target, migration, index).await,
            Err(error) => Err(error),
        };
        sent.map_err(|error| StepError {
            place: Some(place(&error.message, &migration.statements[index])),
            error,
            migration: 0,
        })
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

/// 128 random bits in hexadecimal.
fn token() -> String {
    format!("{:032x}", fastrand::u128(..))
}
