//! The part before `://`: which engine, and whose dialect of URL.

use super::EngineKind;
use super::checks::{Problems, SCHEME};

/// A scheme that is understood, and what follows it.
#[derive(Clone, Copy)]
pub(super) struct Scheme<'a> {
    /// As written, without the colon.
    pub(super) name: &'a str,
    pub(super) kind: EngineKind,
    /// JDBC carries user and password as parameters.
    pub(super) jdbc: bool,
    /// What follows `scheme://`; for SQLite, what follows `scheme:`.
    pub(super) rest: &'a str,
}

const POSTGRES: &[&str] = &[
    "postgresql",
    "postgres",
    "pgsql",
    "psql",
    "postgis",
    "jdbc:postgresql",
];
const POSTGRES_DRIVERS: &[&str] = &[
    "psycopg2",
    "psycopg",
    "asyncpg",
    "pg8000",
    "psycopg_async",
    "psycopg2cffi",
    "pygresql",
    "pypostgresql",
];
const MYSQL: &[&str] = &["mysql", "mysql2", "mariadb", "jdbc:mysql", "jdbc:mariadb"];
const MYSQL_DRIVERS: &[&str] = &[
    "pymysql",
    "mysqldb",
    "aiomysql",
    "asyncmy",
    "mysqlconnector",
    "mariadbconnector",
    "cymysql",
    "pyodbc",
];
const SQLITE: &[&str] = &["sqlite", "file"];

/// Schemes of other things, and what to say about them.
const OTHERS: &[(&[&str], &str)] = &[
    (
        &["http", "https", "ws", "wss"],
        "a web address, not a database's URL",
    ),
    (
        &["prisma", "prisma+postgres"],
        "Prisma's own URL (Accelerate or `prisma dev`), which only Prisma's client can connect to",
    ),
    (
        &[
            "mongodb",
            "mongodb+srv",
            "redis",
            "rediss",
            "amqp",
            "amqps",
            "kafka",
            "s3",
            "ftp",
            "ssh",
            "tcp",
            "ldap",
        ],
        "another kind of server's",
    ),
    (
        &[
            "mssql",
            "sqlserver",
            "jdbc:sqlserver",
            "oracle",
            "jdbc:oracle",
            "cockroach",
            "cockroachdb",
            "redshift",
            "jdbc:redshift",
            "snowflake",
            "bigquery",
            "clickhouse",
            "duckdb",
            "libsql",
            "db2",
            "h2",
            "jdbc:h2",
            "mysqlx",
            "timescale",
            "timescalegis",
            "mssql+pyodbc",
            "oracle+cx_oracle",
        ],
        "another engine's: PostgreSQL, MySQL, MariaDB and SQLite are supported",
    ),
];

const EXAMPLES: &str = "a URL begins with `postgresql://`, `mysql://` or `sqlite://`";

/// Gives the scheme, or says which one was probably meant.
pub(super) fn recognise<'a>(text: &'a str, problems: &mut Problems) -> Option<Scheme<'a>> {
    let jdbc = text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("jdbc:"));
    let from = if jdbc { 5 } else { 0 };
    let end = text[from..].find(':').map(|at| from + at);
    let name = end.map_or("", |end| &text[..end]);
    let after = end.map_or("", |end| &text[end + 1..]);
    let slashes = after.strip_prefix("//");

    if let Some(kind) = engine_of(name) {
        let rest = if kind == EngineKind::Sqlite {
            Some(after)
        } else {
            slashes
        };
        if rest.is_none() {
            problems.add(&SCHEME, "`//` is missing after the scheme", EXAMPLES);
        }
        return Some(Scheme {
            name,
            kind,
            jdbc,
            rest: rest?,
        });
    }
    let lower = name.to_ascii_lowercase();
    if engine_of(&lower).is_some() {
        problems.add(
            &SCHEME,
            "the scheme is not in lower case, which libpq does not read as a URL",
            format!("write `{lower}:`"),
        );
    } else if let Some((_, what)) = OTHERS.iter().find(|(names, _)| names.contains(&lower.as_str())) {
        let hint = match lower.as_str() {
            "prisma" | "prisma+postgres" => {
                "use the database's own `postgresql://` URL, the one Prisma calls `directUrl`"
            }
            _ => EXAMPLES,
        };
        problems.add(&SCHEME, format!("`{lower}:` is {what}"), hint);
    } else if let Some(meant) = slashes.and_then(|_| nearest(&lower)) {
        problems.add(
            &SCHEME,
            "the scheme is not one that is known",
            format!("did you mean `{meant}://`?"),
        );
    } else if slashes.is_some() && !name.is_empty() {
        problems.add(&SCHEME, "the scheme is not one that is known", EXAMPLES);
    } else if is_keyword_string(text) {
        problems.add(
            &SCHEME,
            "the value is a list of `key=value`, not a URL",
            "write it as `postgresql://user:password@host:5432/database`",
        );
    } else {
        problems.add(&SCHEME, "the value has no scheme", EXAMPLES);
    }
    None
}

fn engine_of(name: &str) -> Option<EngineKind> {
    let (base, driver) = name.split_once('+').unwrap_or((name, ""));
    let with = |bases: &[&str], drivers: &[&str]| {
        bases.contains(&base) && (!name.contains('+') || drivers.contains(&driver) && !base.contains(':'))
    };
    if with(POSTGRES, POSTGRES_DRIVERS) {
        Some(EngineKind::Postgres)
    } else if with(MYSQL, MYSQL_DRIVERS) {
        Some(EngineKind::Mysql)
    } else if SQLITE.contains(&name) {
        Some(EngineKind::Sqlite)
    } else {
        None
    }
}

/// The canonical scheme of what was probably meant. SQLAlchemy's `sqlite+driver` is not taken as
/// it stands, because its three slashes mean something else than ours.
fn nearest(name: &str) -> Option<&'static str> {
    const KNOWN: &[(&str, &str)] = &[
        ("postgresql", "postgresql"),
        ("postgres", "postgresql"),
        ("pgsql", "postgresql"),
        ("pg", "postgresql"),
        ("mysql", "mysql"),
        ("mariadb", "mariadb"),
        ("sqlite", "sqlite"),
        ("sqlite3", "sqlite"),
    ];
    let base = name.split('+').next().unwrap_or(name);
    let base = base.strip_prefix("jdbc:").unwrap_or(base);
    KNOWN
        .iter()
        .map(|(known, meant)| (strsim::damerau_levenshtein(base, known), known.len(), meant))
        .filter(|(distance, length, _)| distance * 3 <= *length)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., meant)| *meant)
}

/// libpq's `host=… dbname=…` and ADO's `Server=…;Database=…`.
fn is_keyword_string(text: &str) -> bool {
    const KEYS: &[&str] = &[
        "host",
        "hostaddr",
        "port",
        "dbname",
        "user",
        "password",
        "sslmode",
        "server",
        "data source",
        "database",
        "user id",
        "service",
    ];
    text.split_once('=')
        .is_some_and(|(key, _)| KEYS.contains(&key.trim().to_ascii_lowercase().as_str()))
}
