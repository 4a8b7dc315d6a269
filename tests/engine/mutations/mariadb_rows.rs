//! What mends a MariaDB in which rows are.

use tenantgate::database_url::EngineKind;
use tenantgate::migrations::split;

use crate::harness::{Desk, Server, Session};

const TABLES: &str = "
CREATE TABLE things (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, code VARCHAR(5), mood ENUM('new', 'old'), made TIMESTAMP NULL,
    seen TIMESTAMP NOT NULL DEFAULT current_timestamp(), at DATETIME, needed INT NOT NULL);
CREATE TRIGGER one BEFORE INSERT ON things FOR EACH ROW SET NEW.code = coalesce(NEW.code, 'a');
CREATE TRIGGER two BEFORE INSERT ON things FOR EACH ROW SET NEW.mood = coalesce(NEW.mood, 'new');
CREATE TRIGGER three BEFORE INSERT ON things FOR EACH ROW SET NEW.at = coalesce(NEW.at, now());
CREATE TABLE kept (id INT PRIMARY KEY, name VARCHAR(9)) WITH SYSTEM VERSIONING;
";

struct Planted {
    desk: Desk,
    sql: String,
}

impl Planted {
    fn new(change: &str) -> Self {
        let desk = Desk::new(Server::Mariadb);
        desk.project.tenant("0003_all.sql", TABLES);
        desk.tenantgate(&["run"]).assert_code(0);
        let mut planted = Self {
            desk,
            sql: String::new(),
        };
        planted.execute(change).unwrap();
        let run = planted.desk.tenantgate(&["validate"]);
        run.assert_code(1);
        let finding = &run.check("drift.tenant")["findings"][0];
        assert_eq!(finding["tenant"], "birch", "{finding}");
        planted.sql = finding["sql"].as_str().unwrap().to_owned();
        planted
    }

    /// On a server that is not strict.
    fn execute(&self, sql: &str) -> Result<Session, String> {
        let mut session = self.desk.database.session();
        let location = self.desk.database.location("birch");
        session.execute(&format!(
            "SET SESSION sql_mode = '', time_zone = '-05:00'; USE `{location}`"
        ));
        for statement in split(sql, EngineKind::Mysql).expect("statements") {
            session
                .try_query(&statement.sql)
                .map_err(|error| format!("{error} in {}", statement.sql))?;
        }
        Ok(session)
    }

    fn value(&self, query: &str) -> String {
        self.execute("DO 0").unwrap().query_value(query)
    }
}

#[test]
fn what_does_not_fit_is_refused_on_a_lax_server_too() {
    for (change, query, value) in [
        (
            "ALTER TABLE things MODIFY code VARCHAR(20); INSERT INTO things (code, needed) VALUES ('abcdefghij', 1)",
            "SELECT code FROM things",
            "abcdefghij",
        ),
        (
            "ALTER TABLE things MODIFY mood ENUM('new', 'old', 'mad'); INSERT INTO things (mood, needed) VALUES ('mad', 1)",
            "SELECT mood FROM things",
            "mad",
        ),
        (
            "ALTER TABLE things MODIFY needed INT NULL; INSERT INTO things (needed) VALUES (NULL)",
            "SELECT coalesce(needed, 'none') FROM things",
            "none",
        ),
    ] {
        let planted = Planted::new(change);
        let refused = planted.execute(&planted.sql).err().unwrap_or_default();
        assert!(
            refused.contains("runcated") || refused.contains("too long"),
            "{refused}: {}",
            planted.sql
        );
        assert_eq!(planted.value(query), value);
    }
}

#[test]
fn what_would_be_changed_without_a_word_is_a_comment() {
    for (change, why) in [
        (
            "ALTER TABLE things MODIFY seen TIMESTAMP NULL DEFAULT current_timestamp()",
            "the time of now",
        ),
        (
            "ALTER TABLE things MODIFY at TIMESTAMP NULL",
            "the session's time zone",
        ),
        (
            "ALTER TABLE things MODIFY needed VARCHAR(9) NOT NULL",
            "would change what is there",
        ),
        (
            "ALTER TABLE things MODIFY needed ENUM('10', '20') NOT NULL",
            "would change what is there",
        ),
    ] {
        let planted = Planted::new(change);
        let modify = planted.sql.lines().find(|line| line.contains("MODIFY")).unwrap();
        assert!(modify.starts_with("-- ") && modify.contains(why), "{modify}");
    }
    let planted = Planted::new("ALTER TABLE things DROP needed; INSERT INTO things (id) VALUES (1)");
    assert!(
        planted.sql.contains("-- column `things.needed` has no default"),
        "{}",
        planted.sql
    );
}

#[test]
fn a_row_that_has_the_number_zero_keeps_it() {
    let planted = Planted::new(
        "ALTER TABLE things MODIFY id INT NOT NULL; INSERT INTO things (id, needed) VALUES (0, 1), (5, 1)",
    );
    planted.execute(&planted.sql).unwrap();
    assert_eq!(
        planted.value("SELECT group_concat(id ORDER BY id) FROM things"),
        "0,5"
    );
    planted.desk.tenantgate(&["validate"]).assert_code(0);
}

#[test]
fn triggers_are_there_however_often_it_is_run() {
    let planted = Planted::new("DROP TRIGGER two");
    planted.execute(&planted.sql).unwrap();
    planted.execute(&planted.sql).unwrap();
    planted.desk.tenantgate(&["validate"]).assert_code(0);
}

#[test]
fn a_table_whose_history_is_kept_can_be_altered() {
    let planted =
        Planted::new("SET system_versioning_alter_history = KEEP; ALTER TABLE kept MODIFY name VARCHAR(4)");
    planted.execute(&planted.sql).unwrap();
    planted.desk.tenantgate(&["validate"]).assert_code(0);
}
