//! What servers are spared: connections and statements.

use std::thread;
use std::time::Duration;

use crate::harness::{Database, Server};

use super::fleet::Fleet;

/// Asked from elsewhere, so that asking is not counted.
fn of_database(column: &str, name: &str) -> u64 {
    let admin = Database::at(std::env::var("TENANTGATE_TEST_POSTGRES").unwrap());
    let sql = format!("SELECT {column} FROM pg_stat_database WHERE datname = '{name}'");
    admin.query_value(&sql).parse().unwrap()
}

/// Transactions that a run made on each server; each message to a server is one.
fn transactions(fleet: &Fleet, command: &str) -> Vec<u64> {
    let count = || {
        // Backends tell the statistics when they end.
        thread::sleep(Duration::from_millis(1500));
        fleet
            .databases()
            .map(|it| of_database("xact_commit + xact_rollback", it.name()))
            .to_vec()
    };
    let before = count();
    fleet.tenantgate(&[command]).assert_code(0);
    let after = count();
    after
        .iter()
        .zip(before)
        .map(|(after, before)| after - before)
        .collect()
}

#[test]
fn a_no_op_asks_each_server_the_same_however_many_tenants_it_has() {
    let asked = |number: usize| {
        let names: Vec<(String, &str)> = (0..number)
            .map(|n| (format!("t{n:03}"), ["", "eu", "us"][n % 3]))
            .collect();
        let names: Vec<(&str, &str)> = names.iter().map(|(name, on)| (name.as_str(), *on)).collect();
        let fleet = Fleet::with_tenants(Server::Postgres, &names);
        fleet.tenantgate(&["run"]).assert_code(0);
        transactions(&fleet, "migrate")
    };
    let (few, many) = (asked(3), asked(120));
    assert_eq!(few, many);
    assert!(few.iter().all(|it| (1..=12).contains(it)), "{few:?}");
}

#[test]
fn a_server_has_no_more_connections_than_its_concurrency_allows() {
    let names: Vec<(String, &str)> = (0..40)
        .map(|n| (format!("t{n:02}"), ["eu", "us"][usize::from(n % 5 == 0)]))
        .collect();
    let names: Vec<(&str, &str)> = names.iter().map(|(name, on)| (name.as_str(), *on)).collect();
    let mut fleet = Fleet::with_tenants(Server::Postgres, &names);
    fleet.replace(
        "tenantgate.toml",
        "{ENV}_EU_URL\"\n",
        "{ENV}_EU_URL\"\nconcurrency = 3\n",
    );
    fleet.timeout(Duration::from_secs(60));
    fleet.tenant(
        "0002_total.sql",
        "ALTER TABLE orders ADD COLUMN total int;\nSELECT pg_sleep(0.15);\n",
    );
    let mut run = fleet.spawn(&["run"]);
    let mut most = [0, 0];
    while run.is_running() {
        for (most, database) in most.iter_mut().zip([&fleet.eu, &fleet.us]) {
            *most = of_database("numbackends", database.name()).max(*most);
        }
        thread::sleep(Duration::from_millis(10));
    }
    run.wait().assert_code(0);
    // One more than tenants at a time: the connection that reads the ledger.
    assert_eq!(most, [4, 3]);
}
