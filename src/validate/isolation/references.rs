//! Objects that do not work without another tenant's.

use crate::domain::Finding;

use super::{Place, Scene, finding};

pub fn references(scene: &Scene<'_>) -> Vec<Finding> {
    let noun = scene.noun();
    let level = scene.settings.references;
    let mut findings = Vec::new();
    for it in &scene.borders.references {
        let ignored = scene.ignores(&it.from, &it.object) || scene.ignores(&it.to, &it.target);
        if ignored {
            continue;
        }
        let (object, target) = (&it.object, &it.target);
        findings.push(match (scene.place(&it.from), scene.place(&it.to)) {
            (Place::Tenant(own), Place::Tenant(other)) => {
                let message = format!("{object} points into tenant {}: {target}", other.name);
                finding(level, message)
                    .hint(format!(
                        "point it at the tenant's own, or at one in the shared {noun}"
                    ))
                    .tenant(&own.name)
            }
            (Place::Shared, Place::Tenant(other)) => {
                let message = format!("{object} of the shared {noun} points into this tenant's: {target}");
                finding(level, message)
                    .hint("what all tenants use must not hang on one of them: drop it, or move its target")
                    .tenant(&other.name)
            }
            (Place::Tenant(own), Place::Shared) if it.child => {
                let message = format!(
                    "{object} is a part of {target} of the shared {noun}: whoever reads that one reads this one's rows"
                );
                finding(level, message)
                    .hint("detach it, or take its INHERIT away: rights on a part are not asked for when the whole is read")
                    .tenant(&own.name)
            }
            (Place::Tenant(own), Place::Nobody) if !it.extension => Finding::warning(format!(
                "{object} points into {noun} `{}`, which is neither shared nor a tenant's: {target}",
                it.to
            ))
            .hint(format!("move it, or name the {noun} in `ignore` of [isolation]"))
            .tenant(&own.name),
            (Place::Nobody, Place::Tenant(other)) => Finding::warning(format!(
                "{object} of {noun} `{}`, which is no tenant's, points into this one: {target}",
                it.from
            ))
            .hint(format!("drop it, or name the {noun} in `ignore` of [isolation]"))
            .tenant(&other.name),
            _ => continue,
        });
    }
    findings
}
