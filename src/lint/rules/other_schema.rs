//! A schema or database that is neither the tenant's nor the shared one.

use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen, Use};
use super::super::world::Whose;

pub(super) const RULE: Rule = Rule {
    id: "other-schema",
    group: Group::Tenants,
    title: "a tenant's migration names a schema or database that is neither its own nor the shared one",
    why: "the name is the same for every tenant and in every environment, so all of them meet there",
    safe: "leave the schema out, or list it in `ignore` of [tenancy] where it belongs to nobody",
    levels: Levels::all(Level::Warning),
    squawk: false,
};

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
