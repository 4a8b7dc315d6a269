//! `adding-required-field`, where squawk does not read.

use crate::database_url::EngineKind;

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::AddColumn { table, column } if column.required && !column.has_default && !seen.is_new(table) => {
            let then = match seen.world.kind {
                // Reference Manual, "Data Type Default Values".
                EngineKind::Mysql => {
                    "rows that are there get '' or 0 for it, and the application fails without it"
                }
                _ => "it fails where there are rows",
            };
            Some(format!(
                "`{table}` gets `{}` as NOT NULL without a default: {then}",
                column.name
            ))
        }
        _ => None,
    })
}
