//! squawk's rules by their own names, with a level each that is bearable where there is a schema per tenant.
//!
//! Off is what is a matter of taste, what tenantgate sees to itself (timeouts, transactions, repetition), and what
//! squawk does not ask by itself. A note is what hurts on large tables only: a tenant's are seldom large.
//! What a rule asks stands in its manual: <https://squawkhq.com/docs/rules>.

mod compatibility;
mod data;
mod locks;
mod style;

use super::rule::{Group, Level, Levels, Rule};

/// All of them.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    [data::RULES, locks::RULES, compatibility::RULES, style::RULES]
        .into_iter()
        .flatten()
}

const fn squawk(
    group: Group,
    level: Level,
    id: &'static str,
    title: &'static str,
    why: &'static str,
    safe: &'static str,
) -> Rule {
    Rule {
        id,
        group,
        title,
        why,
        safe,
        levels: Levels::postgres(level),
        squawk: true,
    }
}
