//! DELETE of everything.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "delete-without-where",
    group: Group::Data,
    title: "all rows of a table are deleted",
    why: "a forgotten WHERE looks the same, and the rows are lost for every tenant",
    safe: "say which rows: `WHERE …`",
    levels: Levels::all(Level::Warning),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::Delete {
            table,
            filtered: false,
        } if !seen.is_new(table) => Some(format!("DELETE without WHERE: all rows of `{table}` are lost")),
        _ => None,
    })
}
