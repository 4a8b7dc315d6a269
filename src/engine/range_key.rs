//! What the catalogue says of a batch's key, before any range goes over it.
//!
//! A key must stay where it is while its row is changed. Columns that the server computes, or sets anew with
//! every change, do not, and are refused. A trigger of the table may move a key too: what a trigger does
//! cannot be told from the catalogue, so whoever names a key that one changes is not warned.

use crate::domain::Batch;

use super::{EngineError, ErrorKind, Given, ranges};

/// Whether ranges can go over it, and at what price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeKey {
    NoTable,
    NoColumn,
    /// Generated, or set with every change of its row.
    Moves,
    /// An index leads with it, so a range is found without reading the whole table.
    Indexed,
    Plain,
}

impl RangeKey {
    pub(super) const ALL: [Self; 5] = [
        Self::NoTable,
        Self::NoColumn,
        Self::Moves,
        Self::Indexed,
        Self::Plain,
    ];

    /// How the engines' queries say it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::NoTable => "no table",
            Self::NoColumn => "no column",
            Self::Moves => "moves",
            Self::Indexed => "indexed",
            Self::Plain => "plain",
        }
    }

    /// Reads what such a query gave.
    pub(super) fn read(word: Option<&str>) -> Result<Self, EngineError> {
        let known = Self::ALL.into_iter().find(|it| Some(it.word()) == word);
        known.ok_or_else(|| {
            let message = "a bug of tenantgate: the catalogue's answer is not understood";
            ranges::own_error(ErrorKind::Statement, message)
        })
    }

    pub(super) fn of(given: Vec<Given>) -> Result<Self, EngineError> {
        let first = given.into_iter().next().and_then(|it| it.first);
        Self::read(first.as_deref())
    }

    /// Why no range may go over it, and what to do; none: it may.
    pub fn refusal(self, batch: &Batch) -> Option<(String, &'static str)> {
        let Batch { table, column, .. } = batch;
        match self {
            Self::Indexed | Self::Plain => None,
            Self::NoTable => Some((
                format!("there is no table `{table}` whose `{column}` the ranges could go over"),
                "mend the name, or make the table in a migration before it",
            )),
            Self::NoColumn => Some((
                format!("`{table}` has no column `{column}` that the ranges could go over"),
                "name a column of the table as `key`, such as the primary key",
            )),
            Self::Moves => Some((
                format!("`{column}` of `{table}` gets its value from the server whenever its row is changed"),
                "take another key, such as the primary key: a row that moves could be met twice, or never",
            )),
        }
    }

    /// Refuses it as a server would.
    pub(super) fn allow(self, batch: &Batch) -> Result<(), EngineError> {
        match self.refusal(batch) {
            None => Ok(()),
            Some((message, hint)) => Err(ranges::refused(&message, hint)),
        }
    }
}
