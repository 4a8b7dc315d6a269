//! `ban-drop-database`, where squawk does not read.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::DropDatabase { name, .. } => Some(format!("the database `{name}` is lost")),
        _ => None,
    })
}
