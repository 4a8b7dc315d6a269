//! Shared then tenants, exactly once, from nothing, at once, cut off.

use std::thread;
use std::time::Duration;

use super::case::{CREATE_RAN, Case, on_all_servers, on_postgres};
use crate::harness::Server;

const HEAD: [&str; 3] = ["0001_ran", "0002_items", "0003_items_total"];

on_all_servers!(
    a_first_run_makes_everything,
    a_rerun_touches_nothing,
    a_new_tenant_is_made_from_nothing,
    an_ensured_tenant_is_registered,
    names_are_data,
    two_runs_at_once_apply_everything_once,
    another_environments_database_is_refused,
    a_signal_finishes_what_is_in_hand,
    a_failure_names_its_place_and_converges_after_the_fix,
    a_lock_in_the_way_is_waited_for_briefly,
    settings_of_one_migration_do_not_reach_the_next_tenant,
    a_lost_schema_is_not_made_anew,
);

on_postgres!(a_registry_that_another_run_is_filling_is_read_again);

fn a_first_run_makes_everything(server: Server) {
    let case = Case::new(server, 5);
    let plan = case.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert!(
        plan.report()["plan"]["tenants"].is_null(),
        "tenants are not known yet"
    );
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["migrated"], 5);
    case.assert_all_at_head(&HEAD);
    assert_eq!(case.leases(), 0);
    let mut label = case.db.query_rows(&match server {
        Server::Postgres | Server::Pgbouncer => "SELECT name, project FROM tenantgate.environment".to_owned(),
        Server::Mariadb => format!("SELECT name, project FROM {}.environment", case.ledger()),
        Server::Sqlite => "SELECT name, project FROM tenantgate_environment".to_owned(),
    });
    assert_eq!(
        label.remove(0),
        [Some("dev".to_owned()), Some("suite".to_owned())]
    );
}

fn a_rerun_touches_nothing(server: Server) {
    let case = Case::new(server, 3);
    case.run().assert_code(0);
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["up_to_date"], 3);
    assert!(run.report()["outcomes"].as_array().unwrap().is_empty());
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    case.assert_all_at_head(&HEAD);
}

fn a_new_tenant_is_made_from_nothing(server: Server) {
    let mut case = Case::new(server, 2);
    case.run().assert_code(0);
    case.db.execute("INSERT INTO tenants VALUES ('newcomer', 1)");
    case.tenants.push("newcomer".to_owned());
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["migrated"], 1);
    assert_eq!(run.report()["tenants"]["up_to_date"], 2);
    case.assert_all_at_head(&HEAD);
}

fn an_ensured_tenant_is_registered(server: Server) {
    let mut case = Case::new(server, 2);
    case.config("ensure = [\"boss\"]\nensure_sql = \"INSERT INTO tenants VALUES ({tenant}, 1)\"\n");
    case.run().assert_code(0);
    case.tenants.push("boss".to_owned());
    case.assert_all_at_head(&HEAD);
    case.run().assert_code(0);
    assert_eq!(
        case.db
            .query_value("SELECT count(*) FROM tenants WHERE name = 'boss'"),
        "1"
    );
}

/// Words of SQL, dots, dashes, capitals and letters beyond ASCII.
fn names_are_data(server: Server) {
    let mut case = Case::new(server, 1);
    case.tenants = ["select", "a-b.c", "Über_Größe", "42", "from"]
        .map(str::to_owned)
        .to_vec();
    let rows: Vec<String> = case.tenants.iter().map(|name| format!("('{name}', 1)")).collect();
    let registry = format!(
        "CREATE TABLE tenants (name VARCHAR(80) NOT NULL, active INT NOT NULL);\nINSERT INTO tenants VALUES {};",
        rows.join(", ")
    );
    case.shared(1, "registry", &registry);
    case.run().assert_code(0);
    case.run().assert_code(0);
    let status = case.project.tenantgate(&["status"]);
    for standing in status.report()["standings"].as_array().unwrap() {
        assert_eq!(standing["pending"], 0, "{standing}");
    }
}

fn two_runs_at_once_apply_everything_once(server: Server) {
    for _ in 0..3 {
        let case = Case::new(server, 6);
        case.tenant(4, "slow", &case.slow(0.02));
        let runs: Vec<_> = (0..3).map(|_| case.spawn()).collect();
        let codes: Vec<_> = runs
            .into_iter()
            .map(|run| {
                let run = run.wait();
                run.assert_code(0);
                run.report()["tenants"]["migrated"].as_u64().unwrap()
            })
            .collect();
        assert_eq!(codes.iter().sum::<u64>(), 6, "{codes:?}");
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
        assert_eq!(case.leases(), 0);
    }
}

fn another_environments_database_is_refused(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    let config = case
        .project
        .read("tenantgate.toml")
        .replace("[environments.dev]", "[environments.prod]");
    case.project.write("tenantgate.toml", &config);
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    for command in ["run", "migrate", "plan", "status", "validate"] {
        let run = case.project.tenantgate(&[command]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["server.environment"], "{command}");
        assert!(
            run.stdout.contains("this database is dev of suite"),
            "{}",
            run.stdout
        );
    }
    assert_eq!(case.ran("t01"), HEAD, "nothing ran");
    case.project.tenantgate(&["relabel"]).assert_code(0);
    case.run().assert_code(0);
    assert_eq!(case.ran("t01").len(), 4);
}

fn a_signal_finishes_what_is_in_hand(server: Server) {
    let case = Case::new(server, 12);
    case.tenant(4, "slow", &case.slow(0.3));
    let mut run = case.spawn();
    let first = case.tenants[0].clone();
    run.wait_until("the first tenants are done", || {
        match server {
            Server::Postgres | Server::Pgbouncer => {
                case.db.query_value(&format!("SELECT to_regclass('{first}.ran') IS NOT NULL")) == "t"
            }
            Server::Mariadb => {
                let location = case.db.location(&first);
                case.db.query_value(&format!(
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = '{location}' AND table_name = 'items'"
                )) == "1"
            }
            Server::Sqlite => case.db.folder().path().join(case.db.location(&first)).exists(),
        }
    });
    run.signal("TERM");
    let run = run.wait();
    run.assert_code(3);
    let counts = &run.report()["tenants"];
    assert!(counts["not_reached"].as_u64().unwrap() > 0, "{counts}");
    assert_eq!(counts["failed"], 0, "{counts}");
    assert!(
        run.stdout.contains("not reached: the run was told to end"),
        "{}",
        run.stdout
    );
    assert_eq!(case.leases(), 0, "the lease is given back");
    case.run().assert_code(0);
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
}

/// Tenant 3 of 5 has a row that the migration's constraint does not allow.
fn a_failure_names_its_place_and_converges_after_the_fix(server: Server) {
    let case = Case::new(server, 5);
    case.run().assert_code(0);
    case.db
        .tenant("t03")
        .execute("INSERT INTO items VALUES (2, 'one', 2)");
    case.tenant(4, "first", "CREATE TABLE early (id INT);");
    case.tenant(
        5,
        "unique_label",
        "CREATE TABLE later (id INT);\n\n  CREATE UNIQUE INDEX items_label ON items (label);",
    );
    let run = case.run();
    run.assert_code(1);
    let finding = &run.check("rollout.tenants")["findings"][0];
    assert_eq!(finding["tenant"], "t03");
    assert_eq!(finding["line"], 3, "{finding}");
    assert_eq!(finding["column"], 3, "{finding}");
    assert_eq!(finding["file"], "migrations/tenant/0005_unique_label.sql");
    let message = finding["message"].as_str().unwrap();
    let rolled_back = server != Server::Mariadb;
    let state = if rolled_back {
        "t03 is at 0003, with nothing half done"
    } else {
        "t03 is half way through 0005: 1 statement of 3 done"
    };
    assert!(message.contains(state), "{message}");
    let counts = &run.report()["tenants"];
    assert_eq!(counts["discovered"], 5);
    assert_eq!(counts["failed"], 1);
    let told = counts["migrated"].as_u64().unwrap() + counts["not_reached"].as_u64().unwrap();
    assert_eq!(told, 4, "{counts}");
    case.db
        .tenant("t03")
        .execute("UPDATE items SET label = 'two' WHERE id = 2");
    case.run().assert_code(0);
    case.assert_all_at_head(&[
        "0001_ran",
        "0002_items",
        "0003_items_total",
        "0004_first",
        "0005_unique_label",
    ]);
}

/// A session of the application holds the table that a migration changes.
fn a_lock_in_the_way_is_waited_for_briefly(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    case.tenant(4, "column", "ALTER TABLE items ADD COLUMN extra INT;");
    let mut application = case.db.tenant("t01").session();
    let begin = if server == Server::Sqlite {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    };
    application.execute(begin);
    let write = "UPDATE items SET label = 'held'";
    application.execute(write);
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(2500));
        application.execute("COMMIT");
    });
    let run = case.run();
    release.join().unwrap();
    run.assert_code(0);
    let outcomes = run.report()["outcomes"].as_array().unwrap().clone();
    let held = outcomes.iter().find(|it| it["tenant"] == "t01").unwrap();
    assert!(
        held["retries"].as_u64().unwrap() >= 1,
        "the timeout was met: {held}"
    );
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_column"]);
}

/// The setting of the last migration would fail, or mislead, the next tenant's first one.
fn settings_of_one_migration_do_not_reach_the_next_tenant(server: Server) {
    let case = Case::new(server, 4);
    let config = case
        .project
        .read("tenantgate.toml")
        .replace("concurrency = 4", "concurrency = 1");
    case.project.write("tenantgate.toml", &config);
    let (sensitive, setting) = match server {
        Server::Postgres | Server::Pgbouncer => (
            "CREATE TABLE after (id INT);",
            "SET default_transaction_read_only = on;",
        ),
        Server::Mariadb => (
            "INSERT INTO items VALUES (7, \"text\", 1);",
            "SET SESSION sql_mode = 'ANSI_QUOTES';",
        ),
        Server::Sqlite => (
            "CREATE TABLE matched AS SELECT 1 / ('a' LIKE 'A') AS x;",
            "PRAGMA case_sensitive_like = 1;",
        ),
    };
    case.tenant(4, "sensitive", sensitive);
    case.project
        .tenant("0005_setting.sql", &format!("SELECT 1;\n{setting}\n"));
    case.run().assert_code(0);
    if server == Server::Pgbouncer {
        // The pooler keeps server connections, and hands them to the application.
        for _ in 0..6 {
            assert_eq!(case.db.query_value("SHOW default_transaction_read_only"), "off");
        }
    }
    if server == Server::Sqlite {
        for tenant in &case.tenants {
            assert_eq!(case.db.tenant(tenant).query_value("SELECT x FROM matched"), "1");
        }
    }
}

fn a_lost_schema_is_not_made_anew(server: Server) {
    let case = Case::new(server, 3);
    case.run().assert_code(0);
    let location = case.db.location("t02");
    match server {
        Server::Postgres | Server::Pgbouncer => case.db.execute(&format!("DROP SCHEMA {location} CASCADE")),
        Server::Mariadb => case.db.execute(&format!("DROP DATABASE {location}")),
        Server::Sqlite => std::fs::remove_file(case.db.folder().path().join(&location)).unwrap(),
    }
    let assert_lost = || {
        let run = case.run();
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["tenants.lost"]);
        assert!(run.stdout.contains("t02"), "{}", run.stdout);
    };
    assert_lost();
    if server == Server::Sqlite {
        std::fs::write(case.db.folder().path().join(&location), "").unwrap();
        assert_lost();
    }
}

/// A tenant's migration may begin with the table that logs: the suite itself relies on it.
#[test]
fn the_log_would_show_a_second_run() {
    let case = Case::new(Server::Sqlite, 1);
    case.run().assert_code(0);
    case.db
        .tenant("t01")
        .execute("INSERT INTO ran VALUES ('0002_items')");
    assert_eq!(case.ran("t01").len(), 4);
    assert!(CREATE_RAN.contains("ran"));
}

/// The registry was read before another run's last shared migration, the ledger after it: the tenants
/// that were seen belong to neither state.
fn a_registry_that_another_run_is_filling_is_read_again(server: Server) {
    let case = Case::new(server, 4);
    // The snapshot of the query is taken before it sleeps.
    let config = case.project.read("tenantgate.toml").replace(
        "AS tenant, active FROM tenants",
        "AS tenant, active FROM tenants WHERE (SELECT pg_sleep(1.5)) IS NOT NULL",
    );
    case.project.write("tenantgate.toml", &config);
    let registry = case.project.read("migrations/shared/0001_registry.sql");
    let (table, rows) = registry.split_once('\n').unwrap();
    case.shared(1, "registry", table);
    case.shared(
        2,
        "slow",
        &format!("-- tenantgate: no-transaction\n{}", case.slow(0.7)),
    );
    case.shared(3, "rows", rows);
    let mut first = case.spawn();
    first.wait_until("the registry's table is there", || {
        case.db.query_value("SELECT to_regclass('tenants') IS NOT NULL") == "t"
    });
    let second = case.spawn();
    for run in [first, second] {
        let run = run.wait();
        run.assert_code(0);
        assert_eq!(run.report()["tenants"]["discovered"], 4, "{}", run.stdout);
    }
    case.assert_all_at_head(&HEAD);
}
