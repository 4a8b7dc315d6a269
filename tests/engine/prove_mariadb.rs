//! Trying out on MariaDB, where nothing is rolled back.

use super::case::Case;
use super::prove::{prove, told};
use crate::harness::Server;

/// A statement about the real shared database is seen before it is sent.
#[test]
fn what_reaches_into_another_database_is_not_tried_out() {
    let case = Case::new(Server::Mariadb, 1);
    case.run().assert_code(0);
    let shared = case.db.query_value("SELECT database()");
    let tenants = || case.db.query_column("SELECT name FROM tenants");
    for sql in [
        format!("INSERT IGNORE {shared}.tenants VALUES ('ghost', 1);"),
        format!("DELETE t FROM {shared}.tenants t;"),
        format!("UPDATE items i JOIN {shared}.tenants t ON t.active = i.id SET t.name = 'ghost';"),
        format!("CREATE PROCEDURE gone() DELETE FROM {shared}.tenants;\nCALL gone();"),
        format!("SET @sql = 'DELETE FROM {shared}.tenants';\nPREPARE it FROM @sql;\nEXECUTE it;"),
        format!("/*!50003 DELETE FROM {shared}.tenants */;"),
        format!("DROP TABLE items, {shared}.tenants;"),
    ] {
        case.project.tenant("0004_elsewhere.sql", &format!("{sql}\n"));
        let run = prove(&case);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["prove.twice"], "{sql}");
        let twice = told(&run, "prove.twice");
        assert!(twice[0].contains("names its place itself"), "{sql}: {twice:?}");
        assert_eq!(tenants(), ["t01"], "{sql}");
    }
    // A down file is tried out, too.
    case.project
        .tenant("0004_elsewhere.sql", "CREATE TABLE notes (id INT);\n");
    case.project.tenant(
        "0004_elsewhere.down.sql",
        &format!("DELETE t FROM {shared}.tenants t;\n"),
    );
    let run = prove(&case);
    run.assert_code(1);
    assert_eq!(tenants(), ["t01"]);
}

#[test]
fn a_routine_that_is_made_again_keeps_its_mode() {
    let case = Case::new(Server::Mariadb, 1);
    case.project
        .tenant("0004_one.sql", "CREATE OR REPLACE PROCEDURE one() SELECT 1;\n");
    let run = prove(&case);
    run.assert_code(0);
    let twice = told(&run, "prove.twice");
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert!(twice[0].starts_with("4 of 5 migrations are refused"), "{twice:?}");
}

#[test]
fn what_was_refused_half_way_has_left_something() {
    let case = Case::new(Server::Mariadb, 1);
    case.project.tenant(
        "0004_half.sql",
        "INSERT INTO items SELECT max(id) + 1, 'more', 0 FROM items;\nCREATE TABLE half (n INT);\n",
    );
    let run = prove(&case);
    run.assert_code(0);
    let twice = told(&run, "prove.twice");
    assert_eq!(
        twice[0],
        "tenant/0004_half.sql is refused a second time, and leaves something of its first statements: table items has 1 row more"
    );
    assert!(twice[1].starts_with("4 of 5 migrations are refused"), "{twice:?}");
}

const LIVE: &str = "CREATE SEQUENCE numbers START WITH 5;
CREATE TABLE kept (id INT PRIMARY KEY, n BIGINT DEFAULT nextval(numbers)) WITH SYSTEM VERSIONING;
CREATE VIEW z AS SELECT id FROM kept;
CREATE VIEW a AS SELECT id FROM z;
SET SESSION sql_mode = 'ANSI_QUOTES';
CREATE PROCEDURE quoted() SELECT \"id\" FROM \"kept\";
SET SESSION sql_mode = DEFAULT;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01' DO DELETE FROM items WHERE id = 0;";

#[test]
fn a_copy_has_all_that_a_database_has() {
    let case = Case::new(Server::Mariadb, 3);
    case.run().assert_code(0);
    case.db.tenant("t02").execute(LIVE);
    case.project
        .tenant("0004_more.sql", "ALTER TABLE items ADD COLUMN more INT;\n");
    let run = prove(&case);
    run.assert_code(0);
    let onto = told(&run, "prove.onto");
    assert_eq!(onto.len(), 1, "it was tried on its copy: {onto:?}");
    assert!(
        onto[0].starts_with("t02 is not what the applied migrations make"),
        "{onto:?}"
    );
}

/// What a tenant has by itself would be done by its copy, for good.
#[test]
fn a_trigger_that_writes_elsewhere_is_not_copied() {
    let case = Case::new(Server::Mariadb, 3);
    case.run().assert_code(0);
    let shared = case.db.query_value("SELECT database()");
    case.db.tenant("t02").execute(&format!(
        "CREATE TRIGGER spread AFTER UPDATE ON items FOR EACH ROW INSERT INTO {shared}.tenants VALUES ('ghost', 0)"
    ));
    case.project.tenant(
        "0004_more.sql",
        "INSERT INTO items VALUES (9, 'nine', 9);\nUPDATE items SET total = 2;\n",
    );
    let run = prove(&case);
    let onto = told(&run, "prove.onto");
    assert!(
        onto.iter().any(|it| it.contains("reaches out of its database")),
        "{onto:?}"
    );
    assert_eq!(case.db.query_value("SELECT count(*) FROM tenants"), "3");
}

/// Whoever is at work is not taken for left over, however old.
#[test]
fn what_is_in_use_is_not_dropped() {
    let case = Case::new(Server::Mariadb, 1);
    let prefix = format!("{}_scratch_", case.ledger());
    let mut other = case.db.admin().session();
    for name in ["1_00000001_t", "1_00000002_t"] {
        other.execute(&format!("CREATE DATABASE {prefix}{name}"));
    }
    other.query_rows(&format!("SELECT GET_LOCK('{prefix}1_00000001', 0)"));
    prove(&case).assert_code(0);
    let left = case.db.query_column(&format!(
        "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '{prefix}%'"
    ));
    assert_eq!(left, [format!("{prefix}1_00000001_t")]);
    other.execute(&format!("DROP DATABASE {prefix}1_00000001_t"));
}
