//! Files become the migration set; set minus ledger becomes the plan. No network.

mod allow;
mod batch;
mod body;
mod directive;
mod file_name;
mod lint;
mod load;
mod marker;
mod nested;
mod offsets;
mod placed;
mod plan;
mod rollback;
mod statements;
mod unfinished;

use crate::domain::CheckDefinition;

pub use allow::{Allow, allows};
pub(crate) use file_name::is_migration;
pub(crate) use lint::needs_no_transaction;
pub use load::{FolderError, Loaded, load};
pub(crate) use offsets::Offsets;
pub use plan::{Pending, Plan, Resume, TenantPlan, pending_after, plan};
pub use rollback::{Rollback, TenantUndo, Undo, missing_downs, nothing_ran, rollback, undo};
pub use statements::{Unsplittable, split};
pub(crate) use statements::{tokens, without_concurrently, words};

pub const NAME: CheckDefinition = CheckDefinition {
    id: "migrations.name",
    title: "every file is named <version>_<name>.sql",
};
pub const DUPLICATE: CheckDefinition = CheckDefinition {
    id: "migrations.duplicate",
    title: "no two migrations have one version",
};
pub const EMPTY: CheckDefinition = CheckDefinition {
    id: "migrations.empty",
    title: "every migration has a statement",
};
pub const ENCODING: CheckDefinition = CheckDefinition {
    id: "migrations.encoding",
    title: "every migration is UTF-8",
};
pub const GAP: CheckDefinition = CheckDefinition {
    id: "migrations.gap",
    title: "consecutive numbers have no gap",
};
pub const DIRECTIVE: CheckDefinition = CheckDefinition {
    id: "migrations.directive",
    title: "every tenantgate comment is understood",
};
pub const DOWN: CheckDefinition = CheckDefinition {
    id: "migrations.down",
    title: "every way back is a down file of its migration",
};
pub const TRANSACTION: CheckDefinition = CheckDefinition {
    id: "migrations.transaction",
    title: "every migration fits the transaction it runs in",
};
pub const BATCH: CheckDefinition = CheckDefinition {
    id: "migrations.batch",
    title: "every batch can run over ranges of its key",
};
pub const SYNTAX: CheckDefinition = CheckDefinition {
    id: "migrations.syntax",
    title: "every migration can be split into statements",
};

/// Asked of the files alone.
pub const CHECKS: &[CheckDefinition] = &[
    NAME,
    DUPLICATE,
    EMPTY,
    ENCODING,
    GAP,
    DIRECTIVE,
    DOWN,
    SYNTAX,
    TRANSACTION,
    BATCH,
];

pub const CHANGED: CheckDefinition = CheckDefinition {
    id: "ledger.changed",
    title: "no applied migration was edited",
};
pub const VANISHED: CheckDefinition = CheckDefinition {
    id: "ledger.vanished",
    title: "no applied migration was deleted",
};
pub const OUT_OF_ORDER: CheckDefinition = CheckDefinition {
    id: "ledger.out-of-order",
    title: "no pending migration is older than an applied one",
};
pub const DIRECT_URL: CheckDefinition = CheckDefinition {
    id: "ledger.direct-url",
    title: "no-transaction migrations have a connection of their own",
};

pub const REVERTING: CheckDefinition = CheckDefinition {
    id: "ledger.reverting",
    title: "nothing is half way back",
};

/// Asked of the files against the ledger.
pub const LEDGER_CHECKS: &[CheckDefinition] = &[CHANGED, VANISHED, OUT_OF_ORDER, REVERTING, DIRECT_URL];

pub const ROLLBACK_DOWN: CheckDefinition = CheckDefinition {
    id: "rollback.down",
    title: "all that would be taken back has a down file",
};
pub const ROLLBACK_WHOLE: CheckDefinition = CheckDefinition {
    id: "rollback.whole",
    title: "nothing that would be taken back is half done",
};

pub const ROLLBACK_SHARED: CheckDefinition = CheckDefinition {
    id: "rollback.shared",
    title: "no tenant has what came after the shared migrations that would be taken back",
};

/// Asked before a rollback touches anything, besides [`CHANGED`] and [`VANISHED`].
pub const ROLLBACK_CHECKS: &[CheckDefinition] = &[ROLLBACK_DOWN, ROLLBACK_WHOLE, ROLLBACK_SHARED];
