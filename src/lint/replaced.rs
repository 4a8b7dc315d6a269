//! Tables that are made anew under their old name, with their rows.
//!
//! SQLite changes a table so (its manual, "Making Other Kinds Of Table Schema Changes"), and what is written for
//! several engines does it everywhere.

use crate::database_url::EngineKind;
use crate::domain::Migration;

use super::name::Name;
use super::read::{Act, acts};
use super::tokens::{Piece, pieces};

/// Dropping the table loses nothing: its rows were copied into another one before, or another one takes its
/// name after.
pub(super) fn is_copied(migration: &Migration, table: &Name, kind: EngineKind) -> bool {
    statements(migration, kind).any(|(pieces, acts)| {
        acts.iter().any(|act| match act {
            Act::Insert { table: into, .. } => into.name != table.name && reads(&pieces, table),
            Act::RenameTable { to, .. } => to.eq_ignore_ascii_case(&table.name),
            _ => false,
        })
    })
}

/// Another table gets the name.
pub(super) fn is_made_again(migration: &Migration, table: &Name, kind: EngineKind) -> bool {
    statements(migration, kind).any(|(_, acts)| {
        acts.iter().any(|act| match act {
            Act::CreateTable { table: made, .. } => made.name.eq_ignore_ascii_case(&table.name),
            Act::RenameTable { to, .. } => to.eq_ignore_ascii_case(&table.name),
            _ => false,
        })
    })
}

fn statements(migration: &Migration, kind: EngineKind) -> impl Iterator<Item = (Vec<Piece>, Vec<Act>)> {
    migration.statements.iter().map(move |statement| {
        let pieces = pieces(statement, kind);
        let acts = acts(&pieces);
        (pieces, acts)
    })
}

/// `FROM table`
fn reads(pieces: &[Piece], table: &Name) -> bool {
    pieces.windows(2).any(|pair| {
        (pair[0].is("FROM") || pair[0].is("JOIN")) && pair[1].name.eq_ignore_ascii_case(&table.name)
    })
}
