//! The report says what was looked at, and no more; and what blocked shuts the next environment.

use super::case::Case;
use crate::harness::Server;

const TABLE: &str = "[expect.tenant.tables.items]\ncolumns = { id = \"INT\" }\n";

/// Two environments and a folder of evidence.
fn two_environments(case: &mut Case, more: &str) {
    case.config(more);
    let config = case.project.read("tenantgate.toml").replace(
        "[migrations]",
        "[environments.uat]\nafter = \"dev\"\ndatabase_url = \"UAT_DB_URL\"\n[promotion]\nevidence = \"evidence\"\n[migrations]",
    );
    case.project.write("tenantgate.toml", &config);
    case.project.env("TENANTGATE_ENVIRONMENT", "dev");
}

/// Also what is refused before the rollout is a result of this environment with this change.
#[test]
fn a_refusal_before_the_rollout_shuts_the_next_environment() {
    let mut case = Case::new(Server::Sqlite, 3);
    two_environments(&mut case, "");
    case.run().assert_code(0);
    let promote = ["promote", "--environment", "uat"];
    case.project.tenantgate(&promote).assert_code(0);
    std::fs::remove_file(case.db.folder().path().join(case.db.location("t02"))).unwrap();
    let run = case.run();
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["tenants.lost"]);
    assert!(!run.stdout.contains("nothing to"), "{}", run.stdout);
    let promoted = case.project.tenantgate(&promote);
    promoted.assert_code(1);
    assert!(
        promoted
            .stdout
            .contains("dev was blocked with this change in its last run"),
        "{}",
        promoted.stdout
    );
}

/// What could not be found out, with nothing done, takes no earlier pass back.
#[test]
fn a_run_that_finds_nothing_out_is_no_evidence() {
    let mut case = Case::new(Server::Sqlite, 2);
    two_environments(&mut case, "");
    case.run().assert_code(0);
    let file = case.db.folder().path().join(case.db.location("t01"));
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, "this is no database, and long enough to be seen as none").unwrap();
    case.run().assert_code(3);
    case.project
        .tenantgate(&["promote", "--environment", "uat"])
        .assert_code(0);
    std::fs::write(&file, whole).unwrap();
    case.run().assert_code(0);
}

#[test]
fn what_was_not_looked_at_is_not_called_right() {
    let mut case = Case::new(Server::Sqlite, 3);
    case.config(TABLE);
    let validate = case.project.tenantgate(&["validate"]);
    validate.assert_code(1);
    for id in ["expect.tables", "expect.columns"] {
        assert_eq!(validate.check(id)["status"], "skipped", "nothing is there yet");
    }
    case.run().assert_code(0);
    case.tenant(4, "broken", "ALTER TABLE items ADD COLUMN total INT;");
    let run = case.run();
    run.assert_code(1);
    assert_eq!(run.check("schema.complete")["status"], "failed");
    assert!(
        run.stdout.contains("the rollout left 3 tenants behind"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_canary_that_nobody_registered_is_told() {
    let mut case = Case::new(Server::Sqlite, 2);
    case.config("");
    let config = case
        .project
        .read("tenantgate.toml")
        .replace("[rollout]\n", "[rollout]\ncanary = [\"t01\", \"t0l\"]\n");
    case.project.write("tenantgate.toml", &config);
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("tenants.canary")["status"], "warned");
    assert!(run.stdout.contains("no tenant is called t0l"), "{}", run.stdout);
}

#[test]
fn a_database_that_nobody_migrated_is_not_relabelled() {
    let case = Case::new(Server::Sqlite, 1);
    let run = case.project.tenantgate(&["relabel"]);
    run.assert_code(1);
    assert!(
        run.stdout.contains("no label that could be replaced"),
        "{}",
        run.stdout
    );
    assert!(
        std::fs::read_dir(case.db.folder().path()).unwrap().count() == 0,
        "no file was made"
    );
    case.run().assert_code(0);
    let again = case.project.tenantgate(&["relabel"]);
    again.assert_code(0);
    assert!(
        again.stdout.contains("is dev of suite already"),
        "{}",
        again.stdout
    );
}

#[test]
fn an_address_that_does_not_answer_is_named() {
    for (server, scheme) in [(Server::Postgres, "postgresql"), (Server::Mariadb, "mysql")] {
        let mut case = Case::new(server, 1);
        case.project.env(
            "DEV_DB_URL",
            format!("{scheme}://u:pass-word@no-such-host.invalid:7/db"),
        );
        let run = case.project.tenantgate(&["status"]);
        run.assert_code(3);
        assert!(run.stdout.contains("no-such-host.invalid:7: "), "{}", run.stdout);
        assert!(
            run.stdout.contains("is the server up, the host and port right"),
            "{}",
            run.stdout
        );
    }
}
