//! DELETE of everything.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::Delete {
            table,
            filtered: false,
        } if !seen.is_new(table) => Some(format!("DELETE without WHERE: all rows of `{table}` are lost")),
        _ => None,
    })
}
