//! DATABASE_URL: parsed strictly, explained without being shown, exported on request.
//!
//! Parsers disagree about URLs with raw separators, and some send the tail of a password to DNS. So
//! this reading comes first, and takes only what has one meaning: whatever it accepts as PostgreSQL,
//! libpq reads in the same way. No message quotes the value.

mod checks;
mod explain;
mod export;
mod hosts;
mod identity;
mod libpq;
mod parameter_names;
mod parameters;
mod parts;
mod pasted;
mod percent;
mod placeholder;
mod pooler;
mod scheme;
mod server;
mod sqlite;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::Secret;

pub use checks::{
    CHECKS, DATABASE, ENCODING, HOST, PARAMETER, PASTED, PLACEHOLDER, PORT, Problem, SAME_DATABASE, SCHEME,
    TLS, UNENCODED_PASSWORD,
};
pub use explain::explain;
pub use export::{ExportError, ExportFormat, Exported, GithubExport, export, mask_commands, public_parts};
pub use identity::same_database;

/// Which engine a URL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
    Sqlite,
}

/// One place to connect to; several are tried in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Tcp {
        /// As written; an IPv6 address without its brackets.
        host: String,
        port: u16,
    },
    /// PostgreSQL: the folder of the socket and the port in its name. MySQL: the socket itself.
    Socket { path: PathBuf, port: u16 },
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Socket { path, .. } => write!(f, "{}", path.display()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// A DATABASE_URL that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub kind: EngineKind,
    /// The scheme as written: `postgresql`, `jdbc:mysql`, `file`.
    pub scheme: String,
    /// Empty for SQLite.
    pub addresses: Vec<Address>,
    pub user: Option<String>,
    /// Decoded.
    pub password: Option<Secret>,
    /// The database's name; for SQLite the full path of the file.
    pub database: String,
    pub tls: TlsMode,
    pub tls_root_cert: Option<PathBuf>,
    pub tls_client_cert: Option<PathBuf>,
    pub tls_client_key: Option<PathBuf>,
    pub connect_timeout: Option<Duration>,
    pub application_name: Option<String>,
    /// PostgreSQL's `options`, decoded, as the server's command line takes them: they can name the role
    /// that will own what is made, and can carry a key.
    pub options: Option<Secret>,
    /// `target_session_attrs` asks for a server that takes writes.
    pub primary_only: bool,
    /// It looks like a pooler in transaction mode: no session state survives a transaction.
    pub pooled: bool,
    /// What a reader should know: things stripped, things a stricter parser would refuse.
    pub notes: Vec<String>,
    /// The whole value.
    written: Secret,
    /// The password with its percent-encoding: logs can contain it in this form too.
    encoded_password: Option<Secret>,
}

impl DatabaseUrl {
    /// Every form in which a log could show what must not be shown.
    pub fn secret_parts(&self) -> impl Iterator<Item = &Secret> {
        let parts = [&self.password, &self.encoded_password, &self.options];
        parts.into_iter().flatten().chain([&self.written])
    }
}

/// Reads a DATABASE_URL, or says everything that is wrong with it that can be told at once.
pub fn parse(text: &str) -> Result<DatabaseUrl, Vec<Problem>> {
    let mut problems = checks::Problems::default();
    match read(text, &mut problems) {
        Some(url) if problems.is_empty() => Ok(url),
        _ => Err(problems.into_vec()),
    }
}

fn read(text: &str, problems: &mut checks::Problems) -> Option<DatabaseUrl> {
    if text.trim().is_empty() {
        placeholder::whole(text, problems);
        return None;
    }
    let text = pasted::peel(text, problems);
    if pasted::torn(text, problems) || placeholder::whole(text, problems) {
        return None;
    }
    let scheme = scheme::recognise(text, problems)?;
    match scheme.kind {
        EngineKind::Sqlite => sqlite::parse(scheme, text, problems),
        EngineKind::Postgres | EngineKind::Mysql => server::parse(scheme, text, problems),
    }
}
