//! One statement of a migration that is about to run, with all that rules may ask of it.

use std::collections::HashSet;

use crate::domain::{Migration, Scope, Statement};

use super::catalog::{Catalog, Which};
use super::name::Name;
use super::read::Act;
use super::tokens::{Kind, Piece, text_pieces};
use super::world::World;

pub(super) struct Seen<'a> {
    pub(super) world: &'a World,
    /// Before the statement.
    pub(super) catalog: &'a Catalog,
    pub(super) migration: &'a Migration,
    pub(super) which: Which,
    pub(super) statement: &'a Statement,
    pub(super) pieces: &'a [Piece],
    pub(super) acts: &'a [Act],
    /// Tables that only tenants' migrations make, in small letters.
    pub(super) tenants_tables: &'a HashSet<String>,
    /// A table that one of these made has no data yet, and nobody who would wait for it.
    pub(super) fresh: &'a dyn Fn(Which) -> bool,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) message: String,
    /// In the file.
    pub(super) line: usize,
    pub(super) column: usize,
    /// What is said once of a file that has it often.
    pub(super) once: Option<String>,
    /// What to do here, where that is not what the rule says.
    pub(super) safe: Option<&'static str>,
}

impl Seen<'_> {
    pub(super) fn is_tenants(&self) -> bool {
        self.which.0 == Scope::Tenant
    }

    pub(super) fn hit(&self, message: impl Into<String>) -> Hit {
        Hit {
            message: message.into(),
            line: self.statement.line,
            column: self.statement.column,
            once: None,
            safe: None,
        }
    }

    /// The table is made by what is about to run, so it is empty and nobody uses it.
    pub(super) fn is_new(&self, table: &Name) -> bool {
        let known = self.catalog.find(self.which.0, table, self.world);
        let made_by = known.and_then(|it| it.made_by);
        made_by.is_some_and(self.fresh)
    }

    /// The migrations themselves have dropped it, or given it another name.
    pub(super) fn is_gone(&self, table: &Name) -> bool {
        self.catalog.is_gone(self.which.0, table, self.world)
    }

    /// A tenant's migration names a table of the shared schema, which is not new.
    pub(super) fn is_shared(&self, table: &Name) -> bool {
        self.is_tenants()
            && self.catalog.owner(Scope::Tenant, table, self.world) == Some(Scope::Shared)
            && !self.is_new(table)
    }

    /// The hit of each act that the question has something to say about.
    pub(super) fn each(&self, question: impl Fn(&Act) -> Option<String>) -> Vec<Hit> {
        let messages = self.acts.iter().filter_map(question);
        messages.map(|message| self.hit(message)).collect()
    }

    /// Every name with a schema or database in front of it, also inside bodies of functions.
    pub(super) fn qualified(&self) -> Vec<Qualified> {
        let first = self.pieces.first();
        if first.is_some_and(|it| it.is("SET") || it.is("RESET") || it.is("SHOW")) {
            return Vec::new();
        }
        let mut all = qualified(self.pieces, &HashSet::new());
        let parameters = parameters(self.pieces);
        for body in self.pieces.iter().filter(|it| it.kind == Kind::Body) {
            let inside = text_pieces(&body.text, self.world.kind);
            all.extend(qualified(&inside, &parameters).into_iter().map(|mut it| {
                if it.line == 1 {
                    it.column += body.column - 1;
                }
                it.line += body.line - 1;
                it
            }));
        }
        all
    }
}

impl Qualified {
    pub(super) fn hit(&self, message: String) -> Hit {
        Hit {
            message,
            line: self.line,
            column: self.column,
            once: None,
            safe: None,
        }
    }
}

/// How a name is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A table or another object.
    Object,
    /// What a foreign key points to.
    Reference,
    /// A function, or a type.
    Function,
    /// In quotes, such as `'acme.orders_id_seq'`: perhaps no name at all.
    Text,
}

#[derive(Debug, Clone)]
pub(super) struct Qualified {
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) used: Use,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Names of a routine's arguments: what stands behind their dots in its body are their fields.
fn parameters(pieces: &[Piece]) -> HashSet<&str> {
    let begins = |it: &Piece| {
        ["(", ",", "IN", "OUT", "INOUT", "VARIADIC"]
            .iter()
            .any(|word| it.is(word))
    };
    let pairs = pieces.iter().zip(pieces.iter().skip(1));
    let named = pairs.filter(|(before, it)| begins(before) && it.is_name());
    named.map(|(_, it)| it.name.as_str()).collect()
}

/// `known` are names of records too.
fn qualified(pieces: &[Piece], known: &HashSet<&str>) -> Vec<Qualified> {
    let dot = |at: usize| pieces.get(at).is_some_and(|it| it.is("."));
    // A table or its alias: what stands before its dots is a column's table.
    let alone: HashSet<&str> = pieces
        .iter()
        .enumerate()
        .filter(|(at, it)| it.is_name() && !dot(at + 1))
        .map(|(_, it)| it.name.as_str())
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let piece = &pieces[at];
        if piece.kind == Kind::Text {
            found.extend(in_text(piece));
        }
        if !piece.is_name() || !dot(at + 1) || !pieces.get(at + 2).is_some_and(Piece::is_name) {
            at += 1;
            continue;
        }
        let three = dot(at + 3) && pieces.get(at + 4).is_some_and(Piece::is_name);
        let end = at + if three { 5 } else { 3 };
        let before = at.checked_sub(1).and_then(|at| pieces.get(at));
        let behind = pieces.get(end);
        let of_column = !three && before.is_some_and(|it| it.is("COLUMN") || it.is("BY") || it.is("@"))
            || behind.is_some_and(|it| it.is("%"));
        let is_record = matches!(piece.text.as_str(), "NEW" | "OLD" | "EXCLUDED") && piece.kind == Kind::Word;
        let is_alias = alone.contains(piece.name.as_str()) || known.contains(piece.name.as_str());
        // MySQL: `@@session.time_zone`.
        let is_variable = piece.name.starts_with('@');
        if !(of_column || is_record || is_alias || is_variable) {
            let makes = |it: &Piece| {
                ["INTO", "TABLE", "ON", "EXISTS", "FROM", "JOIN", "UPDATE", "VIEW"]
                    .iter()
                    .any(|word| it.is(word))
            };
            let calls = behind.is_some_and(|it| it.is("("));
            let is_type = before.is_some_and(|it| it.is("::") || it.is("RETURNS") || it.is("SETOF"))
                || before.is_some_and(|it| it.is("AS")) && behind.is_some_and(|it| it.is(")"));
            let used = match before {
                // The type of a value: `::a.b`, `CAST(… AS a.b)`.
                _ if is_type => Use::Function,
                Some(it) if it.is("REFERENCES") => Use::Reference,
                // `FROM extensions.http(…)` gives rows, and is a function all the same.
                Some(it) if makes(it) && !((it.is("FROM") || it.is("JOIN")) && calls) => Use::Object,
                _ if calls => Use::Function,
                _ => Use::Object,
            };
            found.push(Qualified {
                schema: piece.name.clone(),
                name: pieces[at + 2].name.clone(),
                used,
                line: piece.line,
                column: piece.column,
            });
        }
        at = end;
    }
    found
}

fn in_text(piece: &Piece) -> Option<Qualified> {
    let (schema, name) = piece.text.split_once('.')?;
    let is_name =
        |it: &str| !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '"');
    (is_name(schema) && is_name(name)).then(|| Qualified {
        schema: schema.trim_matches('"').to_lowercase(),
        name: name.trim_matches('"').to_owned(),
        used: Use::Text,
        line: piece.line,
        column: piece.column,
    })
}
