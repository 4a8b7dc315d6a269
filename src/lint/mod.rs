//! Migrations that are about to run, read for what would hurt: data lost, tenants mixed up, locks that all
//! wait for. Pure: files and what is known of the environment go in, findings come out.
//!
//! PostgreSQL is read by squawk's linter, whose rule names are kept. What is about tenants, and the other
//! engines, is ours: how each rule is looked for is one file in `rules`. Which rules there are stands in [`crate::rules`].

mod accepted;
mod allow;
mod catalog;
mod file;
mod name;
mod pending;
mod read;
mod replaced;
mod rules;
mod seen;
mod squawk;
#[cfg(test)]
mod tests;
mod theirs;
mod tokens;
mod world;

use crate::domain::CheckDefinition;

pub use crate::rules::{
    COMPATIBILITY, DATA, Group, LOCKS, Level, Levels, Rule, STYLE, TENANTS, named, rules,
};
pub use accepted::{Accepted, MOST_ACCEPTED};
pub use pending::{Chosen, Linted, Options, lint, warnings};
pub use world::World;

pub const ALLOW: CheckDefinition = CheckDefinition {
    id: "lint.allow",
    title: "every allow comment names rules that are there, and allows something",
};

/// Asked of what is pending, before anything runs.
pub const CHECKS: &[CheckDefinition] = &[TENANTS, DATA, LOCKS, COMPATIBILITY, STYLE, ALLOW];
