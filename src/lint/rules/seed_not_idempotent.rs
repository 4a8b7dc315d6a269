//! Rows that a second run would add again.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::Insert {
            table,
            guarded: false,
            literal: true,
        } if !seen.is_new(table) => Some(format!("the rows for `{table}` may be there already")),
        _ => None,
    })
}
