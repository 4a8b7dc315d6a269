//! The GitHub runner's way to set variables for later steps:
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use super::{ExportError, Values};
use crate::database_url::DatabaseUrl;
use crate::domain::{Redactor, Secret};

/// What is written where. The masks go to stdout, and before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubExport {
    /// Lines for stdout, without line breaks.
    pub masks: Vec<Secret>,
    /// To be appended to the file that `GITHUB_ENV` names.
    pub file: Secret,
}

/// Passwords that everybody knows: masked, they would star out names of engines, users and tables.
const COMMON: &[&str] = &[
    "postgres",
    "postgresql",
    "password",
    "mysql",
    "mariadb",
    "root",
    "admin",
    "test",
    "user",
    "secret",
    "localhost",
    "django",
    "public",
    "true",
    "false",
    "main",
];

/// Random, so that no value can end its own heredoc.
pub(super) fn delimiter() -> String {
    format!("tenantgate_{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

pub(super) fn render(
    url: &DatabaseUrl,
    values: &Values,
    delimiter: &str,
) -> Result<GithubExport, ExportError> {
    let mut file = String::new();
    for (key, value) in values {
        if value.contains(delimiter) {
            return Err(ExportError::Delimiter { key });
        }
        if value.contains(['\0', '\r']) {
            return Err(ExportError::Character {
                key,
                format: "the runner's file",
            });
        }
        file.push_str(&format!("{key}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    Ok(GithubExport {
        masks: mask_commands(url),
        file: Secret::new(file),
    })
}

/// Commands that make the runner star out the password in its log, one a line.
pub fn mask_commands(url: &DatabaseUrl) -> Vec<Secret> {
    let commands = masks(url).into_iter().map(|value| Secret::new(command(&value)));
    commands.collect()
}

/// The password decoded, each of its lines, and as written: the runner does not know the decoded form of
/// a secret that it masks.
fn masks(url: &DatabaseUrl) -> Vec<String> {
    let mut masks: Vec<String> = Vec::new();
    for form in [&url.password, &url.encoded_password].into_iter().flatten() {
        let form = form.expose();
        for value in std::iter::once(form).chain(form.lines()) {
            let common = COMMON.contains(&value.to_ascii_lowercase().as_str());
            let short = value.chars().count() < Redactor::SHORTEST;
            if !short && !common && !masks.iter().any(|known| known == value) {
                masks.push(value.to_owned());
            }
        }
    }
    masks
}

fn command(value: &str) -> String {
    let escaped = value
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    format!("::add-mask::{escaped}")
}
