//! MyISAM and its like.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

const WITHOUT: &[&str] = &[
    "myisam",
    "aria",
    "memory",
    "heap",
    "csv",
    "archive",
    "merge",
    "blackhole",
];

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::StorageEngine { table, engine } if WITHOUT.contains(&engine.as_str()) => Some(format!(
            "`{table}` is kept by {engine}, which has no transactions"
        )),
        _ => None,
    })
}
