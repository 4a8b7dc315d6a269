//! The config's own queries: one answer each, of the place they are asked for.

use super::case::{Case, on_all_servers, on_postgres};
use crate::harness::{Server, Wire};

on_all_servers!(
    several_statements_are_no_answer,
    an_assertion_that_writes_is_refused,
    each_tenant_answers_for_itself,
    a_number_beyond_its_limit_is_found_in_its_tenant,
);
on_postgres!(
    a_closed_schema_does_not_answer_with_the_shared_one,
    row_security_that_is_expected_and_missing_is_found,
);

fn several_statements_are_no_answer(server: Server) {
    let mut case = Case::new(server, 2);
    case.run().assert_code(0);
    let assertion = |sql: &str| {
        format!("[[expect.tenant.assertions]]\nname = \"one item\"\nsql = \"{sql}\"\nequals = 1\n")
    };
    case.config(&assertion("SELECT count(*) FROM items"));
    case.project.tenantgate(&["validate"]).assert_code(0);
    case.config(&assertion("SELECT 1; SELECT count(*) FROM items WHERE id = 9"));
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["expect.assertions"]);
    assert!(
        run.stdout.contains("has 2 statements, and must be one"),
        "{}",
        run.stdout
    );
    let config = case.project.read("tenantgate.toml");
    let two = "SELECT name AS tenant FROM tenants; DELETE FROM tenants";
    let registry = "SELECT name AS tenant, active FROM tenants";
    case.project
        .write("tenantgate.toml", &config.replace(registry, two));
    let run = case.project.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["tenants.registry"]);
    assert_eq!(case.db.query_value("SELECT count(*) FROM tenants"), "2");
}

fn an_assertion_that_writes_is_refused(server: Server) {
    let mut case = Case::new(server, 2);
    case.run().assert_code(0);
    let hidden = match server {
        Server::Postgres | Server::Pgbouncer => {
            "WITH gone AS (DELETE FROM items RETURNING id) SELECT id FROM gone"
        }
        Server::Mariadb => "CALL sweep()",
        Server::Sqlite => "WITH one AS (SELECT 1) DELETE FROM items RETURNING id",
    };
    if server == Server::Mariadb {
        for tenant in &case.tenants {
            let tenant = case.db.tenant(tenant);
            tenant.execute("CREATE PROCEDURE sweep() DELETE FROM items");
        }
    }
    for (sql, words) in [
        (
            "DELETE FROM items RETURNING id",
            "it begins with DELETE, and must be a query that only reads",
        ),
        (hidden, "it writes, and must only read ("),
    ] {
        case.config(&format!(
            "[validate]\nignore = [\"sweep*\"]\n[[expect.tenant.assertions]]\nname = \"none\"\nsql = \"{sql}\"\nequals = 1\n"
        ));
        let run = case.project.tenantgate(&["validate"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["expect.assertions"]);
        let finding = &run.check("expect.assertions")["findings"][0];
        assert!(finding["message"].as_str().unwrap().contains(words), "{finding}");
        assert_eq!(finding["hint"], "mend the query in the config");
        assert_eq!(
            case.db.tenant("t01").query_value("SELECT count(*) FROM items"),
            "1"
        );
    }
}

fn each_tenant_answers_for_itself(server: Server) {
    let mut case = Case::new(server, 3);
    case.config(
        "[[expect.tenant.assertions]]\nname = \"one item\"\nsql = \"SELECT count(*) FROM items\"\nequals = 1\n",
    );
    case.run().assert_code(0);
    case.db
        .tenant("t02")
        .execute("INSERT INTO items VALUES (5, 'more', 5)");
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    let findings = run.check("expect.assertions")["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["tenant"], "t02");
    assert_eq!(findings[0]["message"], "one item: found 2, expected 1");
}

/// PostgreSQL leaves a schema that is closed to the role out of the search path without a word.
fn a_closed_schema_does_not_answer_with_the_shared_one(server: Server) {
    let mut case = Case::new(server, 3);
    case.run().assert_code(0);
    case.config(
        "[[expect.tenant.assertions]]\nname = \"one row\"\nsql = \"SELECT count(*) FROM tenants\"\nequals = 3\n",
    );
    // Without a look at the schema the shared table would answer for every tenant.
    case.project.tenantgate(&["validate"]).assert_code(0);
    let owner = case.db.query_value("SELECT current_user");
    case.db.admin().execute(&format!(
        "ALTER SCHEMA t02 OWNER TO CURRENT_USER; REVOKE ALL ON SCHEMA t02 FROM \"{owner}\""
    ));
    let run = case.project.tenantgate(&["validate"]);
    assert_ne!(run.code, Some(0), "{}", run.stdout);
    let findings = run.check("expect.assertions")["findings"].as_array().unwrap();
    assert_eq!(findings[0]["tenant"], "t02", "{findings:?}");
    assert!(
        findings[0]["message"]
            .as_str()
            .unwrap()
            .contains("permission denied"),
        "{findings:?}"
    );
}

fn a_number_beyond_its_limit_is_found_in_its_tenant(server: Server) {
    let mut case = Case::new(server, 4);
    let threshold = |sql: &str| {
        format!(
            "[[expect.tenant.thresholds]]\nname = \"items\"\nsql = \"{sql}\"\nwarn = 1\nfail = 2\nwarn_below = 1\n"
        )
    };
    case.config(&threshold("SELECT count(*) FROM items"));
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("expect.thresholds")["status"], "passed");
    let execute = |tenant: &str, sql: &str| case.db.tenant(tenant).execute(sql);
    execute("t02", "INSERT INTO items VALUES (5, 'more', 5)");
    execute("t03", "INSERT INTO items VALUES (5, 'more', 5), (6, 'more', 6)");
    execute("t04", "DELETE FROM items");
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["expect.thresholds"]);
    let findings = run.check("expect.thresholds")["findings"]
        .as_array()
        .unwrap()
        .clone();
    let told: Vec<String> = findings
        .iter()
        .map(|it| format!("{} {} {}", it["tenant"], it["severity"], it["message"]).replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "t02 warning items: 2, more than 1",
            "t03 error items: 3, more than 2",
            "t04 warning items: 0, less than 1"
        ]
    );
    // Nothing is no number.
    case.config(&threshold("SELECT id FROM items WHERE id = 77"));
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    let finding = &run.check("expect.thresholds")["findings"][0];
    assert_eq!(
        finding["message"], "items: the query gave nothing, so it is not known",
        "{finding}"
    );
}

fn row_security_that_is_expected_and_missing_is_found(server: Server) {
    let mut case = Case::new(server, 3);
    case.config(
        "[expect.tenant.tables.items]\nrow_security = \"forced\"\npolicies = [\"own\"]\n[expect.tenant.tables.ran]\nrow_security = false\n",
    );
    case.tenant(
        4,
        "own",
        "ALTER TABLE items ENABLE ROW LEVEL SECURITY; ALTER TABLE items FORCE ROW LEVEL SECURITY; CREATE POLICY own ON items USING (true);",
    );
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("expect.row-security")["status"], "passed");
    case.config(
        "[validate]\ndrift = \"off\"\n[expect.tenant.tables.items]\nrow_security = \"forced\"\npolicies = [\"own\"]\n",
    );
    case.db
        .tenant("t02")
        .execute("ALTER TABLE items NO FORCE ROW LEVEL SECURITY");
    case.db.tenant("t03").execute("DROP POLICY own ON items");
    let run = case.project.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["expect.row-security"]);
    let findings = run.check("expect.row-security")["findings"].as_array().unwrap();
    assert_eq!(findings[0]["tenant"], "t02");
    assert_eq!(
        findings[0]["message"],
        "row-level security of `items` is on, expected forced"
    );
    assert_eq!(findings[1]["tenant"], "t03");
    assert_eq!(findings[1]["message"], "policy of `items` missing: own");
}

/// As many questions as there are queries, not as there are tenants.
#[test]
fn many_tenants_are_asked_in_one_message() {
    let mut case = Case::new(Server::Postgres, 40);
    case.run().assert_code(0);
    case.config(
        "[[expect.tenant.thresholds]]\nname = \"items\"\nsql = \"SELECT count(*) AS zz_counted FROM items\"\nwarn = 1\n",
    );
    let wire = Wire::before(case.db.url());
    case.project.env("DEV_DB_URL", wire.url());
    case.project.tenantgate(&["validate"]).assert_code(0);
    let asking = wire.said().iter().filter(|it| it.contains("zz_counted")).count();
    assert_eq!(asking, 1);
}
