//! Applied migrations taken back: refused before anything is touched, or exactly once.

use std::thread;
use std::time::{Duration, Instant};

use super::case::{Case, on_all_servers};
use crate::harness::{Run, Server};

pub(super) const HEAD: [&str; 3] = ["0001_ran", "0002_items", "0003_items_total"];

on_all_servers!(
    what_is_above_goes_back_newest_first,
    everything_goes_back_and_comes_again,
    only_the_named_tenants_go_back,
    a_dry_run_of_it_writes_nothing,
    a_missing_down_file_is_refused_before_anything_is_touched,
    an_edited_file_is_refused_before_anything_is_touched,
    two_rollbacks_at_once_take_back_once,
    a_failed_way_back_names_its_place_and_converges,
    the_shared_schema_goes_back_after_the_tenants,
);

/// Down files for all three migrations; the way back of each is logged in a table of the shared place's
/// own, because `ran` goes with the first.
pub(super) fn prepared(server: Server, tenants: usize) -> Case {
    let case = Case::new(server, tenants);
    case.project
        .tenant("0001_ran.down.sql", "DROP TABLE ran;\nDROP TABLE back;\n");
    down(&case, "0002_items", "DROP TABLE items;");
    down(&case, "0003_items_total", "ALTER TABLE items DROP COLUMN total;");
    let ran = case.project.read("migrations/tenant/0001_ran.sql");
    let back = "CREATE TABLE back (name VARCHAR(80) NOT NULL);";
    case.project.tenant("0001_ran.sql", &format!("{back}\n{ran}"));
    case
}

/// A down file that takes its migration out of `ran`, and says in `back` that it ran.
pub(super) fn down(case: &Case, name: &str, sql: &str) {
    let log = format!("DELETE FROM ran WHERE name = '{name}';\nINSERT INTO back VALUES ('{name}');");
    case.project
        .tenant(&format!("{name}.down.sql"), &format!("{sql}\n{log}\n"));
}

pub(super) fn back(case: &Case, tenant: &str) -> Vec<String> {
    case.db.tenant(tenant).query_column("SELECT name FROM back")
}

pub(super) fn head(case: &Case, tenant: &str) -> Option<u64> {
    standing(case, tenant)["head"].as_u64()
}

pub(super) fn standing(case: &Case, tenant: &str) -> serde_json::Value {
    let status = case.project.tenantgate(&["status"]);
    status.assert_code(0);
    let standings = status.report()["standings"].as_array().unwrap().clone();
    standings
        .into_iter()
        .find(|it| it["tenant"] == tenant)
        .unwrap_or_else(|| panic!("no {tenant}"))
}

pub(super) fn rollback(case: &Case, arguments: &[&str]) -> Run {
    case.project.tenantgate(&[&["rollback"], arguments].concat())
}

fn what_is_above_goes_back_newest_first(server: Server) {
    let case = prepared(server, 4);
    case.run().assert_code(0);
    let run = rollback(&case, &["--to", "1"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["rolled_back"], 4);
    let outcome = &run.report()["outcomes"][0];
    assert_eq!(outcome["state"], "rolled-back", "{outcome}");
    assert_eq!(outcome["undone"], serde_json::json!([3, 2]));
    assert_eq!(outcome["head"], 1);
    for tenant in &case.tenants {
        assert_eq!(case.ran(tenant), ["0001_ran"]);
        assert_eq!(back(&case, tenant), ["0003_items_total", "0002_items"]);
    }
    assert_eq!(head(&case, "t02"), Some(1));
    assert_eq!(case.leases(), 0);
    let again = rollback(&case, &["--to", "1"]);
    again.assert_code(0);
    assert!(
        again.stdout.contains("no tenant migration above 0001"),
        "{}",
        again.stdout
    );
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

fn everything_goes_back_and_comes_again(server: Server) {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    rollback(&case, &["--to", "0"]).assert_code(0);
    assert_eq!(head(&case, "t01"), None);
    // Nobody takes the empty place for one that was lost.
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

fn only_the_named_tenants_go_back(server: Server) {
    let case = prepared(server, 3);
    case.run().assert_code(0);
    let run = rollback(&case, &["--to", "2", "--tenant", "t02"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["rolled_back"], 1);
    assert_eq!(run.report()["tenants"]["skipped"], 2);
    assert_eq!(case.ran("t01"), HEAD);
    assert_eq!(case.ran("t02"), HEAD[..2]);
    let unknown = rollback(&case, &["--to", "2", "--tenant", "nobody"]);
    unknown.assert_code(1);
    assert_eq!(unknown.checks_that("failed"), ["tenants.selected"]);
}

fn a_dry_run_of_it_writes_nothing(server: Server) {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    let run = rollback(&case, &["--to", "1", "--dry-run"]);
    run.assert_code(0);
    assert_eq!(
        run.report()["plan"]["tenants"][0]["pending"],
        serde_json::json!(["tenant/0003_items_total.down.sql", "tenant/0002_items.down.sql"])
    );
    assert!(run.report()["outcomes"].as_array().unwrap().is_empty());
    case.assert_all_at_head(&HEAD);
    assert!(back(&case, "t01").is_empty());
}

fn a_missing_down_file_is_refused_before_anything_is_touched(server: Server) {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    case.project.remove("migrations/tenant/0002_items.down.sql");
    case.project.remove("migrations/tenant/0001_ran.down.sql");
    let run = rollback(&case, &["--to", "0"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["rollback.down"]);
    let findings = run.check("rollback.down")["findings"].as_array().unwrap();
    let files: Vec<_> = findings.iter().map(|it| it["file"].as_str().unwrap()).collect();
    assert_eq!(
        files,
        [
            "migrations/tenant/0001_ran.sql",
            "migrations/tenant/0002_items.sql"
        ]
    );
    case.assert_all_at_head(&HEAD);
    // What stays needs none.
    rollback(&case, &["--to", "2"]).assert_code(0);
}

fn an_edited_file_is_refused_before_anything_is_touched(server: Server) {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    let file = "migrations/tenant/0003_items_total.sql";
    let text = case.project.read(file);
    case.project.write(file, &format!("{text}-- edited\n"));
    let run = rollback(&case, &["--to", "1"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["ledger.changed"]);
    case.project.remove(file);
    let gone = rollback(&case, &["--to", "1"]);
    gone.assert_code(1);
    assert_eq!(gone.checks_that("failed"), ["migrations.down"]);
    case.project.remove("migrations/tenant/0003_items_total.down.sql");
    let gone = rollback(&case, &["--to", "1"]);
    gone.assert_code(1);
    assert_eq!(gone.checks_that("failed"), ["ledger.vanished"]);
    case.project.write(file, &text);
    case.assert_all_at_head(&HEAD);
}

fn two_rollbacks_at_once_take_back_once(server: Server) {
    let case = prepared(server, 5);
    case.run().assert_code(0);
    let runs: Vec<_> = (0..3)
        .map(|_| case.project.spawn(&["rollback", "--to", "1"]))
        .collect();
    let mut sum = 0;
    for run in runs {
        let run = run.wait();
        run.assert_code(0);
        sum += run.report()["tenants"]["rolled_back"].as_u64().unwrap_or(0);
    }
    assert_eq!(sum, 5);
    for tenant in &case.tenants {
        assert_eq!(back(&case, tenant), ["0003_items_total", "0002_items"]);
    }
}

/// The second of three statements is refused for one tenant.
fn a_failed_way_back_names_its_place_and_converges(server: Server) {
    let case = prepared(server, 3);
    case.tenant(
        4,
        "more",
        "CREATE TABLE more (id INT);\nCREATE TABLE extra (id INT);",
    );
    down(&case, "0004_more", "DROP TABLE more;\n\n  DROP TABLE extra;");
    case.run().assert_code(0);
    case.db.tenant("t02").execute("DROP TABLE extra");
    let run = rollback(&case, &["--to", "3"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["rollback.undone"]);
    assert_eq!(run.report()["tenants"]["rolled_back"], 2);
    let finding = &run.check("rollback.undone")["findings"][0];
    assert_eq!(finding["tenant"], "t02");
    assert_eq!(finding["file"], "migrations/tenant/0004_more.down.sql");
    assert_eq!(finding["line"], 3, "{finding}");
    let message = finding["message"].as_str().unwrap();
    if server == Server::Mariadb {
        assert!(
            message.contains("t02 is half way back from 0004: 1 statement of 4 done"),
            "{message}"
        );
        assert_eq!(standing(&case, "t02")["reverting"], true);
        for command in ["plan", "migrate", "run"] {
            let run = case.project.tenantgate(&[command]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["ledger.reverting"], "{command}");
            assert!(run.stdout.contains("rollback --to 0003"), "{}", run.stdout);
        }
        // What ran may not be edited, what follows may.
        let file = "migrations/tenant/0004_more.down.sql";
        let text = case.project.read(file);
        case.project
            .write(file, &text.replace("DROP TABLE more", "DROP TABLE  more"));
        let edited = rollback(&case, &["--to", "3"]);
        edited.assert_code(1);
        assert_eq!(edited.checks_that("failed"), ["ledger.changed"]);
        case.project.write(
            file,
            &text.replace("DROP TABLE extra", "DROP TABLE IF EXISTS extra"),
        );
    } else {
        assert!(
            message.contains("t02 is at 0004, with nothing half done"),
            "{message}"
        );
        case.db.tenant("t02").execute("CREATE TABLE extra (id INT)");
    }
    rollback(&case, &["--to", "3"]).assert_code(0);
    for tenant in &case.tenants {
        assert_eq!(back(&case, tenant), ["0004_more"]);
        assert_eq!(case.ran(tenant), HEAD);
    }
}

fn the_shared_schema_goes_back_after_the_tenants(server: Server) {
    let case = prepared(server, 2);
    case.run().assert_code(0);
    case.shared(2, "plans", "CREATE TABLE plans (id INT PRIMARY KEY);");
    case.project.shared("0002_plans.down.sql", "DROP TABLE plans;\n");
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    down(&case, "0004_more", "DROP TABLE more;");
    case.run().assert_code(0);
    let early = rollback(&case, &["--scope", "shared", "--to", "1"]);
    early.assert_code(1);
    assert_eq!(early.checks_that("failed"), ["rollback.shared"]);
    assert!(early.stdout.contains("rollback --to 0003"), "{}", early.stdout);
    rollback(&case, &["--to", "3"]).assert_code(0);
    let run = rollback(&case, &["--scope", "shared", "--to", "1"]);
    run.assert_code(0);
    assert_eq!(run.report()["outcomes"][0]["state"], "rolled-back");
    assert!(case.db.session().try_query("SELECT * FROM plans").is_err());
    case.run().assert_code(0);
    assert_eq!(case.ran("t01").len(), 4);
}

/// A rollback that is killed at any moment goes on where it stopped.
fn killed(server: Server) {
    let make = || {
        let case = prepared(server, 8);
        case.tenant(
            4,
            "wide",
            "CREATE TABLE wide (a INT, b INT);\nALTER TABLE wide ADD COLUMN c INT;",
        );
        down(
            &case,
            "0004_wide",
            "ALTER TABLE wide DROP COLUMN c;\nDELETE FROM wide;\nDROP TABLE wide;",
        );
        case.run().assert_code(0);
        case
    };
    let case = make();
    let begun = Instant::now();
    rollback(&case, &["--to", "1"]).assert_code(0);
    let whole = begun.elapsed();
    for kill in 0..KILLS {
        let case = make();
        let run = case.project.spawn(&["rollback", "--to", "1"]);
        thread::sleep(whole.mul_f64((kill as f64 + 0.5) / KILLS as f64));
        let _ = run.kill();
        rollback(&case, &["--to", "1"]).assert_code(0);
        for tenant in &case.tenants {
            assert_eq!(
                back(&case, tenant),
                ["0004_wide", "0003_items_total", "0002_items"],
                "{server:?} {kill} {tenant}"
            );
            assert_eq!(case.ran(tenant), ["0001_ran"]);
        }
        case.assert_no_lease_is_stuck();
        case.run().assert_code(0);
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_wide"]);
    }
}

const KILLS: usize = 8;

#[test]
fn kills_on_the_way_back_postgres() {
    killed(Server::Postgres);
}

#[test]
fn kills_on_the_way_back_mariadb() {
    killed(Server::Mariadb);
}

#[test]
fn kills_on_the_way_back_sqlite() {
    killed(Server::Sqlite);
}

/// Half way through is no place to turn: what it has done nobody's down file knows.
#[test]
fn half_done_goes_forward_first() {
    let case = prepared(Server::Mariadb, 2);
    case.run().assert_code(0);
    case.tenant(
        4,
        "broken",
        "CREATE TABLE more (id INT);\nALTER TABLE nosuch ADD x INT;",
    );
    down(&case, "0004_broken", "DROP TABLE more;");
    case.run().assert_code(1);
    let run = rollback(&case, &["--to", "2"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["rollback.whole"]);
    assert_eq!(case.ran("t01"), HEAD);
}

#[test]
fn an_index_is_dropped_concurrently() {
    let case = prepared(Server::Postgres, 3);
    case.project.tenant(
        "0004_index.sql",
        "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY items_label ON items (label);\n",
    );
    case.project.tenant(
        "0004_index.down.sql",
        "-- tenantgate: no-transaction\nDROP INDEX CONCURRENTLY items_label;\nINSERT INTO back VALUES ('0004');\n",
    );
    case.run().assert_code(0);
    rollback(&case, &["--to", "2"]).assert_code(0);
    for tenant in &case.tenants {
        assert_eq!(back(&case, tenant), ["0004", "0003_items_total"]);
    }
}

/// What passed here before must not let anybody into the next environment.
#[test]
fn a_rolled_back_environment_lets_nothing_through() {
    let mut case = prepared(Server::Sqlite, 2);
    let next = Server::Sqlite.fresh_database();
    case.project.database("UAT_DB_URL", &next);
    let config = case.project.read("tenantgate.toml").replace(
        "[migrations]",
        "[environments.uat]\nafter = \"dev\"\ndatabase_url = \"UAT_DB_URL\"\n[promotion]\nevidence = \"evidence\"\n[migrations]",
    );
    case.project.write("tenantgate.toml", &config);
    let dev = |arguments: &[&str]| {
        case.project
            .tenantgate(&[arguments, &["--environment", "dev"]].concat())
    };
    let promote = || case.project.tenantgate(&["promote", "--environment", "uat"]);
    dev(&["run"]).assert_code(0);
    promote().assert_code(0);
    dev(&["rollback", "--to", "2", "--dry-run"]).assert_code(0);
    promote().assert_code(0);
    dev(&["rollback", "--to", "2", "--tenant", "t01"]).assert_code(0);
    assert_shut_by_rollback(&promote());
    thread::sleep(Duration::from_millis(5));
    dev(&["run"]).assert_code(0);
    promote().assert_code(0);
}

/// The next environment knows of the rollback to version 2.
pub(super) fn assert_shut_by_rollback(promote: &Run) {
    promote.assert_code(1);
    let told = promote
        .stdout
        .contains("dev was rolled back to tenant migration 0002");
    assert!(told, "{}", promote.stdout);
}

#[test]
fn a_down_file_of_no_migration_is_a_finding() {
    let case = prepared(Server::Sqlite, 1);
    case.project.tenant("0002_things.down.sql", "DROP TABLE items;\n");
    case.project.tenant("0009_none.down.sql", "COMMIT;\n");
    let run = case.project.tenantgate(&["plan"]);
    run.assert_code(1);
    assert_eq!(
        run.checks_that("failed"),
        ["migrations.down", "migrations.transaction"]
    );
    insta::assert_snapshot!(run.snapshot());
}

#[test]
fn a_rollback_reads_well() {
    let case = prepared(Server::Postgres, 3);
    case.run().assert_code(0);
    insta::assert_snapshot!(
        "rollback_dry_run",
        rollback(&case, &["--to", "1", "--dry-run"]).snapshot()
    );
    insta::assert_snapshot!("rollback_done", rollback(&case, &["--to", "1"]).snapshot());
    insta::assert_snapshot!("rollback_of_nothing", rollback(&case, &["--to", "1"]).snapshot());
    insta::assert_snapshot!(
        "status_after_rollback",
        case.project.tenantgate(&["status"]).snapshot()
    );
}
