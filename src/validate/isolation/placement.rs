//! Tables that are where the others' belong.

use std::collections::BTreeSet;

use crate::baseline;
use crate::domain::{Finding, ObjectKind, Structure, Tenant};

use super::{Scene, finding};

/// Names of tables that migrations of each scope make, where that could be learnt.
#[derive(Default)]
pub struct Made {
    pub shared: BTreeSet<String>,
    pub tenant: BTreeSet<String>,
}

impl Made {
    pub fn of(shared: &Structure, tenant: &Structure) -> Self {
        Self {
            shared: tables(shared),
            tenant: tables(tenant),
        }
    }
}

fn tables(structure: &Structure) -> BTreeSet<String> {
    let tables = structure
        .facts
        .iter()
        .filter(|it| it.object.kind == ObjectKind::Table);
    tables.map(|it| it.object.name.clone()).collect()
}

/// True where a table's name is on both sides, so that it is worth knowing what migrations make.
pub fn is_open(scene: &Scene<'_>) -> bool {
    scene.borders.twice.iter().any(|it| !is_spared(scene, &it.name))
}

fn is_spared(scene: &Scene<'_>, name: &str) -> bool {
    baseline::is_book(name) || scene.ignores("", name)
}

pub fn placement(scene: &Scene<'_>, made: Option<&Made>) -> Vec<Finding> {
    let level = scene.settings.placement;
    let noun = scene.noun();
    let mut findings = Vec::new();
    for twice in &scene.borders.twice {
        let name = &twice.name;
        let tenants: Vec<&Tenant> = twice
            .locations
            .iter()
            .filter_map(|it| scene.tenant_at(it))
            .collect();
        if tenants.is_empty() || is_spared(scene, name) {
            continue;
        }
        let made_by = |of: fn(&Made) -> &BTreeSet<String>| made.is_some_and(|made| of(made).contains(name));
        match (made_by(|it| &it.shared), made_by(|it| &it.tenant)) {
            (true, true) => {}
            (false, true) => findings.push(
                finding(level, format!("table `{name}` is the tenants', and the shared {noun} has one too"))
                    .hint(format!(
                        "a statement that finds no tenant's uses it: see whose rows it holds, then drop {}.{}",
                        scene.told(&scene.borders.shared),
                        scene.told(name)
                    )),
            ),
            (true, false) => findings.extend(in_tenants(scene, name, &tenants, true)),
            // Nobody knows whose it is. Few that have it have it by mistake.
            (false, false) if tenants.len() * 2 <= scene.tenants.len() => {
                findings.extend(in_tenants(scene, name, &tenants, false));
            }
            (false, false) if made.is_none() => findings.push(Finding::warning(format!(
                "table `{name}` is in the shared {noun} and in most tenants': where it belongs is not known"
            ))),
            (false, false) => findings.push(Finding::note(format!(
                "table `{name}` is in the shared {noun} and in most tenants', and in no migration that says where it belongs"
            ))),
        }
    }
    findings
}

fn in_tenants<'f>(
    scene: &'f Scene<'_>,
    name: &'f str,
    tenants: &'f [&Tenant],
    known: bool,
) -> impl Iterator<Item = Finding> + 'f {
    let one = move |tenant: &&Tenant| {
        let message = format!(
            "table `{name}` is the shared {}'s, and this tenant has one too",
            scene.noun()
        );
        let mut found = match known {
            true => finding(scene.settings.placement, message),
            false => Finding::warning(message),
        };
        found.hint = Some(format!(
            "its statements use its own instead of the shared one: see what it holds, then drop {}.{}",
            scene.told(&tenant.location),
            scene.told(name)
        ));
        found.tenant(&tenant.name)
    };
    tenants.iter().map(one)
}
