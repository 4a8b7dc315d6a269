//! The rollout's groups as the config names them: what their queries may do and give, and what is said
//! of it.

use crate::harness::{Desk, Run, Server, findings};

fn servers() -> [Server; 3] {
    [Server::Sqlite, Server::Postgres, Server::Mariadb]
}

/// Migrated once, with one more migration, and the config's last part.
fn desk(server: Server, waves: &str) -> Desk {
    let desk = Desk::migrated(server);
    desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    desk.configure_more(waves);
    desk
}

fn wave(query: &str) -> String {
    format!("[[rollout.waves]]\nname = \"big\"\nquery = \"{query}\"\n")
}

/// What is said of a finding, below its message.
#[track_caller]
fn hint<'r>(run: &'r Run, id: &str) -> &'r str {
    run.check(id)["findings"][0]["hint"].as_str().unwrap()
}

#[test]
fn a_query_that_writes_is_refused() {
    for server in servers() {
        let writes = match server {
            Server::Postgres => vec![
                "INSERT INTO clients VALUES ('x') RETURNING name AS tenant",
                "WITH gone AS (DELETE FROM clients RETURNING name) SELECT name AS tenant FROM gone",
                "SELECT nextval('numbers')::text AS tenant",
            ],
            Server::Mariadb => vec![
                "UPDATE clients SET name = 'x'",
                "DELETE FROM clients RETURNING name AS tenant",
                "CALL sweep()",
            ],
            _ => vec![
                "DELETE FROM clients RETURNING name AS tenant",
                "REPLACE INTO clients VALUES ('x') RETURNING name AS tenant",
                "WITH x AS (SELECT 'x' AS name) INSERT INTO clients SELECT name FROM x RETURNING name AS tenant",
            ],
        };
        for query in writes {
            let desk = desk(server, "");
            match query {
                "CALL sweep()" => desk
                    .database
                    .execute("CREATE PROCEDURE sweep() DELETE FROM clients"),
                _ if query.contains("nextval") => desk.database.execute("CREATE SEQUENCE numbers"),
                _ => {}
            }
            let clients = || desk.database.query_value("SELECT count(*) FROM clients");
            let config = desk.read("tenantgate.toml");
            desk.configure_more(&wave(query));
            let run = desk.tenantgate(&["run"]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["tenants.waves"], "{query}");
            assert!(!run.stdout.contains("writable"), "{}", run.stdout);
            assert_eq!(
                hint(&run, "tenants.waves"),
                "mend its `query` in [[rollout.waves]]"
            );

            let registry = "SELECT name AS tenant FROM clients ORDER BY name";
            desk.write("tenantgate.toml", &config.replace(registry, query));
            for command in ["plan", "run"] {
                let run = desk.tenantgate(&[command]);
                run.assert_code(1);
                assert_eq!(run.checks_that("failed"), ["tenants.registry"], "{query}");
                assert_eq!(hint(&run, "tenants.registry"), "mend `registry` in [tenancy]");
                assert!(!run.stdout.contains("writable"), "{}", run.stdout);
            }
            desk.write("tenantgate.toml", &config);
            desk.assert_heads([Some(2); 5]);
            assert_eq!(clients(), "5", "{query}");
        }
    }
}

#[test]
fn what_is_said_of_a_query_that_writes() {
    let desk = desk(
        Server::Sqlite,
        &wave("DELETE FROM clients RETURNING name AS tenant"),
    );
    insta::assert_snapshot!("wave_that_deletes", desk.tenantgate(&["plan"]).snapshot());
    let hidden = "WITH x AS (SELECT 1) DELETE FROM clients RETURNING name AS tenant";
    desk.replace(
        "tenantgate.toml",
        "DELETE FROM clients RETURNING name AS tenant",
        hidden,
    );
    let run = desk.tenantgate(&["plan"]);
    assert_eq!(
        findings(&run, "tenants.waves"),
        [
            "the query of the wave `big` failed: it writes, and must only read (attempt to write a readonly database)"
        ]
    );
}

#[test]
fn a_query_that_fails_says_what_to_mend() {
    for server in servers() {
        for (query, words) in [
            ("SELECT name AS tenant FROM nowhere", "nowhere"),
            ("SELEC name AS tenant FROM clients", "syntax"),
            ("SELECT name FROM clients", "it has no column named `tenant`"),
            (
                "SELECT 'a' AS tenant; SELECT 'b'",
                "the query has 2 statements, and must be one",
            ),
        ] {
            let desk = desk(server, &wave(query));
            for command in ["plan", "run"] {
                let run = desk.tenantgate(&[command]);
                run.assert_code(1);
                let found = findings(&run, "tenants.waves");
                assert!(
                    found[0].starts_with("the query of the wave `big` failed: "),
                    "{found:?}"
                );
                assert!(found[0].contains(words), "{found:?}");
                assert_eq!(
                    hint(&run, "tenants.waves"),
                    "mend its `query` in [[rollout.waves]]"
                );
                assert!(run.stdout.contains("-> mend its `query`"), "{}", run.stdout);
            }
            desk.assert_heads([Some(2); 5]);
        }
    }
}

#[test]
fn a_wave_of_strangers_is_said() {
    for server in servers() {
        let desk = desk(server, &wave("SELECT 'Amber' AS tenant UNION ALL SELECT 'zoe'"));
        for (command, code) in [("plan", 0), ("run", 0)] {
            let run = desk.tenantgate(&[command]);
            run.assert_code(code);
            assert_eq!(run.checks_that("warned"), ["tenants.waves"], "{command}");
            assert_eq!(
                findings(&run, "tenants.waves"),
                [
                    "the wave `big` has no tenant in this environment: its query names only what the registry lacks: \
                  Amber, zoe"
                ]
            );
            assert!(
                run.stdout.contains("has no tenant in this environment"),
                "{}",
                run.stdout
            );
        }
        desk.assert_heads([Some(3); 5]);
    }
}

#[test]
fn a_wave_without_rows_is_said_and_one_with_some_strangers_noted() {
    for server in servers() {
        let desk = desk(server, &wave("SELECT name AS tenant FROM clients WHERE 1 = 0"));
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert_eq!(
            findings(&plan, "tenants.waves"),
            ["the wave `big` has no tenant in this environment: its query gave no row"]
        );
        assert_eq!(plan.checks_that("warned"), ["tenants.waves"]);
        desk.replace("tenantgate.toml", "WHERE 1 = 0", "UNION ALL SELECT 'zoe'");
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert_eq!(plan.check("tenants.waves")["status"], "passed");
        assert_eq!(
            findings(&plan, "tenants.waves"),
            ["the query of the wave `big` also names 1 tenant that the registry lacks: zoe"]
        );
    }
}

/// Ten tenants, of which some are canary, suspended, in a wave.
fn crowd(suspended: &str) -> Desk {
    let desk = Desk::new(Server::Sqlite);
    let rows: Vec<String> = (1..=12)
        .map(|number| format!("('t{number:02}', {})", u8::from(number % 4 != 0)))
        .collect();
    desk.shared(
        "0001_clients.sql",
        &format!(
            "CREATE TABLE clients (name varchar(250), active int);\nINSERT INTO clients VALUES {};\n",
            rows.join(", ")
        ),
    );
    desk.replace(
        "tenantgate.toml",
        "SELECT name AS tenant FROM",
        "SELECT name AS tenant, active FROM",
    );
    desk.configure(
        "rollout",
        &format!("canary = [\"t07\", \"t04\"]\nsuspended = \"{suspended}\""),
    );
    desk.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
    desk.configure_more(
        "[[rollout.waves]]\nname = \"few\"\nquery = \"SELECT name AS tenant FROM clients WHERE name > 't09' ORDER BY \
         name DESC\"\n[[rollout.waves]]\nname = \"none\"\ntenants = [\"t07\"]\n",
    );
    desk
}

#[test]
fn a_plan_names_who_goes_when() {
    let desk = crowd("last");
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(
        plan.report()["plan"]["waves"],
        serde_json::json!([
            { "name": "canary", "tenants": ["t04", "t07"] },
            { "name": "few", "tenants": ["t11", "t10"] },
            { "name": "the rest", "tenants": ["t01", "t02", "t03", "t05", "t06", "t09"] },
            { "name": "suspended", "tenants": ["t08", "t12"] },
        ])
    );
    insta::assert_snapshot!("plan_names_waves", plan.snapshot());
    let markdown = desk.tenantgate(&["plan", "--format", "markdown"]);
    assert!(
        markdown.stdout.contains("  - `few (2): t11 and t10`\n"),
        "{}",
        markdown.stdout
    );
}

#[test]
fn a_canary_that_is_skipped_is_said() {
    let desk = crowd("skip");
    let plan = desk.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(
        findings(&plan, "tenants.canary"),
        ["t04: is a canary, and suspended: it is skipped, and goes before no other"]
    );
    assert_eq!(
        hint(&plan, "tenants.canary"),
        "name another in `canary` of [rollout]"
    );
    assert_eq!(
        plan.report()["plan"]["waves"][0],
        serde_json::json!({ "name": "canary", "tenants": ["t07"] })
    );
    assert_eq!(plan.report()["tenants"]["suspended"], 3);
    insta::assert_snapshot!("plan_with_a_suspended_canary", plan.snapshot());
}

#[test]
fn who_is_behind_is_not_said_to_be_validated() {
    for server in servers() {
        let desk = desk(server, "");
        let run = desk.tenantgate(&["validate"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["schema.complete"]);
        assert!(
            run.stdout.contains("5 tenants, all behind, and so not validated"),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("skipped"), "{}", run.stdout);
        desk.tenantgate(&["migrate", "--tenant", "birch", "--tenant", "cedar"])
            .assert_code(0);
        let run = desk.tenantgate(&["validate"]);
        run.assert_code(1);
        assert!(
            run.stdout
                .contains("5 tenants: 2 up to date, 3 behind, and so not validated"),
            "{}",
            run.stdout
        );
        if server == Server::Sqlite {
            insta::assert_snapshot!("validate_with_some_behind", run.snapshot());
        }
        desk.tenantgate(&["migrate"]).assert_code(0);
        desk.tenantgate(&["validate"]).assert_code(0);
    }
}

#[test]
fn suspended_tenants_that_stay_behind_are_not_said_to_be_validated() {
    let desk = crowd("skip");
    desk.tenantgate(&["migrate"]).assert_code(0);
    let run = desk.tenantgate(&["validate"]);
    assert!(
        run.stdout
            .contains("12 tenants: 9 up to date, 3 suspended and behind, and so not validated"),
        "{}",
        run.stdout
    );
}
