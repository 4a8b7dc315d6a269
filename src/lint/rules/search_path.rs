//! What follows would land in another place.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let mut hits = seen.each(|act| match act {
        Act::MoveTo { place } if place.is_empty() => {
            Some("the statements after this one find no table by its bare name".to_owned())
        }
        Act::MoveTo { place } => Some(format!("the statements after this one land in `{place}`")),
        _ => None,
    });
    // A query is read once as a whole, and once behind its WITH.
    hits.dedup_by(|one, other| one.message == other.message && one.line == other.line);
    hits
}
