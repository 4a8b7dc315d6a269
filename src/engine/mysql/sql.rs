//! Quoting, and the texts of the statements.

use std::time::Duration;

use crate::domain::{Migration, Speed};
use crate::engine::Target;
use crate::engine::history::{RECORD, UNIT};
use crate::engine::{Holder, lease};

/// The driver asks for IGNORE_SPACE, which makes reserved words of function names and so breaks a
/// table called `count`. Taken back, unless it is the server's own mode.
/// <https://dev.mysql.com/doc/refman/8.0/en/function-resolution.html>
pub(super) const PLAIN_MODE: &str = "SET SESSION sql_mode = IF(FIND_IN_SET('IGNORE_SPACE', @@GLOBAL.sql_mode), @@SESSION.sql_mode, \
TRIM(BOTH ',' FROM REPLACE(CONCAT(',', @@SESSION.sql_mode, ','), ',IGNORE_SPACE,', ',')))";

/// Two statements that open a transaction in which nothing can be written. The session too is made
/// read-only: on MariaDB, DDL ends the transaction and would then go through.
pub(super) const READ_ONLY: &str = "SET SESSION TRANSACTION READ ONLY;START TRANSACTION READ ONLY;";
/// Two statements that end it.
pub(super) const END_READ: &str = ";COMMIT;SET SESSION TRANSACTION READ WRITE";

/// [Schema Object Names](https://dev.mysql.com/doc/refman/8.0/en/identifiers.html): backticks are
/// identifiers in every `sql_mode`, and double themselves.
pub(super) fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A literal that means the same in every `sql_mode`: whether `\` escapes depends on
/// NO_BACKSLASH_ESCAPES, so all but plain ASCII goes as hexadecimal. With an introducer, not
/// `CONVERT`, it stays a literal to the
/// [rules of collation](https://dev.mysql.com/doc/refman/8.0/en/charset-collation-coercibility.html):
/// the column's collation decides.
pub(super) fn literal(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '\'' | '\\' | '"');
    if text.chars().all(plain) {
        format!("'{text}'")
    } else {
        format!("_utf8mb4 {}", hex(text.as_bytes()))
    }
}

/// `0x61c3bc`
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `'a','b'`
pub(super) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(literal).collect();
    items.join(",")
}

/// Our own limits for a session, in whole seconds as the server wants them. MariaDB limits any
/// [statement](https://mariadb.com/kb/en/aborting-statements/); MySQL's `max_execution_time` is for
/// SELECT alone, so there the statement timeout is the server's. `/*M! … */` is a comment to MySQL.
pub(super) fn limits(lock: Duration, statement: Option<Duration>) -> String {
    let seconds = (lock.as_secs_f64().ceil() as u64).clamp(1, 31_536_000);
    let statement = statement.map_or_else(String::new, |limit| {
        let limit = limit.as_secs_f64().clamp(0.001, 31_536_000.0);
        format!(" /*M!100100 , SESSION max_statement_time = {limit:.3} */")
    });
    format!(
        "SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}{statement}"
    )
}

/// What is there of the ledger: a row of (database, tables, lease without parts).
pub(super) fn probe_ledger(database: &str) -> String {
    let name = literal(database);
    format!(
        "SELECT (SELECT count(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {name}),
(SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {name}
    AND TABLE_NAME IN ('environment', 'lease', 'ledger', 'progress', 'rollout', 'uncompared')),
(SELECT count(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {name}
    AND TABLE_NAME = 'lease' AND COLUMN_NAME = 'singleton')"
    )
}

/// Times are UTC by the server's clock. Keys compare by their bytes, so that `Acme` is not `acme`.
pub(super) fn create_ledger(database: &str, database_exists: bool) -> String {
    let d = ident(database);
    let create = if database_exists {
        String::new()
    } else {
        format!("CREATE DATABASE IF NOT EXISTS {d} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;")
    };
    let kind = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    format!(
        "{create}
CREATE TABLE IF NOT EXISTS {d}.environment (
    singleton tinyint NOT NULL PRIMARY KEY,
    name varchar(64) NOT NULL,
    project varchar(1024) NOT NULL,
    run varchar(1024) NOT NULL,
    labelled_at datetime(6) NOT NULL) {kind};
CREATE TABLE IF NOT EXISTS {d}.lease (
    part varchar(16) NOT NULL PRIMARY KEY,
    holder varchar(255) NOT NULL,
    whence varchar(1024) NOT NULL,
    acquired_at datetime(6) NOT NULL,
    heartbeat_at datetime(6) NOT NULL,
    expires_at datetime(6) NOT NULL) {kind};
CREATE TABLE IF NOT EXISTS {d}.ledger (
    scope varchar(16) NOT NULL,
    tenant varchar(64) NOT NULL,
    version bigint NOT NULL,
    name varchar(255) NOT NULL,
    checksum varchar(100) NOT NULL,
    state varchar(16) NOT NULL,
    statement int NOT NULL DEFAULT 0,
    done varchar(100) NOT NULL,
    in_doubt tinyint NOT NULL DEFAULT 0,
    probe varchar(100) NOT NULL DEFAULT '',
    owner varchar(64) NOT NULL DEFAULT '',
    run varchar(1024) NOT NULL,
    applied_at datetime(6) NOT NULL,
    PRIMARY KEY (scope, tenant, version)) {kind};
CREATE TABLE IF NOT EXISTS {d}.progress (
    scope varchar(16) NOT NULL,
    tenant varchar(64) NOT NULL,
    version bigint NOT NULL,
    ranges bigint NOT NULL,
    changed bigint NOT NULL,
    about bigint NOT NULL,
    last_key longtext NULL,
    end_key longtext NULL,
    updated_at datetime(6) NOT NULL,
    PRIMARY KEY (scope, tenant, version)) {kind};
CREATE TABLE IF NOT EXISTS {d}.rollout (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    finished_at datetime(6) NOT NULL,
    run varchar(1024) NOT NULL,
    migrations bigint NOT NULL,
    took_ms bigint NOT NULL) {kind};
CREATE TABLE IF NOT EXISTS {} (
    mark varchar(64) NOT NULL PRIMARY KEY) {kind}",
        uncompared(database)
    )
}

/// What was changed, and not compared since: see `engine/uncompared.rs`.
pub(super) fn uncompared(database: &str) -> String {
    format!("{}.uncompared", ident(database))
}

/// Rows of (tenants, how many, history, how many): one row for each distinct history. Hashing first
/// keeps the work small, and only one history of each group is sent. The counts tell of a
/// `group_concat` that the server cut off.
pub(super) fn read_ledger(database: &str) -> String {
    let ledger = format!("{}.ledger", ident(database));
    let history = history();
    format!(
        "WITH each_tenant AS (
    SELECT scope, tenant, count(*) AS entries, sha2({history}, 256) AS digest
    FROM {ledger} GROUP BY scope, tenant),
alike AS (
    SELECT scope, digest, min(tenant) AS sample, max(entries) AS entries, count(*) AS tenants,
        group_concat(tenant SEPARATOR {record}) AS names
    FROM each_tenant GROUP BY scope, digest)
SELECT names, tenants, (
    SELECT {history} FROM {ledger} AS one WHERE one.scope = alike.scope AND one.tenant = alike.sample), entries
FROM alike",
        record = separator(RECORD)
    )
}

/// A row of (history, how many).
pub(super) fn read_history(database: &str, scope: &str, tenant: &str) -> String {
    format!(
        "SELECT coalesce({history}, ''), count(*) FROM {d}.ledger WHERE scope = {scope} AND tenant = {tenant}",
        history = history(),
        d = ident(database),
        scope = literal(scope),
        tenant = literal(tenant)
    )
}

fn history() -> String {
    format!(
        "group_concat(concat_ws(char({} USING utf8mb4), version, name, checksum, state, statement, done, in_doubt)
    ORDER BY version SEPARATOR {})",
        UNIT as u32,
        separator(RECORD)
    )
}

fn separator(character: char) -> String {
    format!("0x{:02x}", character as u32)
}

/// The values of a ledger row of a migration that is applied.
pub(super) fn applied_row(target: Target<'_>, migration: &Migration, run: &str) -> String {
    let done = migration.statements.len();
    format!(
        "({}, {}, {}, {}, {}, 'applied', {done}, {}, {}, UTC_TIMESTAMP(6))",
        literal(target.scope().as_str()),
        literal(target.ledger_name()),
        migration.version.0,
        literal(&migration.name),
        literal(&migration.checksum.0),
        literal(&migration.done_checksum(done).0),
        literal(run)
    )
}

/// A ledger from before there were shards: its one row was, and stays, the whole environment's. A run that
/// holds it cannot prolong it any more, and stops when it expires.
pub(super) fn widen_lease(database: &str) -> String {
    format!(
        "ALTER TABLE {}.lease ADD COLUMN part varchar(16) NOT NULL DEFAULT '' FIRST, DROP COLUMN singleton,
    DROP PRIMARY KEY, ADD PRIMARY KEY (part)",
        ident(database)
    )
}

/// See `engine/lease.rs`: each statement commits by itself. The last gives rows of (own, part, whence,
/// milliseconds left).
pub(super) fn take_lease(database: &str, holder: &Holder, ttl: Duration) -> String {
    let (d, us) = (ident(database), ttl.as_micros());
    let (part, id) = (literal(&lease::part(holder)), literal(&holder.id));
    let whence = literal(&holder.whence);
    let in_the_way = lease::in_the_way(holder.shard);
    let until = format!("UTC_TIMESTAMP(6) + INTERVAL {us} MICROSECOND");
    format!(
        "DELETE FROM {d}.lease WHERE expires_at <= UTC_TIMESTAMP(6) AND holder <> {id} AND {in_the_way};
INSERT INTO {d}.lease (part, holder, whence, acquired_at, heartbeat_at, expires_at)
VALUES ({part}, {id}, {whence}, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), {until})
ON DUPLICATE KEY UPDATE expires_at = IF(holder = {id}, {until}, expires_at);
SELECT holder = {id}, part, whence, greatest(0, timestampdiff(MICROSECOND, UTC_TIMESTAMP(6), expires_at) DIV 1000)
FROM {d}.lease WHERE holder = {id} OR {in_the_way}"
    )
}

/// By its key, so that no other row is locked.
pub(super) fn keep_rollout(database: &str, run: &str, speed: Speed) -> String {
    format!(
        "INSERT INTO {}.rollout (finished_at, run, migrations, took_ms) VALUES (UTC_TIMESTAMP(6), {}, {}, {})",
        ident(database),
        literal(run),
        speed.migrations,
        speed.took.as_millis()
    )
}

/// Rows of (migrations, milliseconds), the newest first.
pub(super) fn read_rollouts(database: &str, newest: usize) -> String {
    format!(
        "SELECT migrations, took_ms FROM {}.rollout ORDER BY finished_at DESC LIMIT {newest}",
        ident(database)
    )
}

pub(super) fn renew_lease(database: &str, holder: &Holder, ttl: Duration) -> String {
    format!(
        "UPDATE {}.lease SET heartbeat_at = UTC_TIMESTAMP(6),
    expires_at = UTC_TIMESTAMP(6) + INTERVAL {} MICROSECOND WHERE part = {} AND holder = {}",
        ident(database),
        ttl.as_micros(),
        literal(&lease::part(holder)),
        literal(&holder.id)
    )
}

pub(super) fn release_lease(database: &str, holder: &Holder) -> String {
    format!(
        "DELETE FROM {}.lease WHERE part = {} AND holder = {}",
        ident(database),
        literal(&lease::part(holder)),
        literal(&holder.id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_break_out() {
        assert_eq!(ident("a`; drop database b; --"), "`a``; drop database b; --`");
        assert_eq!(literal("plain-1"), "'plain-1'");
        assert_eq!(literal("it's"), "_utf8mb4 0x69742773");
        assert_eq!(literal("\\"), "_utf8mb4 0x5c");
        assert_eq!(literal("ü"), "_utf8mb4 0xc3bc");
        assert_eq!(literal(""), "''");
    }

    #[test]
    fn limits_are_whole_seconds_and_at_least_one() {
        let text = limits(Duration::from_millis(1500), Some(Duration::from_millis(2500)));
        assert!(text.contains("innodb_lock_wait_timeout = 2"), "{text}");
        assert!(text.contains("max_statement_time = 2.500"), "{text}");
        assert!(limits(Duration::ZERO, None).ends_with("= 1"));
    }
}
