//! What is wrong with the settings, and where.

use std::fmt;
use std::path::PathBuf;

/// Usage or configuration is wrong: exit 2, nothing was touched.
///
/// No message quotes a value of the config file or of an env file: it may be a secret that was put
/// into the wrong place. Names of keys, environments and variables are quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SettingsError {
    /// As it was named on the command line, or in the config file.
    pub file: Option<PathBuf>,
    /// From 1.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SettingsError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            column: None,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(super) fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    pub(super) fn at(mut self, line: usize, column: usize) -> Self {
        self.column = Some(column);
        self.line(line)
    }
}

impl fmt::Display for SettingsError {
    /// `tenantgate.toml:12:3: what is wrong`, without the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}", file.display())?;
            for number in [self.line, self.column].into_iter().flatten() {
                write!(f, ":{number}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// The candidate that was probably meant.
pub(crate) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&written, &candidate.to_lowercase());
            (distance, candidate)
        })
        .min()
        .filter(|(distance, candidate)| {
            let shorter = candidate.chars().count().min(written.chars().count());
            // A third of the letters may be wrong; an abbreviation (`production` for `prod`) counts too.
            *distance <= (shorter / 3).max(1) || (shorter >= 3 && written.starts_with(candidate))
        })
        .map(|(_, candidate)| candidate)
}
