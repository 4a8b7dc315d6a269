//! The shared schema by its name, where it is not needed.

use super::super::read::Act;
use super::super::seen::{Hit, Qualified, Seen, Use};
use super::super::world::Whose;

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
