//! DATABASE_URL: parsed strictly, explained without being shown, exported on request.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::Secret;

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
        host: String,
        port: u16,
    },
    /// PostgreSQL: the folder of the socket and the port in its name. MySQL: the socket itself.
    Socket {
        path: PathBuf,
        port: u16,
    },
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
    /// The scheme as written, in lower case.
    pub scheme: String,
    /// Empty for SQLite.
    pub addresses: Vec<Address>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// The database's name; for SQLite the full path of the file.
    pub database: String,
    pub tls: TlsMode,
    pub tls_root_cert: Option<PathBuf>,
    pub tls_client_cert: Option<PathBuf>,
    pub tls_client_key: Option<PathBuf>,
    pub connect_timeout: Option<Duration>,
    pub application_name: Option<String>,
    /// It looks like a pooler in transaction mode: no session state survives a transaction.
    pub pooled: bool,
    /// What a reader should know: things stripped, things a stricter parser would refuse.
    pub notes: Vec<String>,
}
