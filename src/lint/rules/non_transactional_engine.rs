//! MyISAM and its like.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "non-transactional-engine",
    group: Group::Data,
    title: "a table gets a storage engine without transactions",
    why: "a statement that fails leaves a part of its rows, and foreign keys are not kept",
    safe: "take InnoDB: leave ENGINE out",
    levels: Levels::mysql(Level::Warning),
    squawk: false,
};

const WITHOUT: &[&str] = &[
    "myisam",
    "aria",
    "memory",
    "heap",
    "csv",
    "archive",
    "merge",
    "blackhole",
];

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| match act {
        Act::StorageEngine { table, engine } if WITHOUT.contains(&engine.as_str()) => Some(format!(
            "`{table}` is kept by {engine}, which has no transactions"
        )),
        _ => None,
    })
}
