//! Tables that are made anew under their old name, with their rows.
//!
//! SQLite changes a table so (its manual, "Making Other Kinds Of Table Schema Changes"), and what is written for
//! several engines does it everywhere.

use crate::database_url::EngineKind;
use crate::domain::Migration;

use super::name::Name;
use super::read::{Act, acts, says_outside};
use super::tokens::{Piece, pieces};

/// Dropping the table loses nothing: all its rows were copied into another one, and what is dropped is only the old
/// half of a table that lives on under its name.
pub(super) fn is_copied(migration: &Migration, table: &Name, kind: EngineKind) -> bool {
    let copies = statements(migration, kind).any(|(pieces, acts)| {
        acts.iter().any(|act| match act {
            Act::Insert { table: into, .. } => {
                into.name != table.name && reads(&pieces, table) && takes_all(&pieces)
            }
            Act::CreateTable {
                table: made,
                of_query: true,
                ..
            } => made.name != table.name && reads(&pieces, table) && takes_all(&pieces),
            _ => false,
        })
    });
    // It is made again, gets the name of what was made, or got its own when it was put aside.
    copies && is_made_again(migration, table, kind)
}

/// Not `WHERE`, nor `LIMIT`.
fn takes_all(pieces: &[Piece]) -> bool {
    !["WHERE", "LIMIT", "FETCH"]
        .iter()
        .any(|word| says_outside(pieces, word))
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
