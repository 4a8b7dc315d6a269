//! The shared schema by its name, where it is not needed.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Qualified, Seen, Use};
use super::super::world::Whose;

pub(super) const RULE: Rule = Rule {
    id: "shared-schema-in-tenant",
    group: Group::Tenants,
    title: "a tenant's migration reads or writes the shared schema by its name",
    why: "what was meant for the tenant's own table lands in the one that all share; a foreign key, a type or a function \
          of the shared schema is as it should be, and not found",
    safe: "leave the schema out: the tenant's own is first on the search path, the shared one next",
    levels: Levels::all(Level::Note),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    if !seen.is_tenants() {
        return Vec::new();
    }
    // Types of the shared schema stand where columns are defined; and what changes or makes something there
    // has a rule of its own.
    let by_others = |act: &Act| match act {
        Act::CreateTable { .. } | Act::AddColumn { .. } | Act::ChangeColumn { .. } => true,
        Act::CreateOther { name, .. } => name.schema.is_some(),
        act => act.locks() && act.table().is_some_and(|table| seen.is_shared(table)),
    };
    if seen.acts.iter().any(by_others) {
        return Vec::new();
    }
    let is_meant = |it: &Qualified| it.used == Use::Object && seen.world.whose(&it.schema) == Whose::Shared;
    let found = seen.qualified().into_iter().find(is_meant);
    let hit = found.map(|it| Hit {
        once: Some(it.schema.clone()),
        ..it.hit(format!(
            "`{}.{}` is the shared schema's, named by every tenant",
            it.schema, it.name
        ))
    });
    hit.into_iter().collect()
}
