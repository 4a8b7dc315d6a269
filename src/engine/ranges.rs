//! The ranges of a batch as SQL: what is recorded when is the same for all engines.
//!
//! A row of `progress` lives as long as its migration is half done. Its counter is the fence: a range is
//! carried out only where the counter still is what it was when the range was chosen, in one transaction
//! with the statement, so that no range runs twice whoever dies or wakes up when.

use std::collections::BTreeMap;

use crate::domain::{Batch, Migration, Redactor, Version};

use super::{EngineError, ErrorKind, Target};

/// Where a batch stands at one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Ranges that are done.
    pub ranges: u64,
    /// Rows that the statement changed.
    pub rows: u64,
    /// About so many rows the table had when it began.
    pub about: u64,
    /// The upper end of the last range; absent: none is done.
    pub last: Option<String>,
    /// The largest key when it began; absent: there were no rows.
    pub end: Option<String>,
    /// The ledger says applied.
    pub applied: bool,
}

/// The batches of one target that are half done.
pub type Underway = Vec<(Version, Standing)>;

impl Standing {
    /// Before the first range. The end of the keys is fixed here: rows that come later belong to new code.
    pub(super) fn opening(end: Option<String>, about: Option<&str>) -> Self {
        Self {
            end,
            about: about.and_then(|text| text.parse().ok()).unwrap_or(0),
            ..Self::default()
        }
    }

    /// With one more range done, up to this key; `rows` are those of all ranges.
    pub(super) fn after(&self, upper: String, rows: u64) -> Self {
        Self {
            ranges: self.ranges + 1,
            rows,
            applied: self.end.as_deref() == Some(&upper),
            last: Some(upper),
            ..self.clone()
        }
    }

    /// There was no key, so there is no range.
    pub(super) fn over(&self) -> Self {
        Self {
            applied: true,
            ..self.clone()
        }
    }
}

/// A range that failed: which.
#[derive(Debug)]
pub struct RangeError {
    pub error: EngineError,
    /// `id > 5 AND id <= 10`, where one was chosen.
    pub range: Option<String>,
}

/// How busy a server is, as far as this role may see.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Sessions at work, without those of this program where they can be told apart.
    pub active: Option<u64>,
    /// Of the replica that is furthest behind.
    pub replica_lag: Option<std::time::Duration>,
}

/// How one engine says it.
#[derive(Debug, Clone)]
pub(super) struct ProgressSql {
    /// The table, quoted and qualified.
    pub(super) table: String,
    pub(super) literal: fn(&str) -> String,
    /// The present moment by the server's clock.
    pub(super) now: &'static str,
}

impl ProgressSql {
    pub(super) fn this_row(&self, target: Target<'_>, migration: &Migration) -> String {
        let quote = self.literal;
        format!(
            "scope = {} AND tenant = {} AND version = {}",
            quote(target.scope().as_str()),
            quote(target.ledger_name()),
            migration.version.0
        )
    }

    /// A row of [`Standing`]'s columns, without the last.
    pub(super) fn read(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "SELECT ranges, changed, about, last_key, end_key FROM {} WHERE {}",
            self.table,
            self.this_row(target, migration)
        )
    }

    /// All rows: those of [`Self::read`], and whose they are.
    pub(super) fn read_all(&self) -> String {
        format!(
            "SELECT ranges, changed, about, last_key, end_key, scope, tenant, version FROM {}",
            self.table
        )
    }

    /// Two statements: what an earlier life of the migration left does not count.
    pub(super) fn insert(&self, target: Target<'_>, migration: &Migration, at: &Standing) -> String {
        let quote = self.literal;
        let end = at.end.as_deref().map_or_else(|| "NULL".to_owned(), quote);
        format!(
            "{};INSERT INTO {} (scope, tenant, version, ranges, changed, about, last_key, end_key, updated_at)
VALUES ({}, {}, {}, 0, 0, {}, NULL, {end}, {});",
            self.delete(target, migration),
            self.table,
            quote(target.scope().as_str()),
            quote(target.ledger_name()),
            migration.version.0,
            at.about,
            self.now
        )
    }

    /// `FROM … WHERE …`: the row, where it still stands as it was read.
    pub(super) fn unmoved(&self, target: Target<'_>, migration: &Migration, at: &Standing) -> String {
        format!(
            "FROM {} WHERE {} AND ranges = {}",
            self.table,
            self.this_row(target, migration),
            at.ranges
        )
    }

    /// `changed` is a number, or what gives the rows of the statement before.
    pub(super) fn advance(
        &self,
        target: Target<'_>,
        migration: &Migration,
        last: &str,
        changed: &str,
    ) -> String {
        format!(
            "UPDATE {} SET ranges = ranges + 1, changed = changed + {changed}, last_key = {}, updated_at = {} WHERE {}",
            self.table,
            (self.literal)(last),
            self.now,
            self.this_row(target, migration)
        )
    }

    pub(super) fn delete(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "DELETE FROM {} WHERE {}",
            self.table,
            self.this_row(target, migration)
        )
    }
}

/// Reads what [`ProgressSql::read_all`] gave, for each target.
pub(super) fn underway(targets: &[Target<'_>], rows: &[Vec<Option<String>>]) -> Vec<Underway> {
    let mut found: BTreeMap<(&str, &str), Underway> = BTreeMap::new();
    for row in rows {
        let [.., Some(scope), Some(tenant), Some(version)] = &row[..] else {
            continue;
        };
        if let (Ok(version), Some(at)) = (version.parse(), standing(row)) {
            found
                .entry((scope, tenant))
                .or_default()
                .push((Version(version), at));
        }
    }
    let of = |it: &Target<'_>| {
        let whose = (it.scope().as_str(), it.ledger_name());
        found.get(&whose).cloned().unwrap_or_default()
    };
    targets.iter().map(of).collect()
}

/// Where there is no key there is no range; a statement that is wrong is refused all the same, as it would be
/// by itself.
pub(super) const NO_ROW: &str = "1 = 0";

/// Reads what [`ProgressSql::read`] gave.
pub(super) fn standing(row: &[Option<String>]) -> Option<Standing> {
    let number = |index: usize| row.get(index)?.as_deref()?.parse().ok();
    Some(Standing {
        ranges: number(0)?,
        rows: number(1)?,
        about: number(2)?,
        last: row.get(3)?.clone(),
        end: row.get(4)?.clone(),
        applied: false,
    })
}

/// The keys of one batch, asked for in SQL that all engines share; `literal` writes a key's value as the
/// engine compares it exactly, `text` is what reads it.
pub(super) struct Keys<'a> {
    pub(super) batch: &'a Batch,
    pub(super) literal: &'a (dyn Fn(&str) -> String + Sync),
    pub(super) text: &'a (dyn Fn(&str) -> String + Sync),
}

impl Keys<'_> {
    /// A row where some row has no key.
    pub(super) fn missing(&self) -> String {
        let Batch { table, column, .. } = self.batch;
        format!("SELECT 1 FROM {table} WHERE {column} IS NULL LIMIT 1")
    }

    /// The largest key; no row: there are none.
    pub(super) fn end(&self) -> String {
        let Batch { table, column, .. } = self.batch;
        let text = (self.text)(column);
        format!("SELECT {text} FROM {table} WHERE {column} IS NOT NULL ORDER BY {column} DESC LIMIT 1")
    }

    /// The upper end of the next range; no row: what is left fits into one.
    pub(super) fn upper(&self, at: &Standing) -> String {
        let Batch {
            table, column, size, ..
        } = self.batch;
        let text = (self.text)(column);
        let range = self.range(column, at.last.as_deref(), at.end.as_deref().unwrap_or_default());
        format!(
            "SELECT {text} FROM {table} WHERE {range} ORDER BY {column} LIMIT 1 OFFSET {}",
            size - 1
        )
    }

    /// `id > 5 AND id <= 10`
    pub(super) fn range(&self, key: &str, last: Option<&str>, upper: &str) -> String {
        let upper = format!("{key} <= {}", (self.literal)(upper));
        match last {
            None => upper,
            Some(last) => format!("{key} > {} AND {upper}", (self.literal)(last)),
        }
    }

    /// The range in the statement's own words.
    pub(super) fn condition(&self, at: &Standing, upper: &str) -> String {
        self.range(&self.batch.key, at.last.as_deref(), upper)
    }
}

/// Our own words, with nothing of a server's in them.
pub(super) fn own_error(kind: ErrorKind, message: &str) -> EngineError {
    EngineError::new(kind, message, &Redactor::default())
}

pub(super) fn refused(message: &str, hint: &str) -> EngineError {
    EngineError {
        server_hint: Some(hint.to_owned()),
        ..own_error(ErrorKind::Statement, message)
    }
}

pub(super) fn batch_of(migration: &Migration) -> Result<&Batch, EngineError> {
    let none = || own_error(ErrorKind::Statement, "a bug of tenantgate: this is no batch");
    migration.batch.as_ref().ok_or_else(none)
}

pub(super) fn moved() -> EngineError {
    let message = "another run has carried this migration on in the meantime";
    own_error(ErrorKind::AlreadyApplied, message)
}

/// Rows without a key would never be met.
pub(super) fn keyless(batch: &Batch) -> EngineError {
    let Batch { table, column, .. } = batch;
    refused(
        &format!("`{table}` has rows whose `{column}` is NULL: no range would ever reach them"),
        "take a key that is never NULL, such as the primary key, or give those rows one first",
    )
}

/// Where a batch that was begun stands, from the ledger's `done` and its row of `progress`; none: no part of
/// it ran as a batch.
pub(super) fn kept(
    migration: &Migration,
    done: Option<&str>,
    row: Option<&[Option<String>]>,
) -> Result<Option<Standing>, EngineError> {
    if done.ok_or_else(moved)? != migration.done_checksum(1).0 {
        return Ok(None);
    }
    row.and_then(standing).map(Some).ok_or_else(|| {
        refused(
            "a part of its ranges ran, and the record of which is gone",
            "restore the table `progress` beside the ledger from a backup",
        )
    })
}
