//! Servers that cannot be asked: exit 3, and the message says what to look at.

use super::{assert_says, untouched};
use crate::harness::{Desk, Run, Server, findings};

const SERVERS: [Server; 2] = [Server::Postgres, Server::Mariadb];

/// Every command that needs the database says so in the same way.
fn unanswered(desk: &Desk, words: &[&str]) -> Run {
    for command in ["plan", "status", "validate", "migrate", "relabel"] {
        let run = untouched(desk, &[command]);
        run.assert_code(3);
        assert_eq!(run.checks_that("failed"), ["server.reachable"], "{command}");
    }
    let run = untouched(desk, &["run"]);
    run.assert_code(3);
    assert_eq!(run.checks_that("failed"), ["server.reachable"]);
    assert_eq!(run.check("server.reachable")["findings"][0]["operational"], true);
    assert_says(&run, words);
    // An unanswered run is no evidence of anything.
    assert!(!desk.path("evidence").exists());
    run
}

#[test]
fn an_unreachable_host() {
    for server in SERVERS {
        let mut desk = Desk::new(server);
        let scheme = desk.database.url().split_once(':').unwrap().0.to_owned();
        desk.env(
            "DEV_DB_URL",
            format!("{scheme}://app:secret-word@127.0.0.1:1/app"),
        );
        desk.guard("secret-word");
        unanswered(&desk, &["is the server up"]);
    }
}

#[test]
fn a_wrong_password() {
    for server in SERVERS {
        let mut desk = Desk::new(server);
        let url = desk.database.url().to_owned();
        let right = desk.database.password().unwrap();
        desk.secret("DEV_DB_URL", &url.replace(&right, "not-the-password"));
        desk.guard("not-the-password");
        unanswered(&desk, &["check user and password in the URL's secret"]);
    }
}

#[test]
fn a_database_that_does_not_exist() {
    for server in SERVERS {
        let mut desk = Desk::new(server);
        let (start, name) = desk.database.url().rsplit_once('/').unwrap();
        let url = format!("{start}/{name}_missing");
        desk.env("DEV_DB_URL", url);
        unanswered(&desk, &["_missing", "create the database"]);
    }
}

#[test]
fn a_file_that_is_no_database() {
    let mut desk = Desk::new(Server::Sqlite);
    let file = desk.database.folder().path().join("shared.db");
    std::fs::write(&file, "a letter, and not a short one: ".repeat(100)).unwrap();
    unanswered(&desk, &["not a database"]);
    desk.env("DEV_DB_URL", format!("sqlite://{}/inner.db", file.display()));
    let below = desk.tenantgate(&["run"]);
    below.assert_code(3);
    assert_says(&below, &["inner.db"]);
}

#[test]
fn a_role_that_may_not_create() {
    for server in SERVERS {
        let mut desk = Desk::new(server);
        let reader = format!("{}_reader", desk.database.name());
        let admin = desk.database.admin().clone();
        let (own, password) = (desk.database.name().to_owned(), desk.database.password().unwrap());
        if server == Server::Postgres {
            admin.execute(&format!("CREATE ROLE {reader} LOGIN PASSWORD '{password}'"));
        } else {
            let pattern = format!("{own}_").replace('_', "\\_");
            admin.execute(&format!("CREATE USER {reader}@`%` IDENTIFIED BY '{password}'"));
            admin.execute(&format!("GRANT SELECT ON `{pattern}%`.* TO {reader}@`%`"));
        }
        let url = desk
            .database
            .url()
            .replace(&format!("//{own}:"), &format!("//{reader}:"));
        desk.env("DEV_DB_URL", url);
        let run = untouched(&desk, &["run"]);
        run.assert_code(3);
        assert_eq!(run.checks_that("failed"), ["server.ledger"]);
        assert_says(&run, &["denied", "grant the role"]);
        // Looking is allowed.
        untouched(&desk, &["plan"]).assert_code(0);
        let user = if server == Server::Postgres {
            reader
        } else {
            format!("{reader}@`%`")
        };
        admin.execute(&format!("DROP USER {user}"));
    }
}

#[test]
fn a_schema_that_belongs_to_somebody_else() {
    let desk = Desk::new(Server::Postgres);
    desk.configure("rollout", "max_failures = 5");
    desk.database.admin().execute("CREATE SCHEMA cedar");
    let run = desk.tenantgate(&["run"]);
    assert_ne!(run.code, Some(0));
    let found = findings(&run, "rollout.tenants");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("cedar: "), "{found:?}");
    assert_says(&run, &["permission denied for schema cedar", "grant the role"]);
    desk.assert_heads([Some(2), Some(2), None, Some(2), Some(2)]);
    // Nothing of cedar's landed in the shared schema instead.
    let shared = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(desk.database.query_column(shared), ["clients"]);
    desk.database.admin().execute("DROP SCHEMA cedar");
    desk.tenantgate(&["run"]).assert_code(0);
}

#[test]
fn an_engine_that_cannot_separate_tenants_so() {
    let mut desk = Desk::new(Server::Sqlite);
    desk.env("DEV_DB_URL", "postgres://app:p%40ssword@127.0.0.1:1/app");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["url.engine"]);
    assert_says(&run, &["mode = \"schema\""]);
}
