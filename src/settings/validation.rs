//! What schemas are compared with, and when.

use std::path::{Path, PathBuf};

use globset::GlobSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::environments::within;
use super::error::SettingsError;
use super::globs::resolve_globs;

/// What schemas are compared with, and when.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ValidateConfig {
    /// The file of the committed snapshot, relative to this file.
    snapshot: String,
    /// How bad it is when a schema is not what is expected.
    drift: LevelConfig,
    /// What a schema is expected to be.
    expected: ExpectedConfig,
    /// When `run` compares; `validate` always does.
    compare: CompareConfig,
    /// Objects that are no part of the comparison: names or globs (`audit_*`), or those of one table
    /// (`orders.tmp_*`).
    ignore: Vec<String>,
    /// Who owns an object is compared among tenants.
    owners: bool,
    /// Who may do what with an object is compared.
    grants: bool,
    /// Comments on objects are compared.
    comments: bool,
    /// The order of a table's columns is compared.
    column_order: bool,
}

impl Default for ValidateConfig {
    fn default() -> Self {
        Self {
            snapshot: "schema.snapshot".to_owned(),
            drift: LevelConfig::Error,
            expected: ExpectedConfig::Auto,
            compare: CompareConfig::Auto,
            ignore: Vec::new(),
            owners: true,
            grants: true,
            comments: false,
            column_order: true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LevelConfig {
    /// It blocks.
    Error,
    /// It is told, and blocks nothing.
    Warning,
    /// Nothing is compared.
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ExpectedConfig {
    /// What the migrations make; where that cannot be learnt, what most tenants are.
    Auto,
    /// What the migrations make, learnt where it leaves no trace. Where that cannot be learnt the gate is
    /// blocked.
    Migrations,
    /// What the committed snapshot says. A tenant that is behind is compared with what the migrations make that
    /// it has.
    Snapshot,
    /// What the environment before was when it passed with these migrations; what differs is named by the
    /// migrations.
    Predecessor,
    /// What most tenants are.
    Largest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CompareConfig {
    /// Where something was migrated, and always where there are at most 1,000 tenants.
    Auto,
    /// Always.
    Always,
    /// Only where something was migrated.
    Migrated,
}

/// How schemas are compared.
#[derive(Debug, Clone)]
pub struct Validation {
    /// The file of the committed snapshot.
    pub snapshot: PathBuf,
    pub drift: Level,
    pub expected: ExpectedFrom,
    pub compare: Compare,
    /// By `name` or `table.name`.
    pub ignore: GlobSet,
    pub owners: bool,
    pub grants: bool,
    pub comments: bool,
    pub column_order: bool,
}

/// What a finding does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    /// The question is not asked.
    Off,
}

impl From<LevelConfig> for Level {
    fn from(config: LevelConfig) -> Self {
        match config {
            LevelConfig::Error => Self::Error,
            LevelConfig::Warning => Self::Warning,
            LevelConfig::Off => Self::Off,
        }
    }
}

/// What a schema is expected to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedFrom {
    /// The migrations, else the largest group.
    Auto,
    Migrations,
    Snapshot,
    Predecessor,
    Largest,
}

/// When `run` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// As `Migrated`, and always where there are few tenants.
    Auto,
    Always,
    Migrated,
}

pub(super) fn resolve_validation(
    document: &Document<'_>,
    config: &ValidateConfig,
    root: &Path,
) -> Result<Validation, SettingsError> {
    if config.snapshot.trim().is_empty() {
        return Err(document.error(&["validate", "snapshot"], "`snapshot` is empty"));
    }
    if config.snapshot.contains("://") {
        let message = "`snapshot` holds a URL, and is the path of a file";
        return Err(document.error(&["validate", "snapshot"], message));
    }
    if let Some(at) = config
        .ignore
        .iter()
        .position(|it| matches!(it.as_str(), "*" | "**"))
    {
        let message = "`ignore` leaves nothing to compare";
        return Err(document
            .error(&["validate", "ignore", &at.to_string()], message)
            .hint("drift = \"off\" says that"));
    }
    let ignore = resolve_globs(document, ["validate", "ignore"], &config.ignore)?;
    Ok(Validation {
        snapshot: within(root, &config.snapshot),
        drift: config.drift.into(),
        expected: match config.expected {
            ExpectedConfig::Auto => ExpectedFrom::Auto,
            ExpectedConfig::Migrations => ExpectedFrom::Migrations,
            ExpectedConfig::Snapshot => ExpectedFrom::Snapshot,
            ExpectedConfig::Predecessor => ExpectedFrom::Predecessor,
            ExpectedConfig::Largest => ExpectedFrom::Largest,
        },
        compare: match config.compare {
            CompareConfig::Auto => Compare::Auto,
            CompareConfig::Always => Compare::Always,
            CompareConfig::Migrated => Compare::Migrated,
        },
        ignore,
        owners: config.owners,
        grants: config.grants,
        comments: config.comments,
        column_order: config.column_order,
    })
}
