//! SIGKILL at any moment, and the connection cut from the server's side: the next run converges.

use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::Server;

/// Kills of each engine; spread over this many tests, because a lease must expire after each.
const KILLS: usize = 30;
const TESTS: usize = 5;
const TENANTS: usize = 20;

/// Kills runs at moments spread evenly over a run's whole length, each on a fresh database.
fn killed(server: Server, share: usize) {
    // How long an undisturbed run takes here and now.
    let begun = Instant::now();
    prepared(server).run().assert_code(0);
    let whole = begun.elapsed();
    for kill in (share..KILLS).step_by(TESTS) {
        let case = prepared(server);
        let moment = whole.mul_f64((kill as f64 + 0.5) / KILLS as f64);
        let run = case.spawn();
        thread::sleep(moment);
        let _ = run.kill();
        let begun = Instant::now();
        let rerun = case.run();
        rerun.assert_code(0);
        let took = begun.elapsed();
        // Its expiry is a second away at most; the rest is the work itself, on a busy machine.
        assert!(
            took < whole * 3 + Duration::from_secs(8),
            "{server:?} {kill}: {took:?}"
        );
        case.assert_all_at_head(&HEAD);
        case.assert_no_lease_is_stuck();
        assert_eq!(
            case.db.query_value("SELECT count(*) FROM tenants"),
            TENANTS.to_string()
        );
    }
}

const HEAD: [&str; 5] = [
    "0001_ran",
    "0002_items",
    "0003_items_total",
    "0004_wide",
    "0005_rows",
];

fn prepared(server: Server) -> Case {
    let case = Case::new(server, TENANTS);
    case.tenant(4, "wide", "CREATE TABLE wide (a INT, b INT);\nALTER TABLE wide ADD COLUMN c INT;\nCREATE INDEX wide_c ON wide (c);");
    case.tenant(
        5,
        "rows",
        "INSERT INTO wide VALUES (1, 2, 3);\nUPDATE wide SET c = c + 1;\nALTER TABLE wide ADD COLUMN d INT;",
    );
    case
}

macro_rules! kills {
    ($($name:ident: $server:expr),+ $(,)?) => {$(
        mod $name {
            use crate::harness::Server;

            #[test]
            fn kills_1() { super::killed($server, 0); }
            #[test]
            fn kills_2() { super::killed($server, 1); }
            #[test]
            fn kills_3() { super::killed($server, 2); }
            #[test]
            fn kills_4() { super::killed($server, 3); }
            #[test]
            fn kills_5() { super::killed($server, 4); }
        }
    )+};
}
kills!(postgres: Server::Postgres, mariadb: Server::Mariadb, sqlite: Server::Sqlite);

/// The server ends the connection in the middle of a migration.
fn cut_off(server: Server, again: bool) {
    let case = Case::new(server, 3);
    if !again {
        let config = case.project.read("tenantgate.toml");
        let once = config.replace("[rollout]\n", "[rollout]\nconnection_retries = 0\n");
        case.project.write("tenantgate.toml", &once);
    }
    case.tenant(4, "slow", &case.slow(3.0));
    let mut run = case.spawn();
    let admin = case.db.admin();
    let sleeping = match server {
        Server::Postgres => format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{}' AND state = 'active' AND query LIKE '%pg_sleep(3)%' AND pid <> pg_backend_pid()",
            case.db.query_value("SELECT current_database()")
        ),
        _ => format!(
            "SELECT id FROM information_schema.processlist WHERE info LIKE '%DO SLEEP(3)%' AND db LIKE '{}%' AND id <> connection_id()",
            case.db.name()
        ),
    };
    let mut found = Vec::new();
    run.wait_until("a migration sleeps on the server", || {
        found = admin.query_column(&sleeping);
        !found.is_empty()
    });
    for id in &found {
        match server {
            Server::Postgres => admin.execute(&format!("SELECT pg_terminate_backend({id})")),
            _ => admin.execute(&format!("KILL {id}")),
        }
    }
    let run = run.wait();
    if !again {
        run.assert_code(3);
        let findings = run.check("rollout.tenants")["findings"]
            .as_array()
            .unwrap()
            .clone();
        assert!(
            findings
                .iter()
                .any(|it| it["operational"] == true && it["file"].is_string()),
            "{findings:?}"
        );
        case.run().assert_code(0);
    } else {
        // It reconnects, finds out how far it came, and says that it tried more than once.
        run.assert_code(0);
        let outcomes = run.report()["outcomes"].as_array().unwrap().clone();
        assert!(
            outcomes.iter().any(|it| it["retries"].as_u64() > Some(0)),
            "{outcomes:?}"
        );
    }
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
}

#[test]
fn postgres_cuts_the_connection() {
    cut_off(Server::Postgres, true);
    cut_off(Server::Postgres, false);
}

#[test]
fn mariadb_cuts_the_connection() {
    cut_off(Server::Mariadb, true);
    cut_off(Server::Mariadb, false);
}
