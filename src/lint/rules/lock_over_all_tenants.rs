//! Every tenant's transaction waits for the same lock.

use super::super::read::Act;
use super::super::seen::{Hit, Seen};

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
