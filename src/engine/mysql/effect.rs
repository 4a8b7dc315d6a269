//! What a statement does, as far as it matters to one whose answer was never read.
//!
//! DDL [commits by itself](https://dev.mysql.com/doc/refman/8.0/en/implicit-commit.html), so the
//! ledger cannot record it in the same transaction. Each such statement is atomic, on MySQL from 8.0
//! and on MariaDB from [10.6](https://mariadb.com/kb/en/atomic-ddl/): it took effect or it did not.
//! Which of the two, the objects it names tell, looked at before and after.

use super::words::{Word, words};

/// How a statement is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// In one transaction with the ledger. Whether a routine commits inside cannot be known.
    Transactional,
    /// DDL that succeeds only where this object is absent, and then it is there.
    Creates(Object),
    /// DDL whose success changes these objects.
    Changes(Vec<Object>),
    /// DDL after which none of these exist. MariaDB drops several
    /// [one by one](https://mariadb.com/kb/en/atomic-ddl/): a crash may leave some.
    Removes(Vec<Object>),
    /// DDL that may as well run twice.
    Repeatable,
    /// DDL that leaves no trace to look for, and must not run twice.
    Untraceable,
}

/// What can be asked for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: ObjectKind,
    /// Absent: the current database.
    pub(super) database: Option<String>,
    /// An index's.
    pub(super) table: Option<String>,
    pub(super) name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Table,
    Sequence,
    View,
    Trigger,
    Procedure,
    Function,
    Event,
    Database,
    Index,
}

impl ObjectKind {
    /// As after DROP.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::Sequence => "SEQUENCE",
            Self::View => "VIEW",
            Self::Trigger => "TRIGGER",
            Self::Procedure => "PROCEDURE",
            Self::Function => "FUNCTION",
            Self::Event => "EVENT",
            Self::Database => "DATABASE",
            Self::Index => "INDEX",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "TABLE" | "TABLES" => Self::Table,
            "SEQUENCE" => Self::Sequence,
            "VIEW" => Self::View,
            "TRIGGER" => Self::Trigger,
            "PROCEDURE" => Self::Procedure,
            "FUNCTION" => Self::Function,
            "EVENT" => Self::Event,
            "DATABASE" | "SCHEMA" => Self::Database,
            _ => return None,
        })
    }
}

/// How a statement has to be carried out, and what it leaves behind.
pub(super) fn effect(sql: &str) -> Effect {
    effect_of(&words(sql))
}

fn effect_of(words: &[Word]) -> Effect {
    let upper: Vec<&str> = words.iter().take(24).map(|it| it.upper.as_str()).collect();
    match upper[..] {
        [] => Effect::Untraceable,
        ["SET", "STATEMENT", ..] => {
            // MariaDB: SET STATEMENT limit = 1 FOR …
            let inner = words
                .iter()
                .position(|it| it.upper == "FOR")
                .map(|at| &words[at + 1..]);
            inner.map_or(Effect::Untraceable, effect_of)
        }
        ["SET", "PASSWORD", ..] => Effect::Repeatable,
        [
            "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "SELECT" | "WITH" | "VALUES" | "(" | "SET" | "DO"
            | "CALL" | "EXECUTE" | "PREPARE" | "DEALLOCATE" | "BEGIN" | "SHOW" | "DESCRIBE" | "DESC"
            | "EXPLAIN" | "SAVEPOINT" | "RELEASE" | "HANDLER" | "SIGNAL" | "GET" | "HELP" | "IF" | "CASE"
            | "LOOP" | "WHILE" | "REPEAT" | "FOR",
            ..,
        ] => Effect::Transactional,
        ["LOAD", "DATA" | "XML", ..] => Effect::Transactional,
        ["CREATE", "TEMPORARY", ..]
        | ["CREATE", "OR", "REPLACE", "TEMPORARY", ..]
        | ["DROP", "TEMPORARY", ..] => Effect::Transactional,
        ["CREATE", ..] => create(words, &upper),
        ["ALTER", ..] => alter(words, &upper),
        ["DROP", "INDEX", ..] => on_table(words),
        ["DROP", "PREPARE", ..] => Effect::Transactional,
        ["DROP", kind, ..] => drop(words, kind),
        ["RENAME", "TABLE" | "TABLES", ..] => rename(&words[2..]),
        ["RENAME", ..] => Effect::Untraceable,
        // Truncates, grants, checks, flushes: what they do once they do again.
        _ => Effect::Repeatable,
    }
}

fn create(words: &[Word], upper: &[&str]) -> Effect {
    if upper.starts_with(&["CREATE", "OR", "REPLACE"]) {
        return Effect::Repeatable;
    }
    for (at, word) in upper.iter().enumerate().skip(1) {
        if *word == "INDEX" {
            return index(words, at);
        }
        let Some(kind) = ObjectKind::of(word) else {
            // USER, ROLE, SERVER, …: a rerun of a successful one is refused, and a person sees it.
            continue;
        };
        if upper[at + 1..].starts_with(&["IF", "NOT", "EXISTS"]) {
            return Effect::Repeatable;
        }
        return match object(kind, &words[at + 1..]) {
            Some((object, _)) => Effect::Creates(object),
            None => Effect::Untraceable,
        };
    }
    Effect::Repeatable
}

/// `INDEX name … ON table`, the first word of which is at `at`.
fn index(words: &[Word], at: usize) -> Effect {
    let changes = on_table(words);
    let name = words.get(at + 1).and_then(|it| it.name.clone());
    let plain = words.get(at + 1).is_some_and(|it| it.upper != "IF");
    match (changes, name) {
        (Effect::Changes(mut tables), Some(name)) if plain && tables.len() == 1 => {
            let table = tables.remove(0);
            Effect::Creates(Object {
                kind: ObjectKind::Index,
                database: table.database,
                table: Some(table.name),
                name,
            })
        }
        (changes, _) => changes,
    }
}

fn alter(words: &[Word], upper: &[&str]) -> Effect {
    let Some(at) = upper.iter().take(5).position(|it| *it == "TABLE") else {
        // Views, routines, events, databases, users: altered to the same again.
        return Effect::Repeatable;
    };
    let skip = if upper[at + 1..].starts_with(&["IF", "EXISTS"]) {
        3
    } else {
        1
    };
    let swaps = words
        .windows(2)
        .any(|pair| pair[0].upper == "EXCHANGE" && pair[1].upper == "PARTITION");
    match object(ObjectKind::Table, &words[at + skip..]) {
        Some((table, _)) if !swaps => Effect::Changes(vec![table]),
        _ => Effect::Untraceable,
    }
}

/// `… INDEX … ON table`
fn on_table(words: &[Word]) -> Effect {
    let on = words.iter().position(|it| it.upper == "ON");
    match on.and_then(|at| object(ObjectKind::Table, &words[at + 1..])) {
        Some((table, _)) => Effect::Changes(vec![table]),
        None => Effect::Untraceable,
    }
}

fn drop(words: &[Word], kind: &str) -> Effect {
    let Some(kind) = ObjectKind::of(kind) else {
        return Effect::Repeatable;
    };
    let mut rest = &words[2..];
    if rest.len() > 2 && rest[0].upper == "IF" && rest[1].upper == "EXISTS" {
        return Effect::Repeatable;
    }
    let mut objects = Vec::new();
    while let Some((object, behind)) = object(kind, rest) {
        objects.push(object);
        match behind.first() {
            Some(comma) if comma.upper == "," => rest = &behind[1..],
            _ => return Effect::Removes(objects),
        }
    }
    Effect::Untraceable
}

/// `a TO b, c TO d`
fn rename(mut rest: &[Word]) -> Effect {
    if rest.first().is_some_and(|it| it.upper == "IF") {
        rest = &rest[2..];
    }
    let mut objects = Vec::new();
    while let Some((from, behind)) = object(ObjectKind::Table, rest) {
        // MariaDB: RENAME TABLE a WAIT 5 TO b
        let Some(at) = behind.iter().take(3).position(|it| it.upper == "TO") else {
            break;
        };
        let Some((to, behind)) = object(ObjectKind::Table, &behind[at + 1..]) else {
            break;
        };
        objects.extend([from, to]);
        match behind.first() {
            None => return Effect::Changes(objects),
            Some(comma) if comma.upper == "," => rest = &behind[1..],
            Some(_) => break,
        }
    }
    Effect::Untraceable
}

/// `name` or `database.name`, and what follows.
fn object(kind: ObjectKind, words: &[Word]) -> Option<(Object, &[Word])> {
    let (first, behind) = words.split_first()?;
    let first = first.name.clone()?;
    if behind.first().is_some_and(|it| it.upper == ".") {
        let name = behind.get(1)?.name.clone()?;
        let database = Some(first);
        let table = None;
        return Some((
            Object {
                kind,
                database,
                table,
                name,
            },
            &behind[2..],
        ));
    }
    let name = first;
    Some((
        Object {
            kind,
            database: None,
            table: None,
            name,
        },
        behind,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Object {
        Object {
            kind: ObjectKind::Table,
            database: None,
            table: None,
            name: name.to_owned(),
        }
    }

    #[test]
    fn dml_is_transactional() {
        for sql in [
            "insert into a values (1)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "create temporary table x (a int)",
            "SET @x = 1",
            "/*!40101 SET NAMES utf8 */",
            "CALL p()",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "SET STATEMENT max_statement_time = 1 FOR DELETE FROM a",
        ] {
            assert_eq!(effect(sql), Effect::Transactional, "{sql}");
        }
    }

    #[test]
    fn ddl_names_its_table() {
        for sql in [
            "alter table Users add b int",
            "ALTER ONLINE IGNORE TABLE `Users` ADD b int",
            "ALTER TABLE IF EXISTS Users DROP b",
            "CREATE INDEX IF NOT EXISTS i ON Users (b)",
            "DROP INDEX i ON Users",
            "SET STATEMENT lock_wait_timeout = 9 FOR ALTER TABLE Users ADD c int",
            "/*!80000 ALTER TABLE Users ADD c int */",
        ] {
            assert_eq!(effect(sql), Effect::Changes(vec![table("Users")]), "{sql}");
        }
        let elsewhere = Object {
            database: Some("other db".to_owned()),
            ..table("t")
        };
        assert_eq!(
            effect("ALTER TABLE `other db`.t ADD b int"),
            Effect::Changes(vec![elsewhere])
        );
    }

    #[test]
    fn what_is_made_is_named() {
        for sql in ["CREATE TABLE Users (a int)", "create table Users select 1"] {
            assert_eq!(effect(sql), Effect::Creates(table("Users")), "{sql}");
        }
        let index = Object {
            kind: ObjectKind::Index,
            table: Some("Users".to_owned()),
            ..table("i")
        };
        for sql in [
            "CREATE UNIQUE INDEX i ON Users (b)",
            "CREATE INDEX `i` USING BTREE ON Users (b)",
        ] {
            assert_eq!(effect(sql), Effect::Creates(index.clone()), "{sql}");
        }
    }

    #[test]
    fn other_objects_have_names_too() {
        let trigger = Object {
            kind: ObjectKind::Trigger,
            ..table("t")
        };
        let sql = "CREATE DEFINER=`a`@`b` TRIGGER t BEFORE INSERT ON x FOR EACH ROW SET NEW.a = 1";
        assert_eq!(effect(sql), Effect::Creates(trigger));
        let view = Object {
            kind: ObjectKind::View,
            ..table("v")
        };
        let sql = "create algorithm = merge sql security invoker view v as select 1";
        assert_eq!(effect(sql), Effect::Creates(view));
        let function = Object {
            kind: ObjectKind::Function,
            ..table("f")
        };
        assert_eq!(
            effect("CREATE FUNCTION f() RETURNS int RETURN 1"),
            Effect::Creates(function)
        );
    }

    #[test]
    fn drops_and_renames_name_all_of_theirs() {
        assert_eq!(
            effect("DROP TABLE a, `b`"),
            Effect::Removes(vec![table("a"), table("b")])
        );
        assert_eq!(effect("DROP TABLE IF EXISTS a"), Effect::Repeatable);
        let pair = vec![table("a"), table("c"), table("b"), table("a")];
        assert_eq!(effect("RENAME TABLE a TO c, b TO a"), Effect::Changes(pair));
    }

    #[test]
    fn what_cannot_be_traced_is_said() {
        assert_eq!(
            effect("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b"),
            Effect::Untraceable
        );
        for sql in [
            "TRUNCATE a",
            "GRANT SELECT ON a TO b",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "OPTIMIZE TABLE a",
        ] {
            assert_eq!(effect(sql), Effect::Repeatable, "{sql}");
        }
    }
}
