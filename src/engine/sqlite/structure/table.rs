//! The text of a table as facts. What is said at a column and what is said at the end is the same.
//!
//! SQLite, "CREATE TABLE".

use crate::domain::ObjectKind::{Column, Constraint, Table};
use crate::domain::{COLUMN_ORDER, Structure};

use super::text::{Piece, written};

/// What begins a clause of a column. What stands before the first is the type.
const CLAUSES: &[&str] = &[
    "constraint",
    "primary",
    "not",
    "null",
    "unique",
    "check",
    "default",
    "collate",
    "references",
    "generated",
    "as",
    "foreign",
    "deferrable",
    "on",
    "autoincrement",
    "match",
];

/// What begins a constraint of a table.
const CONSTRAINTS: &[&str] = &["constraint", "primary", "unique", "check", "foreign"];

/// Pieces that are read from left to right.
pub(super) struct Cursor<'a>(pub(super) &'a [Piece]);

impl<'a> Cursor<'a> {
    fn at(&self, keywords: &[&str]) -> bool {
        self.0
            .first()
            .is_some_and(|piece| keywords.iter().any(|keyword| piece.is(keyword)))
    }

    pub(super) fn take(&mut self, count: usize) -> &'a [Piece] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Takes the keyword where it is next.
    pub(super) fn takes(&mut self, keyword: &str) -> bool {
        let is = self.at(&[keyword]);
        if is {
            self.take(1);
        }
        is
    }

    pub(super) fn name(&mut self) -> String {
        self.take(1).first().map(Piece::name).unwrap_or_default()
    }

    /// What is in parentheses, with them; nothing where none begin here.
    pub(super) fn group(&mut self) -> &'a [Piece] {
        let mut depth = 0_usize;
        let end = self.0.iter().position(|piece| {
            depth += usize::from(piece.is_sign("("));
            depth = depth.saturating_sub(usize::from(piece.is_sign(")")));
            depth == 0
        });
        match end {
            Some(end) if self.0[0].is_sign("(") => self.take(end + 1),
            _ => &[],
        }
    }

    /// At least one piece, and what is in parentheses behind it.
    fn value(&mut self) -> &'a [Piece] {
        let from = self.0;
        if self.group().is_empty() {
            self.take(1);
            self.group();
        }
        &from[..from.len() - self.0.len()]
    }

    /// Up to the next clause.
    fn data_type(&mut self) -> &'a [Piece] {
        let from = self.0;
        while !self.0.is_empty() && !self.at(CLAUSES) {
            self.value();
        }
        &from[..from.len() - self.0.len()]
    }

    /// `ON CONFLICT …`
    fn conflict(&mut self) -> String {
        match self.0 {
            [on, conflict, ..] if on.is("on") && conflict.is("conflict") => written(&self.take(3)[2..]),
            _ => String::new(),
        }
    }
}

/// Adds what a table is made of.
pub(super) fn add(structure: &mut Structure, name: &str, pieces: &[Piece]) {
    structure.add(Table, "", name, "kind", "table");
    let open = pieces.iter().position(|piece| piece.is_sign("("));
    let mut cursor = Cursor(&pieces[open.unwrap_or(pieces.len())..]);
    let body = cursor.group();
    let mut add = Adding {
        structure: &mut *structure,
        table: name,
    };
    let mut columns = Vec::new();
    for item in items(body.get(1..body.len().saturating_sub(1)).unwrap_or_default()) {
        let mut item = Cursor(item);
        if item.at(CONSTRAINTS) {
            // No comma needs to be between them.
            while !item.0.is_empty() {
                add.constraint(&mut item);
            }
        } else {
            let column = item.name();
            add.column(&column, &mut item);
            columns.push(column);
        }
    }
    structure.add(Table, "", name, COLUMN_ORDER, columns.join(", "));
    let options = written(cursor.0).to_uppercase();
    if !options.is_empty() {
        let mut options: Vec<&str> = options.split(", ").collect();
        options.sort_unstable();
        structure.add(Table, "", name, "options", options.join(", "));
    }
}

/// Splits at commas that are in no parentheses.
fn items(pieces: &[Piece]) -> Vec<&[Piece]> {
    let mut depth = 0_usize;
    let comma = |piece: &Piece| {
        depth += usize::from(piece.is_sign("("));
        depth = depth.saturating_sub(usize::from(piece.is_sign(")")));
        depth == 0 && piece.is_sign(",")
    };
    pieces.split(comma).collect()
}

/// Columns in parentheses: ascending is what they are by themselves.
pub(super) fn columns(pieces: &[Piece]) -> String {
    let kept: Vec<Piece> = pieces.iter().filter(|piece| !piece.is("asc")).cloned().collect();
    written(&kept)
}

struct Adding<'a> {
    structure: &'a mut Structure,
    table: &'a str,
}

impl Adding<'_> {
    fn fact(&mut self, name: &str, attribute: &str, text: &str) {
        if !text.is_empty() {
            self.structure.add(Constraint, self.table, name, attribute, text);
        }
    }

    fn column(&mut self, name: &str, item: &mut Cursor<'_>) {
        let mut facts: Vec<(&str, String)> = vec![("type", written(item.data_type()).to_uppercase())];
        let mut null = "NULL".to_owned();
        let mut label = None;
        let mut others = Vec::new();
        // Written as a name in a list of columns is.
        let own = format!("({})", written(&[Piece::Quoted(name.to_owned())]));
        while !item.0.is_empty() {
            if item.takes("constraint") {
                label = Some(item.name());
                continue;
            }
            if item.takes("not") {
                item.takes("null");
                null = with_conflict("NOT NULL", &item.conflict());
            } else if item.takes("null") {
                item.conflict();
            } else if item.takes("default") {
                let sign = item
                    .0
                    .first()
                    .is_some_and(|it| it.is_sign("-") || it.is_sign("+"));
                let value = written(item.take(usize::from(sign))) + &written(item.value());
                facts.push(("default", value));
            } else if item.takes("collate") {
                facts.push(("collation", written(item.take(1))));
            } else if item.takes("generated") || item.at(&["as"]) {
                item.takes("always");
                item.takes("as");
                let expression = written(item.group());
                let stored = item.takes("stored");
                item.takes("virtual");
                let kind = if stored { "STORED" } else { "VIRTUAL" };
                facts.push(("generated", format!("{expression} {kind}")));
            } else if item.at(&["primary", "unique", "check", "references"]) {
                self.key(label.take(), Some(&own), item);
            } else {
                others.push(written(item.take(1)));
            }
            label = None;
        }
        facts.push(("null", null));
        facts.push(("options", others.join(" ")));
        for (attribute, text) in facts
            .into_iter()
            .filter(|(attribute, text)| *attribute == "type" || !text.is_empty())
        {
            self.structure.add(Column, self.table, name, attribute, text);
        }
    }

    fn constraint(&mut self, item: &mut Cursor<'_>) {
        let label = item.takes("constraint").then(|| item.name());
        if !item.at(CONSTRAINTS) {
            let rest = written(item.take(item.0.len()));
            return self.fact(&label.unwrap_or_else(|| rest.clone()), "definition", &rest);
        }
        if !item.at(&["constraint"]) {
            self.key(label, None, item);
        }
    }

    /// A key, a check or a reference; `own` is the column that it stands at.
    fn key(&mut self, label: Option<String>, own: Option<&str>, item: &mut Cursor<'_>) {
        let these = |item: &mut Cursor<'_>| own.map_or_else(|| columns(item.group()), str::to_owned);
        if item.takes("primary") {
            item.takes("key");
            let mut these = these(item);
            item.takes("asc");
            if item.takes("desc") {
                // At a column it makes another table than in a list: SQLite, "CREATE TABLE", section 5.
                these += " DESC";
            }
            let conflict = item.conflict();
            let autoincrement = if item.takes("autoincrement") {
                "AUTOINCREMENT"
            } else {
                ""
            };
            self.fact("primary key", "columns", &these);
            self.fact("primary key", "on conflict", &conflict);
            self.fact("primary key", "extra", autoincrement);
            self.fact("primary key", "name", &label.unwrap_or_default());
        } else if item.takes("unique") {
            let these = these(item);
            let conflict = item.conflict();
            let name = label.unwrap_or_else(|| format!("unique {these}"));
            self.fact(&name, "unique", &these);
            self.fact(&name, "on conflict", &conflict);
        } else if item.takes("check") {
            let check = written(item.group());
            let name = label.unwrap_or_else(|| format!("check {check}"));
            // SQLite takes it, and does nothing with it.
            item.conflict();
            self.fact(&name, "check", &check);
        } else {
            let these = if item.takes("foreign") {
                item.takes("key");
                columns(item.group())
            } else {
                own.unwrap_or_default().to_owned()
            };
            let name = label.unwrap_or_else(|| format!("foreign key {these}"));
            self.fact(&name, "columns", &these);
            self.reference(&name, item);
        }
    }

    fn reference(&mut self, name: &str, item: &mut Cursor<'_>) {
        item.takes("references");
        let other = written(item.take(1));
        let theirs = columns(item.group());
        self.fact(name, "references", format!("{other} {theirs}").trim());
        loop {
            if item.takes("on") {
                let event = written(item.take(1));
                let action = item.take(1);
                let more = action.iter().any(|it| it.is("set") || it.is("no"));
                let action = written(&[action, item.take(usize::from(more))].concat()).to_uppercase();
                self.fact(name, &format!("on {event}"), &action);
            } else if item.takes("match") {
                item.take(1);
            } else if item.at(&["deferrable"])
                || matches!(item.0, [not, word, ..] if not.is("not") && word.is("deferrable"))
            {
                let not = item.takes("not");
                item.takes("deferrable");
                let deferred = item.takes("initially") && item.takes("deferred");
                item.takes("immediate");
                // All other forms are checked at once: SQLite, "Foreign Key Support", section 4.2.
                if deferred && !not {
                    self.fact(name, "deferrable", "DEFERRABLE INITIALLY DEFERRED");
                }
            } else {
                return;
            }
        }
    }
}

fn with_conflict(text: &str, conflict: &str) -> String {
    match conflict {
        "" => text.to_owned(),
        conflict => format!("{text} ON CONFLICT {}", conflict.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::pieces;
    use super::*;

    fn told(sql: &str) -> Vec<String> {
        let mut structure = Structure::default();
        add(&mut structure, "o", &pieces(sql).expect("tokens"));
        let facts = structure
            .facts
            .iter()
            .filter(|it| it.attribute != "kind" && it.attribute != COLUMN_ORDER);
        let told = facts.map(|it| format!("{} {}: {}", it.object.name, it.attribute, it.text));
        told.collect()
    }

    #[test]
    fn what_pragmas_do_not_show_is_read_from_the_text() {
        let sql = "CREATE TABLE o (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK AUTOINCREMENT,
  a VARCHAR(8) COLLATE NOCASE NOT NULL ON CONFLICT IGNORE DEFAULT -1,
  b INT CONSTRAINT small CHECK (b < 9) REFERENCES p(id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  c INT GENERATED ALWAYS AS (b + 1) STORED, d, e AS (a) ,
  CONSTRAINT u UNIQUE (a, b DESC) ON CONFLICT REPLACE CHECK (a > '')
  , FOREIGN KEY (a, b) REFERENCES q ON UPDATE NO ACTION) WITHOUT ROWID, STRICT";
        assert_eq!(
            told(sql),
            [
                "o options: STRICT, WITHOUT ROWID",
                "a collation: nocase",
                "a default: -1",
                "a null: NOT NULL ON CONFLICT IGNORE",
                "a type: VARCHAR(8)",
                "b null: NULL",
                "b type: INT",
                "c generated: (b + 1) STORED",
                "c null: NULL",
                "c type: INT",
                "d null: NULL",
                "d type: ",
                "e generated: (a) VIRTUAL",
                "e null: NULL",
                "e type: ",
                "id null: NULL",
                "id type: INTEGER",
                "check (a > '') check: (a > '')",
                "foreign key (a, b) columns: (a, b)",
                "foreign key (a, b) on update: NO ACTION",
                "foreign key (a, b) references: q",
                "foreign key (b) columns: (b)",
                "foreign key (b) deferrable: DEFERRABLE INITIALLY DEFERRED",
                "foreign key (b) on delete: SET NULL",
                "foreign key (b) references: p (id)",
                "primary key columns: (id)",
                "primary key extra: AUTOINCREMENT",
                "primary key on conflict: rollback",
                "small check: (b < 9)",
                "u on conflict: replace",
                "u unique: (a, b desc)",
            ]
        );
    }

    #[test]
    fn at_a_column_or_at_the_end_is_the_same() {
        let at_end = "create table o (\"id\" integer, a int, primary key (id), unique (a asc), foreign key (a) references p (id))";
        let at_column = "CREATE TABLE \"o\"(id INTEGER PRIMARY KEY, [a] INT UNIQUE REFERENCES p(id))";
        assert_eq!(told(at_end), told(at_column));
    }
}
