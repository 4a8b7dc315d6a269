//! A change goes on only where it has been: evidence of the predecessor for exactly this set.

mod check;
mod evidence;
mod folder;

use async_trait::async_trait;

use crate::domain::{CheckDefinition, EnvironmentName};

pub use check::{Demands, Promotion, judge};
pub use evidence::{Evidence, Predicate, RecordedMigration, UnreadableEvidence};
pub use folder::FolderStore;

pub const EVIDENCE: CheckDefinition = CheckDefinition {
    id: "promotion.evidence",
    title: "the environment before passed with exactly this change",
};
pub const SOAK: CheckDefinition = CheckDefinition {
    id: "promotion.soak",
    title: "the change has stood there long enough",
};
pub const MAX_AGE: CheckDefinition = CheckDefinition {
    id: "promotion.max-age",
    title: "the evidence is recent enough",
};
pub const RECORDED: CheckDefinition = CheckDefinition {
    id: "promotion.recorded",
    title: "the evidence of this run was written",
};

pub const CHECKS: &[CheckDefinition] = &[EVIDENCE, SOAK, MAX_AGE, RECORDED];

/// All records of one environment, as far as they could be read.
#[derive(Debug, Default)]
pub struct Records {
    pub evidence: Vec<Evidence>,
    /// What lay there and is no evidence: where, and why.
    pub unreadable: Vec<(String, UnreadableEvidence)>,
}

/// Where evidence is kept.
#[async_trait]
pub trait EvidenceStore: Send + Sync {
    async fn read(&self, environment: &EnvironmentName) -> Result<Records, StoreError>;

    /// Adds a record; says where it is.
    async fn write(&self, evidence: &Evidence) -> Result<String, StoreError>;
}

#[derive(Debug, thiserror::Error)]
#[error("cannot {action} evidence in `{place}`: {source}")]
pub struct StoreError {
    pub action: &'static str,
    pub place: String,
    #[source]
    pub source: std::io::Error,
}
