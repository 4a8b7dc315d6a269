//! One tenant's name in what runs for all.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};
use super::super::world::Whose;

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    if !seen.is_tenants() {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for found in seen.qualified() {
        let message = match seen.world.whose(&found.schema) {
            Whose::Tenant(tenant) => format!(
                "`{}.{}` is the tenant {tenant}'s own, and this runs for every tenant",
                found.schema, found.name
            ),
            Whose::Ledger => format!("`{}.{}` belongs to tenantgate itself", found.schema, found.name),
            _ => continue,
        };
        hits.push(found.hit(message));
    }
    hits.extend(seen.each(|act| match act {
        Act::DropDatabase { name, what } => match seen.world.whose(name) {
            Whose::Tenant(tenant) => Some(format!(
                "this drops the {what} of the tenant {tenant}, for every tenant"
            )),
            _ => None,
        },
        _ => None,
    }));
    hits
}
