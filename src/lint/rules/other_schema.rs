//! A schema or database that is neither the tenant's nor the shared one.

use super::super::seen::{Hit, Seen, Use};
use super::super::world::Whose;

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    if !seen.is_tenants() {
        return Vec::new();
    }
    let mut hits = Vec::new();
    for found in seen.qualified() {
        // Functions of extensions have to be somewhere.
        let counts = matches!(found.used, Use::Object | Use::Reference);
        if !counts || seen.world.whose(&found.schema) != Whose::Other {
            continue;
        }
        let message = format!(
            "`{}.{}` is neither the tenant's own nor the shared schema's",
            found.schema, found.name
        );
        hits.push(Hit {
            once: Some(found.schema.clone()),
            ..found.hit(message)
        });
    }
    hits
}
