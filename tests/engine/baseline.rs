//! Existing databases adopted: marked where they are what the migrations make, refused by name elsewhere.

use std::thread;
use std::time::Duration;

use super::case::{Case, on_all_servers};
use crate::harness::{Run, Server};

const HEAD: [&str; 4] = ["0001_ran", "0002_items", "0003_items_total", "0004_more"];

on_all_servers!(
    a_database_of_another_tool_is_adopted,
    those_that_differ_are_refused_by_name,
    all_or_nothing_marks_nobody,
    a_dry_run_of_it_leaves_nothing,
    only_what_is_missing_is_added,
    what_cannot_be_adopted_is_said,
    what_would_leave_the_scratch_is_refused,
    a_migration_that_fails_is_named,
);

/// Tenants that another tool brought to version 4: the same structure, and no ledger.
pub(super) fn grown(server: Server, tenants: usize) -> Case {
    let case = Case::new(server, tenants);
    let more = match server {
        Server::Postgres | Server::Pgbouncer => {
            "CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE more (id SERIAL PRIMARY KEY, item INT NOT NULL REFERENCES items (id) ON DELETE CASCADE, feels mood DEFAULT 'good',
    price NUMERIC(12,2) DEFAULT 0 CHECK (price >= 0), UNIQUE (item, price), twice NUMERIC GENERATED ALWAYS AS (price * 2) STORED);
CREATE INDEX more_price ON more (lower(price::text)) WHERE price > 3;
CREATE VIEW dear AS SELECT items.label FROM more JOIN items ON items.id = more.item;
CREATE FUNCTION half(n INT) RETURNS INT LANGUAGE sql AS 'SELECT n / 2';
CREATE FUNCTION touch() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN NEW.price = 1; RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE INSERT ON more FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE more ADD CONSTRAINT of_tenant FOREIGN KEY (item) REFERENCES public.plans (id);"
        }
        Server::Mariadb => {
            "CREATE TABLE more (id INT AUTO_INCREMENT PRIMARY KEY, item INT NOT NULL, price DECIMAL(12,2) DEFAULT 0 CHECK (price >= 0),
    twice DECIMAL(13,2) AS (price * 2) STORED, note VARCHAR(20) COLLATE utf8mb4_bin, UNIQUE KEY pair (item, price),
    CONSTRAINT more_item FOREIGN KEY (item) REFERENCES items (id) ON DELETE CASCADE);
CREATE INDEX more_note ON more (note(5));
CREATE VIEW dear AS SELECT items.label FROM more JOIN items ON items.id = more.item;
CREATE TRIGGER touched BEFORE INSERT ON more FOR EACH ROW SET NEW.price = 1;
CREATE PROCEDURE half(IN n INT) SELECT n / 2;"
        }
        Server::Sqlite => {
            "CREATE TABLE more (id INTEGER PRIMARY KEY, item INT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    price NUMERIC(12,2) DEFAULT 0 CHECK (price >= 0), twice NUMERIC AS (price * 2) STORED, UNIQUE (item, price));
CREATE INDEX more_price ON more (lower(price)) WHERE price > 3;
CREATE VIEW dear AS SELECT items.label FROM more JOIN items ON items.id = more.item;
CREATE TRIGGER touched AFTER INSERT ON more BEGIN UPDATE more SET price = 1 WHERE id = NEW.id; END;"
        }
    };
    let registry = case.project.read("migrations/shared/0001_registry.sql");
    case.project.shared(
        "0001_registry.sql",
        &format!("{registry}CREATE TABLE plans (id INT PRIMARY KEY);\n"),
    );
    case.tenant(4, "more", more);
    case.run().assert_code(0);
    for tenant in &case.tenants {
        case.db
            .tenant(tenant)
            .execute("CREATE TABLE schema_migrations (version VARCHAR(20) PRIMARY KEY)");
    }
    lose_the_ledger(&case);
    case
}

pub(super) fn lose_the_ledger(case: &Case) {
    match case.server {
        Server::Postgres | Server::Pgbouncer => case.db.execute("DROP SCHEMA tenantgate CASCADE"),
        Server::Mariadb => case.db.execute(&format!("DROP DATABASE {}", case.ledger())),
        Server::Sqlite => {
            for tenant in &case.tenants {
                case.db.tenant(tenant).execute("DROP TABLE tenantgate_ledger");
            }
            for table in ["ledger", "lease", "tenant", "environment"] {
                case.db.execute(&format!("DROP TABLE tenantgate_{table}"));
            }
        }
    }
}

pub(super) fn baseline(case: &Case, arguments: &[&str]) -> Run {
    case.project.tenantgate(&[&["baseline"], arguments].concat())
}

pub(super) fn adopt_shared(case: &Case) {
    baseline(case, &["--scope", "shared", "--version", "1"]).assert_code(0);
}

/// All schemas, databases or files that there are.
pub(super) fn places(case: &Case) -> Vec<String> {
    match case.server {
        Server::Postgres | Server::Pgbouncer => case
            .db
            .query_column("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname"),
        Server::Mariadb => case.db.query_column(&format!(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '{}%' ORDER BY 1",
            case.db.name()
        )),
        Server::Sqlite => {
            let mut files = std::collections::BTreeMap::new();
            crate::harness::collect_files(case.db.folder().path(), &mut files);
            files
                .iter()
                .map(|(path, bytes)| format!("{} {}", path.display(), bytes.len()))
                .collect()
        }
    }
}

fn a_database_of_another_tool_is_adopted(server: Server) {
    let case = grown(server, 3);
    adopt_shared(&case);
    let run = baseline(&case, &["--version", "4"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["baselined"], 3);
    let outcome = &run.report()["outcomes"][0];
    assert_eq!(outcome["state"], "baselined");
    assert_eq!(outcome["applied"], serde_json::json!([1, 2, 3, 4]));
    assert_eq!(outcome["head"], 4);
    let again = baseline(&case, &["--version", "4"]);
    again.assert_code(0);
    assert_eq!(again.report()["tenants"]["up_to_date"], 3);
    let run = case.run();
    run.assert_code(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
    case.assert_all_at_head(&HEAD);
    assert_eq!(case.leases(), 0);
    let who = match server {
        Server::Postgres | Server::Pgbouncer => {
            case.db.query_column("SELECT DISTINCT run FROM tenantgate.ledger")
        }
        Server::Mariadb => case
            .db
            .query_column(&format!("SELECT DISTINCT run FROM {}.ledger", case.ledger())),
        Server::Sqlite => case
            .db
            .tenant("t01")
            .query_column("SELECT DISTINCT run FROM tenantgate_ledger"),
    };
    assert!(
        !who.is_empty() && who.iter().all(|run| run.starts_with("baseline: ")),
        "{who:?}"
    );
    // What comes next goes on from there.
    case.tenant(5, "next", "CREATE TABLE next_one (id INT);");
    case.run().assert_code(0);
    assert_eq!(case.ran("t03").len(), 5);
}

fn those_that_differ_are_refused_by_name(server: Server) {
    let case = grown(server, 3);
    adopt_shared(&case);
    let tenant = case.db.tenant("t02");
    let (change, column) = match server {
        Server::Postgres | Server::Pgbouncer => (
            "DROP INDEX more_price; DROP VIEW dear; ALTER TABLE items ALTER COLUMN label TYPE VARCHAR(50)",
            "column `items.label` is character varying(50), expected character varying(40)",
        ),
        Server::Mariadb => (
            "DROP INDEX more_note ON more; ALTER TABLE items MODIFY label VARCHAR(50)",
            "column `items.label` is varchar(50), expected varchar(40)",
        ),
        Server::Sqlite => (
            "DROP INDEX more_price; DROP VIEW dear; DROP TRIGGER touched; ALTER TABLE items DROP COLUMN label; ALTER TABLE items ADD COLUMN label VARCHAR(50)",
            "column `items.label` is VARCHAR(50), expected VARCHAR(40)",
        ),
    };
    for statement in change.split("; ") {
        tenant.execute(statement);
    }
    tenant.execute("CREATE TABLE junk (id INT)");
    case.db.tenant("t03").execute("DROP TABLE ran");
    let run = baseline(&case, &["--version", "4"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["baseline.structure"]);
    assert_eq!(run.report()["tenants"]["baselined"], 1);
    assert_eq!(run.report()["tenants"]["failed"], 2);
    let findings = run.check("baseline.structure")["findings"]
        .as_array()
        .unwrap()
        .clone();
    let told = |tenant: &str| {
        let finding = findings.iter().find(|it| it["tenant"] == tenant).unwrap();
        finding["message"].as_str().unwrap().to_owned()
    };
    let second = told("t02");
    let index = if server == Server::Mariadb {
        "more_note"
    } else {
        "more_price"
    };
    for part in [
        column,
        "extra table `junk`",
        &format!("index `{index}` of `more` is missing"),
    ] {
        assert!(second.contains(part), "{part}: {second}");
    }
    assert!(told("t03").ends_with("table `ran` is missing"), "{}", told("t03"));
    let status = case.project.tenantgate(&["status"]);
    let heads: Vec<_> = status.report()["standings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["head"].clone())
        .collect();
    assert_eq!(
        heads,
        [
            1.into(),
            4.into(),
            serde_json::Value::Null,
            serde_json::Value::Null
        ]
    );
    // One that is put right is adopted; the others are left alone.
    case.db
        .tenant("t03")
        .execute("CREATE TABLE ran (name VARCHAR(80) NOT NULL)");
    baseline(&case, &["--version", "4", "--tenant", "t03"]).assert_code(0);
}

fn all_or_nothing_marks_nobody(server: Server) {
    let case = grown(server, 3);
    adopt_shared(&case);
    case.db.tenant("t02").execute("CREATE TABLE junk (id INT)");
    let run = baseline(&case, &["--version", "4", "--all-or-nothing"]);
    run.assert_code(1);
    assert_eq!(run.report()["tenants"]["skipped"], 2);
    let status = case.project.tenantgate(&["status"]);
    let standings = status.report()["standings"].as_array().unwrap().clone();
    assert!(
        standings[1..].iter().all(|it| it["applied"] == 0),
        "{standings:?}"
    );
}

fn a_dry_run_of_it_leaves_nothing(server: Server) {
    let case = grown(server, 2);
    let before = places(&case);
    let run = baseline(&case, &["--scope", "shared", "--version", "1", "--dry-run"]);
    run.assert_code(0);
    assert_eq!(
        run.report()["plan"]["shared"],
        serde_json::json!(["shared/0001_registry.sql"])
    );
    assert_eq!(places(&case), before);
    adopt_shared(&case);
    let before = places(&case);
    let run = baseline(&case, &["--version", "4", "--dry-run"]);
    run.assert_code(0);
    assert_eq!(
        run.report()["plan"]["tenants"][0]["tenants"],
        serde_json::json!(["t01", "t02"])
    );
    assert_eq!(places(&case), before);
    let status = case.project.tenantgate(&["status"]);
    assert_eq!(status.report()["standings"][1]["applied"], 0);
}

fn only_what_is_missing_is_added(server: Server) {
    let case = grown(server, 2);
    adopt_shared(&case);
    baseline(&case, &["--version", "4"]).assert_code(0);
    let forget = "WHERE tenant = 't01' AND version IN (2, 3)";
    match server {
        Server::Postgres | Server::Pgbouncer => case
            .db
            .execute(&format!("DELETE FROM tenantgate.ledger {forget}")),
        Server::Mariadb => case
            .db
            .execute(&format!("DELETE FROM {}.ledger {forget}", case.ledger())),
        Server::Sqlite => case
            .db
            .tenant("t01")
            .execute(&format!("DELETE FROM tenantgate_ledger {forget}")),
    }
    let run = baseline(&case, &["--version", "4"]);
    run.assert_code(0);
    assert_eq!(run.report()["outcomes"][0]["applied"], serde_json::json!([2, 3]));
    assert_eq!(run.report()["tenants"]["up_to_date"], 1);
    case.assert_all_at_head(&HEAD);
}

fn what_cannot_be_adopted_is_said(server: Server) {
    let case = grown(server, 1);
    let early = baseline(&case, &["--version", "4"]);
    early.assert_code(1);
    assert_eq!(early.checks_that("failed"), ["baseline.version"]);
    assert!(early.stdout.contains("--scope shared"), "{}", early.stdout);
    adopt_shared(&case);
    let unknown = baseline(&case, &["--version", "9"]);
    unknown.assert_code(1);
    assert!(
        unknown.stdout.contains("there is no tenant migration 0009"),
        "{}",
        unknown.stdout
    );
    baseline(&case, &["--version", "0"]).assert_code(2);
    case.db.execute("INSERT INTO tenants VALUES ('fresh', 1)");
    let fresh = baseline(&case, &["--version", "4"]);
    fresh.assert_code(1);
    let finding = &fresh.check("baseline.structure")["findings"][0];
    assert_eq!(finding["tenant"], "fresh");
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("does not exist yet")
    );
}

fn what_would_leave_the_scratch_is_refused(server: Server) {
    let case = grown(server, 1);
    adopt_shared(&case);
    let leaving = match server {
        Server::Postgres | Server::Pgbouncer => "INSERT INTO public.plans VALUES (7);".to_owned(),
        Server::Mariadb => format!("INSERT INTO {}.plans VALUES (7);", case.db.name()),
        Server::Sqlite => "ATTACH 'shared.db' AS shared;".to_owned(),
    };
    case.project.tenant("0005_leaving.sql", &format!("{leaving}\n"));
    if server == Server::Sqlite {
        // A migration runs in a transaction, where nothing can be attached.
        case.project.tenant(
            "0005_leaving.sql",
            &format!("-- tenantgate: no-transaction\n{leaving}\n"),
        );
    }
    let run = baseline(&case, &["--version", "5"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["baseline.made"]);
    assert_eq!(
        run.check("baseline.made")["findings"][0]["file"],
        "migrations/tenant/0005_leaving.sql"
    );
    assert_eq!(case.db.query_value("SELECT count(*) FROM plans"), "0");
}

fn a_migration_that_fails_is_named(server: Server) {
    let case = grown(server, 1);
    adopt_shared(&case);
    let before = places(&case);
    case.project
        .tenant("0005_broken.sql", "ALTER TABLE nosuch ADD COLUMN x INT;\n");
    let run = baseline(&case, &["--version", "5"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["baseline.made"]);
    let finding = &run.check("baseline.made")["findings"][0];
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("tenant/0005_broken.sql failed"),
        "{finding}"
    );
    if server != Server::Sqlite {
        assert_eq!(places(&case), before);
    }
}

/// Statements that need no transaction, and a shared table that a tenant's migration writes to by its bare name.
#[test]
fn what_postgres_does_concurrently_is_the_same_structure() {
    let case = Case::new(Server::Postgres, 2);
    case.project.tenant(
        "0004_index.sql",
        "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY items_label ON items (label);\nVACUUM items;\n",
    );
    case.run().assert_code(0);
    lose_the_ledger(&case);
    adopt_shared(&case);
    baseline(&case, &["--version", "4"]).assert_code(0);
    assert_eq!(
        case.db
            .query_value("SELECT count(*) FROM tenantgate.ledger WHERE scope = 'tenant'"),
        "8"
    );
}

/// Only the real shared schema has it, so only there it could be written to.
#[test]
fn what_would_write_to_the_real_shared_schema_is_refused() {
    let case = grown(Server::Postgres, 1);
    case.db.execute("CREATE TABLE legacy (id INT)");
    lose_nothing_but(&case);
    case.project
        .tenant("0005_legacy.sql", "INSERT INTO legacy VALUES (1);\n");
    let run = baseline(&case, &["--version", "5"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["baseline.made"]);
    assert!(
        run.stdout.contains("write to public.legacy itself"),
        "{}",
        run.stdout
    );
    assert_eq!(case.db.query_value("SELECT count(*) FROM legacy"), "0");
}

/// The shared schema adopted although it has one table more.
fn lose_nothing_but(case: &Case) {
    case.db.execute("ALTER TABLE legacy RENAME TO schema_migrations");
    adopt_shared(case);
    case.db.execute("ALTER TABLE schema_migrations RENAME TO legacy");
}

#[test]
fn what_a_killed_baseline_left_is_dropped_later() {
    let case = grown(Server::Mariadb, 2);
    adopt_shared(&case);
    let clean = places(&case);
    let ledger = case.ledger();
    case.db
        .execute(&format!("CREATE DATABASE {ledger}_scratch_1_00000000"));
    let now: u64 = case.db.query_value("SELECT UNIX_TIMESTAMP()").parse().unwrap();
    let recent = format!("{ledger}_scratch_{now:x}_00000000");
    case.db.execute(&format!("CREATE DATABASE {recent}"));
    baseline(&case, &["--version", "4"]).assert_code(0);
    // Another baseline may be at work in the recent one.
    case.db.execute(&format!("DROP DATABASE {recent}"));
    assert_eq!(places(&case), clean);
    // What is left meanwhile is nobody's tenant.
    case.db.execute(&format!("CREATE DATABASE {recent}"));
    case.run().assert_code(0);
    case.db.execute(&format!("DROP DATABASE {recent}"));
}

fn killed(server: Server) {
    for kill in 0..6_u32 {
        let case = grown(server, 3);
        adopt_shared(&case);
        let run = case.project.spawn(&["baseline", "--version", "4"]);
        thread::sleep(Duration::from_millis(u64::from(kill) * 40));
        let _ = run.kill();
        baseline(&case, &["--version", "4"]).assert_code(0);
        case.assert_all_at_head(&HEAD);
        case.assert_no_lease_is_stuck();
    }
}

#[test]
fn kills_of_a_baseline() {
    for server in [Server::Postgres, Server::Mariadb, Server::Sqlite] {
        killed(server);
    }
}

/// A default is shown where it differs, and may be anything.
#[test]
fn a_secret_in_a_structure_is_not_told() {
    for server in [Server::Postgres, Server::Mariadb] {
        let case = grown(server, 1);
        adopt_shared(&case);
        let password = case.db.password().unwrap();
        case.db.tenant("t01").execute(&format!(
            "ALTER TABLE items ALTER COLUMN label SET DEFAULT '{password}'"
        ));
        for format in ["text", "json", "markdown", "github"] {
            let run = baseline(&case, &["--version", "4", "--format", format]);
            run.assert_code(1);
            let message = run.check("baseline.structure")["findings"][0]["message"].clone();
            assert!(
                message
                    .as_str()
                    .unwrap()
                    .contains("column `items.label` has default '***'"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_baseline_reads_well() {
    let case = grown(Server::Postgres, 3);
    insta::assert_snapshot!(
        "baseline_shared",
        baseline(&case, &["--scope", "shared", "--version", "1"]).snapshot()
    );
    case.db.tenant("t02").execute(
        "DROP VIEW dear; ALTER TABLE items ALTER COLUMN label TYPE VARCHAR(50); CREATE TABLE junk (id INT)",
    );
    insta::assert_snapshot!(
        "baseline_dry_run",
        baseline(&case, &["--version", "4", "--dry-run"]).snapshot()
    );
    insta::assert_snapshot!(
        "baseline_refused",
        baseline(&case, &["--version", "4"]).snapshot()
    );
}
