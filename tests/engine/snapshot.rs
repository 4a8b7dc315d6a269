//! The committed snapshot: what the migrations make, as a text.

use super::baseline::places;
use super::case::{Case, on_all_servers};
use crate::harness::Server;

on_all_servers!(
    what_the_migrations_make_is_written,
    a_snapshot_that_is_behind_is_found,
    a_live_tenant_gives_the_same,
);

const FILE: &str = "schema.snapshot";

fn what_the_migrations_make_is_written(server: Server) {
    let case = Case::new(server, 1);
    let before = places(&case);
    let run = case.project.tenantgate(&["snapshot"]);
    run.assert_code(0);
    assert_eq!(places(&case), before, "it leaves no trace");
    let text = case.project.read(FILE);
    let engine = match server {
        Server::Postgres | Server::Pgbouncer => "postgres",
        Server::Mariadb => "mysql",
        Server::Sqlite => "sqlite",
    };
    let begin = format!("tenantgate snapshot 1\nengine {engine}\n");
    assert!(text.starts_with(&begin), "{text}");
    for line in [
        "[shared]",
        "table tenants",
        "[tenant]",
        "table items",
        "  column total",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}: {text}");
    }
    assert!(!text.contains("scratch"), "{text}");
    // A schema or file that exists by now changes nothing of it, and it is not written in vain.
    case.run().assert_code(0);
    let again = case.project.tenantgate(&["snapshot"]);
    again.assert_code(0);
    let finding = &again.check("snapshot.file")["findings"][0];
    assert!(
        finding["message"].as_str().unwrap().contains("is up to date"),
        "{finding}"
    );
    assert_eq!(case.project.read(FILE), text);
}

fn a_snapshot_that_is_behind_is_found(server: Server) {
    let case = Case::new(server, 1);
    let absent = case.project.tenantgate(&["snapshot", "--check"]);
    absent.assert_code(1);
    assert_eq!(absent.checks_that("failed"), ["snapshot.file"]);
    case.project
        .tenantgate(&["snapshot", "--out", "db/a.snapshot"])
        .assert_code(0);
    let check = ["snapshot", "--check", "--out", "db/a.snapshot"];
    case.project.tenantgate(&check).assert_code(0);
    case.tenant(4, "note", "ALTER TABLE items ADD COLUMN note VARCHAR(9);");
    let behind = case.project.tenantgate(&check);
    behind.assert_code(1);
    assert_eq!(behind.checks_that("failed"), ["snapshot.current"]);
    let finding = &behind.check("snapshot.current")["findings"][0];
    assert_eq!(
        finding["message"], "tenant: column `items.note` is missing",
        "{finding}"
    );
    assert_eq!(finding["file"], "db/a.snapshot");
    let text = case.project.read("db/a.snapshot");
    let merged = text.replacen("[tenant]", "<<<<<<< ours\n[tenant]\n=======\n>>>>>>> theirs", 1);
    case.project.write("db/a.snapshot", &merged);
    let merged = case.project.tenantgate(&check);
    merged.assert_code(1);
    let finding = &merged.check("snapshot.file")["findings"][0];
    let line = text.lines().position(|line| line == "[tenant]").unwrap() + 1;
    assert_eq!(finding["line"], line, "{finding}");
}

fn a_live_tenant_gives_the_same(server: Server) {
    let case = Case::new(server, 3);
    let nobody = case.project.tenantgate(&["snapshot", "--from", "largest"]);
    nobody.assert_code(1);
    case.run().assert_code(0);
    case.project.tenantgate(&["snapshot"]).assert_code(0);
    case.db.tenant("t02").execute("CREATE TABLE junk (id INT)");
    let check = |more: &[&str]| {
        case.project
            .tenantgate(&[&["snapshot", "--check"], more].concat())
    };
    check(&["--from", "largest"]).assert_code(0);
    check(&["--tenant", "t01"]).assert_code(0);
    let junk = check(&["--tenant", "t02"]);
    junk.assert_code(1);
    let finding = &junk.check("snapshot.current")["findings"][0];
    assert_eq!(finding["message"], "tenant: table `junk` is missing", "{finding}");
    let unknown = check(&["--tenant", "nosuch"]);
    unknown.assert_code(1);
    assert_eq!(unknown.checks_that("failed"), ["tenants.selected"]);
}
