//! Schemas and databases named in texts that run in the server. Nothing of a text is ever told but names.

use std::collections::BTreeSet;

use crate::domain::{Finding, Tenant};
use crate::engine::isolation::{Body, InPlace};

use super::words::{Qualified, qualified};
use super::{Place, Scene, finding, unread};

/// Each text is read once, whoever has it.
pub fn names(scene: &Scene<'_>) -> Vec<Finding> {
    let of = |body: &Body| {
        let named = named(scene, body);
        let led = led(scene, &body.search_path);
        let at = body
            .at
            .iter()
            .filter(|it| !scene.ignores(&it.location, &it.object));
        let found = at.flat_map(|it| {
            let texts = named.iter().filter_map(|tenant| in_text(scene, it, tenant));
            let paths = led.iter().filter_map(|tenant| in_path(scene, it, tenant));
            texts.chain(paths).collect::<Vec<Finding>>()
        });
        found.collect::<Vec<Finding>>()
    };
    let unread = unread(&scene.borders.unread_texts).into_iter();
    unread.chain(scene.borders.bodies.iter().flat_map(of)).collect()
}

/// A name of a tenant's place that is followed by no name of any object is somebody's alias.
fn named<'a>(scene: &Scene<'a>, body: &Body) -> Vec<&'a Tenant> {
    let mut found = BTreeSet::new();
    let mut tenants = Vec::new();
    for Qualified { qualifier, name } in qualified(&body.text, scene.kind) {
        let folded = qualifier.to_lowercase();
        let tenant = scene.tenant_at(&qualifier).or_else(|| scene.tenant_at(&folded));
        let Some(tenant) = tenant else { continue };
        let known = |it: &str| {
            let names = &scene.borders.names;
            names.contains(it) || names.contains(&it.to_lowercase())
        };
        if name.as_deref().is_none_or(known) && found.insert(&tenant.location) {
            tenants.push(tenant);
        }
    }
    tenants
}

fn led<'a>(scene: &Scene<'a>, search_path: &str) -> Vec<&'a Tenant> {
    let names = search_path.split(',').map(|it| it.trim().trim_matches('"'));
    names.filter_map(|name| scene.tenant_at(name)).collect()
}

fn in_text(scene: &Scene<'_>, at: &InPlace, named: &Tenant) -> Option<Finding> {
    let (object, noun) = (&at.object, scene.noun());
    let level = scene.settings.names;
    Some(match scene.place(&at.location) {
        Place::Tenant(own) if own.location == named.location => {
            // A view's text is stored with the names of its databases, whoever wrote it.
            if object.starts_with("view") {
                return None;
            }
            Finding::warning(format!("{object} has the name of its own {noun} in its text"))
                .hint(format!(
                    "leave the name out: a copy of the {noun}, or one under another name, would still use this one"
                ))
                .tenant(&own.name)
        }
        Place::Tenant(own) => finding(level, format!("{object} names tenant {} in its text", named.name))
            .hint("leave the name out, and see whose data it has used")
            .tenant(&own.name),
        Place::Shared => finding(
            level,
            format!("{object} of the shared {noun} names this tenant in its text"),
        )
        .hint("what all tenants use must not name one of them")
        .tenant(&named.name),
        Place::Nobody => return None,
    })
}

fn in_path(scene: &Scene<'_>, at: &InPlace, named: &Tenant) -> Option<Finding> {
    let object = &at.object;
    let level = scene.settings.names;
    match scene.place(&at.location) {
        Place::Tenant(own) if own.location != named.location => Some(
            finding(
                level,
                format!(
                    "{object} looks for names in the schema of tenant {}: its `search_path`",
                    named.name
                ),
            )
            .hint("ALTER FUNCTION … SET search_path: the tenant's own")
            .tenant(&own.name),
        ),
        Place::Shared => Some(
            finding(
                level,
                format!("{object} of the shared schema looks for names in this tenant's: its `search_path`"),
            )
            .hint("ALTER FUNCTION … SET search_path: the shared one")
            .tenant(&named.name),
        ),
        _ => None,
    }
}
