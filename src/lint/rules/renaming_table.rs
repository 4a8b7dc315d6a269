//! `renaming-table`, where squawk does not read.

use super::super::read::Act;
use super::super::replaced::is_made_again;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::RenameTable { table, to }
            if !seen.is_new(table) && !is_made_again(seen.migration, table, seen.world.kind) =>
        {
            Some(format!(
                "`{table}` becomes `{to}`: the application that still runs does not find it"
            ))
        }
        _ => None,
    })
}
