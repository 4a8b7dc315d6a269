//! One object for all, made by each.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "creates-shared-object",
    group: Group::Tenants,
    title: "a tenant's migration makes an object in the shared schema",
    why: "the second tenant finds it there already, and fails; or replaces it while others use it",
    safe: "put it into the shared migrations: they run once, and before all tenants",
    levels: Levels::all(Level::Warning),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    if !seen.is_tenants() {
        return Vec::new();
    }
    let is_shared = |schema: &Option<String>| {
        schema
            .as_deref()
            .is_some_and(|schema| seen.world.is_shared(schema))
    };
    seen.each(|act| {
        let (what, name, tolerant) = match act {
            Act::CreateTable { table, tolerant, .. } => ("table", table, tolerant),
            Act::CreateOther { name, what, tolerant } => (what.as_str(), name, tolerant),
            _ => return None,
        };
        let then = match tolerant {
            true => "every tenant makes it again",
            false => "the second tenant finds it there, and fails",
        };
        is_shared(&name.schema).then(|| format!("the {what} `{name}` is made in the shared schema: {then}"))
    })
}
