//! The registry against what it was, and the domains by which its tenants are reached.

use super::case::{Case, on_all_servers};
use crate::harness::{Run, Server};

on_all_servers!(
    a_sudden_change_of_the_number_of_tenants_blocks,
    domains_that_are_missing_or_there_twice_are_found,
);

fn first_message(run: &Run, check: &str) -> String {
    run.check(check)["findings"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn a_sudden_change_of_the_number_of_tenants_blocks(server: Server) {
    let mut case = Case::new(server, 4);
    case.config("max_change = \"25%\"\n");
    // There is nothing before the first run.
    case.run().assert_code(0);
    let quiet = case.run();
    quiet.assert_code(0);
    assert_eq!(quiet.check("tenants.changed")["status"], "passed");
    case.db.execute("INSERT INTO tenants VALUES ('t05', 1)");
    case.run().assert_code(0);
    case.db
        .execute("INSERT INTO tenants VALUES ('t06', 1), ('t07', 1)");
    let more = case.run();
    more.assert_code(1);
    assert_eq!(more.checks_that("failed"), ["tenants.changed"]);
    assert_eq!(
        first_message(&more, "tenants.changed"),
        "the registry has 7 tenants, and there were 5 when they were migrated last: it has besides t06, t07"
    );
    // Nobody was touched.
    let status = case.project.tenantgate(&["status"]);
    let standings = status.report()["standings"].as_array().unwrap().clone();
    let of_t06 = standings.iter().find(|it| it["tenant"] == "t06").unwrap();
    assert_eq!(of_t06["applied"], 0);
    case.db
        .execute("DELETE FROM tenants WHERE name IN ('t04', 't05', 't06', 't07')");
    let fewer = case.project.tenantgate(&["plan"]);
    fewer.assert_code(1);
    assert_eq!(
        first_message(&fewer, "tenants.changed"),
        "the registry has 3 tenants, and there were 5 when they were migrated last: it lacks t04, t05"
    );
    case.config("max_change = 2\n");
    case.project.tenantgate(&["plan"]).assert_code(0);
}

fn domains_that_are_missing_or_there_twice_are_found(server: Server) {
    let mut case = Case::new(server, 3);
    case.shared(
        2,
        "domains",
        "CREATE TABLE domains (owner VARCHAR(80) NOT NULL, host VARCHAR(80), is_primary INT NOT NULL);
INSERT INTO domains VALUES ('t01', 't01.example', 1), ('t01', 'www.t01.example', 0), ('t02', 't02.example', 1), ('t03', 't03.example', 1);",
    );
    case.config("domains = \"SELECT owner AS tenant, host AS domain, is_primary FROM domains\"\n");
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("tenants.domains")["status"], "passed");
    case.db
        .execute("UPDATE domains SET host = 'T01.example' WHERE owner = 't02'");
    case.db
        .execute("UPDATE domains SET is_primary = 0 WHERE owner = 't03'");
    case.db
        .execute("INSERT INTO domains VALUES ('gone', 'gone.example', 1)");
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["tenants.domains"]);
    let findings = run.check("tenants.domains")["findings"]
        .as_array()
        .unwrap()
        .clone();
    let told: Vec<&str> = findings
        .iter()
        .map(|it| it["message"].as_str().unwrap())
        .collect();
    assert_eq!(
        told,
        [
            "has no primary domain",
            "the domain \"t01.example\" is there 2 times: of \"t01\", \"t02\"",
            "a domain is of the tenant \"gone\", whom the registry does not have"
        ]
    );
    assert_eq!(findings[0]["tenant"], "t03");
    // What cannot be asked is no pass.
    case.config("domains = \"SELECT owner AS tenant FROM nosuch\"\n");
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["tenants.domains"]);
}
