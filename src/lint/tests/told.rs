//! What is told of statements that real migrations have, and what is not.

use super::*;

/// What is found in one pending file, on what one file before it has made.
fn pending(kind: EngineKind, before: &str, sql: &str) -> Vec<String> {
    let project = Project::new();
    project.write("tenant", "0001_old.sql", before);
    project.write("tenant", "0002_new.sql", sql);
    let set = project.load(kind);
    messages(&set, &chosen(&set, |name| name == "new"), kind, &Lint::default())
}

/// Names of rules at the ends of messages.
fn ids(messages: &[String]) -> Vec<&str> {
    let id = |it: &'_ String| it.rfind(" [").map_or(0, |at| at + 2);
    messages.iter().map(|it| &it[id(it)..it.len() - 1]).collect()
}

#[test]
fn times_change_in_place_where_the_zone_is_utc() {
    let before = "CREATE TABLE a (t timestamp NOT NULL, u timestamptz, p timestamp(3));";
    let to = "ALTER TABLE a ALTER COLUMN t TYPE timestamptz USING t;";
    let postgres = |sql: &str| pending(EngineKind::Postgres, before, sql);
    for set in [
        "SET timezone = 'UTC';",
        "SET LOCAL TIME ZONE 'Etc/UTC';",
        "SET TimeZone TO utc;",
    ] {
        assert_eq!(postgres(&format!("{set}\n{to}")), [""; 0], "{set}");
    }
    let utc = "SET timezone = 'UTC';\n";
    for (head, sql) in [
        ("", to),
        ("SET timezone = 'Europe/Rome';\n", to),
        (utc, "ALTER TABLE a ALTER COLUMN p TYPE timestamptz;"),
        (
            utc,
            "ALTER TABLE a ALTER COLUMN t TYPE timestamptz USING t AT TIME ZONE 'UTC';",
        ),
        (utc, "ALTER TABLE a ALTER COLUMN u TYPE date;"),
    ] {
        let found = postgres(&format!("{head}{sql}"));
        assert!(ids(&found).contains(&"changing-column-type"), "{sql}: {found:?}");
    }
    let alone = postgres(&format!("{utc}ALTER TABLE b ALTER COLUMN t TYPE timestamptz;"));
    assert!(alone[0].contains("may be written anew"), "{alone:?}");
}

#[test]
fn each_added_constraint_is_told_once() {
    let before = "CREATE TABLE b (id int PRIMARY KEY);\nCREATE TABLE a (id int, n int);";
    let postgres = |sql: &str| pending(EngineKind::Postgres, before, sql);
    let found = postgres("ALTER TABLE a ADD CONSTRAINT a_n UNIQUE (n);");
    assert_eq!(ids(&found), ["disallowed-unique-constraint"]);
    let found = postgres("ALTER TABLE a ADD PRIMARY KEY (id);");
    assert_eq!(ids(&found), ["adding-serial-primary-key-field"]);
    let found = postgres("ALTER TABLE a ADD CONSTRAINT a_n FOREIGN KEY (n) REFERENCES b (id);");
    assert_eq!(ids(&found), ["adding-foreign-key-constraint"]);
    let found = postgres("ALTER TABLE a ADD COLUMN b int REFERENCES b (id), ADD CHECK (n > 0);");
    assert_eq!(
        ids(&found),
        ["adding-foreign-key-constraint", "constraint-missing-not-valid"]
    );
    assert!(found[0].contains("`a`.`b` points to another table"), "{found:?}");
}

#[test]
fn a_new_column_that_points_elsewhere_is_not_looked_at() {
    let before = "CREATE TABLE b (id int PRIMARY KEY);\nCREATE TABLE a (id int);";
    let postgres = |sql: &str| pending(EngineKind::Postgres, before, sql);
    let found = postgres("ALTER TABLE a ADD COLUMN c int REFERENCES b, ADD COLUMN d int REFERENCES b;");
    assert_eq!(ids(&found), ["adding-foreign-key-constraint"], "{found:?}");
    assert!(!found[0].contains("scan"), "{found:?}");
    for scanned in [
        "ALTER TABLE a ADD COLUMN c int DEFAULT 1 REFERENCES b;",
        "ALTER TABLE a ADD COLUMN c int REFERENCES b, ADD FOREIGN KEY (id) REFERENCES b;",
    ] {
        assert!(postgres(scanned)[0].contains("table scan"), "{scanned}");
    }
}

#[test]
fn longer_text_is_often_changed_in_place_on_mysql() {
    let before = "CREATE TABLE a (s varchar(20), m varchar(100), l varchar(300), t longtext);";
    let mysql = |sql: &str| pending(EngineKind::Mysql, before, sql);
    assert_eq!(
        mysql("ALTER TABLE a MODIFY s varchar(60), MODIFY l varchar(900);"),
        [""; 0]
    );
    let found = mysql("ALTER TABLE a MODIFY m varchar(200);");
    assert!(found[0].contains("may be written anew"), "{found:?}");
    let found = mysql("ALTER TABLE a MODIFY t text;");
    assert_eq!(ids(&found), ["narrowing-type", "changing-column-type"]);
    let found = mysql("ALTER TABLE a CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;");
    assert_eq!(ids(&found), ["changing-column-type"]);
}

#[test]
fn what_the_set_itself_has_given_up_is_not_lost_again() {
    for kind in [EngineKind::Postgres, EngineKind::Mysql, EngineKind::Sqlite] {
        let before =
            "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\nDROP TABLE a;\nALTER TABLE b RENAME TO c;";
        let found = pending(kind, before, "DROP TABLE IF EXISTS a;\nDROP TABLE IF EXISTS b;");
        assert_eq!(found, [""; 0], "{kind:?}");
        let found = pending(
            kind,
            before,
            "DROP TABLE IF EXISTS c;\nDROP TABLE IF EXISTS never;",
        );
        assert_eq!(ids(&found), ["ban-drop-table"; 2], "{kind:?}");
    }
}

#[test]
fn an_index_keeps_its_table_under_another_name() {
    let before = "SELECT 1;";
    let long = "x".repeat(70);
    let sql = format!(
        "CREATE TABLE a (n int);\nCREATE INDEX i ON a (n);\nCREATE INDEX {long} ON a (n);\nALTER TABLE a RENAME TO b;\n\
         ALTER INDEX i RENAME TO j;\nDROP INDEX j;\nDROP INDEX {};",
        &long[..63]
    );
    let found = pending(EngineKind::Postgres, before, &sql);
    assert_eq!(ids(&found), ["identifier-too-long"], "{found:?}");
}

#[test]
fn a_type_of_another_schema_is_no_object() {
    let before = "CREATE TABLE a (n int);";
    for sql in [
        "SELECT (1, 2)::extensions.pair;",
        "SELECT CAST(n AS extensions.citext) FROM a;",
    ] {
        assert_eq!(pending(EngineKind::Postgres, before, sql), [""; 0], "{sql}");
    }
    let found = pending(EngineKind::Postgres, before, "SELECT 1 FROM extensions.pair;");
    assert_eq!(ids(&found), ["other-schema"]);
}

#[test]
fn a_shared_table_is_said_to_be_locked_once() {
    let project = Project::new();
    project.write("shared", "0001_old.sql", "CREATE TABLE plans (a int, b int);");
    let indexes = "CREATE INDEX i ON plans (a);\nCREATE INDEX j ON plans (b);";
    project.write("tenant", "0002_new.sql", indexes);
    let set = project.load(EngineKind::Postgres);
    let chosen = chosen(&set, |name| name == "new");
    let found = messages(&set, &chosen, EngineKind::Postgres, &Lint::default());
    assert_eq!(ids(&found), ["lock-over-all-tenants"], "{found:?}");
}

#[test]
fn what_is_dropped_is_named() {
    let before = "CREATE TABLE a (n int);\nCREATE INDEX i ON a (n);";
    let found = pending(
        EngineKind::Postgres,
        before,
        "DROP INDEX i;\nALTER TABLE a DROP n;",
    );
    assert!(
        found[1].starts_with("Note: `i` of `a`: a normal `DROP INDEX`"),
        "{found:?}"
    );
    assert_eq!(
        found[0],
        "Warning: `a`.`n`: dropping a column may break existing clients [ban-drop-column]"
    );
}

#[test]
fn a_copy_is_one_of_all_rows_that_live_on() {
    let before = "CREATE TABLE a (n int);\nCREATE TABLE log (n int);";
    for kind in [EngineKind::Postgres, EngineKind::Mysql, EngineKind::Sqlite] {
        for kept in [
            "ALTER TABLE a RENAME TO _old;\nCREATE TABLE a (n int);\nINSERT INTO a SELECT n FROM _old;\nDROP TABLE _old;",
            "CREATE TABLE b (n int);\nINSERT INTO b SELECT n FROM a;\nDROP TABLE a;\nALTER TABLE b RENAME TO a;",
            "CREATE TABLE b AS SELECT n FROM a;\nDROP TABLE a;\nALTER TABLE b RENAME TO a;",
        ] {
            let found = pending(kind, before, kept);
            assert!(!ids(&found).contains(&"ban-drop-table"), "{kept}: {found:?}");
        }
        for lost in [
            "INSERT INTO log SELECT n FROM a WHERE n > 9;\nDROP TABLE a;",
            "INSERT INTO log SELECT n FROM a;\nDROP TABLE a;",
            "CREATE TABLE b (n int);\nINSERT INTO b SELECT n FROM a WHERE n > 9;\nDROP TABLE a;\nALTER TABLE b RENAME TO a;",
            "CREATE TABLE b (n int);\nDROP TABLE a;\nALTER TABLE b RENAME TO a;",
        ] {
            let found = pending(kind, before, lost);
            assert!(
                ids(&found).contains(&"ban-drop-table"),
                "{kind:?} {lost}: {found:?}"
            );
        }
    }
}

#[test]
fn rows_are_lost_by_parts_and_by_replacing_on_mariadb() {
    let before = "CREATE TABLE a (n int) PARTITION BY RANGE (n) (PARTITION p VALUES LESS THAN (9));";
    let found = |sql: &str| pending(EngineKind::Mysql, before, sql);
    for (sql, rule) in [
        ("CREATE OR REPLACE TABLE a (n int);", "ban-drop-table"),
        ("ALTER TABLE a DROP PARTITION p;", "ban-drop-table"),
        ("ALTER TABLE a TRUNCATE PARTITION p;", "truncate-data"),
    ] {
        assert_eq!(ids(&found(sql)), [rule], "{sql}");
    }
}

#[test]
fn what_is_done_within_with_is_seen() {
    let before = "CREATE TABLE a (n int);\nCREATE TABLE b (n int);";
    let found = |sql: &str| pending(EngineKind::Postgres, before, sql);
    let moved = found("WITH gone AS (DELETE FROM a RETURNING n) INSERT INTO b SELECT n FROM gone;");
    assert_eq!(ids(&moved), ["delete-without-where"], "{moved:?}");
    let set =
        found("WITH one AS (SELECT 1), two AS (UPDATE a SET n = 1 RETURNING n) SELECT count(*) FROM two;");
    assert_eq!(ids(&set), ["update-without-where"], "{set:?}");
    let few = found("WITH gone AS (DELETE FROM a WHERE n = 1 RETURNING n) SELECT count(*) FROM gone;");
    assert_eq!(few, [""; 0]);
}
