//! `mariadb-dump` of a database differs exactly when its fingerprint does, whatever was done to it.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use tenantgate::database_url;
use tenantgate::domain::{Redactor, Tenant, TenantName};
use tenantgate::engine::{self, Engine, EngineOptions, Target};

use crate::harness::{Server, TestDatabase, soak};

const BASE: &str = "
CREATE TABLE base (id INT NOT NULL PRIMARY KEY, a INT, b VARCHAR(20));
CREATE TABLE t1 (id INT NOT NULL, a INT, PRIMARY KEY (id), KEY by_a (a));
CREATE TABLE t2 (id INT NOT NULL AUTO_INCREMENT, a VARCHAR(20), PRIMARY KEY (id));
CREATE SEQUENCE s1;
";

fn any<'a>(of: &[&'a str]) -> &'a str {
    of[fastrand::usize(..of.len())]
}

/// A change that may be refused: a table or a column need not be there.
fn change() -> String {
    let table = any(&["t1", "t2", "t3"]);
    let (column, other) = (any(&["a", "b", "c"]), any(&["id", "a", "b"]));
    let kind = any(&[
        "INT",
        "INT UNSIGNED",
        "BIGINT",
        "VARCHAR(20)",
        "VARCHAR(20) CHARACTER SET latin1",
        "DECIMAL(10,2)",
        "ENUM('x','y, z')",
        "TEXT",
        "DATETIME",
        "BIT(1)",
    ]);
    let null = any(&["", " NULL", " NOT NULL"]);
    let more = any(&[
        "",
        "",
        "",
        " DEFAULT 1",
        " DEFAULT 'x'",
        " COMMENT 'a, b'",
        " COMMENT 'it''s'",
        " INVISIBLE",
        " CHECK (a > 0)",
        " DEFAULT (1 + 1)",
        " DEFAULT nextval(s1)",
    ]);
    let place = any(&["", " FIRST", " AFTER id"]);
    let name = any(&["i1", "i2"]);
    let body = any(&[
        "SET @x = 1",
        "BEGIN SET @x = 1; SET @y = 'a;b'; END",
        "SET @x = 2",
    ]);
    match fastrand::u8(..30) {
        0 => format!("CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, {column} {kind})"),
        1 => format!("DROP TABLE {table}"),
        2..=4 => format!("ALTER TABLE {table} ADD COLUMN {column} {kind}{null}{more}{place}"),
        5 => format!("ALTER TABLE {table} DROP COLUMN {column}"),
        6..=8 => format!("ALTER TABLE {table} MODIFY {column} {kind}{null}{more}{place}"),
        9 => format!(
            "ALTER TABLE {table} ADD COLUMN {column} INT AS (id + {}) {}",
            fastrand::u8(..3),
            any(&["VIRTUAL", "STORED"])
        ),
        10 => format!(
            "CREATE {}INDEX {name} ON {table} ({column}{})",
            any(&["", "UNIQUE "]),
            any(&["", "(3)", " DESC"])
        ),
        11 => format!(
            "CREATE INDEX {name} ON {table} ({column}, {other}) COMMENT '{}'",
            any(&["", "x"])
        ),
        12 => format!("DROP INDEX {name} ON {table}"),
        13 => format!(
            "ALTER TABLE {table} ALTER INDEX {name} {}",
            any(&["IGNORED", "NOT IGNORED"])
        ),
        14 => format!(
            "ALTER TABLE {table} ADD CONSTRAINT c1 CHECK (id {} {})",
            any(&["<", ">"]),
            fastrand::u8(..3)
        ),
        15 => format!("ALTER TABLE {table} DROP CONSTRAINT {}", any(&["c1", "f1"])),
        16 => format!(
            "ALTER TABLE {table} ADD CONSTRAINT f1 FOREIGN KEY (id) REFERENCES base (id){}",
            any(&["", " ON DELETE CASCADE", " ON UPDATE CASCADE"])
        ),
        17 => format!(
            "ALTER TABLE {table} {}",
            any(&[
                "ENGINE = MyISAM",
                "ENGINE = InnoDB",
                "ROW_FORMAT = COMPACT",
                "ROW_FORMAT = DEFAULT"
            ])
        ),
        18 => format!("ALTER TABLE {table} COMMENT = '{}'", any(&["", "x", "y; z"])),
        19 => format!(
            "ALTER TABLE {table} COLLATE {}",
            any(&["utf8mb4_bin", "utf8mb4_general_ci", "latin1_swedish_ci"])
        ),
        20 => format!(
            "ALTER TABLE {table} {}",
            any(&[
                "PARTITION BY HASH (id) PARTITIONS 2",
                "REMOVE PARTITIONING",
                "PARTITION BY KEY (id) PARTITIONS 3"
            ])
        ),
        21 => format!(
            "ALTER SEQUENCE s1 {}",
            any(&[
                "INCREMENT BY 2",
                "INCREMENT BY 1",
                "CYCLE",
                "NOCYCLE",
                "CACHE 5",
                "NOCACHE"
            ])
        ),
        22 => format!(
            "CREATE OR REPLACE {} VIEW v1 AS SELECT {} FROM base x WHERE x.a > {} {}",
            any(&["", "SQL SECURITY INVOKER", "ALGORITHM = MERGE"]),
            any(&["a, b", "id", "a AS b"]),
            fastrand::u8(..3),
            any(&["", "WITH LOCAL CHECK OPTION"])
        ),
        23 => any(&[
            "DROP VIEW v1",
            "DROP TRIGGER r1",
            "DROP TRIGGER r2",
            "DROP PROCEDURE p1",
            "DROP FUNCTION p1",
            "DROP EVENT e1",
        ])
        .to_owned(),
        24 => format!(
            "CREATE OR REPLACE TRIGGER {} {} {} ON base FOR EACH ROW {body}",
            any(&["r1", "r2"]),
            any(&["BEFORE", "AFTER"]),
            any(&["INSERT", "UPDATE"])
        ),
        25 => format!(
            "CREATE OR REPLACE PROCEDURE p1 ({}) {} {body}",
            any(&["", "a INT", "INOUT a VARCHAR(9)"]),
            any(&[
                "",
                "READS SQL DATA",
                "SQL SECURITY INVOKER",
                "COMMENT 'x'",
                "DETERMINISTIC"
            ])
        ),
        26 => format!(
            "CREATE OR REPLACE FUNCTION p1 (a INT) RETURNS {} RETURN a + {}",
            any(&["INT", "BIGINT", "VARCHAR(9)"]),
            fastrand::u8(..3)
        ),
        27 => format!(
            "CREATE OR REPLACE EVENT e1 ON SCHEDULE EVERY {} {} {} DO {body}",
            1 + fastrand::u8(..3),
            any(&["DAY", "HOUR"]),
            any(&["", "DISABLE", "ON COMPLETION PRESERVE", "COMMENT 'x'"])
        ),
        // What is no structure.
        28 => format!("INSERT INTO {table} (id) VALUES ({})", fastrand::u8(..)),
        _ => any(&[
            "SELECT nextval(s1)",
            "ANALYZE TABLE t1",
            "ALTER TABLE t2 AUTO_INCREMENT = 500",
            "OPTIMIZE TABLE t1",
        ])
        .to_owned(),
    }
}

/// The dump, without what is data, and with keys in one order.
fn dump(database: &TestDatabase, location: &str) -> String {
    let url = database_url::parse(database.admin().url()).expect("a URL");
    let address = url.addresses.first().expect("an address").to_string();
    let (host, port) = address.rsplit_once(':').expect("host and port");
    let output = Command::new("mariadb-dump")
        .args([
            "--no-defaults",
            "--no-data",
            "--routines",
            "--triggers",
            "--events",
            "--skip-comments",
            "--skip-dump-date",
        ])
        .args([
            "--host",
            host,
            "--port",
            port,
            "--user",
            url.user.as_deref().unwrap_or_default(),
        ])
        .arg(location)
        .env(
            "MYSQL_PWD",
            url.password
                .as_ref()
                .map(|it| it.expose().to_owned())
                .unwrap_or_default(),
        )
        .output()
        .expect("mariadb-dump");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut lines, mut keys) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let item = line.trim_end_matches(',');
        let is_key = [
            "  KEY ",
            "  UNIQUE KEY ",
            "  CONSTRAINT ",
            "  PRIMARY KEY ",
            "  FULLTEXT KEY ",
        ];
        if is_key.iter().any(|it| item.starts_with(it)) {
            keys.push(item.to_owned());
            continue;
        }
        keys.sort();
        lines.append(&mut keys);
        // How the text was sent, and where a sequence stands.
        let session = [
            "character_set",
            "collation",
            "@saved_col",
            "@saved_cs",
            "SETVAL",
            "time_zone",
        ];
        if line.contains("SET") && session.iter().any(|it| line.contains(it)) {
            continue;
        }
        lines.push(
            without(
                &without(item, " AUTO_INCREMENT=", |c| c.is_ascii_digit()),
                " STARTS '",
                |c| c != ' ',
            )
            .replace("  ", " "),
        );
    }
    lines.join("\n")
}

/// A text without a word, and what follows it as long as it is of its kind.
fn without(text: &str, word: &str, is_of_it: impl Fn(char) -> bool) -> String {
    let Some((before, behind)) = text.split_once(word) else {
        return text.to_owned();
    };
    let mut rest = behind.trim_start_matches(is_of_it);
    if word.ends_with('\'') {
        rest = behind.split_once('\'').map_or("", |(_, rest)| rest);
    }
    format!("{before}{rest}")
}

fn open(database: &TestDatabase) -> Box<dyn Engine> {
    let options = EngineOptions {
        shared_schema: String::new(),
        ledger: None,
        location: database.location("{tenant}"),
        lock_timeout: Duration::from_secs(10),
        statement_timeout: None,
        connect_timeout: Duration::from_secs(10),
        run: "a test".to_owned(),
        redactor: Redactor::default(),
    };
    engine::open(
        database_url::parse(database.admin().url()).expect("a URL"),
        None,
        options,
    )
}

#[test]
fn a_dump_differs_exactly_when_the_fingerprint_does() {
    let database = Server::Mariadb.fresh_database();
    let engine = open(&database);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let seed = fastrand::u64(..);
    fastrand::seed(seed);
    let location = database.location("oracle");
    let mut session = database.admin().session();
    session.execute(&format!(
        "CREATE DATABASE `{location}`; SET SESSION sql_mode = @@GLOBAL.sql_mode; USE `{location}`; {BASE}"
    ));
    let tenant = Tenant {
        name: TenantName::parse("oracle").expect("a name"),
        server: None,
        location: location.clone(),
        active: true,
    };
    let targets = [Target::Tenant(&tenant)];
    let (mut of_dumps, mut of_fingerprints) = (HashMap::new(), HashMap::new());
    let (mut of_prints, mut history) = (HashMap::new(), Vec::new());
    for round in 0..soak::times(150, 3_000) {
        let statement = change();
        let done = session.try_query(&statement).is_ok();
        if done {
            history.push(statement);
        }
        let dump = dump(&database, &location);
        let structure = runtime
            .block_on(engine.structures(&targets))
            .expect("a structure")
            .remove(0);
        let print = runtime
            .block_on(engine.prints(&targets, true))
            .expect("a print")
            .remove(0);
        let fingerprint = structure.fingerprint();
        let said = || {
            format!(
                "seed {seed}, round {round}, after {:#?}",
                &history[history.len().saturating_sub(4)..]
            )
        };
        let before = of_dumps
            .entry(dump.clone())
            .or_insert_with(|| fingerprint.clone());
        assert_eq!(
            *before,
            fingerprint,
            "the same dump, another fingerprint: {}\n{dump}\n{structure:#?}",
            said()
        );
        let before: &mut String = of_fingerprints
            .entry(fingerprint.clone())
            .or_insert_with(|| dump.clone());
        assert_eq!(*before, dump, "the same fingerprint, another dump: {}", said());
        let before = of_prints.entry(print).or_insert_with(|| fingerprint.clone());
        assert_eq!(
            *before,
            fingerprint,
            "the same print, another fingerprint: {}",
            said()
        );
    }
    assert!(
        of_dumps.len() > 20,
        "{} structures of {} changes",
        of_dumps.len(),
        history.len()
    );
}
