//! Lint through the program: what is pending is read before anything runs. The rules themselves are tested by
//! their examples, in `src/lint/tests.rs`.

mod files;
mod sarif;

use serde_json::Value;

use crate::harness::{Desk, Run, Server};

const DROP: &str = "ALTER TABLE orders DROP COLUMN note;\n";

/// Rule names of a check's findings with their severities: `warning ban-drop-column`.
#[track_caller]
fn rules(run: &Run, check: &str) -> Vec<String> {
    let findings = run.check(check)["findings"].as_array().unwrap().iter();
    let rule = |finding: &Value| {
        let message = finding["message"].as_str().unwrap();
        let (_, rule) = message.rsplit_once(" [").unwrap_or(("", message));
        format!(
            "{} {}",
            finding["severity"].as_str().unwrap(),
            rule.trim_end_matches(']')
        )
    };
    findings.map(rule).collect()
}

#[test]
fn another_tenants_name_blocks_before_anything_runs() {
    for server in [Server::Postgres, Server::Mariadb] {
        let desk = Desk::new(server);
        desk.tenantgate(&["run"]).assert_code(0);
        let amber = desk.database.location("amber");
        desk.tenant("0003_fine.sql", "ALTER TABLE orders ADD COLUMN fine int;\n");
        desk.tenant(
            "0004_copy.sql",
            &format!("\n  UPDATE {amber}.orders SET total = 1 WHERE id = 1;\n"),
        );
        for command in [&["run"][..], &["migrate"], &["migrate", "--dry-run"], &["plan"]] {
            let run = desk.tenantgate(command);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["lint.tenants"], "{command:?}");
            assert_eq!(rules(&run, "lint.tenants"), ["error other-tenant"]);
            let finding = &run.check("lint.tenants")["findings"][0];
            assert_eq!(finding["file"], "migrations/tenant/0004_copy.sql");
            assert_eq!((&finding["line"], &finding["column"]), (&2.into(), &10.into()));
            assert!(
                finding["message"]
                    .as_str()
                    .unwrap()
                    .contains("the tenant amber's own"),
                "{finding}"
            );
        }
        desk.assert_heads([Some(2); 5]);
    }
}

#[test]
fn a_path_is_changed_in_many_ways() {
    for sql in [
        "RESET search_path",
        "RESET ALL",
        "SET search_path TO DEFAULT",
        "SET LOCAL \"search_path\" = public",
        "DO $$ BEGIN SET search_path TO public; END $$",
        "DO LANGUAGE plpgsql 'BEGIN PERFORM set_config(''search_path'', ''public'', false); END'",
        "WITH x AS (SELECT set_config('search_path', 'public', false)) SELECT * FROM x",
    ] {
        let desk = Desk::migrated(Server::Postgres);
        desk.tenant(
            "0003_path.sql",
            &format!("{sql};\nCREATE TABLE leaked (id int);\n"),
        );
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(rules(&run, "lint.tenants"), ["error search-path"], "{sql}");
    }
}

#[test]
fn what_only_looks_like_a_comment_allows_nothing() {
    let desk = Desk::migrated(Server::Postgres);
    let allow = "-- tenantgate: allow(ban-drop-column) because nobody reads it";
    desk.tenant("0003_drop.sql", &format!("/*\n{allow}\n*/\n{DROP}"));
    let plan = desk.tenantgate(&["plan"]);
    assert_eq!(rules(&plan, "lint.data"), ["warning ban-drop-column"]);
    let in_text = format!("UPDATE orders SET id = length('\n{allow}\n') WHERE id = 0;\n");
    desk.tenant("0003_drop.sql", &in_text);
    let plan = desk.tenantgate(&["plan"]);
    assert_eq!(plan.check("lint.allow")["status"], "passed", "{}", plan.stdout);
}

#[test]
fn a_shared_migration_that_touches_tenants_tables_blocks() {
    for desk in Desk::on_all() {
        desk.shared("0002_orders.sql", "ALTER TABLE orders ADD COLUMN urgent int;\n");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(rules(&run, "lint.tenants"), ["error shared-touches-tenant"]);
    }
}

#[test]
fn only_what_is_pending_warns_and_a_new_tenant_brings_nothing_back() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_drop.sql", DROP);
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert_eq!(rules(&plan, "lint.data"), ["warning ban-drop-column"]);
        assert_eq!(plan.check("lint.data")["status"], "warned");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(rules(&run, "lint.data"), ["warning ban-drop-column"]);
        let again = desk.tenantgate(&["run"]);
        again.assert_code(0);
        assert_eq!(rules(&again, "lint.data"), [""; 0]);
        desk.database
            .execute("INSERT INTO clients (name) VALUES ('fresh')");
        let fresh = desk.tenantgate(&["run"]);
        fresh.assert_code(0);
        assert_eq!(rules(&fresh, "lint.data"), [""; 0]);
        assert_eq!(fresh.report()["tenants"]["migrated"], 1);
    }
}

#[test]
fn an_empty_database_has_nothing_to_lose() {
    for desk in Desk::on_all() {
        desk.tenant("0003_drop.sql", DROP);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(rules(&run, "lint.data"), [""; 0]);
    }
}

#[test]
fn levels_and_ignores_are_the_configs() {
    let desk = Desk::migrated(Server::Sqlite);
    desk.tenant("0003_drop.sql", DROP);
    let config = desk.read("tenantgate.toml");
    let with = |lint: &str| {
        desk.write("tenantgate.toml", &format!("{config}{lint}\n"));
        desk.tenantgate(&["plan"])
    };
    for (lint, code, expected) in [
        ("", 0, vec!["warning ban-drop-column"]),
        ("[lint]\nfail_on = \"warning\"", 1, vec!["error ban-drop-column"]),
        ("[lint]\nlevel = \"note\"", 0, vec!["note ban-drop-column"]),
        (
            "[lint.rules]\nban-drop-column = \"error\"",
            1,
            vec!["error ban-drop-column"],
        ),
        ("[lint.rules]\nban-drop-column = \"off\"", 0, vec![]),
        (
            "[[lint.ignore]]\npaths = [\"migrations/tenant/0003*\"]",
            0,
            vec![],
        ),
        (
            "[[lint.ignore]]\npaths = [\"migrations/**\"]\nrules = [\"ban-drop-table\"]",
            0,
            vec!["warning ban-drop-column"],
        ),
    ] {
        let plan = with(lint);
        plan.assert_code(code);
        assert_eq!(rules(&plan, "lint.data"), expected, "{lint}");
    }
    let wrong = with("[lint.rules]\nban-drop-colum = \"error\"");
    wrong.assert_code(2);
    let line = config.lines().count() + 2;
    assert!(
        wrong.stderr.contains(&format!(
            "tenantgate.toml:{line}:1: there is no rule `ban-drop-colum`"
        )),
        "{}",
        wrong.stderr
    );
    assert!(
        wrong.stderr.contains("did you mean `ban-drop-column`?"),
        "{}",
        wrong.stderr
    );
    let wrong = with("[[lint.ignore]]\npaths = [\"*.sql\"]\nrules = [\"ban-drop-tabel\"]");
    wrong.assert_code(2);
    assert!(
        wrong
            .stderr
            .contains(&format!(":{}:10: there is no rule", line + 1)),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_comment_with_a_reason_lets_one_statement_through() {
    let desk = Desk::migrated(Server::Postgres);
    let reason = "-- tenantgate: allow(ban-drop-column) because nothing reads it since 2026.3\n";
    desk.tenant("0003_drop.sql", &format!("{reason}{DROP}"));
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(plan.checks_that("warned"), [""; 0]);
    desk.tenant(
        "0003_drop.sql",
        &format!("-- tenantgate: allow(ban-drop-column)\n{DROP}"),
    );
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(1);
    assert_eq!(plan.checks_that("failed"), ["migrations.directive"]);
    let finding = &plan.check("migrations.directive")["findings"][0];
    assert!(
        finding["message"].as_str().unwrap().contains("gives a reason"),
        "{finding}"
    );
    assert_eq!(finding["line"], 1);
    desk.tenant(
        "0003_drop.sql",
        &format!("-- tenantgate: allow(ban-drop-tabel) because why\n{DROP}"),
    );
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(1);
    let finding = &plan.check("lint.allow")["findings"][0];
    assert_eq!(finding["message"], "there is no rule `ban-drop-tabel`");
    desk.tenant(
        "0003_drop.sql",
        &format!("-- tenantgate: allow(ban-drop-table) because why\n{DROP}"),
    );
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(plan.checks_that("warned"), ["lint.data", "lint.allow"]);
}

#[test]
fn what_dev_passed_with_is_a_note_in_uat() {
    let mut desk = Desk::migrated(Server::Postgres);
    let uat = Server::Postgres.fresh_database();
    desk.database("UAT_DB_URL", &uat);
    desk.tenantgate(&["run", "--environment", "uat"]).assert_code(0);
    desk.tenant("0003_drop.sql", DROP);
    let dev = desk.tenantgate(&["run"]);
    dev.assert_code(0);
    assert_eq!(rules(&dev, "lint.data"), ["warning ban-drop-column"]);
    // Nothing is pending the second time, and its evidence is the newest.
    desk.tenantgate(&["run"]).assert_code(0);
    let run = desk.tenantgate(&["run", "--environment", "uat", "--dry-run"]);
    run.assert_code(0);
    assert_eq!(rules(&run, "lint.data"), ["note ban-drop-column"]);
    let message = run.check("lint.data")["findings"][0]["message"].as_str().unwrap();
    assert!(
        message.ends_with("(accepted in dev) [ban-drop-column]"),
        "{message}"
    );
    // Dev has not seen this rule at work.
    desk.configure_more("[lint.rules]\nban-drop-column = \"error\"\n");
    let run = desk.tenantgate(&["run", "--environment", "uat"]);
    run.assert_code(1);
    assert_eq!(rules(&run, "lint.data"), ["error ban-drop-column"]);
}
