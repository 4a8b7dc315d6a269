//! `ban-drop-table`, where squawk does not read.

use super::super::read::Act;
use super::super::replaced::is_copied;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::DropTable { table, tolerant } => {
            let is_kept = seen.is_new(table)
                || (*tolerant && seen.is_gone(table))
                || is_copied(seen.migration, table, seen.world.kind);
            (!is_kept).then(|| format!("`{table}` and its rows are lost"))
        }
        // MariaDB drops the one that is there.
        Act::CreateTable {
            table,
            replaces: true,
            temporary: false,
            ..
        } if !seen.is_new(table) && !seen.is_gone(table) => Some(format!(
            "`{table}` is made anew: where it is there its rows are lost"
        )),
        Act::LosePartition {
            table,
            partition,
            emptied: false,
        } if !seen.is_new(table) => Some(format!(
            "the rows of `{table}` in its partition `{partition}` are lost"
        )),
        _ => None,
    })
}
