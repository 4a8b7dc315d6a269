//! TLS modes by the names that each engine's clients give them.

use super::checks::{Problems, TLS};
use super::parameters::{Given, Meaning};
use super::{EngineKind, TlsMode};

impl TlsMode {
    /// PostgreSQL's name.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsMode::Disable => "disable",
            TlsMode::Allow => "allow",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyCa => "verify-ca",
            TlsMode::VerifyFull => "verify-full",
        }
    }
}

/// <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
const POSTGRES: &[(&str, TlsMode)] = &[
    ("disable", TlsMode::Disable),
    ("allow", TlsMode::Allow),
    ("prefer", TlsMode::Prefer),
    ("require", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-full", TlsMode::VerifyFull),
];
/// <https://dev.mysql.com/doc/refman/8.4/en/connection-options.html#option_general_ssl-mode>, and
/// MariaDB's names: <https://mariadb.com/docs/connectors/mariadb-connector-j/about-mariadb-connector-j>
const MYSQL: &[(&str, TlsMode)] = &[
    ("disabled", TlsMode::Disable),
    ("disable", TlsMode::Disable),
    ("preferred", TlsMode::Prefer),
    ("required", TlsMode::Require),
    ("trust", TlsMode::Require),
    ("verify-ca", TlsMode::VerifyCa),
    ("verify-identity", TlsMode::VerifyFull),
    ("verify-full", TlsMode::VerifyFull),
];

/// The mode that is asked for; without one, what the engine's own clients do: `prefer`.
pub(super) fn mode(kind: EngineKind, jdbc: bool, given: &Given<'_>, problems: &mut Problems) -> TlsMode {
    if given.has(Meaning::Tls) && given.has(Meaning::TlsFlag) {
        problems.add(
            &TLS,
            "the TLS mode is given twice, as a mode and as a flag",
            "keep the mode",
        );
    }
    let (text, flag) = match (given.raw(Meaning::Tls), given.raw(Meaning::TlsFlag)) {
        (Some(mode), _) => (mode, false),
        (None, Some(flag)) => (flag, true),
        (None, None) => return TlsMode::Prefer,
    };
    let modes = if kind == EngineKind::Postgres {
        POSTGRES
    } else {
        MYSQL
    };
    let written = if kind == EngineKind::Postgres {
        text.to_owned()
    } else {
        text.to_ascii_lowercase().replace('_', "-")
    };
    match written.as_str() {
        // pgjdbc verifies when it is only told `ssl=true`.
        "true" if flag && jdbc && kind == EngineKind::Postgres => return TlsMode::VerifyFull,
        "true" if flag => return TlsMode::Require,
        "false" if flag => return TlsMode::Disable,
        _ => {}
    }
    if let Some((_, mode)) = modes.iter().find(|(name, _)| *name == written) {
        return *mode;
    }
    let names: Vec<_> = modes.iter().map(|(name, _)| format!("`{name}`")).collect();
    let message = if text.is_empty() {
        "the TLS mode is empty"
    } else {
        "the TLS mode is not one that exists"
    };
    problems.add(&TLS, message, format!("it is one of {}", names.join(", ")));
    TlsMode::VerifyFull
}
