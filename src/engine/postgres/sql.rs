//! Quoting, and the texts of the statements.

use std::time::Duration;

use crate::domain::Speed;
use crate::engine::history::{RECORD, UNIT};
use crate::engine::{Holder, lease};

/// PostgreSQL, "Lexical Structure": a quoted identifier doubles its quotes.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A literal that means the same whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''").replace('\0', "");
    if quoted.contains('\\') {
        format!("E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// `ARRAY['a','b']::text[]`
pub(super) fn array<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(literal).collect();
    format!("ARRAY[{}]::text[]", items.join(","))
}

/// How long the server waits for our next message: of a machine that was unplugged nothing tells it, and
/// the next run would wait for a transaction that nobody ends.
const SILENCE: Duration = Duration::from_secs(10);

/// `SET LOCAL lock_timeout = …; …`: our own limits for the transaction.
pub(super) fn limits(lock: Duration, statement: Option<Duration>) -> String {
    format!(
        "SET LOCAL idle_in_transaction_session_timeout = {};{}",
        SILENCE.as_millis(),
        lock_limits(lock, statement)
    )
}

/// Those of them that hold while a message is carried out.
pub(super) fn lock_limits(lock: Duration, statement: Option<Duration>) -> String {
    let statement = statement.map_or_else(String::new, |limit| {
        format!("SET LOCAL statement_timeout = {};", limit.as_millis().max(1))
    });
    format!("SET LOCAL lock_timeout = {};{statement}", lock.as_millis().max(1))
}

/// The same for what runs outside a transaction.
pub(super) fn session_limit(lock: Duration) -> String {
    format!("SET lock_timeout = {}", lock.as_millis().max(1))
}

/// Fails where a schema is gone or closed to this role: PostgreSQL skips such a schema in
/// `search_path` without a word, and what is made, or read, would be the shared one's.
/// (`to_regclass` gives NULL for a missing table, but demands the privilege for its schema.)
pub(super) fn usable(schema: &str) -> String {
    let schema = ident(schema);
    format!(
        "SELECT {}::regnamespace, to_regclass({});",
        literal(&schema),
        literal(&format!("{schema}.tenantgate"))
    )
}

/// The same for several schemas.
pub(super) fn all_usable<'a>(schemas: impl Iterator<Item = &'a str>) -> String {
    let schemas: Vec<String> = schemas.map(ident).collect();
    format!(
        "SELECT one::regnamespace, to_regclass(one || '.tenantgate') FROM unnest({}) AS one;",
        array(schemas.iter().map(String::as_str))
    )
}

/// A row of (schema, ledger, lease with parts): which of them are there.
pub(super) fn probe_ledger(schema: &str) -> String {
    let table = |name: &str| literal(&format!("{}.{name}", ident(schema)));
    format!(
        "SELECT to_regnamespace({}) IS NOT NULL, to_regclass({}) IS NOT NULL, EXISTS (
    SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass({}) AND attname = 'part'),
    to_regclass({}) IS NOT NULL, to_regclass({}) IS NOT NULL, to_regclass({}) IS NOT NULL",
        literal(&ident(schema)),
        table("ledger"),
        table("lease"),
        table("progress"),
        table("rollout"),
        table("uncompared")
    )
}

/// What [`probe_ledger`] did not find, or found in the form of an earlier version; empty: nothing. Each part
/// is made only where it is missing: `CREATE … IF NOT EXISTS` would demand the privilege even when there is
/// nothing to create.
pub(super) fn missing(schema: &str, exists: bool, ledger: bool, later: [bool; 4]) -> String {
    if !ledger {
        return create_ledger(schema, exists);
    }
    let parts: [fn(&str) -> String; 4] = [widen_lease, create_progress, create_rollout, create_uncompared];
    let missing = parts.iter().zip(later).filter(|(_, there)| !there);
    missing.map(|(create, _)| create(schema)).collect()
}

/// What was changed, and not compared since: see `engine/uncompared.rs`.
fn create_uncompared(schema: &str) -> String {
    format!("CREATE TABLE {} (mark text PRIMARY KEY);", uncompared(schema))
}

pub(super) fn uncompared(schema: &str) -> String {
    format!("{}.uncompared", ident(schema))
}

/// How fast rollouts were.
fn create_rollout(schema: &str) -> String {
    format!(
        "CREATE TABLE {}.rollout (
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    run text NOT NULL,
    migrations bigint NOT NULL,
    took_ms bigint NOT NULL);",
        ident(schema)
    )
}

pub(super) fn keep_rollout(schema: &str, run: &str, speed: Speed) -> String {
    format!(
        "INSERT INTO {}.rollout (run, migrations, took_ms) VALUES ({}, {}, {})",
        ident(schema),
        literal(run),
        speed.migrations,
        speed.took.as_millis()
    )
}

/// Rows of (migrations, milliseconds), the newest first.
pub(super) fn read_rollouts(schema: &str, newest: usize) -> String {
    format!(
        "SELECT migrations, took_ms FROM {}.rollout ORDER BY finished_at DESC LIMIT {newest}",
        ident(schema)
    )
}

/// The tables of the ledger, each made only where it is missing: `CREATE … IF NOT EXISTS` would
/// demand the privilege even when there is nothing to create.
fn create_ledger(schema: &str, schema_exists: bool) -> String {
    let create = if schema_exists {
        String::new()
    } else {
        format!("CREATE SCHEMA {};", ident(schema))
    };
    let s = ident(schema);
    format!(
        "{create}
CREATE TABLE {s}.environment (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    name text NOT NULL,
    project text NOT NULL,
    run text NOT NULL,
    labelled_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE {s}.lease (
    part text PRIMARY KEY,
    holder text NOT NULL,
    whence text NOT NULL,
    acquired_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL);
CREATE TABLE {s}.ledger (
    scope text NOT NULL,
    tenant text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    state text NOT NULL CHECK (state IN ('applied', 'running', 'reverting')),
    statement integer NOT NULL DEFAULT 0,
    done text NOT NULL DEFAULT '',
    in_doubt boolean NOT NULL DEFAULT false,
    backend text NOT NULL DEFAULT '',
    run text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, tenant, version));
{progress}{rollout}{uncompared}",
        progress = create_progress(schema),
        rollout = create_rollout(schema),
        uncompared = create_uncompared(schema)
    )
}

/// How far batches are that are half done.
fn create_progress(schema: &str) -> String {
    format!(
        "CREATE TABLE {}.progress (
    scope text NOT NULL,
    tenant text NOT NULL,
    version bigint NOT NULL,
    ranges bigint NOT NULL,
    changed bigint NOT NULL,
    about bigint NOT NULL,
    last_key text,
    end_key text,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (scope, tenant, version));",
        ident(schema)
    )
}

/// Rows of (tenants, history): one row for each distinct history, of which only one is sent. Histories
/// are told apart by what [`content_hashes`] says of their rows.
pub(super) fn read_ledger(schema: &str, seeds: [u64; 2]) -> String {
    let ledger = format!("{}.ledger", ident(schema));
    format!(
        "{NO_SORT};
WITH histories AS ({}),
{}",
        content_hashes(&ledger, seeds),
        one_of_each(&ledger, "entries, one, two")
    )
}

/// Without statistics the planner sorts half a million texts on disk rather than keep some sums for each
/// tenant. For the transaction, and only where there are such settings.
const NO_SORT: &str =
    "SELECT set_config(name, 'off', true) FROM pg_catalog.pg_settings WHERE name IN ('enable_sort', 'jit')";

/// Two sums of 64-bit hashes over each tenant's rows, under seeds that nobody can know beforehand. A sum
/// needs no order, so half a million rows are read as they lie and in little memory. What says nothing of
/// an applied migration is left out. `OFFSET 0` has each text made once for both.
fn content_hashes(ledger: &str, [one, two]: [u64; 2]) -> String {
    let unit = format!("chr({})", UNIT as u32);
    format!(
        "
    SELECT scope, tenant, count(*) AS entries, sum(hashtextextended(content, {one})) AS one,
        sum(hashtextextended(content, {two})) AS two
    FROM (SELECT scope, tenant, version || {unit} || name || {unit} || checksum || {unit}
            || CASE state WHEN 'applied' THEN '' ELSE concat_ws({unit}, state, statement, done, in_doubt) END AS content
        FROM {ledger} OFFSET 0) AS entry
    GROUP BY scope, tenant"
    )
}

/// The same for a server of this wire that lacks those hashes: one text per tenant, in order.
pub(super) fn read_ledger_in_order(schema: &str) -> String {
    let ledger = format!("{}.ledger", ident(schema));
    format!(
        "WITH histories AS (
    SELECT scope, tenant, md5(string_agg({row}, chr({record}) ORDER BY version)) AS digest
    FROM {ledger} GROUP BY scope, tenant),
{}",
        one_of_each(&ledger, "digest"),
        row = history_row(),
        record = RECORD as u32
    )
}

/// The rest of the query over `histories`, of which those that are alike in these columns are one.
fn one_of_each(ledger: &str, columns: &str) -> String {
    format!(
        "groups AS (
    SELECT scope, {columns}, min(tenant) AS first, string_agg(tenant, chr({record})) AS tenants
    FROM histories GROUP BY scope, {columns})
SELECT tenants, (
    SELECT string_agg({row}, chr({record}) ORDER BY version) FROM {ledger} AS one
    WHERE one.scope = groups.scope AND one.tenant = groups.first)
FROM groups",
        row = history_row(),
        record = RECORD as u32
    )
}

pub(super) fn read_history(schema: &str, scope: &str, tenant: &str) -> String {
    format!(
        "SELECT coalesce(string_agg({row}, chr({record}) ORDER BY version), '') FROM {s}.ledger
WHERE scope = {scope} AND tenant = {tenant}",
        row = history_row(),
        record = RECORD as u32,
        s = ident(schema),
        scope = literal(scope),
        tenant = literal(tenant)
    )
}

fn history_row() -> String {
    format!(
        "concat_ws(chr({}), version, name, checksum, state, statement, done, in_doubt)",
        UNIT as u32
    )
}

/// A ledger from before there were shards: its one row was, and stays, the whole environment's. A run that
/// holds it goes on, since it knows its row by the holder.
fn widen_lease(schema: &str) -> String {
    format!(
        "ALTER TABLE {}.lease ADD COLUMN part text NOT NULL DEFAULT '', DROP COLUMN singleton, ADD PRIMARY KEY (part);",
        ident(schema)
    )
}

/// See `engine/lease.rs`. Without transactions of their own the three would be one. The last gives rows of
/// (own, part, whence, milliseconds left).
pub(super) fn take_lease(schema: &str, holder: &Holder, ttl: Duration) -> String {
    let (s, ms) = (ident(schema), ttl.as_millis());
    let in_the_way = lease::in_the_way(holder.shard);
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED;
DELETE FROM {s}.lease WHERE expires_at <= clock_timestamp() AND holder <> {id} AND {in_the_way};
COMMIT;BEGIN ISOLATION LEVEL READ COMMITTED;
INSERT INTO {s}.lease AS mine (part, holder, whence, acquired_at, heartbeat_at, expires_at)
VALUES ({part}, {id}, {whence}, clock_timestamp(), clock_timestamp(), clock_timestamp() + interval '{ms} milliseconds')
ON CONFLICT (part) DO UPDATE SET heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
WHERE mine.holder = excluded.holder;
COMMIT;
SELECT holder = {id}, part, whence, greatest(0, ceil(extract(epoch FROM expires_at - clock_timestamp()) * 1000))::bigint
FROM {s}.lease WHERE holder = {id} OR {in_the_way}",
        part = literal(&lease::part(holder)),
        id = literal(&holder.id),
        whence = literal(&holder.whence)
    )
}

pub(super) fn renew_lease(schema: &str, holder: &str, ttl: Duration) -> String {
    format!(
        "UPDATE {}.lease SET heartbeat_at = clock_timestamp(),
    expires_at = clock_timestamp() + interval '{} milliseconds' WHERE holder = {} RETURNING 1",
        ident(schema),
        ttl.as_millis(),
        literal(holder)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_break_out() {
        assert_eq!(
            ident("a\"; drop schema public; --"),
            "\"a\"\"; drop schema public; --\""
        );
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"\'; drop"), r"E'\\''; drop'");
    }
}
