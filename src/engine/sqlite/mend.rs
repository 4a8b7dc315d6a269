//! SQL that would make a file what it is expected to be, for a person to read and to run.
//!
//! What loses data is commented out. What `ALTER TABLE` cannot do is done by a new table that takes the old one's
//! place: SQLite, "ALTER TABLE", section 7.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::domain::ObjectKind::{Column, Constraint, Index, Table, Trigger, View};
use crate::domain::{Difference, Object, ObjectKind, Structure};
use crate::engine::facts::{Facts, Fate, commented, fates};

use super::sql::literal;

const PRIMARY_KEY: &str = "primary key";

pub(super) fn mend(path: &Path, expected: &Structure, differences: &[Difference]) -> String {
    let mend = Mend {
        facts: Facts::from(expected),
        fates: fates(differences),
    };
    let mut lines = vec![format!("-- {}", path.display())];
    lines.extend(mend.lines());
    lines.join("\n")
}

struct Mend<'a> {
    facts: Facts<'a>,
    fates: BTreeMap<&'a Object, Fate>,
}

/// SQLite, "SQLite Keywords": names in double quotes, which double themselves.
fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl<'a> Mend<'a> {
    fn lines(&self) -> Vec<String> {
        let rebuilt = self.rebuilt();
        let mut lines = Vec::new();
        // Their indexes and triggers go, and come back, with the table or view.
        let stays = |object: &Object| !rebuilt.contains(object.table.as_str());
        for (kind, word) in [(View, "VIEW"), (Trigger, "TRIGGER"), (Index, "INDEX")] {
            let gone = self.of(kind).into_iter().filter(|(_, fate)| *fate != Fate::Made);
            for (object, _) in gone.filter(|(object, _)| stays(object)) {
                lines.push(format!("DROP {word} {};", ident(&object.name)));
            }
        }
        let mut anew: BTreeSet<&str> = rebuilt.clone();
        for (object, fate) in self.of(Table) {
            match fate {
                Fate::Made => {
                    anew.insert(&object.name);
                    lines.push(format!("{};", self.create(&object.name, &object.name)));
                }
                Fate::Changed if !rebuilt.contains(object.name.as_str()) => {
                    lines.push(format!("-- no SQL is known that mends the {object}"));
                }
                _ => {}
            }
        }
        for table in &rebuilt {
            lines.push(self.rebuild(table));
        }
        lines.extend(self.columns(&rebuilt));
        for (object, fate) in self.of(View) {
            if fate != Fate::Dropped {
                anew.insert(&object.name);
                let of = |attribute| self.facts.text(object, attribute);
                let name = ident(&object.name);
                lines.push(format!(
                    "CREATE VIEW {name}{} AS {};",
                    of("columns"),
                    of("definition")
                ));
            }
        }
        // A rebuilt table has made its own already.
        for kind in [Index, Trigger] {
            let made = self
                .of(kind)
                .into_iter()
                .filter(|(object, fate)| *fate != Fate::Dropped && stays(object));
            let mut made: BTreeSet<&Object> = made.map(|(object, _)| object).collect();
            let tables = anew.iter().filter(|it| !rebuilt.contains(**it));
            made.extend(tables.flat_map(|it| self.facts.of_table(kind, it)));
            lines.extend(made.into_iter().map(|it| self.part(it)));
        }
        for (object, _) in self
            .of(Table)
            .into_iter()
            .filter(|(_, fate)| *fate == Fate::Dropped)
        {
            lines.push(commented(&format!("DROP TABLE {};", ident(&object.name))));
        }
        lines
    }

    fn of(&self, kind: ObjectKind) -> Vec<(&'a Object, Fate)> {
        let all = self.fates.iter().map(|(object, fate)| (*object, *fate));
        all.filter(|(object, _)| object.kind == kind).collect()
    }

    /// Tables that need another text than `ALTER TABLE` can give them.
    fn rebuilt(&self) -> BTreeSet<&'a str> {
        let mut tables = BTreeSet::new();
        for (object, fate) in &self.fates {
            let table = match (object.kind, fate) {
                (Table, Fate::Changed) => object.name.as_str(),
                (Constraint, _) => object.table.as_str(),
                (Column, Fate::Changed) => object.table.as_str(),
                (Column, Fate::Made) if !self.is_addable(object) => object.table.as_str(),
                _ => continue,
            };
            let understood = self.facts.text(&Object::alone(Table, table), "kind") == "table";
            if understood
                && self
                    .facts
                    .get(&Object::alone(Table, table), "definition")
                    .is_none()
            {
                tables.insert(table);
            }
        }
        tables
    }

    /// SQLite, "ALTER TABLE", section 5: it comes last, and old rows must have a value.
    fn is_addable(&self, object: &Object) -> bool {
        let columns = self.facts.columns(&object.table);
        let behind = columns.iter().skip_while(|it| **it != object);
        let last = behind
            .into_iter()
            .all(|it| self.fates.get(*it) == Some(&Fate::Made));
        let default = self.facts.get(object, "default");
        let constant = default.is_none_or(|it| !it.starts_with('(') && !it.starts_with("current_"));
        let null = self.facts.text(object, "null") == "NULL" || default.is_some_and(|it| it != "null");
        let generated = self.facts.text(object, "generated").ends_with("STORED");
        last && constant && null && !generated
    }

    fn columns(&self, rebuilt: &BTreeSet<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        let tables: BTreeSet<&str> = self
            .of(Column)
            .into_iter()
            .map(|(it, _)| it.table.as_str())
            .collect();
        for table in tables.difference(rebuilt) {
            for column in self.facts.columns(table) {
                if self.fates.get(column) == Some(&Fate::Made) {
                    let column = self.column(column, "");
                    lines.push(format!("ALTER TABLE {} ADD COLUMN {column};", ident(table)));
                }
            }
            for (object, _) in self.lost(table) {
                let column = ident(&object.name);
                lines.push(commented(&format!(
                    "ALTER TABLE {} DROP COLUMN {column};",
                    ident(table)
                )));
            }
        }
        lines
    }

    /// Columns of a table that are not expected.
    fn lost(&self, table: &str) -> Vec<(&'a Object, Fate)> {
        let mut all = self.of(Column);
        all.retain(|(object, fate)| object.table == table && *fate == Fate::Dropped);
        all
    }

    fn rebuild(&self, table: &str) -> String {
        let columns = self.facts.columns(table).into_iter();
        let kept = columns.filter(|it| {
            self.fates.get(*it) != Some(&Fate::Made) && self.facts.get(it, "generated").is_none()
        });
        let kept: Vec<String> = kept.map(|it| ident(&it.name)).collect();
        let kept = kept.join(", ");
        let name = format!("new_{table}");
        let (old, new) = (ident(table), ident(&name));
        let mut lines = vec![
            "PRAGMA foreign_keys = OFF;".to_owned(),
            // So that what is said of the table elsewhere stays as it is.
            "PRAGMA legacy_alter_table = ON;".to_owned(),
            "BEGIN;".to_owned(),
            format!("{};", self.create(table, &name)),
            format!("INSERT INTO {new} ({kept}) SELECT {kept} FROM {old};"),
        ];
        if self.facts.get(&self.primary_key(table), "extra").is_some() {
            let (old, new) = (literal(table), literal(&name));
            lines.push(format!(
                "DELETE FROM sqlite_sequence WHERE name = {new} AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {old});"
            ));
            lines.push(format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence WHERE name = {old};"
            ));
        }
        lines.push(format!("DROP TABLE {old};"));
        lines.push(format!("ALTER TABLE {new} RENAME TO {old};"));
        for kind in [Index, Trigger] {
            lines.extend(
                self.facts
                    .of_table(kind, table)
                    .into_iter()
                    .map(|it| self.part(it)),
            );
        }
        lines.push("COMMIT;".to_owned());
        lines.push("PRAGMA legacy_alter_table = OFF;".to_owned());
        lines.push("PRAGMA foreign_key_check;".to_owned());
        let lost: Vec<String> = self.lost(table).iter().map(|(it, _)| it.to_string()).collect();
        let text = lines.join("\n");
        match lost.is_empty() {
            true => text,
            false => format!(
                "-- What is in {} would be lost:\n{}",
                lost.join(", "),
                commented(&text)
            ),
        }
    }

    fn primary_key(&self, table: &str) -> Object {
        Object {
            kind: Constraint,
            table: table.to_owned(),
            name: PRIMARY_KEY.to_owned(),
        }
    }

    /// The statement that makes a table as expected, under another name.
    fn create(&self, table: &str, name: &str) -> String {
        let of = |attribute| self.facts.text(&Object::alone(Table, table), attribute);
        if of("kind") == "virtual table" {
            return format!(
                "CREATE VIRTUAL TABLE {} USING {}{}",
                ident(name),
                of("module"),
                of("arguments")
            );
        }
        let key = self.primary_key(table);
        let key_columns = self.facts.text(&key, "columns");
        // Only there can it be said, and only there does DESC mean what it does.
        let at_column = self.facts.get(&key, "extra").is_some() || key_columns.ends_with(") DESC");
        let column = |it: &Object| {
            let own = [ident(&it.name), it.name.to_lowercase()].map(|name| format!("({name})"));
            let is_key = at_column && own.iter().any(|own| key_columns.trim_end_matches(" DESC") == own);
            let direction = if key_columns.ends_with(") DESC") {
                " DESC"
            } else {
                ""
            };
            let key = match is_key {
                true => format!(
                    " PRIMARY KEY{direction}{} {}",
                    self.conflict(&key),
                    self.facts.text(&key, "extra")
                ),
                false => String::new(),
            };
            self.column(it, key.trim_end())
        };
        let mut items: Vec<String> = self.facts.columns(table).into_iter().map(column).collect();
        if !at_column && !key_columns.is_empty() {
            let label = self.facts.get(&key, "name");
            let label = label.map_or_else(String::new, |it| format!("CONSTRAINT {} ", ident(it)));
            items.push(format!("{label}PRIMARY KEY {key_columns}{}", self.conflict(&key)));
        }
        let others = self.facts.of_table(Constraint, table).into_iter();
        items.extend(
            others
                .filter(|it| it.name != PRIMARY_KEY)
                .map(|it| self.constraint(it)),
        );
        let options = match of("options") {
            "" => String::new(),
            options => format!(" {options}"),
        };
        format!(
            "CREATE TABLE {} (\n  {}\n){options}",
            ident(name),
            items.join(",\n  ")
        )
    }

    fn conflict(&self, object: &Object) -> String {
        let conflict = self.facts.get(object, "on conflict");
        conflict.map_or_else(String::new, |it| format!(" ON CONFLICT {}", it.to_uppercase()))
    }

    fn column(&self, object: &Object, key: &str) -> String {
        let of = |attribute: &str, before: &str| match self.facts.text(object, attribute) {
            "" => String::new(),
            text => format!(" {before}{text}"),
        };
        let null = match self.facts.text(object, "null") {
            "NULL" => String::new(),
            null => format!(" {null}"),
        };
        [
            ident(&object.name),
            of("type", ""),
            key.to_owned(),
            null,
            of("default", "DEFAULT "),
            of("collation", "COLLATE "),
            of("generated", "GENERATED ALWAYS AS "),
            of("options", ""),
        ]
        .concat()
    }

    fn constraint(&self, object: &Object) -> String {
        let of = |attribute| self.facts.get(object, attribute);
        let (unnamed, mut text) = if let Some(columns) = of("unique") {
            (
                format!("unique {columns}"),
                format!("UNIQUE {columns}{}", self.conflict(object)),
            )
        } else if let Some(check) = of("check") {
            (format!("check {check}"), format!("CHECK {check}"))
        } else if let (Some(columns), Some(other)) = (of("columns"), of("references")) {
            let text = format!("FOREIGN KEY {columns} REFERENCES {other}");
            (format!("foreign key {columns}"), text)
        } else {
            (
                object.name.clone(),
                of("definition").unwrap_or_default().to_owned(),
            )
        };
        for (attribute, action) in self.facts.all(object) {
            if matches!(attribute, "on delete" | "on update") {
                text += &format!(" {} {action}", attribute.to_uppercase());
            }
        }
        if let Some(deferrable) = of("deferrable") {
            text += &format!(" {deferrable}");
        }
        match object.name == unnamed {
            true => text,
            false => format!("CONSTRAINT {} {text}", ident(&object.name)),
        }
    }

    /// An index or a trigger.
    fn part(&self, object: &Object) -> String {
        let of = |attribute| self.facts.text(object, attribute);
        let (name, table) = (ident(&object.name), ident(&object.table));
        if object.kind == Trigger {
            let when = match of("when") {
                "" => String::new(),
                when => format!(" WHEN {when}"),
            };
            return format!(
                "CREATE TRIGGER {name} {} {} ON {table}{when} {};",
                of("timing"),
                of("event"),
                of("body")
            );
        }
        let kind = if of("kind") == "unique" { "UNIQUE " } else { "" };
        let condition = match of("where") {
            "" => String::new(),
            condition => format!(" WHERE {condition}"),
        };
        format!(
            "CREATE {kind}INDEX {name} ON {table} {}{condition};",
            of("columns")
        )
    }
}
