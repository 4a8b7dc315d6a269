//! TRUNCATE.

use crate::database_url::EngineKind;

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        // squawk's `ban-truncate-cascade` speaks of it.
        Act::Truncate { cascade: true, .. } if seen.world.kind == EngineKind::Postgres => None,
        Act::Truncate { table, .. } if !seen.is_new(table) => Some(format!("all rows of `{table}` are lost")),
        Act::LosePartition {
            table,
            partition,
            emptied: true,
        } if !seen.is_new(table) => Some(format!(
            "all rows of `{table}` in its partition `{partition}` are lost"
        )),
        _ => None,
    })
}
