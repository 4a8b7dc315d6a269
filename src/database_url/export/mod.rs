//! The parts of a URL as Django's settings, for other programs.

mod dotenv;
mod github;
mod json;

pub use github::{GithubExport, mask_commands};

use super::{Address, DatabaseUrl, EngineKind};
use crate::domain::Secret;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Lines that dotenv readers and a POSIX shell read alike.
    Dotenv,
    /// One object with six strings.
    Json,
    /// Masks for the log and lines for the file that `GITHUB_ENV` names.
    Github,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// Ends with a line break.
    Text(Secret),
    Github(GithubExport),
}

/// Why a URL cannot be exported. The key is named, the value is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    #[error("{key} contains a character that {format} cannot carry")]
    Character { key: &'static str, format: &'static str },
    #[error("{key} contains the delimiter that was drawn for the file")]
    Delimiter { key: &'static str },
}

/// Keys in the order in which they are written, values decoded.
type Values = [(&'static str, String); 6];

/// Gives `DB_ENGINE`, `DB_USER`, `DB_PASSWORD`, `DB_HOST`, `DB_PORT` and `DB_NAME`. What is not set is
/// empty; several hosts and ports are separated by commas, as libpq takes them.
pub fn export(url: &DatabaseUrl, format: ExportFormat) -> Result<Exported, ExportError> {
    let values = values(url);
    match format {
        ExportFormat::Dotenv => dotenv::render(&values).map(|text| Exported::Text(Secret::new(text))),
        ExportFormat::Json => Ok(Exported::Text(Secret::new(json::render(&values)))),
        ExportFormat::Github => github::render(url, &values, &github::delimiter()).map(Exported::Github),
    }
}

/// The same without the password: what may be shown.
pub fn public_parts(url: &DatabaseUrl) -> impl Iterator<Item = (&'static str, String)> {
    values(url).into_iter().filter(|(key, _)| *key != "DB_PASSWORD")
}

fn values(url: &DatabaseUrl) -> Values {
    let engine = match url.kind {
        EngineKind::Postgres => "django.db.backends.postgresql",
        EngineKind::Mysql => "django.db.backends.mysql",
        EngineKind::Sqlite => "django.db.backends.sqlite3",
    };
    let host = |address: &Address| match address {
        Address::Tcp { host, .. } => host.clone(),
        Address::Socket { path, .. } => path.to_string_lossy().into_owned(),
    };
    let port = |address: &Address| match address {
        Address::Tcp { port, .. } | Address::Socket { port, .. } => port.to_string(),
    };
    let all =
        |part: &dyn Fn(&Address) -> String| url.addresses.iter().map(part).collect::<Vec<_>>().join(",");
    let password = url.password.as_ref().map_or("", Secret::expose);
    [
        ("DB_ENGINE", engine.to_owned()),
        ("DB_USER", url.user.clone().unwrap_or_default()),
        ("DB_PASSWORD", password.to_owned()),
        ("DB_HOST", all(&host)),
        ("DB_PORT", all(&port)),
        ("DB_NAME", url.database.clone()),
    ]
}
