//! What is refused leaves nothing behind: no half-done migration, no ledger, no word that is not so.

use std::thread;
use std::time::{Duration, Instant};

use super::baseline::{adopt_shared, baseline, grown, lose_the_ledger, places};
use super::case::{Case, on_all_servers};
use super::down::{HEAD, assert_shut_by_rollback, back, down, head, prepared, rollback, standing};
use crate::harness::{Desk, Server, findings};

on_all_servers!(
    what_was_refused_at_once_is_in_no_rollbacks_way,
    a_version_that_nobody_knows_is_a_slip_of_the_pen,
    where_nothing_ever_ran_a_rollback_says_so,
    a_refused_baseline_makes_no_ledger,
    another_tools_tables_are_told_from_a_mistake,
);

/// A unique index over labels, of which `t01` has one twice: refused at once, and PostgreSQL leaves half of it.
fn half_begun(server: Server) -> Case {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    case.rollout("on_failure", "\"continue\"");
    case.db
        .tenant("t01")
        .execute("INSERT INTO items VALUES (2, 'one', 2)");
    let concurrently = match server {
        Server::Postgres | Server::Pgbouncer => " CONCURRENTLY",
        Server::Mariadb | Server::Sqlite => "",
    };
    let on_table = if server == Server::Mariadb {
        " ON items"
    } else {
        ""
    };
    let no_transaction = "-- tenantgate: no-transaction\n";
    case.project.tenant(
        "0004_index.sql",
        &format!("{no_transaction}CREATE UNIQUE INDEX{concurrently} items_label ON items (label);\n"),
    );
    case.project.tenant(
        "0004_index.down.sql",
        &format!("{no_transaction}DROP INDEX{concurrently} items_label{on_table};\n"),
    );
    let run = case.run();
    run.assert_code(1);
    let found = findings(&run, "rollout.tenants");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].ends_with("; t01 is at 0003, with nothing half done"),
        "{found:?}"
    );
    case
}

fn rows_underway(case: &Case) -> usize {
    let table = format!("{}ledger", case.ledger_prefix());
    let count = format!("SELECT count(*) FROM {table} WHERE state <> 'applied'");
    let number = match case.server {
        Server::Sqlite => case.db.tenant("t01").query_value(&count),
        _ => case.db.query_value(&count),
    };
    number.parse().unwrap()
}

fn what_was_refused_at_once_is_in_no_rollbacks_way(server: Server) {
    let case = half_begun(server);
    assert_eq!(rows_underway(&case), 1);
    let dry = rollback(&case, &["--to", "2", "--dry-run"]);
    dry.assert_code(0);
    let note = "tenant/0004_index.sql was begun, and nothing of it ran: it counts as not applied";
    assert_eq!(findings(&dry, "rollback.whole"), [format!("t01: {note}")]);
    assert_eq!(rows_underway(&case), 1);
    let run = rollback(&case, &["--to", "2"]);
    run.assert_code(0);
    assert_eq!(rows_underway(&case), 0);
    let outcomes = run.report()["outcomes"].as_array().unwrap().clone();
    let undone = |tenant: &str| {
        let outcome = outcomes.iter().find(|it| it["tenant"] == tenant);
        outcome.unwrap()["undone"].clone()
    };
    assert_eq!(undone("t01"), serde_json::json!([3]));
    assert_eq!(undone("t02"), serde_json::json!([4, 3]));
    for tenant in &case.tenants {
        assert_eq!(head(&case, tenant), Some(2));
        assert_eq!(standing(&case, tenant)["unfinished"], serde_json::Value::Null);
        assert_eq!(back(&case, tenant), ["0003_items_total"]);
    }
    case.db.tenant("t01").execute("DELETE FROM items WHERE id = 2");
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
    assert_eq!(head(&case, "t01"), Some(4));
}

/// Only such a row goes, and nothing was taken back: what passed here still counts.
#[test]
fn a_row_of_what_never_ran_goes_alone() {
    let case = half_begun(Server::Postgres);
    insta::assert_snapshot!(
        "rollback_of_what_never_ran",
        rollback(&case, &["--to", "3", "--tenant", "t01"]).snapshot()
    );
    assert_eq!(rows_underway(&case), 0);
    assert_eq!(head(&case, "t02"), Some(4));
    let half_built = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(case.db.query_value(half_built), "0");
}

fn a_version_that_nobody_knows_is_a_slip_of_the_pen(server: Server) {
    let case = prepared(server, 2);
    let before = places(&case);
    rollback(&case, &["--to", "30"]).assert_code(2);
    assert_eq!(places(&case), before);
    case.run().assert_code(0);
    for arguments in [&["--to", "30"][..], &["--to", "30", "--dry-run"]] {
        let run = rollback(&case, arguments);
        run.assert_code(2);
        assert_eq!(
            run.stderr,
            "error: --to: there is no tenant migration 0030, neither as a file nor in the ledger\n  \
             hint: the nearest is 0003, and 0 takes everything back\n"
        );
    }
    let of_shared = rollback(&case, &["--to", "2", "--scope", "shared"]);
    of_shared.assert_code(2);
    assert!(
        of_shared.stderr.contains("leave `--scope` out"),
        "{}",
        of_shared.stderr
    );
    case.assert_all_at_head(&HEAD);
    // A version that only the ledger has is known.
    case.project.remove("migrations/tenant/0002_items.sql");
    case.project.remove("migrations/tenant/0002_items.down.sql");
    rollback(&case, &["--to", "2"]).assert_code(0);
    assert_eq!(head(&case, "t02"), Some(2));
}

fn where_nothing_ever_ran_a_rollback_says_so(server: Server) {
    let case = prepared(server, 2);
    let before = places(&case);
    for scope in ["tenant", "shared"] {
        let run = rollback(&case, &["--to", "0", "--scope", scope]);
        run.assert_code(0);
        assert_eq!(
            findings(&run, "rollback.undone"),
            ["nothing was ever run in dev: there is nothing to roll back"]
        );
        assert_eq!(run.check("rollback.undone")["status"], "warned");
    }
    assert_eq!(places(&case), before);
}

fn a_refused_baseline_makes_no_ledger(server: Server) {
    let case = grown(server, 2);
    let before = places(&case);
    case.db.execute("CREATE TABLE junk (id INT)");
    let with_junk = places(&case);
    let shared = ["--scope", "shared", "--version", "1"];
    for more in [&[][..], &["--all-or-nothing"]] {
        let run = baseline(&case, &[&shared[..], more].concat());
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["baseline.structure"]);
        assert_eq!(places(&case), with_junk, "a refusal touches nothing");
    }
    case.db.execute("DROP TABLE junk");
    let registry = case.project.read("migrations/shared/0001_registry.sql");
    case.project
        .shared("0001_registry.sql", &format!("{registry}SELECT nosuch;\n"));
    let run = baseline(&case, &shared);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["baseline.made"]);
    if server != Server::Sqlite {
        assert_eq!(places(&case), before);
    }
    case.project.shared("0001_registry.sql", &registry);
    adopt_shared(&case);
    baseline(&case, &["--version", "4"]).assert_code(0);
}

fn another_tools_tables_are_told_from_a_mistake(server: Server) {
    let case = grown(server, 1);
    lose_the_ledger_again(&case);
    let hint = |check: &str| {
        let run = case.project.tenantgate(&["migrate"]);
        run.assert_code(1);
        let finding = &run.check(check)["findings"][0];
        let message = finding["message"].as_str().unwrap().to_owned();
        assert!(message.contains("already exists"), "{message}");
        finding["hint"].as_str().unwrap().to_owned()
    };
    let adopts = "was this database migrated by another tool? `tenantgate baseline` adopts it; ";
    let of_shared = hint("rollout.shared");
    assert!(of_shared.starts_with(adopts), "{of_shared}");
    adopt_shared(&case);
    let of_tenant = hint("rollout.tenants");
    assert!(of_tenant.starts_with(adopts), "{of_tenant}");
    baseline(&case, &["--version", "4"]).assert_code(0);
    case.tenant(5, "again", "CREATE TABLE items (id INT);");
    let of_mistake = hint("rollout.tenants");
    assert!(!of_mistake.contains("baseline"), "{of_mistake}");
}

/// [`grown`] loses it once; what is asked here may have made another.
fn lose_the_ledger_again(case: &Case) {
    let run = case.project.tenantgate(&["status"]);
    if run.report()["standings"][0]["applied"] != 0 {
        lose_the_ledger(case);
    }
}

/// The record that shuts the next environment is written before anything goes: nobody is there to write it
/// afterwards.
fn killed_in_the_middle(server: Server) {
    let mut case = prepared(server, 2);
    let next = server.fresh_database();
    case.project.database("UAT_DB_URL", &next);
    let config = case.project.read("tenantgate.toml").replace(
        "[migrations]",
        "[environments.uat]\nafter = \"dev\"\ndatabase_url = \"UAT_DB_URL\"\n[promotion]\nevidence = \"evidence\"\n[migrations]",
    );
    case.project.write("tenantgate.toml", &config);
    down(
        &case,
        "0003_items_total",
        &format!("{}\nALTER TABLE items DROP COLUMN total;", case.slow(4.0)),
    );
    let dev = |arguments: &[&str]| {
        case.project
            .tenantgate(&[arguments, &["--environment", "dev"]].concat())
    };
    let promote = || case.project.tenantgate(&["promote", "--environment", "uat"]);
    dev(&["run"]).assert_code(0);
    promote().assert_code(0);
    let folder = case.project.path("evidence/dev");
    let records = || std::fs::read_dir(&folder).unwrap().count();
    let before = records();
    let run = case
        .project
        .spawn(&["rollback", "--to", "2", "--environment", "dev"]);
    let begun = Instant::now();
    while records() == before {
        assert!(begun.elapsed() < Duration::from_secs(30), "no record was written");
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(500));
    let _ = run.kill();
    assert_eq!(
        back(&case, "t01"),
        [""; 0],
        "{server:?}: it was done before the kill"
    );
    assert_shut_by_rollback(&promote());
    dev(&["rollback", "--to", "2"]).assert_code(0);
    promote().assert_code(1);
    dev(&["run"]).assert_code(0);
    promote().assert_code(0);
}

#[test]
fn a_killed_rollback_lets_nothing_through_postgres() {
    killed_in_the_middle(Server::Postgres);
}

#[test]
fn a_killed_rollback_lets_nothing_through_mariadb() {
    killed_in_the_middle(Server::Mariadb);
}

#[test]
fn a_killed_rollback_lets_nothing_through_sqlite() {
    killed_in_the_middle(Server::Sqlite);
}

#[test]
fn refusals_read_well() {
    let desk = Desk::new(Server::Postgres);
    insta::assert_snapshot!(
        "rollback_of_an_untouched_environment",
        desk.tenantgate(&["rollback", "--to", "0"]).snapshot()
    );
    insta::assert_snapshot!(
        "rollback_to_an_unknown_version",
        desk.tenantgate(&["rollback", "--to", "42"]).snapshot()
    );
}
