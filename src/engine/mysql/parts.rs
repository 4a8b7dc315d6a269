//! How the statements of a migration are grouped, so that the ledger keeps up at the least cost.

use std::collections::HashSet;
use std::ops::Range;

use crate::domain::Migration;

use super::effect::{Effect, Object, ObjectKind, effect};
use super::words::{leaves_traces, sets_session, words};

/// A group's probe has a letter for each statement, and the ledger room for a hundred.
const LARGEST_GROUP: usize = 64;

/// A statement and what is known of it.
pub(super) struct Known {
    /// Without what ends it: a body between DELIMITER lines may bring its own `;`, and an empty
    /// statement is an error.
    pub(super) sql: String,
    pub(super) effect: Effect,
    /// Changes the session alone: outside a transaction, which some settings refuse.
    pub(super) setting: bool,
    pub(super) traces: bool,
    /// May answer more than once, move to another database, or do what its words do not say.
    pub(super) opaque: bool,
    /// What it may name, in lower case: whether case matters depends on the server.
    names: HashSet<String>,
}

/// What one transaction of the ledger stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// One statement, in the same transaction.
    Inside(usize),
    /// Settings and statements that each make something new: in doubt together.
    Group(Range<usize>),
    /// One statement that commits by itself.
    Alone(usize),
}

impl Known {
    /// What it makes, where it makes something new.
    pub(super) fn makes(&self) -> Option<&Object> {
        match &self.effect {
            Effect::Creates(object) if !self.setting => Some(object),
            _ => None,
        }
    }
}

pub(super) fn know(migration: &Migration) -> Vec<Known> {
    let statements = migration.statements.iter();
    statements.map(|it| of(&it.sql)).collect()
}

fn of(sql: &str) -> Known {
    let sql = sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let words = words(sql);
    let first = words.first().map_or("", |it| it.upper.as_str());
    let several = [
        "USE", "CALL", "EXECUTE", "BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR",
    ];
    Known {
        effect: effect(sql),
        setting: sets_session(sql),
        traces: leaves_traces(sql),
        opaque: several.contains(&first)
            || sql.trim_start().starts_with("/*")
            || (first == "SET" && words.get(1).is_some_and(|it| it.upper == "STATEMENT")),
        names: words
            .into_iter()
            .filter_map(|it| it.name.map(|name| name.to_lowercase()))
            .collect(),
        sql: sql.to_owned(),
    }
}

/// What statements before may have touched, as far as their words say.
#[derive(Default)]
pub(super) struct Touched<'a> {
    names: HashSet<&'a str>,
    opaque: bool,
    /// Indexes may have come from another table.
    copies: bool,
}

impl<'a> Touched<'a> {
    pub(super) fn add(&mut self, statement: &'a Known) {
        self.opaque |= statement.opaque;
        self.copies |= statement.names.contains("like");
        self.names.extend(statement.names.iter().map(String::as_str));
    }

    /// The thing that a statement makes cannot have been made or removed by those before.
    pub(super) fn spares(&self, statement: &Known) -> bool {
        statement.makes().is_some_and(|object| {
            let named = self.names.contains(object.name.to_lowercase().as_str());
            let copied = self.copies && object.kind == ObjectKind::Index;
            !self.opaque && !named && !copied
        })
    }
}

/// The parts of the statements in a range, in order.
pub(super) fn parts(statements: &[Known], range: Range<usize>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut group = range.start..range.start;
    let mut touched = Touched::default();
    for index in range {
        let statement = &statements[index];
        let joins = statement.setting || touched.spares(statement);
        let may_begin = statement.setting || statement.makes().is_some();
        if !group.is_empty() && (!joins || group.len() >= LARGEST_GROUP) {
            parts.push(Part::Group(group.clone()));
            group = index..index;
            touched = Touched::default();
        }
        if may_begin {
            group = if group.is_empty() {
                index..index + 1
            } else {
                group.start..index + 1
            };
            touched.add(statement);
        } else if statement.effect == Effect::Transactional {
            parts.push(Part::Inside(index));
        } else {
            parts.push(Part::Alone(index));
        }
    }
    if !group.is_empty() {
        parts.push(Part::Group(group));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(statements: &[&str]) -> Vec<Part> {
        let known: Vec<Known> = statements.iter().map(|it| of(it)).collect();
        parts(&known, 0..known.len())
    }

    #[test]
    fn new_things_are_in_doubt_together() {
        let all = [
            "SET foreign_key_checks = 0",
            "CREATE TABLE a (id int)",
            "CREATE TABLE b (id int, a int, FOREIGN KEY (a) REFERENCES a (id))",
            "CREATE INDEX b_id ON b (id)",
            "INSERT INTO a VALUES (1)",
            "CREATE TABLE c (id int)",
            "ALTER TABLE c ADD d int",
            "DROP TABLE b",
        ];
        let expected = [
            Part::Group(0..4),
            Part::Inside(4),
            Part::Group(5..6),
            Part::Alone(6),
            Part::Alone(7),
        ];
        assert_eq!(grouped(&all), expected);
    }

    /// Then the thing itself would not tell whether its statement was carried out.
    #[test]
    fn a_name_that_came_before_begins_anew() {
        let twice = ["CREATE TABLE a (b int, KEY i (b))", "CREATE INDEX I ON a (b)"];
        assert_eq!(grouped(&twice), [Part::Group(0..1), Part::Group(1..2)]);
        let like = ["CREATE TABLE a LIKE b", "CREATE INDEX i ON a (c)"];
        assert_eq!(grouped(&like), [Part::Group(0..1), Part::Group(1..2)]);
        let dropped = ["DROP TABLE IF EXISTS a", "CREATE TABLE a (b int)"];
        assert_eq!(grouped(&dropped), [Part::Alone(0), Part::Group(1..2)]);
        let case = ["CREATE TABLE a (b int)", "CREATE TABLE A (b int)"];
        assert_eq!(grouped(&case), [Part::Group(0..1), Part::Group(1..2)]);
    }

    #[test]
    fn a_group_has_an_end() {
        let all: Vec<String> = (0..100).map(|it| format!("CREATE TABLE t{it} (a int)")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(grouped(&all), [Part::Group(0..64), Part::Group(64..100)]);
    }

    #[test]
    fn what_words_do_not_say_is_not_trusted() {
        let mut touched = Touched::default();
        let table = of("CREATE TABLE a (b int)");
        assert!(touched.spares(&table));
        let call = of("CALL makes_a()");
        touched.add(&call);
        assert!(!touched.spares(&table));
    }
}
