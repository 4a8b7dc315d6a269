//! Did every schema come out right? Pure comparisons of what was read with what must be.

mod assertions;
pub mod drift;
mod expectations;
mod groups;
mod indexes;
pub mod isolation;
mod registry;
pub mod rows;
mod thresholds;
mod types;

use crate::domain::CheckDefinition;

pub use assertions::compare_values;
pub use expectations::{Place, compare_tables};
pub use groups::largest;
pub use indexes::invalid_indexes;
pub use registry::{complete, registered, unregistered};
pub use thresholds::compare_numbers;

pub const REGISTERED: CheckDefinition = CheckDefinition {
    id: "schema.registered",
    title: "every registered tenant has its schema",
};
pub const UNREGISTERED: CheckDefinition = CheckDefinition {
    id: "schema.unregistered",
    title: "every schema belongs to a registered tenant",
};
pub const COMPLETE: CheckDefinition = CheckDefinition {
    id: "schema.complete",
    title: "every migration is applied everywhere",
};
pub const INVALID_INDEXES: CheckDefinition = CheckDefinition {
    id: "schema.invalid-indexes",
    title: "no index was left half built",
};
pub const DRIFT_SHARED: CheckDefinition = CheckDefinition {
    id: "drift.shared",
    title: "the shared schema is as expected",
};
pub const DRIFT_TENANT: CheckDefinition = CheckDefinition {
    id: "drift.tenant",
    title: "every tenant's structure is as expected",
};
pub const DRIFT_ENVIRONMENT: CheckDefinition = CheckDefinition {
    id: "drift.environment",
    title: "the structure is that of the environment before",
};
pub const TABLES: CheckDefinition = CheckDefinition {
    id: "expect.tables",
    title: "the expected tables exist",
};
pub const COLUMNS: CheckDefinition = CheckDefinition {
    id: "expect.columns",
    title: "the expected columns are as expected",
};
pub const INDEXES: CheckDefinition = CheckDefinition {
    id: "expect.indexes",
    title: "the expected indexes exist",
};
pub const FOREIGN_KEYS: CheckDefinition = CheckDefinition {
    id: "expect.foreign-keys",
    title: "the expected foreign keys exist",
};
pub const ROW_SECURITY: CheckDefinition = CheckDefinition {
    id: "expect.row-security",
    title: "row-level security is as expected",
};
pub const THRESHOLDS: CheckDefinition = CheckDefinition {
    id: "expect.thresholds",
    title: "the numbers are within their limits",
};
pub const ASSERTIONS: CheckDefinition = CheckDefinition {
    id: "expect.assertions",
    title: "the assertions hold",
};

pub const CHECKS: &[CheckDefinition] = &[
    REGISTERED,
    UNREGISTERED,
    COMPLETE,
    INVALID_INDEXES,
    DRIFT_SHARED,
    DRIFT_TENANT,
    DRIFT_ENVIRONMENT,
    isolation::REFERENCES,
    isolation::PLACEMENT,
    isolation::GRANTS,
    isolation::NAMES,
    isolation::TRY,
    TABLES,
    COLUMNS,
    INDEXES,
    FOREIGN_KEYS,
    ROW_SECURITY,
    ASSERTIONS,
    THRESHOLDS,
];
