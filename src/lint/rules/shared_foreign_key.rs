//! A foreign key to the shared schema locks what it points to.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let mut tables = Vec::new();
    for act in seen.acts {
        if let Act::Reference { to, .. } = act
            && seen.is_shared(to)
            && !tables.contains(to)
        {
            tables.push(to.clone());
        }
    }
    let message = |table| {
        format!("tenants take turns at `{table}` of the shared schema, and whoever writes to it waits")
    };
    tables.iter().map(|table| seen.hit(message(table))).collect()
}
