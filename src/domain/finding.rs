//! Checks and findings: what the gate asked, and what it was answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TenantName;

/// How the message of an error begins that an override made a warning.
pub const SET_ASIDE: &str = "set aside: ";

/// How bad a finding is. Only `Error` blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to be done.
    Note,
    Warning,
    Error,
}

/// One answer to a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub severity: Severity,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Statements that would mend it, to be read before they are run: the gate never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantName>,
    /// Relative to the working directory where it is below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// From 1, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The question could not be answered (a server, the network, a permission): exit 3, not 1.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operational: bool,
}

impl Finding {
    fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            hint: None,
            sql: None,
            tenant: None,
            file: None,
            line: None,
            column: None,
            operational: false,
        }
    }

    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, message)
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn sql(mut self, sql: impl Into<String>) -> Self {
        self.sql = Some(sql.into());
        self
    }

    pub fn tenant(mut self, tenant: &TenantName) -> Self {
        self.tenant = Some(tenant.clone());
        self
    }

    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    pub fn operational(mut self, operational: bool) -> Self {
        self.operational = operational;
        self
    }
}

/// A question that the gate can ask. Each area keeps its own in a `CHECKS` list; the README
/// documents every one of them, which a test sees to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckDefinition {
    /// Stable, kebab-case, dotted by area: `secrets.missing`.
    pub id: &'static str,
    /// What is true when it passes: `required secrets are set`.
    pub title: &'static str,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    Passed,
    Warned,
    Failed,
    /// Not asked, because an earlier stage blocked. Never counts as passed.
    Skipped,
}

/// One named question of the gate with all its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// [`CheckDefinition::id`].
    pub id: String,
    pub title: String,
    pub status: CheckStatus,
    pub duration_ms: u64,
    pub findings: Vec<Finding>,
}

impl Check {
    /// A check that was asked: its status follows from the worst finding.
    pub fn answered(definition: &CheckDefinition, findings: Vec<Finding>) -> Self {
        let status = match findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Error) => CheckStatus::Failed,
            Some(Severity::Warning) => CheckStatus::Warned,
            Some(Severity::Note) | None => CheckStatus::Passed,
        };
        Self {
            status,
            findings,
            ..Self::skipped(definition)
        }
    }

    pub fn skipped(definition: &CheckDefinition) -> Self {
        Self {
            id: definition.id.to_owned(),
            title: definition.title.to_owned(),
            status: CheckStatus::Skipped,
            duration_ms: 0,
            findings: Vec::new(),
        }
    }

    pub fn blocks(&self) -> bool {
        self.status == CheckStatus::Failed
    }
}
