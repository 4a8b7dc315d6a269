//! `plan --prove`: migrations tried out twice, back and again, and on top of what is there.

use serde_json::Value;

use super::baseline::places;
use super::case::{Case, on_all_servers, on_postgres};
use crate::harness::{Desk, Run, Server};

on_all_servers!(
    a_good_set_is_proven,
    a_seed_that_doubles_its_rows_is_named,
    a_down_file_that_forgets_an_index_is_named,
    another_table_behind_if_not_exists_is_found,
    an_order_of_columns_that_was_another_before_is_not_the_migrations,
    a_migration_that_fails_is_named,
);

on_all_servers!(what_was_changed_since_the_evidence_is_said,);
on_postgres!(a_tenants_seed_of_what_is_shared_is_named,);

pub(super) fn prove(case: &Case) -> Run {
    case.project.tenantgate(&["plan", "--prove"])
}

/// The messages of a check's findings.
pub(super) fn told(run: &Run, check: &str) -> Vec<String> {
    let findings = run.check(check)["findings"].as_array().cloned();
    let message = |it: &Value| it["message"].as_str().unwrap().to_owned();
    findings.unwrap_or_default().iter().map(message).collect()
}

fn assert_passed(run: &Run) {
    run.assert_code(0);
    for check in ["prove.twice", "prove.back", "prove.onto"] {
        assert_eq!(run.check(check)["status"], "passed", "{}", run.stdout);
    }
}

/// Two that have a way back, and run as often as one likes.
fn with_downs(case: &Case) {
    let write = |file: &str, sql: &str| case.project.tenant(file, &format!("{sql}\n"));
    write(
        "0004_notes.sql",
        "CREATE TABLE IF NOT EXISTS notes (id INT PRIMARY KEY, body VARCHAR(40) NOT NULL);",
    );
    write("0004_notes.down.sql", "DROP TABLE notes;");
    write("0005_body.sql", "CREATE INDEX notes_body ON notes (body);");
    let drop = match case.server {
        Server::Mariadb => "DROP INDEX notes_body ON notes;",
        _ => "DROP INDEX notes_body;",
    };
    write("0005_body.down.sql", drop);
}

fn a_good_set_is_proven(server: Server) {
    let case = Case::new(server, 2);
    with_downs(&case);
    // An empty database, one that is behind, and one that is at head.
    let empty = places(&case);
    assert_passed(&prove(&case));
    assert_eq!(places(&case), empty, "it leaves no trace");
    let later = ["0004_notes.sql", "0005_body.sql"].map(|file| {
        let path = format!("migrations/tenant/{file}");
        let text = case.project.read(&path);
        case.project.remove(&path);
        (file, text)
    });
    let downs = ["0004_notes.down.sql", "0005_body.down.sql"].map(|file| {
        let path = format!("migrations/tenant/{file}");
        let text = case.project.read(&path);
        case.project.remove(&path);
        (file, text)
    });
    case.run().assert_code(0);
    for (file, text) in later.iter().chain(&downs) {
        case.project.tenant(file, text);
    }
    let before = places(&case);
    let behind = prove(&case);
    assert_passed(&behind);
    assert_eq!(places(&case), before, "it leaves no trace");
    let twice = told(&behind, "prove.twice");
    assert!(
        twice[0].starts_with("5 of 6 migrations are refused a second time, and changed nothing: "),
        "{twice:?}"
    );
    assert!(
        told(&behind, "prove.back")[0].starts_with("4 of 6 migrations have no down file"),
        "{:?}",
        told(&behind, "prove.back")
    );
    assert!(told(&behind, "prove.onto").is_empty(), "{}", behind.stdout);
    case.run().assert_code(0);
    assert_passed(&prove(&case));
    // Who wants every migration to run as often as one likes says so.
    config(&case, "idempotent = \"error\"");
    let strict = prove(&case);
    strict.assert_code(1);
    assert_eq!(strict.checks_that("failed"), ["prove.twice"]);
}

fn config(case: &Case, line: &str) {
    let text = case.project.read("tenantgate.toml");
    let text = text.replace("\n[tenancy]", &format!("\n[prove]\n{line}\n[tenancy]"));
    case.project.write("tenantgate.toml", &text);
}

fn a_seed_that_doubles_its_rows_is_named(server: Server) {
    let case = Case::new(server, 1);
    case.project.tenant(
        "0004_seed.sql",
        "CREATE TABLE IF NOT EXISTS seeds (n INT);\nINSERT INTO seeds VALUES (1), (2);\n",
    );
    case.project.tenant(
        "0005_careful.sql",
        "CREATE TABLE IF NOT EXISTS careful (n INT);\nINSERT INTO careful SELECT 1 FROM items WHERE id = 1 AND NOT EXISTS (SELECT 1 FROM careful);\n",
    );
    let run = prove(&case);
    run.assert_code(0);
    assert_eq!(run.check("prove.twice")["status"], "warned");
    let twice = told(&run, "prove.twice");
    assert_eq!(
        twice[0],
        "tenant/0004_seed.sql leaves something when it runs a second time: table seeds has 2 rows more"
    );
    assert!(twice[1].contains("4 of 6 migrations are refused"), "{twice:?}");
    config(&case, "changed = \"error\"");
    let strict = prove(&case);
    strict.assert_code(1);
    assert_eq!(strict.checks_that("failed"), ["prove.twice"]);
    let finding = &strict.check("prove.twice")["findings"][0];
    assert_eq!(finding["file"], "migrations/tenant/0004_seed.sql");
}

fn a_down_file_that_forgets_an_index_is_named(server: Server) {
    let case = Case::new(server, 1);
    let write = |file: &str, sql: &str| case.project.tenant(file, &format!("{sql}\n"));
    write(
        "0004_notes.sql",
        "CREATE TABLE notes (id INT PRIMARY KEY);\nCREATE INDEX items_label ON items (label);",
    );
    write("0004_notes.down.sql", "DROP TABLE notes;");
    write("0005_more.sql", "ALTER TABLE notes ADD COLUMN more INT;");
    write("0005_more.down.sql", "ALTER TABLE notes DROP COLUMN more;");
    write("0006_wrong.sql", "CREATE TABLE wrong (id INT);");
    write("0006_wrong.down.sql", "DROP TABLE wrong_name;");
    let before = places(&case);
    let run = prove(&case);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["prove.back"]);
    let back = told(&run, "prove.back");
    assert_eq!(
        back[0],
        "after tenant/0004_notes.down.sql it is not as before its migration: extra index `items_label` of `items`"
    );
    assert!(
        back[1].starts_with("after tenant/0004_notes.down.sql: tenant/0004_notes.sql failed"),
        "{back:?}"
    );
    assert!(
        back[2].starts_with("tenant/0006_wrong.down.sql failed where it was tried out"),
        "{back:?}"
    );
    assert_eq!(back.len(), 4, "{back:?}");
    let finding = &run.check("prove.back")["findings"][0];
    assert_eq!(finding["file"], "migrations/tenant/0004_notes.down.sql");
    assert_eq!(places(&case), before, "it leaves no trace");
}

fn another_table_behind_if_not_exists_is_found(server: Server) {
    let case = Case::new(server, 3);
    case.run().assert_code(0);
    case.db.tenant("t02").execute("CREATE TABLE notes (id INT)");
    let write = |body: &str| {
        let sql = format!("CREATE TABLE IF NOT EXISTS notes (id INT{body});\n");
        case.project.tenant("0004_notes.sql", &sql);
    };
    write(", body VARCHAR(9)");
    let before = places(&case);
    let run = prove(&case);
    assert_eq!(places(&case), before, "it leaves no trace");
    let onto = told(&run, "prove.onto");
    assert!(
        onto[0].starts_with("t02 is not what the applied migrations make: ") && onto[0].contains("notes"),
        "{onto:?}"
    );
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["prove.onto"]);
    let finding = &run.check("prove.onto")["findings"][1];
    assert_eq!(finding["tenant"], "t02");
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("column `notes.body` is missing"), "{message}");
    // The same table by hand is what the migration would make.
    write("");
    let same = prove(&case);
    same.assert_code(0);
    assert_eq!(told(&same, "prove.onto").len(), 1, "{}", same.stdout);
}

fn an_order_of_columns_that_was_another_before_is_not_the_migrations(server: Server) {
    let case = Case::new(server, 3);
    let add = |name: &str| format!("ALTER TABLE items ADD COLUMN {name} INT;\n");
    case.project
        .tenant("0004_more.sql", &(add("first_one") + &add("second_one")));
    case.run().assert_code(0);
    let moved = "ALTER TABLE items DROP COLUMN first_one;".to_owned() + &add("first_one");
    case.db.tenant("t02").execute(&moved);
    case.project.tenant("0005_last.sql", &add("last_one"));
    let run = prove(&case);
    run.assert_code(0);
    let onto = told(&run, "prove.onto");
    assert_eq!(onto.len(), 1, "it was tried on its copy: {onto:?}");
    assert!(onto[0].contains("`items` has column order "), "{onto:?}");
}

fn a_migration_that_fails_is_named(server: Server) {
    let case = Case::new(server, 1);
    let before = places(&case);
    case.project
        .tenant("0004_broken.sql", "ALTER TABLE nosuch ADD COLUMN x INT;\n");
    let run = prove(&case);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["prove.twice"]);
    assert_eq!(run.checks_that("skipped"), ["prove.back", "prove.onto"]);
    let finding = &run.check("prove.twice")["findings"][0];
    assert_eq!(finding["file"], "migrations/tenant/0004_broken.sql");
    assert_eq!(places(&case), before, "it leaves no trace");
}

/// What keeps its index in tables of its own makes them itself.
#[test]
fn a_copy_has_virtual_tables_once() {
    let case = Case::new(Server::Sqlite, 3);
    case.run().assert_code(0);
    case.db.tenant("t02").execute(
        "CREATE VIRTUAL TABLE docs USING fts5(title); CREATE VIRTUAL TABLE old USING fts4(title);
CREATE VIRTUAL TABLE places USING rtree(id, low, high); CREATE TABLE old_config (id INT)",
    );
    case.project
        .tenant("0004_more.sql", "ALTER TABLE items ADD COLUMN more INT;\n");
    let run = prove(&case);
    run.assert_code(0);
    let onto = told(&run, "prove.onto");
    assert_eq!(onto.len(), 1, "it was tried on its copy: {onto:?}");
    assert!(onto[0].contains("extra table `old_config`"), "{onto:?}");
}

fn a_tenants_seed_of_what_is_shared_is_named(server: Server) {
    let desk = Desk::migrated(server);
    desk.project
        .shared("0002_kinds.sql", "CREATE TABLE kinds (n int);\n");
    desk.project
        .tenant("0003_kinds.sql", "INSERT INTO kinds VALUES (1);\n");
    let run = desk.tenantgate(&["plan", "--prove"]);
    run.assert_code(0);
    let twice = told(&run, "prove.twice");
    assert_eq!(
        twice[0],
        "tenant/0003_kinds.sql leaves something when it runs a second time: table kinds has 1 row more"
    );
}

/// What is there is what the last evidence speaks of, or it is said that it is not.
fn what_was_changed_since_the_evidence_is_said(server: Server) {
    let desk = Desk::new(server);
    desk.tenantgate(&["run"]).assert_code(0);
    desk.project
        .tenant("0003_notes.sql", "CREATE TABLE notes (id int);\n");
    let said = |run: &Run| {
        let onto = told(run, "prove.onto");
        onto.iter()
            .any(|it| it.contains("is not what it was when dev last passed"))
    };
    let run = desk.tenantgate(&["plan", "--prove"]);
    run.assert_code(0);
    assert!(!said(&run), "{}", run.stdout);
    for tenant in crate::harness::TENANTS {
        desk.database.tenant(tenant).execute("CREATE TABLE junk (id int)");
    }
    let run = desk.tenantgate(&["plan", "--prove"]);
    run.assert_code(0);
    assert!(said(&run), "{}", run.stdout);
}
