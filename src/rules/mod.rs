//! The table of rules: what is looked for in migrations before they run, and how much it counts by itself.
//!
//! The config names rules and `lint` looks for them, so it stands before both.

mod ours;
mod rule;
mod squawk;

use std::sync::LazyLock;

use crate::domain::CheckDefinition;

pub use rule::{Group, Level, Levels, Rule};

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
/// Every rule, sorted by name.
pub fn rules() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let mut all: Vec<Rule> = squawk::rules().chain(ours::RULES).copied().collect();
        all.sort_by_key(|rule| rule.id);
        all
    });
    &ALL
}

/// The rule of that name.
pub fn named(id: &str) -> Option<&'static Rule> {
    let all = rules();
    let at = all.binary_search_by_key(&id, |rule| rule.id).ok()?;
    all.get(at)
}
