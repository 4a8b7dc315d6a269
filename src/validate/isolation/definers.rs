//! Functions that act as their owner, whom nothing keeps in one tenant's schema.

use crate::domain::Finding;
use crate::engine::isolation::Definer;

use super::{Place, Scene, shown};

/// Warnings: whether they can be made to cross, their text alone does not say.
pub(super) fn definers(scene: &Scene<'_>) -> Vec<Finding> {
    scene
        .borders
        .definers
        .iter()
        .filter_map(|it| definer(scene, it))
        .collect()
}

fn definer(scene: &Scene<'_>, it: &Definer) -> Option<Finding> {
    let name = it.function.split('(').next().unwrap_or_default();
    let places = it.locations.iter().map(String::as_str);
    let places: Vec<&str> = places
        .filter(|place| !scene.ignores(place, name) && !matches!(scene.place(place), Place::Nobody))
        .collect();
    if places.is_empty() {
        return None;
    }
    let which = format!(
        "the SECURITY DEFINER function `{}` in {}",
        it.function,
        shown(places)
    );
    let owner = &it.owner;
    Some(if it.fixed_path {
        Finding::warning(format!("{which} runs what it puts together, as `{owner}`")).hint(
            "whoever calls it may reach what its owner reaches: make it SECURITY INVOKER, or revoke EXECUTE from PUBLIC and the serving role; if it cannot be led astray, name it in `ignore` of [isolation]",
        )
    } else {
        let also = if it.dynamic {
            ", and runs what it puts together"
        } else {
            ""
        };
        Finding::warning(format!(
            "{which} acts as `{owner}`, and has no search_path of its own{also}"
        ))
        .hint("whoever calls it chooses whose tables its names mean: ALTER FUNCTION … SET search_path = …, or make it SECURITY INVOKER")
    })
}
