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

/// Eight at a time on forty tenants, all kinds one after the other, while an application writes.
fn everything_on_forty_tenants(server: Server) {
    let case = prepared(server, 40, 8);
    let until = Instant::now() + Duration::from_secs(8);
    let application = application(&case, 3, Duration::from_millis(150), until);
    for (version, (name, sql)) in (5..).zip(KINDS) {
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

#[test]
#[ignore = "a measurement"]
fn measure() {
    for held in [0, 300] {
        for (name, sql) in KINDS {
            let mut line = format!("held {held} ms, {name}:");
            for concurrency in [1, 2, 4, 8] {
                let case = prepared(Server::Postgres, 40, concurrency);
                case.project
                    .tenant("0005_it.sql", &format!("{NO_TRANSACTION}{sql}\n"));
                let until = Instant::now() + Duration::from_secs(if held > 0 { 4 } else { 0 });
                let application = application(&case, 2, Duration::from_millis(held), until);
                let begun = Instant::now();
                let run = case.run();
                let took = begun.elapsed();
                let retries: u64 = run.report()["outcomes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|it| it["retries"].as_u64().unwrap_or(0))
                    .sum();
                line.push_str(&format!(
                    " {concurrency}: {:.2} s exit {:?} retries {retries};",
                    took.as_secs_f64(),
                    run.code
                ));
                for session in application {
                    session.join().unwrap();
                }
            }
            println!("{line}");
        }
    }
}
