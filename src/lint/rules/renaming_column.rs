//! `renaming-column`, where squawk does not read.

use super::super::name::Name;
use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let message = |table: &Name, column: &str, to: &str| {
        let known = !seen.is_new(table);
        known.then(|| {
            format!("`{table}`.`{column}` becomes `{to}`: the application that still runs does not find it")
        })
    };
    seen.each(|act| match act {
        Act::RenameColumn { table, column, to } => message(table, column, to),
        Act::ChangeColumn {
            table,
            column,
            renamed: Some(to),
            ..
        } => message(table, column, to),
        _ => None,
    })
}
