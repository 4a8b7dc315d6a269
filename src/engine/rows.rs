//! The ledger's rows as SQL: what is written when is the same for all engines.

use crate::domain::{Checksum, Direction, Migration};

use super::Target;

/// How one engine says it.
#[derive(Debug, Clone)]
pub(super) struct LedgerSql {
    /// The table, quoted and qualified.
    pub(super) table: String,
    pub(super) literal: fn(&str) -> String,
    /// The present moment by the server's clock.
    pub(super) now: &'static str,
    /// What [`super::EngineOptions::run`] says.
    pub(super) run: String,
}

impl LedgerSql {
    /// All rows in one INSERT: a second run fails here, before any of its DDL.
    pub(super) fn insert(&self, target: Target<'_>, migrations: &[&Migration], state: &str) -> String {
        self.insert_all([target], migrations, state)
    }

    /// The same for several targets.
    pub(super) fn insert_all<'t>(
        &self,
        targets: impl IntoIterator<Item = Target<'t>>,
        migrations: &[&Migration],
        state: &str,
    ) -> String {
        let quote = self.literal;
        let row = |target: Target<'_>, migration: &Migration| {
            format!(
                "({}, {}, {}, {}, {}, '{state}', {}, {}, {})",
                quote(target.scope().as_str()),
                quote(target.ledger_name()),
                migration.version.0,
                quote(&migration.name),
                quote(&migration.checksum.0),
                quote(&migration.done_checksum(0).0),
                quote(&self.run),
                self.now
            )
        };
        let of = |target| migrations.iter().map(move |migration| row(target, migration));
        let rows: Vec<String> = targets.into_iter().flat_map(of).collect();
        format!(
            "INSERT INTO {} (scope, tenant, version, name, checksum, state, done, run, applied_at) VALUES {};",
            self.table,
            rows.join(", ")
        )
    }

    /// The first `done` statements are done; with the last one the migration is applied, or
    /// the row of one that goes back is gone.
    pub(super) fn advanced(&self, target: Target<'_>, migration: &Migration, done: usize) -> String {
        let last = done >= migration.statements.len();
        let state = match migration.direction {
            Direction::Forward if last => "applied",
            Direction::Back if last => {
                return format!(
                    "DELETE FROM {} WHERE {} AND state = 'reverting'",
                    self.table,
                    self.this_row(target, migration)
                );
            }
            direction => direction.underway(),
        };
        let set = format!(
            "state = '{state}', in_doubt = false, backend = '', applied_at = {}",
            self.now
        );
        self.update(target, migration, done, &set)
    }

    /// The row, where it still stands before the statement of this index: another run may have taken it
    /// over while this one was asleep.
    pub(super) fn at_statement(&self, target: Target<'_>, migration: &Migration, index: usize) -> String {
        format!(
            "SELECT 1 FROM {} WHERE {} AND state = '{}' AND statement = {index}",
            self.table,
            self.this_row(target, migration),
            migration.direction.underway()
        )
    }

    /// Sets columns of the migration's row, and with them how far it came and with which content. Never
    /// takes back what another run recorded since.
    pub(super) fn update(&self, target: Target<'_>, migration: &Migration, done: usize, set: &str) -> String {
        let quote = self.literal;
        format!(
            "UPDATE {} SET {set}, statement = {done}, done = {}, checksum = {}, run = {} WHERE {} AND state = '{}' AND statement <= {done}",
            self.table,
            quote(&migration.done_checksum(done).0),
            quote(&migration.checksum.0),
            quote(&self.run),
            self.this_row(target, migration),
            migration.direction.underway()
        )
    }

    /// The first range of a batch is done: from here on its statement stands.
    pub(super) fn ranges_begun(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "UPDATE {} SET done = {} WHERE {} AND state = 'running' AND statement = 0",
            self.table,
            (self.literal)(&migration.done_checksum(1).0),
            self.this_row(target, migration)
        )
    }

    /// Takes the rows of migrations away, and gives a row for each that was still there as it was read:
    /// fewer mean that another run was faster.
    pub(super) fn delete(&self, target: Target<'_>, migrations: &[&Migration]) -> String {
        let row = |migration: &&Migration| {
            let checksum = (self.literal)(&migration.checksum.0);
            format!("({} AND checksum = {checksum})", self.this_row(target, migration))
        };
        let rows: Vec<String> = migrations.iter().map(row).collect();
        format!(
            "DELETE FROM {} WHERE state = 'applied' AND ({}) RETURNING version;",
            self.table,
            rows.join(" OR ")
        )
    }

    /// Opens the way back of an applied migration, statement by statement; a row where it was still applied.
    pub(super) fn turn(&self, target: Target<'_>, down: &Migration) -> String {
        let quote = self.literal;
        format!(
            "UPDATE {} SET state = 'reverting', statement = 0, done = {}, checksum = {}, in_doubt = false, backend = '', run = {} WHERE {} AND state = 'applied' RETURNING version;",
            self.table,
            quote(&down.done_checksum(0).0),
            quote(&down.checksum.0),
            quote(&self.run),
            self.this_row(target, down)
        )
    }

    /// Takes the row of a begun migration away where nothing of it ran; a row where that was so.
    pub(super) fn withdraw(&self, target: Target<'_>, migration: &Migration) -> String {
        format!(
            "DELETE FROM {} WHERE {} AND state = 'running' AND statement = 0 AND in_doubt = false AND done = {} RETURNING version;",
            self.table,
            self.this_row(target, migration),
            (self.literal)(&Checksum::of("").0)
        )
    }

    pub(super) fn this_row(&self, target: Target<'_>, migration: &Migration) -> String {
        let quote = self.literal;
        format!(
            "scope = {} AND tenant = {} AND version = {}",
            quote(target.scope().as_str()),
            quote(target.ledger_name()),
            migration.version.0
        )
    }
}
