//! Whether a statement of MariaDB or MySQL reaches into another database than the current one.
//!
//! Nothing that is tried out there is rolled back, so whatever is not known to stay is refused: a name with
//! another name before it may be read in a query, and be pointed to by a foreign key, and no more.

use crate::database_url::EngineKind;
use crate::domain::Migration;
use crate::migrations::words;

/// Behind these stands a table of its own, never a column.
const BEFORE_TABLES: [&str; 19] = [
    "CALL",
    "DELAYED",
    "EVENT",
    "EXISTS",
    "FUNCTION",
    "HIGH_PRIORITY",
    "IGNORE",
    "INSERT",
    "INTO",
    "JOIN",
    "LOW_PRIORITY",
    "PACKAGE",
    "PROCEDURE",
    "REPLACE",
    "SEQUENCE",
    "STRAIGHT_JOIN",
    "TABLE",
    "TRIGGER",
    "UPDATE",
];

/// Statements that name tables and nothing else: there is no alias in them.
const ONLY_TABLES: [&str; 13] = [
    "ANALYZE", "CALL", "CHECK", "CHECKSUM", "DROP", "FLUSH", "HANDLER", "LOAD", "LOCK", "OPTIMIZE", "RENAME",
    "REPAIR", "TRUNCATE",
];

/// What would be done elsewhere, or cannot be told; none where the statement keeps to the current database.
pub fn reaches_out(sql: &str) -> Option<String> {
    let words = words(sql, EngineKind::Mysql, usize::MAX);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.is_empty() {
        return Some("what cannot be told apart".to_owned());
    }
    of_server(&words).or_else(|| other_place(&words))
}

/// What a text put together on the way may name; none where nothing of that kind is run.
pub(super) fn put_together(migration: &Migration) -> Option<(usize, String)> {
    let all: Vec<Vec<String>> = migration
        .statements
        .iter()
        .map(|it| words(&it.sql, EngineKind::Mysql, usize::MAX))
        .collect();
    let runs = |words: &Vec<String>| {
        words.first().is_some_and(|it| it == "PREPARE")
            || words
                .windows(2)
                .any(|pair| pair[0] == "EXECUTE" && pair[1] == "IMMEDIATE")
            || words
                .windows(3)
                .any(|three| three[0] == "PREPARE" && three[2] == "FROM")
    };
    if !all.iter().any(runs) {
        return None;
    }
    let is_text = |word: &&String| word.starts_with(['\'', '"']) && word.contains('.');
    let stays = |text: &str| {
        let inside = text[1..].trim_end_matches(['\'', '"']).replace("''", "'");
        let first = inside
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let whole = [
            "ALTER", "CREATE", "DELETE", "DO", "DROP", "INSERT", "SELECT", "SET", "UPDATE",
        ];
        whole.contains(&first.as_str()) && !inside.trim_end().ends_with('.') && reaches_out(&inside).is_none()
    };
    all.iter().enumerate().find_map(|(index, words)| {
        let text = words.iter().filter(is_text).find(|text| !stays(text))?;
        Some((index, format!("EXECUTE of {text}")))
    })
}

/// What is the server's or another database's by its kind.
fn of_server(words: &[&str]) -> Option<String> {
    let is_database = |pair: &[&str]| {
        matches!(pair[0], "CREATE" | "DROP" | "ALTER" | "REPLACE") && matches!(pair[1], "DATABASE" | "SCHEMA")
    };
    if let Some(pair) = words.windows(2).find(|pair| is_database(pair)) {
        return Some(pair.join(" "));
    }
    if words.contains(&"OUTFILE") || words.contains(&"DUMPFILE") {
        return Some("INTO OUTFILE".to_owned());
    }
    let remote = ["CONNECT", "FEDERATED", "S3", "SPIDER"];
    let is_remote =
        |pair: &&[&str]| pair[0] == "ENGINE" && remote.contains(&pair[1].trim_matches(['\'', '`']));
    let named: Vec<&str> = words.iter().copied().filter(|it| *it != "=").collect();
    if let Some(pair) = named.windows(2).find(is_remote) {
        return Some(pair.join(" "));
    }
    let of_all = |word: &&&str| matches!(**word, "GLOBAL" | "PERSIST" | "@@GLOBAL" | "@@PERSIST");
    let sets = words.first() == Some(&"SET");
    words
        .iter()
        .find(of_all)
        .filter(|_| sets)
        .map(|word| format!("SET {word}"))
}

/// A qualified name that is neither a column's nor only read.
fn other_place(words: &[&str]) -> Option<String> {
    let aliases = aliases(words);
    // Of each parenthesis that is open: a SELECT stands in it before.
    let mut reads = vec![false];
    for at in 0..words.len() {
        match words[at] {
            "(" => reads.push(false),
            ")" if reads.len() > 1 => drop(reads.pop()),
            // In a body the next statement.
            ";" => reads = vec![false],
            "SELECT" => reads.iter_mut().next_back().into_iter().for_each(|it| *it = true),
            _ => {}
        }
        let before = |steps: usize| at.checked_sub(steps).map_or("", |at| words[at]);
        let qualified = words.get(at + 1) == Some(&".")
            && is_name(words[at])
            && words.get(at + 2).is_some_and(|it| is_name(it))
            && before(1) != ".";
        if !qualified || matches!(words[at], "NEW" | "OLD") || before(1) == "REFERENCES" {
            continue;
        }
        let found = || Some(words[at.saturating_sub(1)..=at + 2].join(" ").replace(" . ", "."));
        let counts_on = before(1) == "FOR" && before(2) == "VALUE"
            || before(1) == "(" && matches!(before(2), "NEXTVAL" | "SETVAL" | "LASTVAL");
        // A function of another database may do anything.
        if words.get(at + 3) == Some(&"(") && before(1) != "INTO" || counts_on {
            return found();
        }
        let is_read = reads.contains(&true) || before(1) == "LIKE" && words[0] == "CREATE";
        if is_read {
            continue;
        }
        let is_table = BEFORE_TABLES.contains(&before(1)) && before(2) != "KEY"
            || before(1) == "FROM" && matches!(before(2), "DELETE" | "QUICK" | "IGNORE" | "LOW_PRIORITY")
            || before(1) == "ON" && words[0] == "CREATE" && !aliases.contains(&plain(words[at]));
        if is_table || !aliases.contains(&plain(words[at])) {
            return found();
        }
    }
    None
}

/// Tables without a database, other names of tables, and rows that have a name: columns stand behind these.
fn aliases(words: &[&str]) -> Vec<String> {
    let first = words.first().copied().unwrap_or_default();
    if ONLY_TABLES.contains(&first) {
        return Vec::new();
    }
    let in_expression = [
        "AND", "BETWEEN", "BY", "CASE", "DISTINCT", "ELSE", "HAVING", "IN", "IS", "NOT", "OR", "RETURN",
        "SELECT", "SET", "THEN", "WHEN", "WHERE",
    ];
    let behind = |at: usize| match words.get(at) {
        None => true,
        Some(word) => {
            is_name(word) && *word != "IS" && *word != "IN" || matches!(*word, "," | ")" | "(" | ";")
        }
    };
    let is_one = |at: usize| {
        let before = at.checked_sub(1).map_or("", |at| words[at]);
        let stands = is_name(before) || matches!(before, "," | ")" | "(" | ".");
        is_name(words[at]) && stands && !in_expression.contains(&before) && behind(at + 1)
    };
    (0..words.len())
        .filter(|at| is_one(*at))
        .map(|at| plain(words[at]))
        .collect()
}

/// Names of databases and tables may differ in letters only: what is taken for one of these is less then.
fn plain(word: &str) -> String {
    word.trim_matches(['`', '"']).to_uppercase()
}

fn is_name(word: &str) -> bool {
    let quoted = word.starts_with(['`', '"']);
    quoted || word.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') && !word.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_another_database_is_seen() {
        for sql in [
            "INSERT shop.log VALUES (1)",
            "INSERT IGNORE shop.log VALUES (1)",
            "INSERT INTO `shop`.log (a) VALUES (1)",
            "REPLACE shop.log VALUES (1)",
            "INSERT INTO shop.log (a) SELECT a FROM orders",
            "DELETE l FROM shop.log l JOIN orders o ON o.id = l.id",
            "DELETE FROM shop.log",
            "DELETE FROM l USING shop.log AS l",
            "UPDATE orders a JOIN shop.b b ON a.id = b.id SET b.x = 1",
            "UPDATE a, shop.b SET a.x = 1",
            "UPDATE IGNORE shop.x SET a = 1",
            "UPDATE a SET x = 1, shop.b.y = 2",
            "WITH n AS (SELECT 1 AS id) UPDATE shop.x SET a = 1",
            "DROP TABLE a, shop.b",
            "DROP TABLE IF EXISTS shop.b",
            "DROP VIEW shop.v",
            "RENAME TABLE a TO shop.a",
            "ALTER TABLE a RENAME TO shop.a",
            "ALTER TABLE a RENAME shop.a",
            "TRUNCATE shop.a",
            "CREATE EVENT shop.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM a",
            "CREATE TRIGGER t AFTER INSERT ON shop.a FOR EACH ROW SET @x = 1",
            "CREATE INDEX i ON shop.a (b)",
            "CREATE TABLE shop.a AS SELECT 1 AS b",
            "CREATE VIEW shop.v AS SELECT 1 AS b",
            "CALL shop.p()",
            "CALL shop.p",
            "SELECT shop.f(1)",
            "UPDATE a SET x = shop.f(1)",
            "SELECT NEXTVAL(shop.s)",
            "SELECT NEXT VALUE FOR shop.s",
            "CREATE PROCEDURE p() INSERT shop.log VALUES (1)",
            "CREATE PROCEDURE p() BEGIN DECLARE n int; SELECT count(*) INTO n FROM shop.b; DELETE FROM shop.b; END",
            "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO shop.log SELECT NEW.id",
            "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN UPDATE shop.log SET n = NEW.id; END",
            "CREATE PROCEDURE p() DROP DATABASE shop",
            "CREATE OR REPLACE DATABASE shop",
            "LOAD DATA INFILE '/a' INTO TABLE shop.a",
            "/*!50003 INSERT INTO shop.log VALUES (1) */",
            "/*M!100000 INSERT shop.log VALUES (1) */",
            "SET @@global.max_connections = 1",
            "CREATE TABLE a (b int) ENGINE=FEDERATED CONNECTION='mysql://x/y/z'",
            "INSERT INTO a VALUES ('open",
        ] {
            assert!(reaches_out(sql).is_some(), "{sql}");
        }
    }

    #[test]
    fn what_stays_or_only_reads_is_let_through() {
        for sql in [
            "CREATE TABLE a (id int, u int, FOREIGN KEY (u) REFERENCES shop.users (id))",
            "CREATE TABLE a LIKE shop.users",
            "CREATE TABLE a AS SELECT * FROM shop.users",
            "CREATE VIEW v AS SELECT u.id, o.x FROM shop.users u JOIN orders o ON o.u = u.id",
            "SELECT count(*) FROM shop.users",
            "INSERT INTO a (id) SELECT id FROM shop.users",
            "INSERT INTO a (id) VALUES ((SELECT max(id) FROM shop.users))",
            "INSERT INTO a (id) VALUES (1) ON DUPLICATE KEY UPDATE a.n = a.n + 1",
            "UPDATE a SET x = (SELECT max(id) FROM shop.users)",
            "UPDATE orders o JOIN lines AS l ON l.o = o.id SET o.x = l.x WHERE o.id > 1",
            "UPDATE a, b SET a.x = b.x",
            "UPDATE a SET a.x = 1 WHERE EXTRACT(DAY FROM a.made) = 1",
            "DELETE o FROM orders o LEFT JOIN lines l ON l.o = o.id WHERE l.id IS NULL",
            "ALTER TABLE a ADD CHECK (a.x > 1)",
            "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = lower(NEW.y)",
            "CREATE PROCEDURE p() BEGIN DECLARE n int; SELECT count(*) INTO n FROM shop.b; UPDATE a SET x = n; END",
            "SET @@session.sql_mode = ''",
            "INSERT INTO a VALUES (1.5, 'shop.log')",
            "CREATE DEFINER=root@localhost VIEW v AS SELECT 1 AS a",
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT n.i + 1 FROM n WHERE n.i < 9) SELECT n.i FROM n",
        ] {
            assert_eq!(reaches_out(sql), None, "{sql}");
        }
    }
}
