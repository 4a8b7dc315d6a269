//! The parts of a URL in plain words.

use super::{Address, DatabaseUrl, EngineKind, TlsMode};

/// Rows of name and value for people to read. Of the password they say whether there is one.
pub fn explain(url: &DatabaseUrl) -> Vec<(String, String)> {
    let mut rows = vec![row("engine", engine(url.kind))];
    if url.kind == EngineKind::Sqlite {
        rows.push(row("file", &url.database));
        return rows;
    }
    match url.addresses.as_slice() {
        [Address::Tcp { host, port }] => rows.extend([row("host", host), row("port", &port.to_string())]),
        several => {
            let list: Vec<_> = several.iter().map(|address| place(address, url.kind)).collect();
            let name = match several {
                [_] => "socket",
                _ => "hosts, in order",
            };
            rows.push(row(name, &list.join(", ")));
        }
    }
    rows.push(row("user", url.user.as_deref().unwrap_or("not set")));
    rows.push(row(
        "password",
        if url.password.is_some() { "set" } else { "not set" },
    ));
    rows.push(row("database", &url.database));
    rows.push(row("TLS", tls(url.tls)));
    for (name, path) in [
        ("TLS root certificate", &url.tls_root_cert),
        ("TLS client certificate", &url.tls_client_cert),
        ("TLS client key", &url.tls_client_key),
    ] {
        if let Some(path) = path {
            rows.push(row(name, &path.to_string_lossy()));
        }
    }
    if let Some(time) = url.connect_timeout {
        rows.push(row("time to connect", &format!("{} s", time.as_secs_f64())));
    }
    if let Some(name) = &url.application_name {
        rows.push(row("application name", name));
    }
    if url.options.is_some() {
        rows.push(row("server options", "set"));
    }
    if url.primary_only {
        rows.push(row("which server", "one that takes writes"));
    }
    if url.kind == EngineKind::Postgres {
        let pooler = if url.pooled {
            "it looks like one in transaction mode"
        } else {
            "none seen"
        };
        rows.push(row("pooler", pooler));
    }
    rows
}

fn row(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn engine(kind: EngineKind) -> &'static str {
    match kind {
        EngineKind::Postgres => "PostgreSQL",
        EngineKind::Mysql => "MySQL or MariaDB",
        EngineKind::Sqlite => "SQLite",
    }
}

fn place(address: &Address, kind: EngineKind) -> String {
    match address {
        Address::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
        Address::Tcp { host, port } => format!("{host}:{port}"),
        Address::Socket { path, port } if kind == EngineKind::Postgres => {
            format!(
                "{}/.s.PGSQL.{port}",
                path.display().to_string().trim_end_matches('/')
            )
        }
        Address::Socket { path, .. } => path.display().to_string(),
    }
}

fn tls(mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::Disable => "never (disable)",
        TlsMode::Allow => "only if the server insists, certificate not verified (allow)",
        TlsMode::Prefer => "if the server offers it, certificate not verified (prefer)",
        TlsMode::Require => "demanded, certificate not verified (require)",
        TlsMode::VerifyCa => "demanded, certificate verified, host name not (verify-ca)",
        TlsMode::VerifyFull => "demanded, certificate and host name verified (verify-full)",
    }
}
