//! Which session may carry a migration on, and what became of the one before.
//!
//! A migration's ledger row names its owner: a token that no other session has, and on which
//! connection of which life of the server it works. Whoever takes a row over ends that connection and
//! waits until it is gone, because a statement goes on after its client was killed. Two facts make that
//! safe without a lock: a server counts its connections
//! [up](https://dev.mysql.com/doc/refman/8.4/en/information-functions.html#function_connection-id)
//! from when it started, and when it started is told by its
//! [uptime](https://mariadb.com/kb/en/server-status-variables/#uptime). So a number of an earlier life,
//! which may be anybody's by now, is left alone; all that worked in that life ended with it.
//!
//! A server that tells neither, or does not know KILL, leaves it at the lease: it alone then says that
//! the run before has ended.

use std::time::Duration;

use crate::domain::Migration;
use crate::engine::{EngineError, ErrorKind, Target};

use super::connect::{Answer, Failed};
use super::session::MysqlSession;
use super::sql::{ident, literal};
use super::words::sets_session;

const NO_SUCH_CONNECTION: u16 = 1094;
const NOT_OURS_TO_KILL: u16 = 1095;

/// Two answers of rows: the connection's number and the time, then how long the server is up.
pub(super) const WHO_AM_I: &str = "SELECT CONNECTION_ID(), UNIX_TIMESTAMP();SHOW GLOBAL STATUS LIKE 'Uptime'";

/// A row as it was taken over.
pub(super) struct Taken {
    pub(super) statement: usize,
    pub(super) in_doubt: bool,
    pub(super) probe: String,
}

/// A session, as rows of the ledger name it: the token, the connection, the server's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    token: String,
    connection: Option<Connection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Connection {
    number: u64,
    /// When the server started, in seconds since 1970 by its own clock: it is up since a moment of
    /// that clock, so setting the clock later changes nothing.
    server_since: i64,
}

impl Owner {
    /// `answers` are to [`WHO_AM_I`]; none where the server refused to say.
    pub(super) fn new(answers: &[Answer]) -> Self {
        let number =
            |answer: usize, column: usize| answers.get(answer)?.rows.first()?.get(column)?.as_deref();
        let connection = || {
            let now: i64 = number(0, 1)?.parse().ok()?;
            let up: i64 = number(1, 1)?.parse().ok()?;
            Some(Connection {
                number: number(0, 0)?.parse().ok()?,
                server_since: now - up,
            })
        };
        Self {
            // 128 random bits.
            token: format!("{:032x}", fastrand::u128(..)),
            connection: connection(),
        }
    }

    /// At most 64 characters.
    pub(super) fn text(&self) -> String {
        match self.connection {
            Some(Connection { number, server_since }) => format!("{} {number} {server_since}", self.token),
            None => self.token.clone(),
        }
    }

    fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let token = words.next().unwrap_or_default().to_owned();
        let mut connection = || {
            Some(Connection {
                number: words.next()?.parse().ok()?,
                server_since: words.next()?.parse().ok()?,
            })
        };
        let connection = connection();
        Self { token, connection }
    }

    /// The number of its connection, where that is still the same one as seen from `other`.
    fn connection_seen_by(&self, other: &Self) -> Option<u64> {
        let (own, others) = (self.connection?, other.connection?);
        // Time and uptime are asked one after the other.
        let same_life = own.server_since.abs_diff(others.server_since) <= 2;
        (same_life && own.number != others.number).then_some(own.number)
    }
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
            literal(&self.owner),
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

    /// Waits until the connection of an earlier run is gone, and sees to it.
    async fn end_connection(&mut self, before: &str) -> Result<(), EngineError> {
        let ours = Owner::parse(&self.owner);
        let Some(connection) = Owner::parse(before).connection_seen_by(&ours) else {
            return Ok(());
        };
        let (mut denied, mut unseen) = (false, false);
        for attempt in 0..100 {
            let reusable = self.reusable;
            let asked = format!(
                "KILL {connection};SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = {connection}"
            );
            let killed = self.send(asked).await;
            if !matches!(&killed, Err(failed) if failed.number.is_none()) {
                self.reusable = reusable;
            }
            match killed {
                Ok(answers) if answers.last().and_then(Answer::value) == Some("0") => return Ok(()),
                Ok(_) => {}
                Err(Failed {
                    number: Some(NO_SUCH_CONNECTION),
                    ..
                }) => return Ok(()),
                // Another user's. It may end by itself.
                Err(Failed {
                    number: Some(NOT_OURS_TO_KILL),
                    ..
                }) => denied = true,
                Err(failed) if failed.number.is_none() => return Err(failed.error),
                // A server without that table: KILL alone tells.
                Err(failed) if failed.completed > 0 => unseen = true,
                // A server without KILL.
                Err(_) => return Ok(()),
            }
            tokio::time::sleep(Duration::from_millis(if attempt < 20 { 50 } else { 300 })).await;
        }
        if unseen {
            return Ok(());
        }
        let (kind, what) = if denied {
            (ErrorKind::Forbidden, ", and it is another user's: KILL it")
        } else {
            (ErrorKind::Contended, " and does not end")
        };
        let message =
            format!("connection {connection} of an earlier run still works at this migration{what}");
        Err(self.wrong(kind, &message))
    }

    pub(super) fn moved(&self) -> EngineError {
        let message = "another run has begun this migration or carried it on in the meantime";
        self.wrong(ErrorKind::AlreadyApplied, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(number: &str, now: &str, uptime: &str) -> Owner {
        let answer = |row: [&str; 2]| Answer {
            rows: vec![row.iter().map(|it| Some((*it).to_owned())).collect()],
            ..Answer::default()
        };
        Owner::new(&[answer([number, now]), answer(["Uptime", uptime])])
    }

    #[test]
    fn an_owner_comes_back_from_the_ledger() {
        let longest = owner(&u64::MAX.to_string(), "9999999999", "0");
        assert_eq!(longest.text().len(), 64);
        assert_eq!(Owner::parse(&longest.text()), longest);
        let unknown = Owner::new(&[]);
        assert_eq!(Owner::parse(&unknown.text()), unknown);
    }

    #[test]
    fn a_number_means_a_connection_only_while_the_server_lives() {
        let before = owner("7", "1000", "100");
        let seen = |other: &Owner| before.connection_seen_by(other);
        assert_eq!(seen(&owner("9", "1500", "600")), Some(7));
        // Between the two questions a second passed.
        assert_eq!(seen(&owner("9", "1500", "601")), Some(7));
        assert_eq!(
            seen(&owner("9", "1500", "5")),
            None,
            "the server was started anew"
        );
        assert_eq!(seen(&Owner::new(&[])), None);
        assert_eq!(Owner::new(&[]).connection_seen_by(&before), None);
    }
}
