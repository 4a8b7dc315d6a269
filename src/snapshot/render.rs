//! From the value to the text. The same structure, the same text, byte for byte.

use std::collections::BTreeMap;

use crate::database_url::EngineKind;
use crate::domain::{Fact, Object, ObjectKind, Structure};

use super::{FORMAT, word};

/// Between an attribute and its text. No name that is written bare has it.
pub(super) const COLON: &str = ": ";

/// The whole file.
pub fn render(shared: &Structure, tenant: &Structure, kind: EngineKind) -> String {
    let mut text = format!(
        "tenantgate snapshot {FORMAT}\nengine {}\n# Written by `tenantgate snapshot`. After a merge conflict write it anew.\n",
        word(kind)
    );
    for (title, structure) in [("shared", shared), ("tenant", tenant)] {
        text.push_str(&format!("\n[{title}]\n"));
        place(&mut text, structure);
    }
    // What was cut off would be a smaller structure, and as readable.
    text.push_str("\n[end]\n");
    text
}

type Parts<'a> = Vec<(&'a Object, Vec<&'a Fact>)>;

/// What belongs to a table stands below it.
fn place(text: &mut String, structure: &Structure) {
    let mut objects: BTreeMap<&Object, Vec<&Fact>> = BTreeMap::new();
    for fact in &structure.facts {
        objects.entry(&fact.object).or_default().push(fact);
    }
    let (alone, parts): (Parts<'_>, Parts<'_>) = objects.into_iter().partition(|it| it.0.table.is_empty());
    let mut of_table: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
    for part in parts {
        of_table.entry(&part.0.table).or_default().push(part);
    }
    for (object, facts) in &alone {
        text.push('\n');
        one(text, "", object, facts);
        if has_parts(object.kind) {
            below(text, of_table.remove(object.name.as_str()));
        }
    }
    // Of tables that are not there themselves.
    for (table, parts) in of_table {
        text.push_str(&format!("\non {}\n", name(table)));
        below(text, Some(parts));
    }
}

/// Where an object of a table finds its table.
pub(super) fn has_parts(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Table | ObjectKind::View)
}

fn below(text: &mut String, parts: Option<Parts<'_>>) {
    for (object, facts) in parts.iter().flatten() {
        one(text, "  ", object, facts);
    }
}

fn one(text: &mut String, indent: &str, object: &Object, facts: &[&Fact]) {
    let kind = object.kind.as_str();
    match object.name.as_str() {
        "" => text.push_str(&format!("{indent}{kind}\n")),
        own => text.push_str(&format!("{indent}{kind} {}\n", name(own))),
    }
    let mut last = None;
    for fact in facts {
        let attribute = name(&fact.attribute);
        // A second text of one attribute is told from one that a merge left there.
        let again = if last == Some(&fact.attribute) { "+ " } else { "" };
        last = Some(&fact.attribute);
        text.push_str(&format!("{indent}  {again}{attribute}{COLON}"));
        value(text, indent, &fact.text);
    }
}

fn value(text: &mut String, indent: &str, value: &str) {
    if !value.contains('\n') {
        text.push_str(&format!("{}\n", line(value)));
        return;
    }
    text.push_str("|\n");
    for part in value.split('\n') {
        match part {
            "" => text.push_str(&format!("{indent}    |\n")),
            part if is_plain(part.trim_start()) => text.push_str(&format!("{indent}    | {part}\n")),
            part => text.push_str(&format!("{indent}    | {}\n", quoted(part))),
        }
    }
}

/// A text on the line of its attribute.
fn line(text: &str) -> String {
    if is_plain(text) && text != "|" {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A name, or an attribute.
fn name(text: &str) -> String {
    let taken = text.contains(COLON) || text.ends_with(':') || text.starts_with(['+', '|']);
    let is_bare = is_plain(text) && !taken;
    if is_bare {
        text.to_owned()
    } else {
        // A colon within would be taken for the end of an attribute.
        quoted(text).replace(':', "\\u003a")
    }
}

/// Survives an editor that trims lines, and is what it looks like.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.starts_with('"') && !text.chars().any(unseen)
}

/// Controls, and what turns the direction of the text around it.
fn unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// As JSON has it, with no character that is not seen.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if unseen(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}
