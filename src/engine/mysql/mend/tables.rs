//! Tables, with their columns, indexes and constraints; sequences.

use std::collections::BTreeSet;

use crate::domain::ObjectKind::{Column, Constraint, Index, Sequence, Table};
use crate::domain::{COLUMN_ORDER, Change, Difference, Object};
use crate::engine::facts::{Fate, commented};

use super::super::sql::ident;
use super::Mend;
use super::lossy::lossy;

/// The constraint that has no name.
const PRIMARY_KEY: &str = "primary key";

impl<'a> Mend<'a> {
    pub(super) fn sequences(&self) -> Vec<String> {
        let statement = |(object, fate): (&'a Object, Fate)| {
            let name = ident(&object.name);
            let verb = match fate {
                Fate::Made => "CREATE",
                Fate::Changed => "ALTER",
                Fate::Dropped => return commented(&format!("DROP SEQUENCE {name};")),
            };
            let option = |(attribute, text): (&str, &str)| match attribute {
                "start" => Some(format!("START WITH {text}")),
                "increment" => Some(format!("INCREMENT BY {text}")),
                "minvalue" => Some(format!("MINVALUE {text}")),
                "maxvalue" => Some(format!("MAXVALUE {text}")),
                "cache" if text == "nocache" => Some("NOCACHE".to_owned()),
                "cache" => Some(format!("CACHE {text}")),
                "cycle" => Some(text.to_uppercase()),
                _ => None,
            };
            let options: Vec<String> = self.facts.all(object).filter_map(option).collect();
            let again = match fate {
                Fate::Made => format!(
                    "\n{}",
                    commented(&format!(
                        "it begins anew: where its numbers are taken, SELECT SETVAL({name}, …);"
                    ))
                ),
                _ => String::new(),
            };
            format!("{verb} SEQUENCE {name} {};{again}", options.join(" "))
        };
        self.of(Sequence).into_iter().map(statement).collect()
    }

    /// Whether a constraint is a key to another table; what is not expected is known by its attributes only
    /// where it is altered.
    fn is_foreign(&self, object: &Object) -> bool {
        self.facts.get(object, "references").is_some()
    }

    pub(super) fn dropped_constraints(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (object, fate) in self.of(Constraint) {
            let (table, name) = (ident(&object.table), ident(&object.name));
            if fate == Fate::Made || object.name == PRIMARY_KEY {
                continue;
            }
            // Of checks and of keys alike.
            lines.push(format!("ALTER TABLE {table} DROP CONSTRAINT {name};"));
        }
        lines
    }

    pub(super) fn made_constraints(&self) -> Vec<String> {
        let there = self.of(Constraint).into_iter();
        let there = there.filter(|(object, fate)| *fate != Fate::Dropped && object.name != PRIMARY_KEY);
        let mut wanted: Vec<&Object> = there.map(|(object, _)| object).collect();
        for table in self.made() {
            let of_table = self.facts.of_table(Constraint, table);
            wanted.extend(of_table.into_iter().filter(|it| self.is_foreign(it)));
        }
        let statement = |object: &Object| match self.constraint(object) {
            Some(clause) => format!("ALTER TABLE {} ADD {clause};", ident(&object.table)),
            None => format!("-- no SQL is known that mends the {object}"),
        };
        wanted.into_iter().map(statement).collect()
    }

    fn constraint(&self, object: &Object) -> Option<String> {
        let name = ident(&object.name);
        if let Some(check) = self.facts.get(object, "check") {
            return Some(format!("CONSTRAINT {name} CHECK {check}"));
        }
        let other = self.facts.get(object, "references")?;
        let columns = self.facts.text(object, "columns");
        let mut clause = format!("CONSTRAINT {name} FOREIGN KEY {columns} REFERENCES {other}");
        for (attribute, action) in self.facts.all(object) {
            if attribute.starts_with("on ") {
                clause += &format!(" {} {action}", attribute.to_uppercase());
            }
        }
        Some(clause)
    }

    fn primary_key(&self, table: &str) -> Option<String> {
        let object = Object {
            kind: Constraint,
            table: table.to_owned(),
            name: PRIMARY_KEY.to_owned(),
        };
        let columns = self.facts.get(&object, "columns")?;
        Some(
            format!("PRIMARY KEY {columns} {}", self.facts.text(&object, "options"))
                .trim()
                .to_owned(),
        )
    }

    fn index(&self, object: &Object) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let kind = match of("kind") {
            "plain" => String::new(),
            kind => format!("{} ", kind.to_uppercase()),
        };
        let comment = self.facts.get(object, "comment");
        let comment = comment.map_or_else(String::new, |it| format!(" COMMENT {it}"));
        let words = [of("options"), of("ignored")]
            .into_iter()
            .filter(|it| !it.is_empty());
        let words: String = words.map(|it| format!(" {it}")).collect();
        format!(
            "{kind}KEY {} {}{words}{comment}",
            ident(&object.name),
            of("columns")
        )
    }

    fn column(&self, object: &Object) -> String {
        let of = |attribute: &str, before: &str| {
            let text = self.facts.get(object, attribute);
            text.map_or_else(String::new, |text| format!(" {before}{text}"))
        };
        [
            ident(&object.name),
            of("type", ""),
            of("charset", "CHARACTER SET "),
            of("collation", "COLLATE "),
            of("options", ""),
            of("generated", "GENERATED ALWAYS AS "),
            of("null", ""),
            of("invisible", ""),
            of("default", "DEFAULT "),
            of("on update", "ON UPDATE "),
            of("extra", ""),
            of("versioning", ""),
            of("comment", "COMMENT "),
            of("check", "CHECK "),
        ]
        .concat()
    }

    pub(super) fn made_tables(&self) -> Vec<String> {
        self.made().into_iter().map(|table| self.create(table)).collect()
    }

    /// Tables that are missing.
    pub(super) fn made(&self) -> Vec<&'a str> {
        let made = self.of(Table).into_iter().filter(|(_, fate)| *fate == Fate::Made);
        made.map(|(object, _)| object.name.as_str()).collect()
    }

    /// Its foreign keys come when all tables are there.
    fn create(&self, table: &str) -> String {
        let mut items: Vec<String> = self
            .facts
            .columns(table)
            .into_iter()
            .map(|it| self.column(it))
            .collect();
        items.extend(self.primary_key(table));
        let indexes = self.facts.of_table(Index, table);
        items.extend(indexes.into_iter().map(|it| self.index(it)));
        let constraints = self.facts.of_table(Constraint, table).into_iter();
        let checks = constraints.filter(|it| it.name != PRIMARY_KEY && !self.is_foreign(it));
        items.extend(checks.filter_map(|it| self.constraint(it)));
        let object = Object::alone(Table, table);
        let mut options: Vec<String> = Vec::new();
        let mut last = String::new();
        for (attribute, text) in self.facts.all(&object) {
            match attribute {
                "kind" | COLUMN_ORDER => {}
                "partitions" => last = format!("\n{text}"),
                attribute => options.push(option(attribute, Some(text))),
            }
        }
        format!(
            "CREATE TABLE {} (\n  {}\n) {}{last};",
            ident(table),
            items.join(",\n  "),
            options.join(" ")
        )
    }

    /// Tables that are there, and of which something is not as expected.
    pub(super) fn changed_tables(&self) -> Vec<&'a str> {
        let parts = self
            .fates
            .keys()
            .filter(|it| matches!(it.kind, Column | Index | Constraint));
        let whole = self
            .of(Table)
            .into_iter()
            .filter(|(_, fate)| *fate == Fate::Changed);
        let mut tables: Vec<&'a str> = parts.map(|it| it.table.as_str()).collect();
        tables.extend(whole.map(|(object, _)| object.name.as_str()));
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    /// The server refuses to alter what it keeps the history of, unless it is told what becomes of that.
    pub(super) fn is_versioned(&self, table: &str) -> bool {
        let object = Object::alone(Table, table);
        let was_not = self.altered(&object).contains(&"options");
        self.facts.text(&object, "options").contains("SYSTEM VERSIONING") && !was_not
    }

    /// One statement for each table, so that nothing in it needs another order.
    pub(super) fn altered_tables(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in self.changed_tables() {
            let (clauses, mut alone) = self.clauses(table);
            if !clauses.is_empty() {
                lines.push(format!(
                    "ALTER TABLE {}\n  {};",
                    ident(table),
                    clauses.join(",\n  ")
                ));
            }
            lines.append(&mut alone);
        }
        lines
    }

    /// Clauses of one statement, and statements of their own behind it.
    fn clauses(&self, table: &str) -> (Vec<String>, Vec<String>) {
        let (mut clauses, mut alone) = (Vec::new(), Vec::new());
        let mut indexes = self.of(Index);
        indexes.retain(|(object, _)| object.table == table);
        let is_switched = |object: &Object| self.altered(object) == ["ignored"];
        for (object, _) in indexes
            .iter()
            .filter(|(it, fate)| *fate != Fate::Made && !is_switched(it))
        {
            clauses.push(format!("DROP INDEX {}", ident(&object.name)));
        }
        self.add_columns(table, &mut clauses, &mut alone);
        let primary_key = Object {
            kind: Constraint,
            table: table.to_owned(),
            name: PRIMARY_KEY.to_owned(),
        };
        if let Some(fate) = self.fates.get(&primary_key) {
            if *fate != Fate::Made {
                clauses.push("DROP PRIMARY KEY".to_owned());
            }
            clauses.extend(self.primary_key(table).map(|key| format!("ADD {key}")));
        }
        for (object, _) in indexes.iter().filter(|(_, fate)| *fate != Fate::Dropped) {
            clauses.push(match (is_switched(object), self.facts.get(object, "ignored")) {
                // The server takes an index that is dropped and made alike for the same, and leaves it ignored.
                (true, None) => format!("ALTER INDEX {} NOT IGNORED", ident(&object.name)),
                (true, Some(_)) => format!("ALTER INDEX {} IGNORED", ident(&object.name)),
                _ => format!("ADD {}", self.index(object)),
            });
        }
        self.add_options(table, &mut clauses, &mut alone);
        (clauses, alone)
    }

    /// Why a column must not be altered without a look at what is in it.
    fn lossy(&self, column: &Object) -> Option<&'static str> {
        let of_type = |it: &&Difference| it.object == *column;
        let by_type = self
            .differences
            .iter()
            .filter(of_type)
            .find_map(|it| match &it.change {
                Change::Altered {
                    attribute,
                    expected: Some(expected),
                    found: Some(found),
                } if attribute == "type" => lossy(found, expected),
                _ => None,
            });
        let of = |attribute| self.facts.text(column, attribute);
        let is_now = of("type").starts_with("timestamp") && of("null") == "NOT NULL";
        let now = is_now && self.altered(column).contains(&"null");
        by_type.or(now.then_some("would put the time of now where there is none"))
    }

    fn add_columns(&self, table: &str, clauses: &mut Vec<String>, alone: &mut Vec<String>) {
        let moved = self.moved(table);
        let mut before = None;
        for object in self.facts.columns(table) {
            let place = before.map_or_else(|| "FIRST".to_owned(), |it| format!("AFTER {}", ident(it)));
            before = Some(&object.name);
            let fate = match self.fates.get(object) {
                Some(fate) => fate,
                None if moved.contains(&object.name) => &Fate::Changed,
                None => continue,
            };
            let column = format!("{} {place}", self.column(object));
            let drop = format!("DROP COLUMN {}", ident(&object.name));
            match self.generated(object) {
                _ if *fate == Fate::Made => {
                    if self.is_unfilled(object) {
                        alone.push(commented(&format!(
                            "{object} has no default: rows that are there have the type's own empty value in it"
                        )));
                    }
                    clauses.push(format!("ADD COLUMN {column}"));
                }
                None if let Some(why) = self.lossy(object) => alone.push(commented(&format!(
                    "ALTER TABLE {} MODIFY COLUMN {column}; {why}",
                    ident(table)
                ))),
                None => clauses.push(format!("MODIFY COLUMN {column}")),
                // VIRTUAL does not become STORED, and what is computed is not lost.
                Some((Some(_), Some(_))) => clauses.extend([drop, format!("ADD COLUMN {column}")]),
                Some(_) => {
                    let table = ident(table);
                    alone.push(commented(&format!(
                        "ALTER TABLE {table}\n  {drop},\n  ADD COLUMN {column};"
                    )));
                }
            }
        }
        let mut lost = self.of(Column);
        lost.retain(|(object, fate)| object.table == table && *fate == Fate::Dropped);
        for (object, _) in lost {
            let (table, column) = (ident(table), ident(&object.name));
            alone.push(commented(&format!("ALTER TABLE {table} DROP COLUMN {column};")));
        }
    }

    fn is_unfilled(&self, column: &Object) -> bool {
        let has = |attribute| self.facts.get(column, attribute).is_some();
        let filled = ["default", "generated", "extra"].into_iter().any(has);
        self.facts.text(column, "null") == "NOT NULL" && !filled
    }

    /// Columns that have to be put behind the one before them, each in its turn.
    fn moved(&self, table: &str) -> BTreeSet<String> {
        let is_it = |it: &&Difference| it.object.kind == Table && it.object.name == table;
        let order = self
            .differences
            .iter()
            .filter(is_it)
            .find_map(|it| match &it.change {
                Change::Altered {
                    attribute,
                    expected: Some(expected),
                    found: Some(found),
                } if attribute == COLUMN_ORDER => Some((expected, found)),
                _ => None,
            });
        let Some((expected, found)) = order else {
            return BTreeSet::new();
        };
        let expected: Vec<&str> = expected.split(", ").collect();
        let mut found: Vec<&str> = found.split(", ").filter(|it| expected.contains(it)).collect();
        let mut moved = BTreeSet::new();
        let there: Vec<&str> = expected.into_iter().filter(|it| found.contains(it)).collect();
        for (place, name) in there.into_iter().enumerate() {
            if found[place] != name {
                found.retain(|it| *it != name);
                found.insert(place, name);
                moved.insert(name.to_owned());
            }
        }
        moved
    }

    /// How the column is computed, expected and found, where that differs.
    fn generated(&self, object: &Object) -> Option<(&Option<String>, &Option<String>)> {
        let mut of = self.differences.iter().filter(|it| it.object == *object);
        of.find_map(|it| match &it.change {
            Change::Altered {
                attribute,
                expected,
                found,
            } if attribute == "generated" => Some((expected, found)),
            _ => None,
        })
    }

    fn add_options(&self, table: &str, clauses: &mut Vec<String>, alone: &mut Vec<String>) {
        let object = Object::alone(Table, table);
        let altered = self.altered(&object);
        for attribute in &altered {
            let expected = self.facts.get(&object, attribute);
            match (*attribute, expected) {
                // Said at the columns.
                (COLUMN_ORDER, _) => {}
                // Said with the collation.
                ("charset", _) if altered.contains(&"collation") => {}
                ("collation", Some(collation)) => {
                    let charset = self.facts.text(&object, "charset");
                    clauses.push(format!("DEFAULT CHARACTER SET {charset} COLLATE {collation}"));
                }
                ("partitions", Some(partitions)) => {
                    alone.push(format!("ALTER TABLE {} {partitions};", ident(table)))
                }
                ("partitions", None) => {
                    alone.push(format!("ALTER TABLE {} REMOVE PARTITIONING;", ident(table)))
                }
                ("options", Some("WITH SYSTEM VERSIONING")) => {
                    clauses.push("ADD SYSTEM VERSIONING".to_owned())
                }
                ("options", None) => {
                    // All that was before goes with it.
                    alone.push(commented(&format!(
                        "ALTER TABLE {} DROP SYSTEM VERSIONING;",
                        ident(table)
                    )));
                }
                ("options" | "kind" | "definition", _) => {
                    alone.push(format!(
                        "-- no SQL is known that mends the {attribute} of {object}"
                    ));
                }
                (attribute, expected) => clauses.push(option(attribute, expected)),
            }
        }
    }

    pub(super) fn lost_tables(&self) -> Vec<String> {
        let extra = self
            .of(Table)
            .into_iter()
            .filter(|(_, fate)| *fate == Fate::Dropped);
        extra
            .map(|(object, _)| commented(&format!("DROP TABLE {};", ident(&object.name))))
            .collect()
    }
}

/// `ROW_FORMAT=DYNAMIC`; the server's default where it is not expected.
fn option(attribute: &str, text: Option<&str>) -> String {
    let text = text.unwrap_or(if attribute == "comment" { "''" } else { "DEFAULT" });
    match attribute {
        "options" => text.to_owned(),
        "collation" => format!("COLLATE={text}"),
        "charset" => format!("DEFAULT CHARSET={text}"),
        other => format!("{}={text}", other.to_uppercase().replace(' ', "_")),
    }
}
