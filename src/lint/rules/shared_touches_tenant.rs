//! What runs once cannot change what every tenant has.

use super::super::name::Name;
use super::super::read::Act;
use super::super::seen::{Hit, Seen};
use super::super::world::Whose;

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    if seen.is_tenants() {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for found in seen.qualified() {
        if let Whose::Tenant(tenant) = seen.world.whose(&found.schema) {
            let message = format!(
                "`{}.{}` is the tenant {tenant}'s own, and this is a shared migration",
                found.schema, found.name
            );
            hits.push(found.hit(message));
        }
    }
    hits.extend(seen.each(|act| {
        let table = touched(act)?;
        let unknown = table.schema.is_none() && seen.catalog.get(seen.which.0, table).is_none();
        let is_tenants = unknown && seen.tenants_tables.contains(&table.name.to_lowercase());
        is_tenants.then(|| {
            format!("only tenants have a table `{table}`: their migrations make it, and this is a shared one")
        })
    }));
    hits.dedup();
    hits
}

fn touched(act: &Act) -> Option<&Name> {
    match act {
        Act::AddColumn { table, .. }
        | Act::DropColumn { table, .. }
        | Act::ChangeColumn { table, .. }
        | Act::RenameColumn { table, .. }
        | Act::RenameTable { table, .. }
        | Act::AlterTable { table }
        | Act::ConvertTable { table, .. }
        | Act::LosePartition { table, .. }
        | Act::Truncate { table, .. }
        | Act::Delete { table, .. }
        | Act::Update { table, .. }
        | Act::Insert { table, .. }
        | Act::CreateIndex { table, .. }
        | Act::Lock { table }
        | Act::Reference { to: table, .. } => Some(table),
        _ => None,
    }
}
