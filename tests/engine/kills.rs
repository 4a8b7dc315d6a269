//! SIGKILL at any moment, and the connection cut from the server's side: the next run converges.

use std::thread;

use super::case::Case;
use super::storm::{prepared, undisturbed};
use crate::harness::Server;
use crate::harness::soak::{Tally, times};

/// Spread over this many tests, because a lease must expire after each kill.
const TESTS: usize = 5;

/// Kills runs, each on a fresh database: at moments spread evenly over a run's whole length, or, where
/// there are many, at random ones.
fn killed(server: Server, share: usize) {
    let kills = times(if server == Server::Pgbouncer { 10 } else { 30 }, 300);
    let mut tally = Tally::of(format!("{server:?}: the run killed"));
    let whole = undisturbed(|| prepared(server.fresh_database()));
    for kill in (share..kills).step_by(TESTS) {
        let case = prepared(server.fresh_database());
        let moment = match kills {
            300.. => fastrand::f64(),
            _ => (kill as f64 + 0.5) / kills as f64,
        };
        let run = case.spawn();
        thread::sleep(whole.mul_f64(moment));
        let _ = run.kill();
        tally.blow();
        case.assert_converges(
            whole,
            &mut tally,
            &format!("kill {kill} at {moment:.3} of {whole:?}"),
        );
    }
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
kills!(
    postgres: Server::Postgres,
    pgbouncer: Server::Pgbouncer,
    mariadb: Server::Mariadb,
    sqlite: Server::Sqlite,
);

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
        Server::Postgres | Server::Pgbouncer => format!(
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
            Server::Postgres | Server::Pgbouncer => {
                admin.execute(&format!("SELECT pg_terminate_backend({id})"))
            }
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
fn pgbouncer_loses_the_servers_connection() {
    cut_off(Server::Pgbouncer, true);
    cut_off(Server::Pgbouncer, false);
}

#[test]
fn mariadb_cuts_the_connection() {
    cut_off(Server::Mariadb, true);
    cut_off(Server::Mariadb, false);
}
