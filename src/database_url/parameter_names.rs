//! The names of parameters, of libpq and of everything that reads URLs beside it.

use super::EngineKind;

/// What a parameter says, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    Host,
    Port,
    User,
    Password,
    Database,
    /// `sslmode=require`.
    Tls,
    /// `ssl=true`.
    TlsFlag,
    RootCert,
    ClientCert,
    ClientKey,
    /// In seconds.
    ConnectTimeout,
    /// In milliseconds.
    ConnectTimeoutMillis,
    ApplicationName,
    /// Options for the server's command line.
    Options,
    SessionAttributes,
    /// `pgbouncer=true`.
    Pooler,
    /// Understood by others, not needed here: a note.
    Schema,
    Charset,
    /// MySQL's socket.
    Socket,
}

pub(super) enum Kind {
    Means(Meaning),
    /// Known, and without effect here.
    Ignored,
    /// Known, and not supported: why.
    Refused(&'static str),
}

/// Every parameter of libpq 13 to 15; newer ones an older `psql` would refuse.
const LIBPQ: &[&str] = &[
    "user",
    "password",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "port",
    "client_encoding",
    "options",
    "application_name",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslmode",
    "sslcompression",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "requirepeer",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "target_session_attrs",
];
/// Of newer libpqs, Prisma, JDBC, SQLAlchemy, node-postgres, Go and poolers.
const OTHERS_POSTGRES: &[&str] = &[
    "require_auth",
    "sslcertmode",
    "gssdelegation",
    "load_balance_hosts",
    "sslnegotiation",
    "min_protocol_version",
    "max_protocol_version",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "statement-cache-capacity",
    "prepared_statement_cache_size",
    "prepared_statements",
    "binary_parameters",
    "sslaccept",
    "sslidentity",
    "pool_size",
    "max_connections",
    "min_connections",
    "pool_max_conns",
    "pool",
    "supa",
    "uselibpqcompat",
    "loginTimeout",
    "socketTimeout",
    "tcpKeepAlive",
    "prepareThreshold",
    "reWriteBatchedInserts",
    "stringtype",
    "conn_max_age",
    "conn_health_checks",
    "async_fallback",
    "timezone",
    "TimeZone",
    "statement_timeout",
    "lock_timeout",
    "idle_timeout",
    "max_lifetime",
    "workaround",
];
const OTHERS_MYSQL: &[&str] = &[
    "collation",
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "pool",
    "pool_size",
    "serverTimezone",
    "timezone",
    "time_zone",
    "time-zone",
    "useUnicode",
    "characterEncoding",
    "allowPublicKeyRetrieval",
    "autoReconnect",
    "parseTime",
    "loc",
    "multiStatements",
    "statement-cache-capacity",
    "read_timeout",
    "write_timeout",
    "reconnect",
    "encoding",
    "sslaccept",
    "conn_max_age",
    "init_command",
    "autocommit",
    "local_infile",
    "rewriteBatchedStatements",
];

/// What a name stands for; nothing where nobody is known to use it.
pub(super) fn lookup(kind: EngineKind, jdbc: bool, name: &str) -> Option<Kind> {
    use Meaning::*;
    let meaning = match (kind, name) {
        (_, "user") => User,
        (_, "password") => Password,
        (_, "sslmode") => Tls,
        (_, "ssl") => TlsFlag,
        (_, "connect_timeout") => ConnectTimeout,
        (EngineKind::Postgres, _) => match name {
            "host" | "port" | "dbname" if jdbc => {
                return Some(Kind::Refused(
                    "a JDBC URL says host, port and database before the `?`",
                ));
            }
            "host" => Host,
            "port" => Port,
            "dbname" => Database,
            "sslrootcert" => RootCert,
            "sslcert" => ClientCert,
            "sslkey" => ClientKey,
            "application_name" | "ApplicationName" => ApplicationName,
            "connectTimeout" if jdbc => ConnectTimeout,
            "options" => Options,
            "target_session_attrs" => SessionAttributes,
            "pgbouncer" => Pooler,
            "schema" | "currentSchema" | "search_path" => Schema,
            _ => return other_postgres(name),
        },
        (_, "ssl-mode" | "ssl_mode" | "sslMode") => Tls,
        (_, "useSSL" | "tls" | "requireSSL") => TlsFlag,
        (_, "ssl-ca" | "ssl_ca" | "sslca") => RootCert,
        (_, "ssl-cert" | "ssl_cert" | "sslcert") => ClientCert,
        (_, "ssl-key" | "ssl_key" | "sslkey") => ClientKey,
        (_, "socket" | "unix_socket") => Socket,
        (_, "charset") => Charset,
        (_, "connectTimeout") if jdbc => ConnectTimeoutMillis,
        _ if OTHERS_MYSQL.contains(&name) => return Some(Kind::Ignored),
        _ => return None,
    };
    Some(Kind::Means(meaning))
}

fn other_postgres(name: &str) -> Option<Kind> {
    let refused = match name {
        "hostaddr" => "give the address as the host: two of them make two readings of where this is",
        "service" | "servicefile" => "write the connection out: a service file is not part of the value",
        "passfile" => "write the password into the URL: a file is not part of the value",
        "requiressl" => "write `sslmode=require`",
        "replication" => "remove it: a replication connection takes no migrations",
        "sslpassword" => "use a client key without a passphrase",
        _ if LIBPQ.contains(&name) || OTHERS_POSTGRES.contains(&name) => return Some(Kind::Ignored),
        _ => return None,
    };
    Some(Kind::Refused(refused))
}

/// True where libpq itself knows the parameter.
pub(super) fn known_to_libpq(name: &str) -> bool {
    LIBPQ.contains(&name)
}

/// The name that was probably meant.
pub(super) fn nearest(kind: EngineKind, name: &str) -> Option<&'static str> {
    const MYSQL: &[&str] = &["ssl-mode", "ssl-ca", "socket", "connect_timeout", "charset"];
    let lower = name.to_ascii_lowercase().replace('-', "_");
    let names = if kind == EngineKind::Postgres {
        LIBPQ
    } else {
        MYSQL
    };
    let near = |known: &&str| {
        let plain = known.replace('-', "_");
        let distance = strsim::damerau_levenshtein(&lower, &plain);
        distance * 4 <= plain.len() || plain.replace('_', "") == lower.replace('_', "")
    };
    let candidates = names.iter().copied().filter(near);
    candidates.min_by_key(|known| strsim::damerau_levenshtein(name, known))
}
