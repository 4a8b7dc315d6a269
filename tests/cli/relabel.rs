//! A restored copy of another environment's database.

use crate::harness::{Desk, Project, findings};

#[test]
fn a_database_of_another_environment_is_refused_until_it_is_relabelled() {
    for mut desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        let url = desk.database.url().to_owned();
        desk.remove_env("DEV_DB_URL");
        desk.env("UAT_DB_URL", url);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.env("TENANTGATE_ENVIRONMENT", "uat");
        // The same set is demanded of dev; that is not the point here.
        desk.replace("tenantgate.toml", "after = \"dev\"\n", "");
        let before = desk.everything();

        for command in ["run", "migrate", "plan", "status", "validate"] {
            let refused = desk.tenantgate(&[command]);
            refused.assert_code(1);
            assert_eq!(refused.checks_that("failed"), ["server.environment"], "{command}");
            let finding = &refused.check("server.environment")["findings"][0];
            assert!(
                finding["message"].to_string().contains("dev of desk"),
                "{finding}"
            );
            assert!(
                finding["hint"].to_string().contains("tenantgate relabel"),
                "{finding}"
            );
        }
        assert_eq!(desk.everything(), before);

        let would = desk.tenantgate(&["relabel", "--dry-run"]);
        would.assert_code(0);
        assert!(findings(&would, "server.environment")[0].contains("would become uat of desk"));
        assert_eq!(desk.everything(), before);

        let relabelled = desk.tenantgate(&["relabel"]);
        relabelled.assert_code(0);
        assert!(findings(&relabelled, "server.environment")[0].contains("was dev of desk"));
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(run.check("server.environment")["status"], "passed");
        desk.assert_heads([Some(3); 5]);
    }
}

#[test]
fn another_projects_database_is_refused() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.replace("tenantgate.toml", "name = \"desk\"", "name = \"bench\"");
        let refused = desk.tenantgate(&["run"]);
        refused.assert_code(1);
        assert_eq!(refused.checks_that("failed"), ["server.environment"]);
        assert!(findings(&refused, "server.environment")[0].contains("dev of bench"));
    }
}

#[test]
fn prods_secret_that_points_at_uat_changes_nothing() {
    let mut project = Project::fixture("quickstart");
    for environment in ["dev", "uat"] {
        project
            .tenantgate(&["run", "--environment", environment])
            .assert_code(0);
    }
    project.remove("uat.env");
    project.env("PROD_DB_URL", "sqlite://target/quickstart/uat/shared.db");
    let prod = project.tenantgate(&["run", "--environment", "prod"]);
    prod.assert_code(1);
    assert_eq!(prod.checks_that("failed"), ["server.environment"]);
}
