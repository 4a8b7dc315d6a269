//! Quoting, and the texts of the statements.

use std::time::Duration;

use crate::domain::Speed;
use crate::engine::history::{RECORD, UNIT};
use crate::engine::{Holder, lease};

/// SQLite, "Literal Values": a quote is doubled, nothing else is special.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// Milliseconds since 1970 by the clock of the machine that has the file.
pub(super) const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

pub(super) const LEDGER: &str = "tenantgate_ledger";

/// In the shared file and in every tenant's: a transaction across files is atomic only without
/// WAL (SQLite, "ATTACH DATABASE"), so each file keeps its own rows.
pub(super) const CREATE_LEDGER: &str = "CREATE TABLE IF NOT EXISTS tenantgate_ledger (
    scope TEXT NOT NULL,
    tenant TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'running', 'reverting')),
    statement INTEGER NOT NULL DEFAULT 0,
    done TEXT NOT NULL DEFAULT '',
    in_doubt INTEGER NOT NULL DEFAULT 0,
    backend TEXT NOT NULL DEFAULT '',
    run TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (scope, tenant, version)) WITHOUT ROWID;";

pub(super) const PROGRESS: &str = "tenantgate_progress";

/// How far batches are that are half done. In each file that has had one.
pub(super) const CREATE_PROGRESS: &str = "CREATE TABLE IF NOT EXISTS tenantgate_progress (
    scope TEXT NOT NULL,
    tenant TEXT NOT NULL,
    version INTEGER NOT NULL,
    ranges INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    about INTEGER NOT NULL,
    last_key TEXT,
    end_key TEXT,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (scope, tenant, version)) WITHOUT ROWID;";

/// In the shared file only.
pub(super) const CREATE_SHARED: &str = "CREATE TABLE IF NOT EXISTS tenantgate_environment (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    name TEXT NOT NULL,
    project TEXT NOT NULL,
    run TEXT NOT NULL,
    labelled_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tenantgate_tenant (
    name TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    seen_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tenantgate_lease (
    part TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    whence TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tenantgate_rollout (
    finished_at INTEGER NOT NULL,
    run TEXT NOT NULL,
    migrations INTEGER NOT NULL,
    took_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tenantgate_uncompared (
    mark TEXT PRIMARY KEY);";

/// What was changed, and not compared since: see `engine/uncompared.rs`.
pub(super) const UNCOMPARED: &str = "tenantgate_uncompared";

/// A row where the lease is from before there were shards.
pub(super) const PROBE_LEASE: &str =
    "SELECT 1 FROM pragma_table_info('tenantgate_lease') WHERE name = 'singleton'";

/// Its one row was, and stays, the whole environment's. A run that holds it goes on, since it knows its row by
/// the holder.
pub(super) const WIDEN_LEASE: &str = "ALTER TABLE tenantgate_lease RENAME TO tenantgate_lease_before;
CREATE TABLE tenantgate_lease (
    part TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    whence TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL);
INSERT INTO tenantgate_lease SELECT '', holder, whence, acquired_at, heartbeat_at, expires_at
FROM tenantgate_lease_before;
DROP TABLE tenantgate_lease_before;";

/// One text: all rows of a scope (and tenant).
pub(super) fn read_history(table: &str, scope: &str, tenant: &str) -> String {
    let columns = [
        "version",
        "name",
        "checksum",
        "state",
        "statement",
        "done",
        "in_doubt",
    ];
    let row = columns.join(&format!(" || char({}) || ", UNIT as u32));
    format!(
        "SELECT coalesce(group_concat(line, char({record})), '') FROM (
    SELECT {row} AS line FROM {table} WHERE scope = {} AND tenant = {} ORDER BY version)",
        literal(scope),
        literal(tenant),
        record = RECORD as u32,
    )
}

/// See `engine/lease.rs`: each statement commits by itself. The last gives rows of (own, part, whence,
/// milliseconds left).
pub(super) fn take_lease(holder: &Holder, ttl: Duration) -> String {
    let in_the_way = lease::in_the_way(holder.shard);
    format!(
        "DELETE FROM tenantgate_lease WHERE expires_at <= {NOW} AND holder <> {id} AND {in_the_way};
INSERT INTO tenantgate_lease (part, holder, whence, acquired_at, heartbeat_at, expires_at)
VALUES ({part}, {id}, {whence}, {NOW}, {NOW}, {NOW} + {ms})
ON CONFLICT (part) DO UPDATE SET heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
WHERE holder = excluded.holder;
SELECT holder = {id}, part, whence, max(0, expires_at - {NOW}) FROM tenantgate_lease
WHERE holder = {id} OR {in_the_way}",
        part = literal(&lease::part(holder)),
        id = literal(&holder.id),
        whence = literal(&holder.whence),
        ms = ttl.as_millis()
    )
}

pub(super) fn keep_rollout(run: &str, speed: Speed) -> String {
    format!(
        "INSERT INTO tenantgate_rollout (finished_at, run, migrations, took_ms) VALUES ({NOW}, {}, {}, {})",
        literal(run),
        speed.migrations,
        speed.took.as_millis()
    )
}

/// Rows of (migrations, milliseconds), the newest first.
pub(super) fn read_rollouts(newest: usize) -> String {
    format!("SELECT migrations, took_ms FROM tenantgate_rollout ORDER BY finished_at DESC LIMIT {newest}")
}

pub(super) fn renew_lease(holder: &str, ttl: Duration) -> String {
    format!(
        "UPDATE tenantgate_lease SET heartbeat_at = {NOW}, expires_at = {NOW} + {} WHERE holder = {} RETURNING 1",
        ttl.as_millis(),
        literal(holder)
    )
}
