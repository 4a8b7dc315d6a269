//! Carrying out a plan: what is pending becomes outcomes.

mod crew;
mod lease;
mod patience;
mod progress;
mod queue;
mod ranges;
mod revert;
mod stop;
mod target;
mod together;
mod trend;
mod tuner;
mod waves;

use crate::domain::CheckDefinition;

pub use crew::{Halt, Inspector, Job, RolledOut, TenantResult, roll_out};
pub use lease::{LeaseError, with_lease};
pub use progress::{Event, Progress};
pub use revert::{Revert, revert};
pub use stop::{Stop, StopReason};
pub use target::{Failure, Migrated, migrate};
pub use trend::{COMPARED, trend};
pub use waves::{Listed, Turn, turns};

pub const LEASE: CheckDefinition = CheckDefinition {
    id: "rollout.lease",
    title: "this run alone owned the environment, or its shard of it",
};
pub const SHARED: CheckDefinition = CheckDefinition {
    id: "rollout.shared",
    title: "the shared migrations were applied",
};
pub const TENANTS: CheckDefinition = CheckDefinition {
    id: "rollout.tenants",
    title: "every tenant's migrations were applied",
};
pub const CANARY: CheckDefinition = CheckDefinition {
    id: "rollout.canary",
    title: "the canaries came out right before the others began",
};
pub const DURATION: CheckDefinition = CheckDefinition {
    id: "rollout.duration",
    title: "the run took no longer than allowed",
};

pub const TREND: CheckDefinition = CheckDefinition {
    id: "rollout.trend",
    title: "the rollout was about as fast as those before",
};
pub const UNDONE: CheckDefinition = CheckDefinition {
    id: "rollback.undone",
    title: "all that was to be taken back is taken back",
};

pub const CHECKS: &[CheckDefinition] = &[LEASE, SHARED, CANARY, TENANTS, TREND, DURATION, UNDONE];
