//! Quoting, and the texts of the statements.

use std::time::Duration;

use crate::engine::history::{RECORD, UNIT};

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
    let statement = statement.map_or_else(String::new, |limit| {
        format!("SET LOCAL statement_timeout = {};", limit.as_millis().max(1))
    });
    format!(
        "SET LOCAL idle_in_transaction_session_timeout = {};SET LOCAL lock_timeout = {};{statement}",
        SILENCE.as_millis(),
        lock.as_millis().max(1)
    )
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

/// The tables of the ledger, each made only where it is missing: `CREATE … IF NOT EXISTS` would
/// demand the privilege even when there is nothing to create.
pub(super) fn create_ledger(schema: &str, schema_exists: bool) -> String {
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
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
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
{progress}",
        progress = create_progress(schema)
    )
}

/// How far batches are that are half done.
pub(super) fn create_progress(schema: &str) -> String {
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

/// Rows of (tenants, history): one row for each distinct history. Hashing first keeps the work to
/// one sort, and only one history of each group is sent.
pub(super) fn read_ledger(schema: &str) -> String {
    let ledger = format!("{}.ledger", ident(schema));
    let row = history_row();
    format!(
        "WITH histories AS (
    SELECT scope, tenant, md5(string_agg({row}, chr({record}) ORDER BY version)) AS digest
    FROM {ledger} GROUP BY scope, tenant),
groups AS (
    SELECT scope, digest, min(tenant) AS first, string_agg(tenant, chr({record})) AS tenants
    FROM histories GROUP BY scope, digest)
SELECT tenants, (
    SELECT string_agg({row}, chr({record}) ORDER BY version) FROM {ledger} AS one
    WHERE one.scope = groups.scope AND one.tenant = groups.first)
FROM groups",
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

/// One row (`1`) where the lease was taken.
pub(super) fn take_lease(schema: &str, holder: &str, whence: &str, ttl: Duration) -> String {
    let (s, ms) = (ident(schema), ttl.as_millis());
    format!(
        "INSERT INTO {s}.lease AS mine (holder, whence, acquired_at, heartbeat_at, expires_at)
VALUES ({holder}, {whence}, clock_timestamp(), clock_timestamp(), clock_timestamp() + interval '{ms} milliseconds')
ON CONFLICT (singleton) DO UPDATE SET holder = excluded.holder, whence = excluded.whence,
    acquired_at = excluded.acquired_at, heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at
WHERE mine.expires_at <= clock_timestamp() OR mine.holder = excluded.holder
RETURNING 1",
        holder = literal(holder),
        whence = literal(whence)
    )
}

pub(super) fn read_lease(schema: &str) -> String {
    format!(
        "SELECT whence, ceil(extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint FROM {}.lease",
        ident(schema)
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
