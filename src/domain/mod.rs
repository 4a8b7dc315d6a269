//! The words of the gate as plain values: no I/O, no engine, no clock.

mod batch;
mod difference;
mod finding;
mod keys;
mod ledger;
mod migration;
mod names;
mod outcome;
mod place;
mod report;
mod row_security;
mod secret;
mod server;
mod shard;
mod speed;
mod structure;
mod tenant;
pub mod words;

pub use batch::Batch;
pub use difference::{Change, Difference, differences};
pub use finding::{Check, CheckDefinition, CheckStatus, Finding, SET_ASIDE, Severity};
pub use keys::{KeyError, KeyId, KeyRing, PublicKey, SigningKey};
pub use ledger::{Entry, EntryState, History, Ledger};
pub use migration::{Checksum, Digest, Direction, Migration, MigrationSet, Scope, Statement, Version};
pub use names::{EnvironmentName, InvalidName, SecretName, TenantName};
pub use outcome::{Outcome, OutcomeState};
pub use place::{here_below, shown_path};
pub use report::{
    ExpectedFrom, Merged, MergedPart, MigrationSetSummary, Override, PlanGroup, PlanSummary, PlannedRanges,
    PromotionSummary, Report, SCHEMA_VERSION, SchemaSummary, Standing, TenantCounts, Tool, UnfinishedRanges,
    Verdict, WaveSummary,
};
pub use row_security::RowSecurity;
pub use secret::{Redactor, Secret, without_credentials};
pub use server::{Locations, ServerName};
pub use shard::{InvalidShard, Shard};
pub use speed::Speed;
pub use structure::{
    COLUMN_ORDER, COMMENT, DEFINER, Fact, Fingerprint, GRANTS, OWNER, Object, ObjectKind, Print, Structure,
    is_code,
};
pub use tenant::{Tenant, Tenants};
