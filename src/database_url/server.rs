//! URLs of servers: PostgreSQL, MySQL, MariaDB.

use std::path::PathBuf;
use std::time::Duration;

use super::checks::{DATABASE, HOST, PARAMETER, PORT, Problems, TLS};
use super::hosts::{self, Server};
use super::parameters::{self, Given, Meaning};
use super::parts::{self, Credentials};
use super::scheme::Scheme;
use super::{Address, DatabaseUrl, EngineKind, TlsMode, percent, placeholder, pooler, tls};
use crate::domain::Secret;

/// Reads what can be read; the result counts only where no problem was added.
pub(super) fn parse(scheme: Scheme<'_>, text: &str, problems: &mut Problems) -> Option<DatabaseUrl> {
    let parts = parts::split(scheme.rest, scheme.jdbc, problems)?;
    let kind = scheme.kind;
    let mut notes = scheme_notes(&scheme);
    let given = parameters::parse(parts.query, kind, scheme.jdbc, problems, &mut notes);
    let credentials = credentials(&parts, &given, problems, &mut notes);
    let addresses = addresses(&parts, kind, &given, problems, &mut notes);
    let database = database(parts.path, &given, problems, &mut notes);
    let pooled = pooler::detect(kind, &addresses, &given, problems);
    let mut mode = tls::mode(kind, scheme.jdbc, &given, problems);
    let mut path = |meaning| given.take(meaning, problems);
    let mut tls_root_cert = path(Meaning::RootCert);
    let (tls_client_cert, tls_client_key) = (path(Meaning::ClientCert), path(Meaning::ClientKey));
    if kind == EngineKind::Postgres && tls_root_cert.as_deref() == Some("system") {
        tls_root_cert = None;
        mode = system_roots(mode, given.has(Meaning::Tls), problems);
    }
    if tls_client_cert.is_some() != tls_client_key.is_some() {
        problems.add(
            &TLS,
            "a client certificate and its key belong together",
            "give both, or neither",
        );
    }
    let url = DatabaseUrl {
        kind,
        scheme: scheme.name.to_owned(),
        user: credentials.user,
        password: credentials.password,
        database: database?,
        tls: mode,
        tls_root_cert: tls_root_cert.map(PathBuf::from),
        tls_client_cert: tls_client_cert.map(PathBuf::from),
        tls_client_key: tls_client_key.map(PathBuf::from),
        connect_timeout: connect_timeout(&given, problems),
        application_name: given.take(Meaning::ApplicationName, problems),
        options: given.take(Meaning::Options, problems).map(Secret::new),
        primary_only: primary_only(&given, problems),
        pooled,
        notes: Vec::new(),
        addresses,
        written: Secret::new(text),
        encoded_password: credentials.encoded,
    };
    notes.extend(closing_notes(&url, &given));
    Some(DatabaseUrl { notes, ..url })
}

fn scheme_notes(scheme: &Scheme<'_>) -> Vec<String> {
    let name = scheme.name;
    let note = match (scheme.kind, name) {
        (_, "postgresql" | "mysql" | "mariadb") => return Vec::new(),
        (_, "postgres") => {
            "`postgres:` is refused by SQLAlchemy; `postgresql:` is read everywhere".to_owned()
        }
        (EngineKind::Postgres, _) => {
            format!("`{name}:` is not read by libpq (psql, psycopg); `postgresql:` is read everywhere")
        }
        _ => format!("`{name}:` is not read by every client; `mysql:` is"),
    };
    vec![note]
}

fn credentials(
    parts: &parts::Parts<'_>,
    given: &Given<'_>,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Credentials {
    let mut read = match parts.userinfo {
        Some(userinfo) => parts::credentials(userinfo, problems, notes),
        None => Credentials::default(),
    };
    let before = parts.userinfo.unwrap_or("").split_once(':');
    let user_before = before.map_or(parts.userinfo.unwrap_or(""), |(user, _)| user);
    let password_before = before.map_or("", |(_, password)| password);
    for (meaning, name, written) in [
        (Meaning::User, "user", user_before),
        (Meaning::Password, "password", password_before),
    ] {
        if given.has(meaning) && !written.is_empty() {
            problems.add(
                &PARAMETER,
                format!("the {name} is given twice, before the host and as a parameter"),
                "keep the one before the host",
            );
        }
    }
    if let Some(user) = given.take(Meaning::User, problems) {
        read.user = Some(user);
    }
    if let Some(password) = given.take(Meaning::Password, problems) {
        let encoded = given.raw(Meaning::Password).unwrap_or("");
        placeholder::password(encoded, problems);
        if !encoded.is_ascii() {
            notes.push("the password contains a character outside ASCII, taken as UTF-8".to_owned());
        }
        read.encoded = Some(Secret::new(encoded));
        read.password = Some(Secret::new(password));
    }
    read
}

fn addresses(
    parts: &parts::Parts<'_>,
    kind: EngineKind,
    given: &Given<'_>,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Vec<Address> {
    let written = hosts::in_authority(parts.hosts, kind, problems);
    let sound = written.is_some();
    let written = written.unwrap_or_default();
    let mut ports: Vec<Option<u16>> = written.iter().map(|(_, port)| *port).collect();
    let mut servers: Vec<Server> = written.into_iter().filter_map(|(server, _)| server).collect();
    if let Some(list) = given.take(Meaning::Port, problems) {
        if ports.iter().any(Option::is_some) {
            problems.add(
                &PORT,
                "the port is given twice, after the host and as a parameter",
                "keep the one after the host",
            );
        }
        ports = hosts::ports_in_parameter(&list, problems)
            .into_iter()
            .map(Some)
            .collect();
    }
    let other_given = given.has(Meaning::Host) || given.has(Meaning::Socket);
    let other = match (
        given.take(Meaning::Host, problems),
        given.take(Meaning::Socket, problems),
    ) {
        (Some(list), _) => hosts::in_parameter(&list, problems),
        (None, Some(path)) if path.starts_with('/') => vec![Server::Socket(PathBuf::from(path))],
        (None, Some(_)) => {
            problems.add(
                &HOST,
                "the socket is not an absolute path",
                "write `socket=/run/mysqld/mysqld.sock`",
            );
            return Vec::new();
        }
        (None, None) => Vec::new(),
    };
    if !other.is_empty() {
        let sockets = other.iter().all(|server| matches!(server, Server::Socket(_)));
        if !servers.is_empty() && (!sockets || servers.len() > 1) {
            problems.add(
                &HOST,
                "the host is given twice, before the path and as a parameter",
                "keep the one before the path",
            );
        } else if !servers.is_empty() {
            notes.push(
                "the socket in the parameters is used; the host before the path is not, as in libpq"
                    .to_owned(),
            );
        }
        servers = other;
    }
    if !sound {
        return Vec::new();
    }
    if servers.is_empty() && !other_given {
        problems.add(
            &HOST,
            "the URL names no host",
            "write it: without one, each client takes its own default; a socket's folder is written `?host=/var/run/postgresql`",
        );
    }
    let default = if kind == EngineKind::Postgres { 5432 } else { 3306 };
    hosts::join(servers, &ports, default, problems)
}

fn database(
    path: &str,
    given: &Given<'_>,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Option<String> {
    let parameter = given.take(Meaning::Database, problems);
    if parameter.is_some() && !path.is_empty() {
        problems.add(
            &DATABASE,
            "the database is given twice, after the host and as a parameter",
            "keep the one after the host",
        );
        return None;
    }
    if path.contains('/') {
        problems.add(
            &DATABASE,
            "more than one name follows the host",
            "one database's name follows the host; remove the last `/`, or write `%2F` where it belongs to the name",
        );
        return None;
    }
    let name = match parameter {
        Some(name) => Some(name),
        None => percent::decode_part(path, "the database's name", problems),
    }?;
    if name.is_empty() {
        problems.add(
            &DATABASE,
            "the URL names no database",
            "write it after the host: `…@host:5432/database`; without it clients take the user's name",
        );
        return None;
    }
    if name == "." || name == ".." || path.contains('\\') {
        problems.add(
            &DATABASE,
            "the database's name is one that URL parsers rewrite",
            "rename the database, or write a `\\` as `%5C`",
        );
        return None;
    }
    if !name.is_ascii() {
        notes.push("the database's name contains a character outside ASCII, taken as UTF-8".to_owned());
    }
    Some(name)
}

/// libpq 16 and later: `sslrootcert=system` demands, and defaults to, full verification.
fn system_roots(mode: TlsMode, given: bool, problems: &mut Problems) -> TlsMode {
    if given && mode != TlsMode::VerifyFull {
        problems.add(
            &TLS,
            "`sslrootcert=system` goes with full verification only",
            "write `sslmode=verify-full`",
        );
    }
    TlsMode::VerifyFull
}

/// Zero is libpq's "wait as long as it takes".
fn connect_timeout(given: &Given<'_>, problems: &mut Problems) -> Option<Duration> {
    let seconds = given.take(Meaning::ConnectTimeout, problems);
    let millis = given.take(Meaning::ConnectTimeoutMillis, problems);
    let unit = if seconds.is_some() { 1000 } else { 1 };
    let text = seconds.or(millis)?;
    match text.parse::<u32>() {
        Ok(0) => None,
        Ok(number) => Some(Duration::from_millis(u64::from(number) * unit)),
        Err(_) => {
            problems.add(
                &PARAMETER,
                "the time to connect is not a whole number",
                "write it in seconds: `connect_timeout=10`",
            );
            None
        }
    }
}

/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS>
fn primary_only(given: &Given<'_>, problems: &mut Problems) -> bool {
    match given.raw(Meaning::SessionAttributes) {
        None | Some("any") => false,
        Some("read-write" | "primary") => true,
        Some("read-only" | "standby" | "prefer-standby") => {
            problems.add(
                &PARAMETER,
                "`target_session_attrs` asks for a server that takes no writes",
                "write `target_session_attrs=read-write`: migrations run on the primary",
            );
            false
        }
        Some(_) => {
            problems.add(
                &PARAMETER,
                "`target_session_attrs` is not a value that exists",
                "write `target_session_attrs=read-write`",
            );
            false
        }
    }
}

fn closing_notes(url: &DatabaseUrl, given: &Given<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    if url.user.is_none() {
        note(
            "the URL names no user: clients take the operating system's, which differs from machine to machine",
        );
    }
    if url.password.is_none() {
        note("the URL has no password: the server must let the user in without one");
    }
    if given.has(Meaning::Schema) {
        note(
            "the schema among the parameters is not used: the config says where shared and tenant tables are",
        );
    }
    if given.has(Meaning::Charset) {
        note("the parameter `charset` is not used: connections are utf8mb4");
    }
    if url.options.is_some() {
        note(
            "`options` is passed to the server, but a `search_path` in it is not used: each migration sets its own",
        );
    }
    if url.kind == EngineKind::Postgres && url.addresses.len() > 1 && !url.primary_only {
        note(
            "of several hosts the first that answers is used, be it a standby: `target_session_attrs=read-write` finds the primary",
        );
    }
    if url.pooled {
        note(
            "this looks like a pooler in transaction mode: migrations that cannot run in a transaction need `direct_url`",
        );
    }
    notes
}
