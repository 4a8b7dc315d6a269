//! `CREATE INDEX CONCURRENTLY` and its like on many tenants at once, next to an application.

use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::Server;

const NO_TRANSACTION: &str = "-- tenantgate: no-transaction\n";

/// So many tenants with some rows each, and so many of them at a time.
fn prepared(server: Server, tenants: usize, concurrency: usize) -> Case {
    let case = Case::new(server, tenants);
    let config = case.project.read("tenantgate.toml");
    let config = config.replace("concurrency = 4", &format!("concurrency = {concurrency}"));
    let config = config.replace("lease_ttl = \"1s\"", "lease_ttl = \"10s\"");
    case.project.write("tenantgate.toml", &config);
    case.tenant(
        4,
        "things",
        "CREATE TYPE mood AS ENUM ('good');
CREATE TABLE things (id int PRIMARY KEY, label text, active boolean, at date NOT NULL DEFAULT '2024-05-01');
INSERT INTO things SELECT x, 'label ' || x, x % 2 = 0 FROM generate_series(1, 200) AS x;
CREATE INDEX things_old ON things (at);
CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');",
    );
    case.run().assert_code(0);
    case
}

/// Everything that works concurrently, and needs to wait for others' transactions.
const KINDS: [(&str, &str); 8] = [
    (
        "plain",
        "CREATE INDEX CONCURRENTLY things_plain ON things (label);",
    ),
    (
        "unique",
        "CREATE UNIQUE INDEX CONCURRENTLY things_unique ON things (label);",
    ),
    (
        "partial",
        "CREATE INDEX CONCURRENTLY things_partial ON things (label) WHERE active;",
    ),
    (
        "expression",
        "CREATE INDEX CONCURRENTLY things_lower ON things (lower(label));",
    ),
    ("reindex", "REINDEX TABLE CONCURRENTLY things;"),
    ("drop", "DROP INDEX CONCURRENTLY things_old;"),
    (
        "detach",
        "ALTER TABLE events DETACH PARTITION events_2023 CONCURRENTLY;",
    ),
    ("value", "ALTER TYPE mood ADD VALUE 'bad';"),
];

fn invalid(case: &Case) -> Vec<String> {
    case.db.query_column(
        "SELECT n.nspname || '.' || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid ORDER BY 1",
    )
}

/// Sessions of an application that hold transactions open for a while, in which they wrote.
fn application(case: &Case, sessions: usize, held: Duration, until: Instant) -> Vec<thread::JoinHandle<()>> {
    (0..sessions)
        .map(|number| {
            let mut session = case.db.session();
            let tenants = case.tenants.clone();
            thread::spawn(move || {
                let mut at = number;
                while Instant::now() < until {
                    let tenant = &tenants[at % tenants.len()];
                    session.execute(&format!(
                        "BEGIN; UPDATE {tenant}.things SET active = NOT active WHERE id = {at} % 200 + 1"
                    ));
                    thread::sleep(held);
                    session.execute("COMMIT");
                    at += 7;
                }
            })
        })
        .collect()
}

/// PostgreSQL 13 cannot detach a partition concurrently.
fn detaches(case: &Case) -> bool {
    case.db
        .query_value("SELECT current_setting('server_version_num')::int >= 140000")
        == "t"
}

/// Eight at a time on forty tenants, all kinds one after the other, while an application writes.
fn everything_on_forty_tenants(server: Server) {
    let case = prepared(server, 40, 8);
    let until = Instant::now() + Duration::from_secs(8);
    let application = application(&case, 3, Duration::from_millis(150), until);
    for (version, (name, sql)) in (5..).zip(KINDS) {
        if name == "detach" && !detaches(&case) {
            continue;
        }
        case.project.tenant(
            &format!("{version:04}_{name}.sql"),
            &format!("{NO_TRANSACTION}{sql}\n"),
        );
    }
    let run = case.run();
    run.assert_code(0);
    for session in application {
        session.join().unwrap();
    }
    assert_eq!(run.report()["tenants"]["migrated"], 40);
    assert_eq!(invalid(&case), [""; 0]);
    let built = case.db.query_value(
        "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relname IN ('things_plain', 'things_unique', 'things_partial', 'things_lower')",
    );
    assert_eq!(built, "160");
    assert_eq!(case.run().report()["tenants"]["up_to_date"], 40);
}

#[test]
fn everything_concurrent_on_forty_tenants() {
    everything_on_forty_tenants(Server::Postgres);
}

#[test]
fn everything_concurrent_on_forty_tenants_past_a_pooler() {
    everything_on_forty_tenants(Server::Pgbouncer);
}

/// A build that an application's open transaction holds up.
fn build_held_up(case: &Case, file: &str, sql: &str, waits: &str) {
    let mut application = case.db.session();
    application
        .execute("BEGIN; UPDATE t01.things SET active = true WHERE id = 1; SELECT count(*) FROM t01.events");
    case.project.tenant(file, &format!("{NO_TRANSACTION}{sql}\n"));
    let mut run = case.spawn();
    let admin = case.db.admin();
    run.wait_until("the build waits for the application", || {
        let waiting = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '{waits}%' AND datname = current_database()"
        );
        admin.query_value(&waiting) != "0"
    });
    let _ = run.kill();
    application.execute("COMMIT");
}

#[test]
fn a_build_that_was_killed_is_begun_anew() {
    let case = prepared(Server::Postgres, 2, 2);
    build_held_up(
        &case,
        "0005_index.sql",
        "CREATE UNIQUE INDEX CONCURRENTLY things_unique ON things (label);",
        "CREATE UNIQUE",
    );
    case.run().assert_code(0);
    assert_eq!(invalid(&case), [""; 0]);
    assert_eq!(
        case.db
            .query_value("SELECT count(*) FROM pg_indexes WHERE indexname = 'things_unique'"),
        "2"
    );
}

#[test]
fn copies_of_a_killed_reindex_are_dropped() {
    let case = prepared(Server::Postgres, 2, 2);
    build_held_up(
        &case,
        "0005_reindex.sql",
        "REINDEX TABLE CONCURRENTLY things;",
        "REINDEX",
    );
    case.run().assert_code(0);
    assert_eq!(invalid(&case), [""; 0]);
    let copies = "SELECT count(*) FROM pg_class WHERE relname ~ '_cc(new|old)' AND relkind = 'i'";
    assert_eq!(case.db.query_value(copies), "0");
}

#[test]
fn a_partition_that_is_half_detached_is_detached() {
    let case = prepared(Server::Postgres, 2, 2);
    if !detaches(&case) {
        return;
    }
    build_held_up(
        &case,
        "0005_detach.sql",
        "ALTER TABLE events DETACH PARTITION events_2023 CONCURRENTLY;",
        "ALTER TABLE events",
    );
    case.run().assert_code(0);
    let attached = "SELECT count(*) FROM pg_inherits WHERE inhrelid::regclass::text LIKE '%events_2023'";
    assert_eq!(case.db.query_value(attached), "0");
}

/// PostgreSQL takes a wait for other transactions for one for a lock; the role has a limit of its own.
#[test]
fn a_build_that_waited_too_long_is_tried_again() {
    let case = prepared(Server::Postgres, 2, 2);
    let role = case.db.query_value("SELECT current_user");
    case.db
        .admin()
        .execute(&format!("ALTER ROLE {role} SET lock_timeout = '300ms'"));
    let mut application = case.db.session();
    application.execute("BEGIN; UPDATE t01.things SET active = true WHERE id = 1");
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(1200));
        application.execute("COMMIT");
    });
    case.project.tenant(
        "0005_index.sql",
        &format!("{NO_TRANSACTION}CREATE INDEX CONCURRENTLY things_lower ON things (lower(label));\n"),
    );
    let run = case.run();
    release.join().unwrap();
    run.assert_code(0);
    let outcomes = run.report()["outcomes"].as_array().unwrap().clone();
    let held = outcomes.iter().find(|it| it["tenant"] == "t01").unwrap();
    assert!(held["retries"].as_u64().unwrap() >= 1, "{held}");
    assert_eq!(invalid(&case), [""; 0]);
}

/// Of an earlier tool: `IF NOT EXISTS` would take it for done.
#[test]
fn an_invalid_index_of_the_same_name_is_built_anew() {
    let case = prepared(Server::Postgres, 1, 1);
    let admin = case.db.admin();
    case.db.execute("CREATE INDEX things_plain ON t01.things (label)");
    admin.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't01.things_plain'::regclass");
    let plan = case.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(plan.checks_that("warned"), ["schema.invalid-indexes"]);
    assert!(
        plan.stdout.contains("the index things_plain is invalid") && plan.stdout.contains("t01.things"),
        "{}",
        plan.stdout
    );
    let validate = case.project.tenantgate(&["validate"]);
    validate.assert_code(1);
    assert_eq!(
        validate.checks_that("failed"),
        ["schema.invalid-indexes", "drift.tenant"]
    );
    case.project.tenant(
        "0005_index.sql",
        &format!("{NO_TRANSACTION}CREATE INDEX CONCURRENTLY IF NOT EXISTS things_plain ON things (label);\n"),
    );
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("schema.invalid-indexes")["status"], "passed");
    assert_eq!(invalid(&case), [""; 0]);
}

/// What the server refused is not taken for done by the next run, though there is no such index.
#[test]
fn a_refused_drop_stays_refused() {
    let case = prepared(Server::Postgres, 1, 1);
    case.project.tenant(
        "0005_drop.sql",
        &format!("{NO_TRANSACTION}DROP INDEX CONCURRENTLY things_mistyped;\n"),
    );
    for _ in 0..2 {
        let run = case.run();
        run.assert_code(1);
        assert!(run.stdout.contains("does not exist"), "{}", run.stdout);
    }
}
