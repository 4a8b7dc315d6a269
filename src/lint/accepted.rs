//! Warnings that an environment has passed with: its evidence names them, and the next one does not warn again.

use serde::{Deserialize, Serialize};

use crate::domain::{Checksum, Migration, Statement};

/// The newest are kept: evidence has little room.
pub const MOST_ACCEPTED: usize = 100;

/// `ban-drop-column:0123456789ab`: a rule, and the beginning of a hash over migration and statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Accepted(String);

impl Accepted {
    pub(super) fn of(rule: &str, migration: &Migration, statement: Option<&Statement>) -> Self {
        let sql = statement.map_or("", |it| it.sql.as_str());
        let Checksum(hash) = Checksum::of(&format!("{}\0{sql}", migration.label()));
        let digits = hash.trim_start_matches("sha256:").get(..12).unwrap_or_default();
        Self(format!("{rule}:{digits}"))
    }
}
