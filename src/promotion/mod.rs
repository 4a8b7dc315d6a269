//! A change goes on only where it has been: evidence of the predecessor for exactly this set.

mod check;
mod differences;
mod envelope;
mod evidence;
mod folder;
mod overriding;
mod records;
mod rejection;
mod signed;
#[cfg(test)]
mod tests;

use crate::domain::CheckDefinition;

pub use check::{Demands, Promotion, judge, last_schema};
pub use envelope::{Envelope, Signed};
pub use evidence::{Evidence, Opened, Predicate, RecordedMigration, RecordedSchema, RolledBack, Unopened};
pub use folder::FolderStore;
pub use overriding::{Call, Permission, not_allowed, permission, set_aside};
pub use records::{EvidenceStore, Record, Records, Rejected, State, StoreError, Wanted};
pub use rejection::Rejection;
pub use signed::will_be_signed;

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
pub const OVERRIDE: CheckDefinition = CheckDefinition {
    id: "promotion.override",
    title: "whoever sets the promotion rules aside may do so",
};
pub const SIGNED: CheckDefinition = CheckDefinition {
    id: "promotion.signed",
    title: "the evidence of this run will be signed by a key that the config knows",
};
pub const RECORDED: CheckDefinition = CheckDefinition {
    id: "promotion.recorded",
    title: "the evidence of this run was written",
};

pub const CHECKS: &[CheckDefinition] = &[EVIDENCE, SOAK, MAX_AGE, OVERRIDE, SIGNED, RECORDED];
