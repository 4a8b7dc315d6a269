//! UPDATE of everything.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "update-without-where",
    group: Group::Data,
    title: "all rows of a table are updated",
    why: "every row is locked until the transaction ends, and what stood there is lost",
    safe: "say which rows (`WHERE new IS NULL`), and take `-- tenantgate: batch key=id size=5000` for many",
    levels: Levels::all(Level::Note),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    // A batch goes over ranges, each in a transaction of its own.
    if seen.migration.batch.is_some() {
        return Vec::new();
    }
    seen.each(|act| match act {
        Act::Update {
            table,
            filtered: false,
        } if !seen.is_new(table) => Some(format!("UPDATE without WHERE: all rows of `{table}` change")),
        _ => None,
    })
}
