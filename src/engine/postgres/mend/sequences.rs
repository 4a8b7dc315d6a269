//! Sequences, and where they stand.

use super::order::names;
use super::{Mending, Object, ObjectKind, Turn, commented, ident, literal};

pub(super) const SEQUENCE_OPTIONS: [(&str, &str); 5] = [
    ("start", "START WITH"),
    ("increment", "INCREMENT BY"),
    ("minimum", "MINVALUE"),
    ("maximum", "MAXVALUE"),
    ("cache", "CACHE"),
];

impl<'a> Mending<'a> {
    pub(super) fn create_sequence(&mut self, object: &Object) {
        if !object.table.is_empty() {
            return;
        }
        let name = ident(&object.name);
        let attributes = self.attributes(object);
        let kind = attributes
            .get("kind")
            .copied()
            .unwrap_or("sequence")
            .to_uppercase();
        let kind_of = attributes.get("type").copied().unwrap_or("bigint");
        let options = self.sequence_options(object);
        self.say(
            Turn::Sequence,
            format!("CREATE {kind} {name} AS {kind_of}{options};"),
        );
        if let Some(column) = attributes.get("owned by") {
            self.say(Turn::Owned, format!("ALTER SEQUENCE {name} OWNED BY {column};"));
        }
        let takes = |it: &&Object| {
            let default = self.attribute(it, "default").unwrap_or_default();
            it.kind == ObjectKind::Column && default.starts_with("nextval(") && uses(default, &object.name)
        };
        let columns: Vec<Object> = self.expected.keys().copied().filter(takes).cloned().collect();
        self.position(object, &columns);
    }

    /// Of an identity that a column is to have again.
    pub(super) fn position_of_identity(&mut self, column: &Object) {
        if let Some(sequence) = self.sequence_of(column) {
            self.position(sequence, std::slice::from_ref(column));
        }
    }

    /// What is made anew begins anew, and would give numbers that are taken.
    fn position(&mut self, sequence: &Object, columns: &[Object]) {
        let filled = |it: &&Object| {
            let table = Object::alone(ObjectKind::Table, &it.table);
            !self.is_missing(&table)
        };
        let mut taken = Vec::new();
        for column in columns.iter().filter(filled) {
            let (table, column) = (ident(&column.table), ident(&column.name));
            taken.push(format!("(SELECT max({column}) + 1 FROM {table})"));
        }
        if taken.is_empty() {
            return;
        }
        let name = literal(&ident(&sequence.name));
        let start = self.attribute(sequence, "start").unwrap_or("1");
        let text = format!(
            "SELECT setval({name}, greatest({start}, {}), false);",
            taken.join(", ")
        );
        if self
            .attribute(sequence, "increment")
            .is_some_and(|it| it.starts_with('-'))
        {
            return self.say(
                Turn::Right,
                commented(&format!("{sequence} counts down, and begins anew")),
            );
        }
        self.see_all_rows();
        self.say(Turn::Owned, text);
    }

    /// That of an identity column.
    pub(super) fn sequence_of(&self, column: &Object) -> Option<&'a Object> {
        let name = ident(&column.name);
        let is_its = |it: &&Object| {
            let of = self.attribute(it, "identity of");
            it.kind == ObjectKind::Sequence && of.is_some_and(|of| of == column.name || of == name)
        };
        self.parts(&column.table).into_iter().find(is_its)
    }

    pub(super) fn alter_sequence(&mut self, object: &Object, attribute: &str, expected: Option<&str>) {
        let word = SEQUENCE_OPTIONS.iter().find(|(it, _)| *it == attribute);
        let action = match (attribute, expected, word) {
            (_, Some(value), Some((_, word))) => format!("{word} {value}"),
            ("type", Some(kind), _) => format!("AS {kind}"),
            ("cycle", Some(_), _) => "CYCLE".to_owned(),
            ("cycle", None, _) => "NO CYCLE".to_owned(),
            ("owned by", column, _) => format!("OWNED BY {}", column.unwrap_or("NONE")),
            _ => {
                return self.unknown(
                    object,
                    &format!("has another {attribute}; see the migration that makes it"),
                );
            }
        };
        // Another type has other bounds, so it comes first.
        let turn = match attribute {
            "type" => Turn::Sequence,
            "owned by" => Turn::Owned,
            _ => Turn::Part,
        };
        self.say(turn, format!("ALTER SEQUENCE {} {action};", ident(&object.name)));
    }

    pub(super) fn sequence_options(&self, sequence: &Object) -> String {
        let attributes = self.attributes(sequence);
        let mut text = String::new();
        for (attribute, word) in SEQUENCE_OPTIONS {
            if let Some(value) = attributes.get(attribute) {
                text.push_str(&format!(" {word} {value}"));
            }
        }
        if attributes.contains_key("cycle") {
            text.push_str(" CYCLE");
        }
        text
    }
}

/// Whether a default takes its numbers from this sequence: it names it in a text.
fn uses(default: &str, sequence: &str) -> bool {
    let named = default.split('\'').nth(1).unwrap_or_default();
    names(named).contains(sequence)
}
