//! PostgreSQL: all that a tenant lacks goes out in one message, and an error in it is found all the same.

use super::case::Case;
use crate::harness::{Database, Run, Server};

const SERVERS: [Server; 2] = [Server::Postgres, Server::Pgbouncer];

/// The only finding of a rollout that failed, as (file, line, column).
fn place(run: &Run) -> (String, u64, u64) {
    run.assert_code(1);
    let finding = &run.check("rollout.tenants")["findings"][0];
    let number = |key: &str| finding[key].as_u64().unwrap_or_else(|| panic!("{finding}"));
    let file = finding["file"].as_str().unwrap();
    (file.to_owned(), number("line"), number("column"))
}

fn assert_nothing_happened(case: &Case) {
    let made = case
        .db
        .query_value("SELECT count(*) FROM pg_tables WHERE schemaname LIKE 't0%'");
    assert_eq!(made, "0");
    let written = case
        .db
        .query_value("SELECT count(*) FROM tenantgate.ledger WHERE scope = 'tenant'");
    assert_eq!(written, "0");
}

#[test]
fn an_error_with_a_position_names_the_migration_and_the_place() {
    for server in SERVERS {
        let case = Case::new(server, 1);
        case.tenant(
            2,
            "items",
            "CREATE TABLE items (ä int);\n\nINSERT INTO items\n  VALUES (nothing);",
        );
        let run = case.run();
        let file = "migrations/tenant/0002_items.sql".to_owned();
        assert_eq!(place(&run), (file, 4, 11), "{server:?}");
        assert_nothing_happened(&case);
    }
}

#[test]
fn a_syntax_error_names_its_migration_though_nothing_ran() {
    for server in SERVERS {
        let case = Case::new(server, 1);
        case.tenant(3, "items_total", "SELECT 'é', 'é';\nSELECT 1\n  FRM items;");
        let run = case.run();
        let file = "migrations/tenant/0003_items_total.sql".to_owned();
        assert_eq!(place(&run), (file, 3, 7), "{server:?}");
        assert_nothing_happened(&case);
    }
}

#[test]
fn an_error_without_a_position_names_the_statement() {
    for server in SERVERS {
        let case = Case::new(server, 1);
        case.tenant(
            2,
            "items",
            "CREATE TABLE items (id int);\n  SELECT ';', 1/0;\nSELECT 2;",
        );
        let run = case.run();
        let file = "migrations/tenant/0002_items.sql".to_owned();
        assert_eq!(place(&run), (file, 2, 3), "{server:?}");
        assert_nothing_happened(&case);
    }
}

#[test]
fn a_comment_at_the_end_swallows_nothing() {
    for server in SERVERS {
        let case = Case::new(server, 2);
        case.project.tenant(
            "0002_items.sql",
            "CREATE TABLE items (id int); INSERT INTO ran VALUES ('0002_items') -- no semicolon, no line end",
        );
        case.tenant(3, "items_total", "SELECT 1; /* one; */ ;");
        case.run().assert_code(0);
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total"]);
    }
}

/// The server's quoting rules are a role's to change: what it then takes for open must not reach into what
/// is ours, or the next migration's.
#[test]
fn a_text_that_only_the_server_takes_for_open_is_refused() {
    let case = Case::new(Server::Postgres, 1);
    let name = case.db.name();
    let old = format!("ALTER ROLE {name} SET standard_conforming_strings = off");
    case.db.admin().execute(&old);
    case.project.tenant("0002_items.sql", "SELECT 'a\\';\n");
    case.project
        .tenant("0003_items_total.sql", "SELECT '; SELECT 1 --';\n");
    let run = case.run();
    run.assert_code(1);
    assert_nothing_happened(&case);
}

/// Text that the database's encoding lacks is refused whole, before the server can say where it stands.
#[test]
fn what_the_server_cannot_decode_names_its_migration() {
    let mut case = Case::new(Server::Postgres, 1);
    let (owner, name) = (case.db.name().to_owned(), format!("{}_latin", case.db.name()));
    case.db.admin().execute(&format!(
        "CREATE DATABASE {name} OWNER {owner} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    ));
    let (server, _) = case.db.url().rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    case.project.env("DEV_DB_URL", &url);
    case.tenant(
        2,
        "items",
        "CREATE TABLE items (id int);\nINSERT INTO ran VALUES ('€');",
    );
    let run = case.run();
    run.assert_code(1);
    let finding = &run.check("rollout.tenants")["findings"][0];
    assert_eq!(finding["file"], "migrations/tenant/0002_items.sql", "{finding}");
    let left =
        Database::at(&url).query_value("SELECT count(*) FROM tenantgate.ledger WHERE scope = 'tenant'");
    assert_eq!(left, "0");
    case.db.admin().execute(&format!("DROP DATABASE {name}"));
}

/// More than one message holds: the transaction is one all the same.
#[test]
fn what_is_too_long_for_one_message_is_still_one_transaction() {
    let case = Case::new(Server::Pgbouncer, 1);
    let long = "x".repeat(700_000);
    case.tenant(
        2,
        "items",
        &format!("CREATE TABLE items (t text);\nINSERT INTO items VALUES ('{long}');"),
    );
    case.tenant(
        3,
        "items_total",
        &format!("INSERT INTO items VALUES ('{long}');\nSELECT 1/0;"),
    );
    let run = case.run();
    let file = "migrations/tenant/0003_items_total.sql".to_owned();
    assert_eq!(place(&run), (file, 2, 1));
    assert_nothing_happened(&case);
    case.tenant(3, "items_total", &format!("INSERT INTO items VALUES ('{long}');"));
    case.run().assert_code(0);
    let length = case
        .db
        .tenant("t01")
        .query_value("SELECT sum(length(t)) FROM items");
    assert_eq!(length, "1400000");
}
