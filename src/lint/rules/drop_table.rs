//! `ban-drop-table`, where squawk does not read.

use super::super::read::Act;
use super::super::replaced::is_copied;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::DropTable { table }
            if !seen.is_new(table) && !is_copied(seen.migration, table, seen.world.kind) =>
        {
            Some(format!("`{table}` and its rows are lost"))
        }
        _ => None,
    })
}
