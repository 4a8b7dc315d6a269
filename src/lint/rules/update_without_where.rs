//! UPDATE of everything.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    // A batch goes over ranges, each in a transaction of its own.
    if seen.migration.batch.is_some() {
        return Vec::new();
    }
    seen.each(|act| match act {
        Act::Update {
            table,
            filtered: false,
        } if !seen.is_new(table) => Some(format!("UPDATE without WHERE: all rows of `{table}` change")),
        _ => None,
    })
}
