//! TRUNCATE.

use crate::database_url::EngineKind;

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "truncate-data",
    group: Group::Data,
    title: "a table is emptied",
    why: "the rows are lost, for every tenant",
    safe: "delete what is meant by a condition, after a copy where it may be wanted again",
    levels: Levels {
        postgres: Some(Level::Warning),
        mysql: Some(Level::Warning),
        sqlite: None,
    },
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        // squawk's `ban-truncate-cascade` speaks of it.
        Act::Truncate { cascade: true, .. } if seen.world.kind == EngineKind::Postgres => None,
        Act::Truncate { table, .. } if !seen.is_new(table) => Some(format!("all rows of `{table}` are lost")),
        Act::LosePartition {
            table,
            partition,
            emptied: true,
        } if !seen.is_new(table) => Some(format!(
            "all rows of `{table}` in its partition `{partition}` are lost"
        )),
        _ => None,
    })
}
