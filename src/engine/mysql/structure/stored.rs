//! The database itself, views, triggers, routines and events as facts.

use std::collections::BTreeMap;

use crate::domain::ObjectKind::{Event, Routine, Schema, Trigger, View};
use crate::domain::{COMMENT, DEFINER, ObjectKind, Structure};

use super::super::connect::Row;
use super::text::{Kind, parts, unquoted};
use super::{Neutral, What};

/// Adds those that are not empty.
fn add_all(structure: &mut Structure, object: (ObjectKind, &str, &str), facts: &[(&str, &str)]) {
    let (kind, table, name) = object;
    for (attribute, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        structure.add(kind, table, name, *attribute, *text);
    }
}

fn texts<const N: usize>(row: &[String]) -> [&str; N] {
    std::array::from_fn(|index| row.get(index).map_or("", String::as_str))
}

pub(super) fn add_schema(structure: &mut Structure, row: &[String]) {
    let [charset, collation, comment] = texts(row);
    let facts = [("charset", charset), ("collation", collation), (COMMENT, comment)];
    add_all(structure, (Schema, "", ""), &facts);
}

/// What `SHOW CREATE VIEW` says, as (name, algorithm, definer, security, definition, check option).
pub(super) fn view(name: &str, text: &str, neutral: Neutral<'_>) -> Row {
    let (mut algorithm, mut definer, mut security) = (String::new(), String::new(), String::new());
    let (mut at, mut previous, mut seen) = (0, String::new(), false);
    for (kind, part) in parts(text) {
        at += part.len();
        match (previous.as_str(), part) {
            _ if kind == Kind::Space => continue,
            ("ALGORITHM=", word) => word.clone_into(&mut algorithm),
            ("SECURITY", word) => word.clone_into(&mut security),
            (_, "VIEW") if kind == Kind::Word => seen = true,
            // The word that this is looked for is behind the view's name.
            (_, "AS") if seen && kind == Kind::Word => break,
            ("DEFINER=", user) => definer = unquoted(user).into_owned(),
            // `@` is of words, and stands alone here.
            ("@", host) => definer = format!("{definer}@{}", unquoted(host)),
            _ => {}
        }
        previous = match part {
            "=" => format!("{previous}="),
            _ => part.to_owned(),
        };
    }
    let definition = text[at..].trim();
    let option = [" WITH CASCADED CHECK OPTION", " WITH LOCAL CHECK OPTION"];
    let option = option
        .into_iter()
        .find(|it| definition.ends_with(it))
        .unwrap_or_default();
    let definition = &definition[..definition.len() - option.len()];
    let row = [
        name.to_owned(),
        algorithm,
        neutral.definer(&definer),
        security,
        neutral.names.neutral(definition).into_owned(),
        option.trim().to_owned(),
    ];
    row.map(Some).into()
}

pub(super) fn add_view(structure: &mut Structure, row: &[String]) {
    let [name, algorithm, definer, security, definition, option] = texts(row);
    let facts = [
        ("kind", "view"),
        ("algorithm", algorithm),
        (DEFINER, definer),
        ("security", security),
        ("definition", definition),
        ("check option", option),
    ];
    add_all(structure, (View, "", name), &facts);
}

pub(super) fn add_trigger(structure: &mut Structure, row: &[String]) {
    let [table, name, timing, event, order, body, mode, definer] = texts(row);
    let facts = [
        ("timing", timing),
        ("event", event),
        ("order", order),
        ("body", body),
        ("sql mode", mode),
        (DEFINER, definer),
    ];
    add_all(structure, (Trigger, table, name), &facts);
}

/// A procedure and a function may have the same name.
fn routine_name(kind: &str, name: &str) -> String {
    format!("{} {name}", kind.to_lowercase())
}

/// Adds the parameters of each routine in one text.
pub(super) fn add_parameters(structure: &mut Structure, rows: &[(What, Row)]) {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, row) in rows.iter().filter(|(what, _)| *what == What::Parameter) {
        let row: Vec<String> = row.iter().map(|it| it.clone().unwrap_or_default()).collect();
        let [routine, kind, position, mode, name, data_type, collation] = texts(&row);
        // At 0 stands what a function returns.
        if position.bytes().all(|digit| digit == b'0') {
            continue;
        }
        let mode = if mode == "IN" { "" } else { mode };
        let words = [mode, &super::ident(name), data_type, &collate(collation)];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        all.entry(routine_name(kind, routine))
            .or_default()
            .push(words.join(" "));
    }
    for (routine, parameters) in all {
        structure.add(Routine, "", routine, "parameters", parameters.join(", "));
    }
}

fn collate(collation: &str) -> String {
    match collation.split_once('_') {
        Some((charset, _)) => format!("CHARSET {charset} COLLATE {collation}"),
        None if collation.is_empty() => String::new(),
        None => format!("CHARSET {collation}"),
    }
}

pub(super) fn add_routine(structure: &mut Structure, row: &[String]) {
    let [
        name,
        kind,
        data_type,
        collation,
        body,
        deterministic,
        access,
        security,
        mode,
        comment,
        definer,
    ] = texts(row);
    let returns = format!("{data_type} {}", collate(collation));
    let facts = [
        ("kind", kind),
        ("returns", returns.trim()),
        ("body", body),
        ("deterministic", deterministic),
        ("data access", access),
        ("security", security),
        ("sql mode", mode),
        (COMMENT, comment),
        (DEFINER, definer),
    ];
    add_all(structure, (Routine, "", &routine_name(kind, name)), &facts);
}

pub(super) fn add_event(structure: &mut Structure, row: &[String]) {
    let [
        name,
        kind,
        value,
        field,
        completion,
        status,
        body,
        mode,
        comment,
        zone,
        definer,
    ] = texts(row);
    let schedule = match kind {
        "RECURRING" => format!("EVERY {value} {field}"),
        other => other.to_owned(),
    };
    let facts = [
        ("schedule", schedule.as_str()),
        ("on completion", completion),
        ("status", status),
        ("body", body),
        ("sql mode", mode),
        (COMMENT, comment),
        ("time zone", zone),
        (DEFINER, definer),
    ];
    add_all(structure, (Event, "", name), &facts);
}
