//! Errors of a server, sorted by what the gate does about them.

use std::time::Duration;

use crate::domain::{Redactor, without_credentials};

/// What kind of thing went wrong; engines map their codes onto these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No address answered.
    Unreachable,
    /// User or password refused.
    Refused,
    NoDatabase,
    /// The role lacks a privilege.
    Forbidden,
    /// The server, the transaction or the file takes no writes.
    ReadOnly,
    /// The connection ended in the middle.
    Disconnected,
    /// Disk full, too many connections, out of memory.
    Exhausted,
    /// A lock was not to be had in time, a deadlock, a serialization failure: worth another try.
    Contended,
    /// A statement ran longer than allowed.
    TimedOut,
    /// A table, column, schema or database that does not exist.
    Missing,
    /// The ledger row exists: another run was faster.
    AlreadyApplied,
    /// The run was told to end.
    Stopped,
    /// Anything else the server says about a statement.
    Statement,
}

impl ErrorKind {
    /// True where the gate could not find out, rather than found something wrong.
    pub fn is_operational(self) -> bool {
        use ErrorKind::{
            Disconnected, Exhausted, Forbidden, NoDatabase, ReadOnly, Refused, Stopped, Unreachable,
        };
        matches!(
            self,
            Unreachable | Refused | NoDatabase | Forbidden | ReadOnly | Disconnected | Exhausted | Stopped
        )
    }

    /// True where another try may go otherwise: somebody was in the way, or the server was slow.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Contended | Self::TimedOut)
    }

    /// True where the server itself said no to a statement.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Statement | Self::Missing | Self::TimedOut)
    }

    pub fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable => {
                "is the server up, the host and port right, and this machine allowed to reach it?"
            }
            Self::Refused => "check user and password in the URL's secret",
            Self::NoDatabase => "create the database, or mend the name at the end of the URL",
            Self::Forbidden => "grant the role what the README lists under Privileges",
            Self::ReadOnly => "the server takes no writes: is it a replica? Name the primary in the URL",
            Self::Disconnected => "look into the server's log; then run again, it goes on where it stopped",
            Self::Exhausted => {
                "free the resource on the server or lower `rollout.concurrency`; then run again"
            }
            Self::Contended => {
                "find the session that holds the lock, or raise `rollout.lock_timeout`; then run again"
            }
            Self::TimedOut => "raise `rollout.statement_timeout`, or make the statement cheaper",
            Self::Stopped => "run again: it goes on from there",
            Self::Missing | Self::AlreadyApplied | Self::Statement => return None,
        })
    }
}

/// An error of a server or of the way to it. The message has passed the redaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    pub kind: ErrorKind,
    pub message: String,
    /// What the server itself suggests.
    pub server_hint: Option<String>,
    /// Where in the text that was sent, in characters from 1, where the server says so.
    pub position: Option<usize>,
}

impl EngineError {
    pub(super) fn new(kind: ErrorKind, message: impl AsRef<str>, redactor: &Redactor) -> Self {
        Self {
            kind,
            message: without_credentials(&redactor.redact(message.as_ref())),
            server_hint: None,
            position: None,
        }
    }

    /// What no server was asked about.
    pub(crate) fn without_server(message: &str, redactor: &Redactor) -> Self {
        Self::new(ErrorKind::Statement, message, redactor)
    }

    /// The server says nothing.
    pub(super) fn silence(patience: Duration, redactor: &Redactor) -> Self {
        Self::new(
            ErrorKind::Disconnected,
            format!("no answer within {patience:?}"),
            redactor,
        )
    }

    /// What happened to the way to the server; engines add what their codes say.
    pub(super) fn from_driver(error: &sqlx::Error, redactor: &Redactor) -> Self {
        let kind = match error {
            sqlx::Error::Io(error) if is_refusal(error.kind()) => ErrorKind::Unreachable,
            sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => ErrorKind::Unreachable,
            sqlx::Error::Database(_) => ErrorKind::Statement,
            _ => ErrorKind::Disconnected,
        };
        let message = match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            sqlx::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        Self::new(kind, message, redactor)
    }

    /// What went wrong before there was a connection: whatever it was, nothing was reached, and where.
    pub(super) fn of_connecting(mut self, place: &str) -> Self {
        if self.kind == ErrorKind::Disconnected {
            self.kind = ErrorKind::Unreachable;
        }
        if self.kind == ErrorKind::Unreachable {
            if self.message.to_ascii_lowercase().contains("tls") {
                let hint =
                    "does the server speak TLS, and is its certificate the one that the URL's mode demands?";
                self.server_hint = Some(hint.to_owned());
            }
            self.message = format!("{place}: {}", self.message);
        }
        self
    }

    /// The remedy: the server's own where it gave one.
    pub fn hint(&self) -> Option<String> {
        self.server_hint
            .clone()
            .or_else(|| self.kind.hint().map(str::to_owned))
    }
}

fn is_refusal(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, NotFound, TimedOut,
    };
    matches!(
        kind,
        AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable | NotFound | TimedOut
    )
}
