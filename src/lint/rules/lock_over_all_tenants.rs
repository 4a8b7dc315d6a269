//! Every tenant's transaction waits for the same lock.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "lock-over-all-tenants",
    group: Group::Locks,
    title: "a tenant's migration locks a table of the shared schema",
    why: "the lock is kept until the tenant's transaction ends: all tenants queue for it one after the other, and the \
          application of all of them behind",
    safe: "put it into the shared migrations: there it is done once",
    levels: Levels::all(Level::Warning),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let hit = |act: &Act| {
        let (table, does) = match act {
            Act::Lock { table } => (table, "locks"),
            Act::CreateIndex { table, .. } => (table, "builds an index on"),
            Act::Truncate { table, .. } => (table, "empties"),
            Act::DropTable { table, .. } => (table, "drops"),
            Act::Update {
                table,
                filtered: false,
            } => (table, "updates every row of"),
            Act::Delete {
                table,
                filtered: false,
            } => (table, "deletes every row of"),
            Act::AddColumn { table, .. }
            | Act::DropColumn { table, .. }
            | Act::ChangeColumn { table, .. }
            | Act::RenameColumn { table, .. }
            | Act::RenameTable { table, .. }
            | Act::ConvertTable { table, .. }
            | Act::LosePartition { table, .. }
            | Act::AlterTable { table } => (table, "changes"),
            _ => return None,
        };
        let message = || {
            format!("every tenant's transaction {does} `{table}` of the shared schema: all wait for one lock")
        };
        seen.is_shared(table).then(|| Hit {
            // However often the file does it, it is one lock.
            once: Some(table.name.to_lowercase()),
            ..seen.hit(message())
        })
    };
    seen.acts.iter().filter_map(hit).collect()
}
