//! A structure's facts by object, for those who write SQL from them.

use std::collections::BTreeMap;

use crate::domain::{COLUMN_ORDER, Change, Difference, Object, ObjectKind, Structure};

/// What is said of each object.
#[derive(Debug, Default)]
pub(super) struct Facts<'a>(BTreeMap<&'a Object, BTreeMap<&'a str, &'a str>>);

impl<'a> From<&'a Structure> for Facts<'a> {
    fn from(structure: &'a Structure) -> Self {
        let mut facts = Self::default();
        for fact in &structure.facts {
            let object = facts.0.entry(&fact.object).or_default();
            object.insert(&fact.attribute, &fact.text);
        }
        facts
    }
}

impl<'a> Facts<'a> {
    /// Absent: it has no such attribute, or is not there.
    pub(super) fn get(&self, object: &Object, attribute: &str) -> Option<&'a str> {
        self.0.get(object)?.get(attribute).copied()
    }

    /// The same, empty where there is none.
    pub(super) fn text(&self, object: &Object, attribute: &str) -> &'a str {
        self.get(object, attribute).unwrap_or_default()
    }

    pub(super) fn all(&self, object: &Object) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.get(object).into_iter().flatten();
        all.map(|(attribute, text)| (*attribute, *text))
    }

    /// Those of one kind that belong to a table, by name.
    pub(super) fn of_table(&self, kind: ObjectKind, table: &str) -> Vec<&'a Object> {
        let all = self.0.keys().copied();
        all.filter(|it| it.kind == kind && it.table == table).collect()
    }

    /// The columns of a table as they follow one another.
    pub(super) fn columns(&self, table: &str) -> Vec<&'a Object> {
        let whole = Object::alone(ObjectKind::Table, table);
        let order: Vec<&str> = self.text(&whole, COLUMN_ORDER).split(", ").collect();
        let mut columns = self.of_table(ObjectKind::Column, table);
        columns.sort_by_key(|it| order.iter().position(|name| *name == it.name));
        columns
    }
}

/// What becomes of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Made,
    Changed,
    Dropped,
}

/// What becomes of each object in which there is a difference.
pub(super) fn fates(differences: &[Difference]) -> BTreeMap<&Object, Fate> {
    let fate = |it: &Difference| match it.change {
        Change::Missing => Fate::Made,
        Change::Extra => Fate::Dropped,
        Change::Altered { .. } => Fate::Changed,
    };
    differences.iter().map(|it| (&it.object, fate(it))).collect()
}

/// Each line of a statement commented out: names may have several.
pub(super) fn commented(statement: &str) -> String {
    let lines: Vec<String> = statement.lines().map(|line| format!("-- {line}")).collect();
    lines.join("\n")
}
