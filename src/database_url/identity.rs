//! When two URLs mean the same database.

use std::path::{Path, PathBuf};

use super::{Address, DatabaseUrl, EngineKind};

/// True where both URLs lead to one database, as far as the URLs tell: another name of the same server
/// is not seen. Where several hosts are given, one in common is enough.
pub fn same_database(a: &DatabaseUrl, b: &DatabaseUrl) -> bool {
    if a.kind != b.kind {
        return false;
    }
    let same_name = match a.kind {
        EngineKind::Sqlite => return real(&a.database) == real(&b.database),
        EngineKind::Postgres => a.database == b.database,
        // Not case-sensitive where the server's files are not.
        EngineKind::Mysql => a.database.to_lowercase() == b.database.to_lowercase(),
    };
    if !same_name {
        return false;
    }
    // Supabase's poolers have one host for all projects of a region: the user says which one.
    if let (Some(a), Some(b)) = (supabase_project(a), supabase_project(b)) {
        return a == b;
    }
    let (a, b) = (places(a), places(b));
    a.iter().any(|one| b.iter().any(|other| one.meets(other)))
}

/// An address without what differs between two spellings of it.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    /// Behind a pooler the port is the pooler's.
    pooled: bool,
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        self.host == other.host && (self.port == other.port || self.pooled != other.pooled)
    }
}

fn places(url: &DatabaseUrl) -> Vec<Place> {
    let place = |address: &Address| {
        let (host, port) = match address {
            Address::Tcp { host, port } => (plain_host(host), *port),
            Address::Socket { path, port } => (socket_host(path), *port),
        };
        Place {
            host,
            port,
            pooled: url.pooled,
        }
    };
    url.addresses.iter().map(place).collect()
}

fn plain_host(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let local = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
    if local {
        return "localhost".to_owned();
    }
    if let Ok(address) = host.parse::<std::net::IpAddr>() {
        return address.to_canonical().to_string();
    }
    // Neon's pooler is the endpoint's name with `-pooler`.
    match host.split_once('.') {
        Some((first, rest)) => format!("{}.{rest}", first.strip_suffix("-pooler").unwrap_or(first)),
        None => host,
    }
}

/// The servers' own default folders and files are those of this machine's server.
fn socket_host(path: &Path) -> String {
    const OWN: &[&str] = &[
        "/var/run/postgresql",
        "/run/postgresql",
        "/tmp",
        "/var/run/mysqld/mysqld.sock",
        "/run/mysqld/mysqld.sock",
        "/var/lib/mysql/mysql.sock",
        "/tmp/mysql.sock",
    ];
    let text = path.to_string_lossy();
    let text = text.trim_end_matches('/');
    if OWN.contains(&text) {
        "localhost".to_owned()
    } else {
        text.to_owned()
    }
}

/// `ref` of `postgres.ref@….pooler.supabase.com` and of `db.ref.supabase.co`.
fn supabase_project(url: &DatabaseUrl) -> Option<String> {
    url.addresses.iter().find_map(|address| {
        let Address::Tcp { host, .. } = address else {
            return None;
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if host.ends_with(".pooler.supabase.com") {
            let (_, project) = url.user.as_deref()?.rsplit_once('.')?;
            return Some(project.to_ascii_lowercase());
        }
        let project = host.strip_prefix("db.")?.strip_suffix(".supabase.co")?;
        Some(project.to_owned())
    })
}

/// The file itself where it exists, or its folder's real path and its name.
fn real(path: &str) -> PathBuf {
    let path = Path::new(path);
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    match (
        path.parent().and_then(|folder| folder.canonicalize().ok()),
        path.file_name(),
    ) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
