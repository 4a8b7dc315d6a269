//! `ban-drop-column`, where squawk does not read.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::DropColumn { table, column } if !seen.is_new(table) => {
            Some(format!("what `{table}` has in `{column}` is lost"))
        }
        _ => None,
    })
}
