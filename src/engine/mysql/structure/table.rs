//! `SHOW CREATE TABLE`, which is all that the server itself would make the table of, as facts.

use crate::domain::ObjectKind::{Column, Constraint, Index, Sequence, Table};
use crate::domain::{COLUMN_ORDER, Structure};

use super::text::{Kind, Part, parts, split, units, unquoted, written};

/// What begins a clause of a column. What stands before the first is the type.
const CLAUSES: &[&str] = &[
    "CHARACTER",
    "COLLATE",
    "NOT",
    "NULL",
    "DEFAULT",
    "ON",
    "AUTO_INCREMENT",
    "COMMENT",
    "CHECK",
    "GENERATED",
    "AS",
    "INVISIBLE",
    "WITHOUT",
    "WITH",
];

/// Adds what a table is made of.
pub(super) fn add(structure: &mut Structure, name: &str, text: &str) {
    structure.add(Table, "", name, "kind", "table");
    let parts = parts(text);
    let is = |part: &Part<'_>, text: &str| part.0 == Kind::Other && part.1 == text;
    let Some(open) = parts.iter().position(|part| is(part, "(")) else {
        return structure.add(Table, "", name, "definition", text);
    };
    let mut depth = 0_usize;
    let close = parts[open..].iter().position(|part| {
        depth += usize::from(is(part, "("));
        depth -= usize::from(is(part, ")"));
        depth == 0
    });
    let close = close.map_or(parts.len(), |at| open + at);
    let mut columns = Vec::new();
    for item in split(&parts[open + 1..close], |part| is(part, ",")) {
        let units = units(&item);
        match units.first().map(String::as_str) {
            Some(first) if first.starts_with('`') => {
                let column = unquoted(first).into_owned();
                add_column(structure, name, &column, &units[1..]);
                columns.push(column);
            }
            Some(_) => add_key(structure, name, &units),
            None => {}
        }
    }
    structure.add(Table, "", name, COLUMN_ORDER, columns.join(", "));
    add_options(structure, name, parts.get(close + 1..).unwrap_or_default());
}

/// The units of a column behind its name, read from left to right.
struct Clauses<'a>(std::slice::Iter<'a, String>);

impl Clauses<'_> {
    fn next(&mut self) -> String {
        self.0.next().cloned().unwrap_or_default()
    }

    /// At least so many units, and those behind them that begin no clause.
    fn value(&mut self, least: usize) -> String {
        let begins = |unit: &String| CLAUSES.contains(&unit.as_str()) || unit.starts_with("/*");
        let all = self.0.as_slice();
        let length = all
            .iter()
            .skip(least)
            .position(begins)
            .map_or(all.len(), |at| at + least);
        let (value, rest) = all.split_at(length.min(all.len()));
        self.0 = rest.iter();
        value.join(" ")
    }
}

fn add_column(structure: &mut Structure, table: &str, name: &str, units: &[String]) {
    let mut clauses = Clauses(units.iter());
    let mut add = |attribute: &str, text: String| structure.add(Column, table, name, attribute, text);
    add("type", clauses.value(0));
    let mut others = Vec::new();
    let mut says_null = false;
    while let Some(clause) = clauses.0.next() {
        says_null |= matches!(clause.as_str(), "NOT" | "NULL" | "GENERATED");
        match clause.as_str() {
            "CHARACTER" => {
                clauses.next();
                add("charset", clauses.next());
            }
            "COLLATE" => add("collation", clauses.next()),
            "NOT" => add("null", format!("NOT {}", clauses.next())),
            "NULL" => add("null", "NULL".to_owned()),
            "DEFAULT" => add("default", clauses.value(1)),
            "ON" => {
                clauses.next();
                add("on update", clauses.value(1));
            }
            "AUTO_INCREMENT" => add("extra", clause.clone()),
            "COMMENT" => add("comment", clauses.next()),
            "CHECK" => add("check", clauses.next()),
            "GENERATED" => {
                // ALWAYS AS
                clauses.next();
                clauses.next();
                // The expression, and VIRTUAL or STORED; or ROW, and START or END.
                add("generated", format!("{} {}", clauses.next(), clauses.next()));
            }
            "INVISIBLE" => add("invisible", clause.clone()),
            "WITHOUT" | "WITH" => add(
                "versioning",
                format!("{clause} {} {}", clauses.next(), clauses.next()),
            ),
            _ => others.push(clause.clone()),
        }
    }
    if !others.is_empty() {
        add("options", others.join(" "));
    }
    // Most that may be NULL do not say so; what is generated says nothing of it.
    if !says_null {
        structure.add(Column, table, name, "null", "NULL");
    }
}

/// An index, the primary key, a foreign key or a check.
fn add_key(structure: &mut Structure, table: &str, units: &[String]) {
    let words: Vec<&str> = units.iter().map(String::as_str).collect();
    match &words[..] {
        ["PRIMARY", "KEY", columns, rest @ ..] => {
            structure.add(Constraint, table, "primary key", "columns", *columns);
            if !rest.is_empty() {
                structure.add(Constraint, table, "primary key", "options", rest.join(" "));
            }
        }
        [
            "CONSTRAINT",
            name,
            "FOREIGN",
            "KEY",
            columns,
            "REFERENCES",
            other,
            theirs,
            actions @ ..,
        ] => {
            let name = unquoted(name);
            structure.add(Constraint, table, &*name, "columns", *columns);
            structure.add(
                Constraint,
                table,
                &*name,
                "references",
                format!("{other} {theirs}"),
            );
            add_actions(structure, table, &name, actions);
        }
        ["CONSTRAINT", name, "CHECK", check, rest @ ..] => {
            let text = [&[*check], rest].concat().join(" ");
            structure.add(Constraint, table, &*unquoted(name), "check", text);
        }
        ["KEY", name, columns, rest @ ..] => add_index(structure, table, "plain", name, columns, rest),
        [kind, "KEY", name, columns, rest @ ..] => {
            add_index(structure, table, &kind.to_lowercase(), name, columns, rest);
        }
        other => structure.add(Constraint, table, other.join(" "), "definition", other.join(" ")),
    }
}

fn add_actions(structure: &mut Structure, table: &str, name: &str, words: &[&str]) {
    let mut actions: Vec<(String, Vec<&str>)> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, actions.last_mut()) {
            ("ON", _) => {
                let what = words.next().copied().unwrap_or_default();
                actions.push((format!("on {}", what.to_lowercase()), Vec::new()));
            }
            (word, Some((_, action))) => action.push(word),
            (word, None) => actions.push(("options".to_owned(), vec![word])),
        }
    }
    for (attribute, action) in actions {
        structure.add(Constraint, table, name, attribute, action.join(" "));
    }
}

fn add_index(structure: &mut Structure, table: &str, kind: &str, name: &str, columns: &str, rest: &[&str]) {
    let name = unquoted(name);
    structure.add(Index, table, &*name, "kind", kind);
    structure.add(Index, table, &*name, "columns", columns);
    let mut others = Vec::new();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match *word {
            "COMMENT" => {
                let comment = rest.next().copied().unwrap_or_default();
                structure.add(Index, table, &*name, "comment", comment);
            }
            "IGNORED" => structure.add(Index, table, &*name, "ignored", *word),
            other => others.push(other),
        }
    }
    if !others.is_empty() {
        structure.add(Index, table, &*name, "options", others.join(" "));
    }
}

/// What stands behind the parentheses. Where the next row's number stands is data.
fn add_options(structure: &mut Structure, table: &str, parts: &[Part<'_>]) {
    let mut add = |attribute: &str, text: &str| structure.add(Table, "", table, attribute, text);
    let is_partitions = |part: &Part<'_>| {
        part.1.eq_ignore_ascii_case("PARTITION")
            || (part.0 == Kind::Comment && part.1.contains("PARTITION BY"))
    };
    let partitions = parts.iter().position(is_partitions).unwrap_or(parts.len());
    if partitions < parts.len() {
        add("partitions", written(&parts[partitions..]).trim());
    }
    let mut others = Vec::new();
    for unit in units(&parts[..partitions]) {
        match unit.split_once('=') {
            Some(("AUTO_INCREMENT", _)) => {}
            Some((key, value)) if !unit.starts_with("/*") => {
                let key = unquoted(key).to_lowercase().replace('_', " ");
                add(if key == "collate" { "collation" } else { &key }, value);
            }
            _ if unit == "DEFAULT" => {}
            _ => others.push(unit),
        }
    }
    if !others.is_empty() {
        add("options", &others.join(" "));
    }
}

/// Adds what a sequence is made of; where it stands is data, and not said here.
pub(super) fn add_sequence(structure: &mut Structure, name: &str, text: &str) {
    structure.add(Sequence, "", name, "kind", "sequence");
    let units = units(&parts(text));
    // CREATE SEQUENCE `name`
    let mut units = units.iter().skip(3).map(String::as_str);
    while let Some(unit) = units.next() {
        let mut next = || units.next().unwrap_or_default();
        let (attribute, value) = match unit.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), value),
            None => match unit {
                "start" | "increment" => {
                    next();
                    (unit.to_owned(), next())
                }
                "minvalue" | "maxvalue" | "cache" => (unit.to_owned(), next()),
                "as" => ("type".to_owned(), next()),
                "nocache" => ("cache".to_owned(), unit),
                "cycle" | "nocycle" => ("cycle".to_owned(), unit),
                other => (other.to_owned(), other),
            },
        };
        structure.add(Sequence, "", name, attribute, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut structure = Structure::default();
        add(&mut structure, "o", text);
        let facts = structure
            .facts
            .iter()
            .filter(|it| it.object.kind != Table || it.attribute != "kind");
        let told = facts.map(|it| format!("{} {}: {}", it.object.name, it.attribute, it.text));
        told.collect()
    }

    #[test]
    fn each_clause_of_a_column_is_a_fact() {
        let text = "CREATE TABLE `o` (
  `e` enum('a','b, c','it''s') CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'a b' COMMENT 'x, y',
  `u` int(10) unsigned zerofill /*M!100301 COMPRESSED*/ NOT NULL AUTO_INCREMENT,
  `g` int(11) GENERATED ALWAYS AS (`u` + 1) STORED INVISIBLE,
  `t` timestamp NULL DEFAULT current_timestamp() ON UPDATE current_timestamp() CHECK (`t` > 0)
) ENGINE=InnoDB";
        assert_eq!(
            told(text),
            [
                "o column order: e, u, g, t",
                "o engine: InnoDB",
                "e charset: latin1",
                "e collation: latin1_bin",
                "e comment: 'x, y'",
                "e default: 'a b'",
                "e null: NOT NULL",
                "e type: enum('a','b, c','it''s')",
                "g generated: (`u` + 1) STORED",
                "g invisible: INVISIBLE",
                "g type: int(11)",
                "t check: (`t` > 0)",
                "t default: current_timestamp()",
                "t null: NULL",
                "t on update: current_timestamp()",
                "t type: timestamp",
                "u extra: AUTO_INCREMENT",
                "u null: NOT NULL",
                "u options: /*M!100301 COMPRESSED*/",
                "u type: int(10) unsigned zerofill",
            ]
        );
    }

    #[test]
    fn keys_and_options_are_facts() {
        let text = "CREATE TABLE `o` (
  `a` int,
  PRIMARY KEY (`a`),
  UNIQUE KEY `z` (`a`,`b`(10) DESC) USING BTREE COMMENT 'c d' IGNORED,
  KEY `k` (`a`),
  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES {shared}.`p` (`id`) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT `c` CHECK (`a` > 0)
) ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC COMMENT='t' WITH SYSTEM VERSIONING
 PARTITION BY HASH (`a`)
PARTITIONS 2";
        let facts = told(text);
        for fact in [
            "o charset: utf8mb4",
            "o collation: utf8mb4_bin",
            "o comment: 't'",
            "o options: WITH SYSTEM VERSIONING",
            "o partitions: PARTITION BY HASH (`a`)\nPARTITIONS 2",
            "o row format: DYNAMIC",
            "primary key columns: (`a`)",
            "f on delete: SET NULL",
            "f on update: CASCADE",
            "f references: {shared}.`p` (`id`)",
            "c check: (`a` > 0)",
            "z kind: unique",
            "z columns: (`a`,`b`(10) DESC)",
            "z comment: 'c d'",
            "z ignored: IGNORED",
            "z options: USING BTREE",
            "k kind: plain",
        ] {
            assert!(facts.contains(&fact.to_owned()), "{fact} in {facts:?}");
        }
        assert!(!facts.iter().any(|fact| fact.contains('7')), "{facts:?}");
    }
}
