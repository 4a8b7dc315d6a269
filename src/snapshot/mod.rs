//! A structure as a text that is committed: one fact a line, grouped by table, so that its diff reads well in a
//! pull request. Pure.

mod parse;
mod render;
#[cfg(test)]
mod tests;

use crate::database_url::EngineKind;
use crate::domain::{CheckDefinition, Structure};

pub use parse::{SnapshotError, parse};
pub use render::render;

pub const MADE: CheckDefinition = CheckDefinition {
    id: "snapshot.made",
    title: "what the snapshot is of could be learnt",
};
pub const FILE: CheckDefinition = CheckDefinition {
    id: "snapshot.file",
    title: "the snapshot's file can be read and written",
};
pub const CURRENT: CheckDefinition = CheckDefinition {
    id: "snapshot.current",
    title: "the snapshot is up to date",
};

pub const CHECKS: &[CheckDefinition] = &[MADE, FILE, CURRENT];

/// The number of the form. A reader of the old one would misunderstand a new one.
const FORMAT: u32 = 1;

/// What the shared schema and a tenant's are made of, on one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub kind: EngineKind,
    pub shared: Structure,
    pub tenant: Structure,
}

const KINDS: [(EngineKind, &str); 3] = [
    (EngineKind::Postgres, "postgres"),
    (EngineKind::Mysql, "mysql"),
    (EngineKind::Sqlite, "sqlite"),
];

fn word(kind: EngineKind) -> &'static str {
    let found = KINDS.iter().find(|(it, _)| *it == kind);
    found.map_or("", |(_, word)| word)
}
