//! `changing-column-type`, where squawk does not read.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};
use super::narrowing_type::{Rewrite, rewrite, same_type};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let kind = seen.world.kind;
    seen.each(|act| match act {
        Act::ChangeColumn {
            table,
            column,
            data_type,
            ..
        } if !seen.is_new(table) => {
            let known = seen.catalog.find(seen.which.0, table, seen.world);
            let before = known.and_then(|it| it.columns.get(&column.to_lowercase()))?;
            if same_type(before, data_type, kind) {
                return None;
            }
            let then = match rewrite(before, data_type) {
                Rewrite::None => return None,
                Rewrite::Perhaps => "the table may be written anew, and locked: its character set decides",
                Rewrite::Certain => "the table is written anew, and locked",
            };
            Some(format!(
                "`{table}`.`{column}` becomes {data_type}, was {before}: {then}"
            ))
        }
        // Reference Manual, "Online DDL Operations": it is no online one.
        Act::ConvertTable { table, charset } if !seen.is_new(table) => Some(format!(
            "`{table}` is converted to {charset}: the table is written anew, and locked"
        )),
        _ => None,
    })
}
