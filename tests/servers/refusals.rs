//! What is wrong with servers is said before anything is touched.

use crate::harness::{Desk, Server, findings};

use super::ENGINES;
use super::fleet::{Fleet, TENANTS};

#[test]
fn unknown_servers_are_named_once_each_and_nothing_is_touched() {
    for server in ENGINES {
        let fleet = Fleet::new(server);
        fleet.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
        fleet
            .own
            .execute("UPDATE clients SET server = 'asia' WHERE name IN ('birch', 'cedar')");
        fleet
            .own
            .execute("UPDATE clients SET server = 'e u' WHERE name = 'delta'");
        for command in ["run", "migrate", "plan", "validate", "status"] {
            let run = fleet.tenantgate(&[command]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["tenants.server"], "{command}");
            assert_eq!(
                findings(&run, "tenants.server"),
                [
                    "the registry puts 2 tenants on server \"asia\", which the config does not have: birch, cedar",
                    "the registry puts 1 tenant on server \"e u\", which the config does not have: delta",
                ]
            );
            let hint = run.check("tenants.server")["findings"][0]["hint"].to_string();
            assert!(hint.contains("eu, us"), "{hint}");
        }
        for server in ["", "eu", "us"] {
            assert!(fleet.ledger(server).is_empty());
        }
        fleet
            .own
            .execute("UPDATE clients SET server = 'eu' WHERE name IN ('birch', 'cedar', 'delta')");
        let run = fleet.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(run.check("tenants.server")["status"], "passed");
    }
}

#[test]
fn one_name_on_two_servers_is_no_name() {
    let fleet = Fleet::with_tenants(Server::Postgres, &[("amber", ""), ("amber", "eu")]);
    let run = fleet.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "tenants.duplicate"),
        ["amber: the registry names this tenant twice: on the environment's own server and on server eu"]
    );
    // Names that one server could not tell apart are two on two servers.
    let fleet = Fleet::with_tenants(Server::Postgres, &[("amber", ""), ("Amber", "eu")]);
    fleet.tenantgate(&["run"]).assert_code(0);
}

#[test]
fn a_tenant_that_the_registry_moves_does_not_begin_anew() {
    for server in ENGINES {
        let fleet = Fleet::new(server);
        fleet.tenantgate(&["run"]).assert_code(0);
        fleet
            .own
            .execute("UPDATE clients SET server = 'us' WHERE name IN ('amber', 'birch')");
        fleet.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        for command in ["run", "plan"] {
            let run = fleet.tenantgate(&[command]);
            run.assert_code(1);
            assert_eq!(
                findings(&run, "tenants.lost"),
                [
                    "migrations were applied for 2 tenants on another server than the registry names now: amber (now on server us), birch (now on server us)"
                ]
            );
        }
        assert_eq!(fleet.ledger("us").len(), 4);
        assert_eq!(fleet.ledger("").len(), 4);
    }
}

#[test]
fn secrets_and_urls_of_servers_are_checked_offline() {
    let mut fleet = Fleet::new(Server::Postgres);
    fleet.remove_env("DEV_EU_URL");
    for command in ["check", "run"] {
        let missing = fleet.tenantgate(&[command]);
        missing.assert_code(1);
        let found = findings(&missing, "secrets.missing");
        assert_eq!(found, ["DEV_EU_URL is not set"], "{command}");
    }
    let plan = fleet.tenantgate(&["plan"]);
    plan.assert_code(1);
    assert_eq!(
        findings(&plan, "url.missing"),
        ["the variable DEV_EU_URL is not set"]
    );

    fleet.secret("DEV_EU_URL", "postgres://app:c4nary@secret@127.0.0.1/app");
    let bad = fleet.tenantgate(&["check"]);
    bad.assert_code(1);
    let found = findings(&bad, "url.unencoded-password");
    assert!(found[0].starts_with("DEV_EU_URL: "), "{found:?}");

    fleet.secret("DEV_EU_URL", "mysql://app:c4narysecret@127.0.0.1/app");
    let mixed = fleet.tenantgate(&["check"]);
    mixed.assert_code(1);
    assert_eq!(
        findings(&mixed, "url.engine"),
        ["DEV_EU_URL is for another engine than DEV_DB_URL"]
    );

    let own = fleet.own.url().replace("127.0.0.1", "localhost");
    fleet.env("DEV_EU_URL", own);
    let same = fleet.tenantgate(&["check"]);
    same.assert_code(1);
    assert_eq!(
        findings(&same, "url.same-database"),
        ["DEV_DB_URL and DEV_EU_URL name the same host and database"]
    );

    let eu = fleet.eu.url().to_owned();
    fleet.env("UAT_DB_URL", eu.clone());
    fleet.env("DEV_EU_URL", eu);
    let other = fleet.tenantgate(&["check"]);
    other.assert_code(1);
    assert_eq!(
        findings(&other, "url.same-database"),
        ["DEV_EU_URL and UAT_DB_URL name the same host and database"]
    );
}

#[test]
fn configs_of_servers_are_read_strictly() {
    let fleet = Fleet::new(Server::Postgres);
    let good = fleet.read("tenantgate.toml");
    for (from, to, expected) in [
        ("concurrency = 2", "concurrency = 0", "nothing would ever run"),
        ("concurrency = 2", "concurency = 2", "concurrency"),
        ("servers.us]", "servers.\"u s\"]", "a server's name is"),
        (
            "\"US_URL\"",
            "\"postgres://a:c4nary@h/d\"",
            "`database_url` holds a URL",
        ),
    ] {
        fleet.write("tenantgate.toml", &good.replace(from, to));
        let run = fleet.tenantgate(&["check"]);
        run.assert_code(2);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(!run.stderr.contains("c4nary"), "{}", run.stderr);
    }
}

#[test]
fn sqlite_has_one_place() {
    let desk = Desk::new(Server::Sqlite);
    desk.tenantgate(&["run"]).assert_code(0);
    desk.replace(
        "tenantgate.toml",
        "SELECT name AS tenant FROM",
        "SELECT name AS tenant, 'eu' AS server FROM",
    );
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    let found = findings(&run, "tenants.server");
    assert!(
        found.len() == 1 && found[0].contains("5 tenants: amber"),
        "{found:?}"
    );

    let desk = Desk::new(Server::Sqlite);
    desk.configure_more("[environments.dev.servers.eu]\ndatabase_url = \"DEV_DB_URL\"\n");
    let run = desk.tenantgate(&["check"]);
    run.assert_code(1);
    assert!(findings(&run, "url.engine")[0].contains("SQLite's tenants are files"));
}

#[test]
fn a_url_in_the_column_of_names_is_not_shown() {
    let mut fleet = Fleet::new(Server::Postgres);
    fleet.guard("c4narysecret");
    fleet.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
    fleet
        .own
        .execute("UPDATE clients SET server = 'postgres://a:c4narysecret@h/d' WHERE name = 'birch'");
    let run = fleet.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "tenants.server"),
        ["the registry puts 1 tenant on server a URL, which the config does not have: birch"]
    );
}

#[test]
fn a_server_whose_label_is_gone_is_not_taken_for_a_new_one() {
    let fleet = Fleet::new(Server::Postgres);
    fleet.tenantgate(&["run"]).assert_code(0);
    fleet.eu.execute("DELETE FROM tenantgate.environment");
    let run = fleet.tenantgate(&["run"]);
    run.assert_code(1);
    let found = findings(&run, "server.environment");
    assert!(
        found[0].contains("on 1 server, and the label is gone"),
        "{found:?}"
    );
    fleet.tenantgate(&["relabel"]).assert_code(0);
    fleet.tenantgate(&["run"]).assert_code(0);
    assert_eq!(
        fleet.ledger("eu").len(),
        2 * TENANTS.iter().filter(|it| it.1 == "eu").count()
    );
}
