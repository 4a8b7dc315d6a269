//! Quoting, and the texts of the statements.

use std::time::Duration;

use crate::engine::history::{RECORD, UNIT};

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
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    holder TEXT NOT NULL,
    whence TEXT NOT NULL,
    acquired_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL);";

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

/// One row where the lease was taken.
pub(super) fn take_lease(holder: &str, whence: &str, ttl: Duration) -> String {
    format!(
        "INSERT INTO tenantgate_lease (singleton, holder, whence, acquired_at, heartbeat_at, expires_at)
VALUES (1, {}, {}, {NOW}, {NOW}, {NOW} + {})
ON CONFLICT (singleton) DO UPDATE SET holder = excluded.holder, whence = excluded.whence,
    acquired_at = excluded.acquired_at, heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
WHERE expires_at <= {NOW} OR holder = excluded.holder
RETURNING 1",
        literal(holder),
        literal(whence),
        ttl.as_millis()
    )
}

pub(super) fn renew_lease(holder: &str, ttl: Duration) -> String {
    format!(
        "UPDATE tenantgate_lease SET heartbeat_at = {NOW}, expires_at = {NOW} + {} WHERE holder = {} RETURNING 1",
        ttl.as_millis(),
        literal(holder)
    )
}
