//! What is said of migrations that are tried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Proof;
use crate::domain::Severity;

/// What `plan --prove` says of migrations that it ran a second time.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProveConfig {
    /// Of those that the server refuses the second time: they changed nothing.
    pub(super) idempotent: HowBad,
    /// Of those that run, and leave something: rows twice, one more index.
    pub(super) changed: HowBad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum HowBad {
    Note,
    Warning,
    /// It blocks.
    Error,
}

impl Default for ProveConfig {
    fn default() -> Self {
        Self {
            idempotent: HowBad::Note,
            changed: HowBad::Warning,
        }
    }
}

pub(super) fn resolve_prove(config: &ProveConfig) -> Proof {
    let severity = |it| match it {
        HowBad::Note => Severity::Note,
        HowBad::Warning => Severity::Warning,
        HowBad::Error => Severity::Error,
    };
    Proof {
        refused: severity(config.idempotent),
        changed: severity(config.changed),
    }
}
