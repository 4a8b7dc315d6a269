//! The ledger's rows as SQL: what is written when is the same for all engines.

use crate::domain::Migration;

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
        let quote = self.literal;
        let row = |migration: &&Migration| {
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
        let rows: Vec<String> = migrations.iter().map(row).collect();
        format!(
            "INSERT INTO {} (scope, tenant, version, name, checksum, state, done, run, applied_at) VALUES {};",
            self.table,
            rows.join(", ")
        )
    }

    /// The first `done` statements are done; with the last one the migration is applied.
    pub(super) fn advanced(&self, target: Target<'_>, migration: &Migration, done: usize) -> String {
        let state = if done >= migration.statements.len() {
            "applied"
        } else {
            "running"
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
            "SELECT 1 FROM {} WHERE {} AND state = 'running' AND statement = {index}",
            self.table,
            self.this_row(target, migration)
        )
    }

    /// Sets columns of the migration's row, and with them how far it came and with which content. Never
    /// takes back what another run recorded since.
    pub(super) fn update(&self, target: Target<'_>, migration: &Migration, done: usize, set: &str) -> String {
        let quote = self.literal;
        format!(
            "UPDATE {} SET {set}, statement = {done}, done = {}, checksum = {}, run = {} WHERE {} AND state = 'running' AND statement <= {done}",
            self.table,
            quote(&migration.done_checksum(done).0),
            quote(&migration.checksum.0),
            quote(&self.run),
            self.this_row(target, migration)
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
