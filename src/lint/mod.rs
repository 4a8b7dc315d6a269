//! Migrations that are about to run, read for what would hurt: data lost, tenants mixed up, locks that all
//! wait for. Pure: files and what is known of the environment go in, findings come out.
//!
//! PostgreSQL is read by squawk's linter, whose rule names are kept. What is about tenants, and the other
//! engines, is ours: one rule per file in `rules`.

mod accepted;
mod allow;
mod catalog;
mod file;
mod name;
mod pending;
mod read;
mod replaced;
mod rule;
mod rules;
mod seen;
mod squawk;
mod squawk_rules;
#[cfg(test)]
mod tests;
mod theirs;
mod tokens;
mod world;

use crate::domain::CheckDefinition;

pub use accepted::{Accepted, MOST_ACCEPTED};
pub use pending::{Chosen, Linted, Options, lint, warnings};
pub use rule::{Group, Level, Levels, Rule};
pub use rules::{named, rules};
pub use world::World;

pub const TENANTS: CheckDefinition = CheckDefinition {
    id: "lint.tenants",
    title: "no pending migration mixes tenants up",
};
pub const DATA: CheckDefinition = CheckDefinition {
    id: "lint.data",
    title: "no pending migration loses data, or fails where there is some",
};
pub const LOCKS: CheckDefinition = CheckDefinition {
    id: "lint.locks",
    title: "no pending migration locks what others wait for",
};
pub const COMPATIBILITY: CheckDefinition = CheckDefinition {
    id: "lint.compatibility",
    title: "the running application survives every pending migration",
};
pub const STYLE: CheckDefinition = CheckDefinition {
    id: "lint.style",
    title: "pending migrations are written as the rules of style say",
};
pub const ALLOW: CheckDefinition = CheckDefinition {
    id: "lint.allow",
    title: "every allow comment names rules that are there, and allows something",
};

/// Asked of what is pending, before anything runs.
pub const CHECKS: &[CheckDefinition] = &[TENANTS, DATA, LOCKS, COMPATIBILITY, STYLE, ALLOW];
