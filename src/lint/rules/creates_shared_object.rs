//! One object for all, made by each.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

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
