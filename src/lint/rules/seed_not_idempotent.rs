//! Rows that a second run would add again.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "seed-not-idempotent",
    group: Group::Data,
    title: "rows are inserted that may be there already",
    why: "where somebody has put them in by hand, or a restored copy has them, it fails, or they are there twice",
    safe: "say what happens then: `ON CONFLICT DO NOTHING`, `INSERT IGNORE`, or `WHERE NOT EXISTS (…)`",
    levels: Levels::all(Level::Note),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::Insert {
            table,
            guarded: false,
            literal: true,
        } if !seen.is_new(table) => Some(format!("the rows for `{table}` may be there already")),
        _ => None,
    })
}
