//! What follows would land in another place.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "search-path",
    group: Group::Tenants,
    title: "a migration changes where the statements after it land",
    why: "tenantgate has set the search path, or the database, to the one that the migration is for; after this it is \
          another, for this migration and for those that follow it in the transaction",
    safe: "take it out; a function keeps a search path of its own by `CREATE FUNCTION … SET search_path = …`",
    levels: Levels {
        postgres: Some(Level::Error),
        mysql: Some(Level::Error),
        sqlite: None,
    },
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::MoveTo { place } if place.is_empty() => {
            Some("the statements after this one find no table by its bare name".to_owned())
        }
        Act::MoveTo { place } => Some(format!("the statements after this one land in `{place}`")),
        _ => None,
    })
}
