//! URLs of SQLite files, read as sqlx reads them.

use std::path::{Component, Path, PathBuf};

use super::checks::{DATABASE, PARAMETER, Problems, SCHEME};
use super::scheme::Scheme;
use super::{DatabaseUrl, EngineKind, TlsMode, percent};
use crate::domain::Secret;

/// `sqlite:rel`, `sqlite://rel`, `sqlite:///abs`; `file:` as SQLite itself has it:
/// <https://www.sqlite.org/uri.html>. Relative paths begin at the working directory.
pub(super) fn parse(scheme: Scheme<'_>, text: &str, problems: &mut Problems) -> Option<DatabaseUrl> {
    let (file, query) = scheme.rest.split_once('?').unwrap_or((scheme.rest, ""));
    if file.contains('#') {
        problems.add(&DATABASE, "the file's path contains a raw `#`", "write `%23`");
        return None;
    }
    // `user:password@host`, as a server's URL has it: never shown.
    if scheme
        .rest
        .split_once(':')
        .is_some_and(|(_, after)| after.contains('@'))
    {
        problems.add(
            &SCHEME,
            "a SQLite URL has no user, password or host",
            "write `sqlite:///path/to/file`, or the scheme of the server that is meant",
        );
        return None;
    }
    let mut notes = Vec::new();
    let in_memory = parameters(query, problems, &mut notes);
    let file = path_of(scheme.name, file, problems)?;
    let path = percent::decode_part(file, "the file's path", problems)?;
    if in_memory || path.is_empty() || path.trim_start_matches('/') == ":memory:" {
        problems.add(
            &DATABASE,
            "a database in memory is gone when the gate ends",
            "give a file: `sqlite:///path/to/file`",
        );
        return None;
    }
    if path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") || path == "." || path == ".." {
        problems.add(
            &DATABASE,
            "the path is a folder's, not a file's",
            "give the file's name as well",
        );
        return None;
    }
    let Some(database) = full(&path) else {
        problems.add(
            &DATABASE,
            "the file's path cannot be made absolute",
            "give the path from the root: `sqlite:///path/to/file`",
        );
        return None;
    };
    notes.insert(0, format!("the file is {database}"));
    if scheme.name == "sqlite" && scheme.rest.starts_with("///") && !scheme.rest.starts_with("////") {
        notes.push(
            "three slashes are an absolute path here, as in sqlx, and a relative one to Django and SQLAlchemy; \
             four are absolute to all"
                .to_owned(),
        );
    }
    Some(DatabaseUrl {
        kind: EngineKind::Sqlite,
        scheme: scheme.name.to_owned(),
        addresses: Vec::new(),
        user: None,
        password: None,
        database,
        tls: TlsMode::Disable,
        tls_root_cert: None,
        tls_client_cert: None,
        tls_client_key: None,
        connect_timeout: None,
        application_name: None,
        options: None,
        primary_only: false,
        pooled: false,
        notes,
        written: Secret::new(text),
        encoded_password: None,
    })
}

/// What stands after the scheme, as a path.
fn path_of<'a>(scheme: &str, file: &'a str, problems: &mut Problems) -> Option<&'a str> {
    let Some(after) = file.strip_prefix("//") else {
        return Some(file);
    };
    if scheme == "sqlite" {
        return Some(after);
    }
    let after = after.strip_prefix("localhost").unwrap_or(after);
    if !after.starts_with('/') {
        problems.add(
            &DATABASE,
            "what follows `file://` is a host, and SQLite takes none",
            "write `file:relative/path` or `file:///absolute/path`",
        );
        return None;
    }
    Some(after)
}

/// True where the database is one in memory.
fn parameters(query: &str, problems: &mut Problems, notes: &mut Vec<String>) -> bool {
    let mut in_memory = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("mode", "memory") => in_memory = true,
            ("mode", "rw" | "rwc") | ("cache", "private" | "shared") => {}
            ("mode", "ro") | ("immutable", _) => problems.add(
                &PARAMETER,
                "the parameters make the file read-only",
                "remove them: what only reads, reads anyway",
            ),
            ("mode" | "cache", _) => problems.add(
                &PARAMETER,
                "the parameter `mode` or `cache` has a value that SQLite does not know",
                "write `mode=rw` or `mode=rwc`, or leave it out",
            ),
            _ => notes.push("a parameter that is not known is ignored".to_owned()),
        }
    }
    in_memory
}

/// The path from the root, without `.`, and without `..` where that does not change the meaning.
fn full(path: &str) -> Option<String> {
    let absolute = std::path::absolute(Path::new(path)).ok()?;
    let parts = absolute.components().filter(|part| *part != Component::CurDir);
    let plain: PathBuf = parts.collect();
    plain.to_str().map(str::to_owned)
}
