//! What became of one tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ServerName, TenantName, Version};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeState {
    UpToDate,
    Migrated,
    Failed,
    /// Left out on purpose (`--tenant`, `--dry-run`).
    Skipped,
    /// The rollout stopped before its turn.
    NotReached,
    /// Migrations were taken back by their down files.
    RolledBack,
    /// Its structure is what the migrations make, so they were marked as applied; none ran.
    Baselined,
}

/// What became of one tenant, or of the shared schema where `tenant` is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantName>,
    /// Absent: the environment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    pub state: OutcomeState,
    /// Versions applied by this run.
    pub applied: Vec<Version>,
    /// Versions that this run took back, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<Version>,
    /// Where it stands now: its newest applied version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Version>,
    pub duration_ms: u64,
    /// Tries beyond the first, after lock timeouts and the like.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// Rows that batches changed, where any ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
