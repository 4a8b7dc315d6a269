//! `changing-column-type`, where squawk does not read.

use super::super::read::Act;
use super::super::rules::narrowing_type::same_type;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::ChangeColumn {
            table,
            column,
            data_type,
            ..
        } if !seen.is_new(table) => {
            let known = seen.catalog.find(seen.which.0, table, seen.world);
            let before = known.and_then(|it| it.columns.get(&column.to_lowercase()))?;
            (!same_type(before, data_type)).then(|| {
                format!("`{table}`.`{column}` becomes {data_type}, was {before}: the table is written anew, and locked")
            })
        }
        _ => None,
    })
}
