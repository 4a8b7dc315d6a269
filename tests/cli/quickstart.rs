//! Given the quickstart, when it goes from dev to prod, then each stage opens the next.

use crate::harness::{Project, Run};

fn run(project: &Project, environment: &str) -> Run {
    project.tenantgate(&["run", "--environment", environment])
}

#[test]
fn from_nothing_to_prod_and_back_to_blocked() {
    let project = Project::fixture("quickstart");
    let first = run(&project, "dev");
    first.assert_code(0);
    assert_eq!(first.report()["verdict"], "passed");
    assert_eq!(first.report()["tenants"]["migrated"], 7);
    let tenants = project.path("../../target/quickstart/dev/tenants");
    assert_eq!(std::fs::read_dir(tenants).unwrap().count(), 7);

    let again = run(&project, "dev");
    again.assert_code(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    assert_eq!(again.report()["tenants"]["up_to_date"], 7);
    assert_eq!(again.report()["outcomes"].as_array().unwrap().len(), 0);

    let early = run(&project, "prod");
    early.assert_code(1);
    assert_eq!(early.checks_that("failed"), ["promotion.evidence"]);
    assert!(early.stdout.contains("uat has not passed"), "{}", early.stdout);
    assert!(!project.path("../../target/quickstart/prod").exists());

    run(&project, "uat").assert_code(0);
    let prod = run(&project, "prod");
    prod.assert_code(0);
    assert_eq!(prod.report()["promotion"]["after"], "uat");
    assert!(prod.checks_that("passed").contains(&"promotion.evidence"));
}

#[test]
fn an_edited_migration_blocks_prod_and_is_named() {
    let project = Project::fixture("quickstart");
    run(&project, "dev").assert_code(0);
    run(&project, "uat").assert_code(0);
    project.replace("migrations/tenant/0004_settings.sql", "'EUR'", "'CHF'");

    let prod = run(&project, "prod");
    prod.assert_code(1);
    assert_eq!(prod.checks_that("failed"), ["promotion.evidence"]);
    let message = prod.check("promotion.evidence")["findings"][0]["message"].to_string();
    assert!(
        message.contains("~ tenant/0004_settings.sql (edited)"),
        "{message}"
    );
    assert!(prod.stdout.contains("0004_settings.sql"), "{}", prod.stdout);

    // Where it was applied, the ledger says so too.
    let uat = run(&project, "uat");
    uat.assert_code(1);
    assert_eq!(uat.checks_that("failed"), ["promotion.evidence"]);
    let dev = run(&project, "dev");
    dev.assert_code(1);
    assert_eq!(dev.checks_that("failed"), ["ledger.changed"]);
    let message = dev.check("ledger.changed")["findings"][0]["message"].to_string();
    assert!(
        message.contains("edited after it was applied (by 7 tenants"),
        "{message}"
    );
}

#[test]
fn an_added_migration_goes_through_all_environments_again() {
    let project = Project::fixture("quickstart");
    for environment in ["dev", "uat", "prod"] {
        run(&project, environment).assert_code(0);
    }
    project.tenant(
        "0005_notes.sql",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);\n",
    );
    let prod = run(&project, "prod");
    prod.assert_code(1);
    let message = prod.check("promotion.evidence")["findings"][0]["message"].to_string();
    assert!(message.contains("+ tenant/0005_notes.sql"), "{message}");

    for environment in ["dev", "uat", "prod"] {
        let passed = run(&project, environment);
        passed.assert_code(0);
        assert_eq!(passed.report()["tenants"]["migrated"], 7);
        assert_eq!(passed.report()["outcomes"][0]["applied"], serde_json::json!([5]));
    }
}

#[test]
fn evidence_of_another_project_or_a_torn_file_counts_for_nothing() {
    let project = Project::fixture("quickstart");
    run(&project, "dev").assert_code(0);
    project.replace("tenantgate.toml", "name = \"orderdesk\"", "name = \"another\"");
    let uat = project.tenantgate(&["promote", "--environment", "uat"]);
    uat.assert_code(1);
    assert_eq!(uat.checks_that("failed"), ["promotion.evidence"]);

    project.replace("tenantgate.toml", "name = \"another\"", "name = \"orderdesk\"");
    project
        .tenantgate(&["promote", "--environment", "uat"])
        .assert_code(0);
    project.write("../../target/quickstart/evidence/dev/zz.json", "{\"payload");
    let torn = project.tenantgate(&["promote", "--environment", "uat"]);
    torn.assert_code(0);
    assert_eq!(torn.checks_that("warned"), ["promotion.evidence"]);
}

#[test]
fn a_change_must_soak_and_evidence_grows_old() {
    let project = Project::fixture("quickstart");
    run(&project, "dev").assert_code(0);
    let demand = |line: &str| {
        project.replace(
            "tenantgate.toml",
            "after = \"dev\"",
            &format!("after = \"dev\"\n{line}"),
        );
        let run = project.tenantgate(&["promote", "--environment", "uat"]);
        project.replace("tenantgate.toml", &format!("\n{line}"), "");
        run
    };
    let soaking = demand("soak = \"1h\"");
    soaking.assert_code(1);
    assert_eq!(soaking.checks_that("failed"), ["promotion.soak"]);
    let stood = demand("soak = \"1ms\"");
    stood.assert_code(0);
    assert!(stood.checks_that("passed").contains(&"promotion.soak"));
    let stale = demand("max_age = \"1ms\"");
    stale.assert_code(1);
    assert_eq!(stale.checks_that("failed"), ["promotion.max-age"]);
    let fresh = demand("max_age = \"1h\"");
    fresh.assert_code(0);
    assert!(fresh.checks_that("passed").contains(&"promotion.max-age"));
}
