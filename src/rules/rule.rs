//! What a rule is.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::database_url::EngineKind;
use crate::domain::CheckDefinition;

use super::{COMPATIBILITY, DATA, LOCKS, STYLE, TENANTS};

/// How much a finding of a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is not looked for.
    Off,
    /// Worth knowing.
    Note,
    /// It does not block, unless `fail_on` says so.
    Warning,
    /// It blocks.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What a rule is about: each group is one check of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Tenants,
    Data,
    Locks,
    Compatibility,
    Style,
}

impl Group {
    pub const ALL: [Self; 5] = [
        Self::Tenants,
        Self::Data,
        Self::Locks,
        Self::Compatibility,
        Self::Style,
    ];

    pub fn check(self) -> &'static CheckDefinition {
        match self {
            Self::Tenants => &TENANTS,
            Self::Data => &DATA,
            Self::Locks => &LOCKS,
            Self::Compatibility => &COMPATIBILITY,
            Self::Style => &STYLE,
        }
    }
}

/// The level that a rule has by itself, by engine; none where the engine has no such question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    pub postgres: Option<Level>,
    pub mysql: Option<Level>,
    pub sqlite: Option<Level>,
}

impl Levels {
    pub(in crate::rules) const fn all(level: Level) -> Self {
        Self {
            postgres: Some(level),
            mysql: Some(level),
            sqlite: Some(level),
        }
    }

    pub(in crate::rules) const fn postgres(level: Level) -> Self {
        Self {
            postgres: Some(level),
            mysql: None,
            sqlite: None,
        }
    }

    pub(in crate::rules) const fn mysql(level: Level) -> Self {
        Self {
            postgres: None,
            mysql: Some(level),
            sqlite: None,
        }
    }

    pub fn of(self, kind: EngineKind) -> Option<Level> {
        match kind {
            EngineKind::Postgres => self.postgres,
            EngineKind::Mysql => self.mysql,
            EngineKind::Sqlite => self.sqlite,
        }
    }
}

/// One thing that is looked for in a migration.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable, kebab-case; squawk's own where squawk has it.
    pub id: &'static str,
    pub group: Group,
    /// What is found: `a column is dropped`.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// How to do it instead.
    pub safe: &'static str,
    pub levels: Levels,
    /// squawk looks for it on PostgreSQL.
    pub squawk: bool,
}

impl Rule {
    /// Where squawk documents it.
    pub fn url(&self) -> Option<String> {
        self.squawk
            .then(|| format!("https://squawkhq.com/docs/{}", self.id))
    }
}
