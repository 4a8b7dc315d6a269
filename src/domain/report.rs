//! The report: all that one run found. Its JSON form is an interface; see `schemas/report.json`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Check, CheckStatus, Digest, EnvironmentName, Outcome, Scope, ServerName, Shard, TenantName, Version,
};

/// Raised when a reader of the old form would misunderstand the new one.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Passed,
    Blocked,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MigrationSetSummary {
    pub digest: Digest,
    /// How many migrations of the scope.
    pub shared: usize,
    pub tenant: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TenantCounts {
    pub discovered: usize,
    pub up_to_date: usize,
    pub migrated: usize,
    pub failed: usize,
    pub skipped: usize,
    pub not_reached: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rolled_back: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub baselined: usize,
    /// Behind, and left as they are because the registry calls them suspended and the config says so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suspended: usize,
}

impl TenantCounts {
    /// Those of whom it is known what became of them. Whatever a file says, its numbers are no crash.
    pub fn accounted(&self) -> usize {
        let states = [
            self.up_to_date,
            self.migrated,
            self.failed,
            self.skipped,
            self.not_reached,
            self.rolled_back,
            self.baselined,
            self.suspended,
        ];
        states.into_iter().fold(0, usize::saturating_add)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Tenants of one server that need the same migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanGroup {
    /// Absent: the environment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    pub tenants: Vec<TenantName>,
    /// Labels (`tenant/0002_orders.sql`), in the order they would run.
    pub pending: Vec<String>,
}

/// Tenants that go together, when those before are done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaveSummary {
    pub name: String,
    /// In the order of their turns.
    pub tenants: Vec<TenantName>,
}

/// A migration whose one statement runs over ranges of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedRanges {
    /// As in the plan.
    pub migration: String,
    pub table: String,
    pub key: String,
    /// Rows of a range.
    pub size: u64,
}

/// What would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanSummary {
    pub shared: Vec<String>,
    /// Absent while the registry does not exist yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<PlanGroup>>,
    /// Labels of the tenant migrations a new tenant would get, shown while tenants are unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each_tenant: Vec<String>,
    /// In which order tenants would go, where there is more than one wave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<WaveSummary>,
    /// Those of them that run over ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<PlannedRanges>,
    /// The text of what would run, where it was asked for, by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sql: Vec<(String, String)>,
}

/// How far a batch is that is half done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnfinishedRanges {
    pub version: Version,
    /// Ranges that are done.
    pub ranges: u64,
    /// Rows that they changed.
    pub rows: u64,
    /// The key up to which they are done; absent: none is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_key: Option<String>,
    /// The largest key when it began; absent: there were no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_key: Option<String>,
}

/// Where one tenant stands (the shared schema where `tenant` is absent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantName>,
    /// Absent: the environment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Version>,
    pub applied: usize,
    pub pending: usize,
    /// Its newest migration is half done outside a transaction.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
    /// Where that is a batch: how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranges: Option<UnfinishedRanges>,
    /// It is half way back: a rollback was not finished.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reverting: bool,
    /// False where the registry calls it suspended.
    pub active: bool,
    /// False where its schema, database or file does not exist yet.
    pub exists: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PromotionSummary {
    /// The predecessor whose evidence was asked for.
    pub after: EnvironmentName,
    /// When it passed with this digest, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

/// The promotion rules were set aside on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    /// Who did it, as GitHub knows them.
    pub actor: String,
    pub reason: String,
}

/// What schemas were compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExpectedFrom {
    /// What the migrations make.
    Migrations,
    /// The committed snapshot.
    Snapshot,
    /// What most tenants are.
    Largest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaSummary {
    /// Of what most tenants are, without owners and grants: the same in every environment that has the same
    /// migrations. Without tenants, the shared schema's.
    pub fingerprint: String,
    /// How many different structures there are among the tenants.
    pub groups: usize,
    /// How many tenants were compared.
    #[serde(default)]
    pub tenants: usize,
    /// How many of them are not what is expected.
    #[serde(default)]
    pub differing: usize,
    /// The shared schema's fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<String>,
    /// What the tenants were compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedFrom>,
}

/// One job's report, of those that were joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedPart {
    /// Absent: the shared job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    pub verdict: Verdict,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    /// Of this shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<TenantCounts>,
}

/// Where a joined report is from. Its own `duration_ms` is the longest part's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Merged {
    /// How many shards there are; absent where none of them left a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<u16>,
    /// The shared job first, then the shards in their order.
    pub parts: Vec<MergedPart>,
    /// The durations of all parts together.
    pub total_ms: u64,
    /// Tries beyond the first, of all tenants together.
    pub retries: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    /// The project, from the config.
    pub project: String,
    /// `run`, `plan`, …
    pub command: String,
    pub environment: EnvironmentName,
    pub verdict: Verdict,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
    /// `PostgreSQL 15.18`, where it was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The other servers that tenants are on, and what answered there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<ServerName, String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// The only scope that was asked for (`--scope`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// `3/8`: the part of the tenants that was asked for (`--shard`). `tenants` counts this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// Present where `report merge` joined this report from those of several jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration_set: Option<MigrationSetSummary>,
    pub checks: Vec<Check>,
    /// Absent where no tenants were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<TenantCounts>,
    /// Those that are not up to date; failures first.
    pub outcomes: Vec<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standings: Option<Vec<Standing>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionSummary>,
    /// Present where the promotion rules were set aside.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaSummary>,
    /// Where the evidence of this run was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

impl Report {
    pub fn failed_checks(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.status == CheckStatus::Failed)
    }
}
