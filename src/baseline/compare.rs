//! Two structures, and what tells them apart in words. Pure.

use std::collections::BTreeMap;

use crate::domain::words::clip;
use crate::domain::{Object, ObjectKind, Structure};

/// Tables in which other tools keep their own books: a database that is adopted has one of them.
const BOOKS: [&str; 17] = [
    "__drizzle_migrations",
    "__efmigrationshistory",
    "_prisma_migrations",
    "_sqlx_migrations",
    "alembic_version",
    "ar_internal_metadata",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "doctrine_migration_versions",
    "flyway_schema_history",
    "goose_db_version",
    "knex_migrations",
    "knex_migrations_lock",
    "refinery_schema_history",
    "schema_migrations",
    "sequelizemeta",
];

/// Longer texts are not quoted: that they differ is said.
const QUOTED: usize = 160;

type Objects<'a> = BTreeMap<&'a Object, BTreeMap<&'a str, &'a str>>;

/// What would have to change for `found` to be `expected`; empty where it is. Tables of other tools'
/// own books are passed over, unless they are expected.
pub fn differences(expected: &Structure, found: &Structure) -> Vec<String> {
    let (expected, found) = (objects(expected), objects(found));
    let mut differences = Vec::new();
    for (object, wanted) in &expected {
        match found.get(object) {
            Some(has) => compare(object, wanted, has, &mut differences),
            None if !is_within(object, &found) => {}
            None => differences.push(format!("{} is missing", named(object))),
        }
    }
    for object in found.keys() {
        let is_new = !expected.contains_key(object) && is_within(object, &expected);
        if is_new && !is_in_books(object) {
            differences.push(extra(object));
        }
    }
    differences
}

fn objects(structure: &Structure) -> Objects<'_> {
    let mut objects = Objects::new();
    for fact in &structure.facts {
        let attributes = objects.entry(&fact.object).or_default();
        attributes.insert(&fact.attribute, &fact.text);
    }
    objects
}

/// Where the table itself is missing, its parts are not said one by one.
fn is_within(object: &Object, there: &Objects<'_>) -> bool {
    let table = |kind| Object {
        kind,
        table: String::new(),
        name: object.table.clone(),
    };
    object.table.is_empty()
        || there.contains_key(&table(ObjectKind::Table))
        || there.contains_key(&table(ObjectKind::View))
}

fn is_in_books(object: &Object) -> bool {
    let name = object.name.to_ascii_lowercase();
    let sequence = name
        .strip_suffix("_id_seq")
        .filter(|_| object.kind == ObjectKind::Sequence);
    let is_book = |name: &str| BOOKS.contains(&name);
    (object.kind == ObjectKind::Table && is_book(&name)) || sequence.is_some_and(is_book)
}

fn named(object: &Object) -> String {
    let own = format!("{} {}", object.kind.as_str(), object.name);
    match object.table.as_str() {
        "" => own,
        table => format!("table {table}: {own}"),
    }
}

fn extra(object: &Object) -> String {
    let own = format!("extra {} {}", object.kind.as_str(), object.name);
    match object.table.as_str() {
        "" => own,
        table => format!("table {table}: {own}"),
    }
}

fn compare(
    object: &Object,
    wanted: &BTreeMap<&str, &str>,
    has: &BTreeMap<&str, &str>,
    differences: &mut Vec<String>,
) {
    let mut attributes: Vec<&str> = wanted.keys().chain(has.keys()).copied().collect();
    attributes.sort_unstable();
    attributes.dedup();
    for attribute in attributes {
        let (expected, found) = (wanted.get(attribute).copied(), has.get(attribute).copied());
        if expected == found {
            continue;
        }
        let who = named(object);
        let is_long = |text: Option<&str>| text.is_some_and(|it| it.len() > QUOTED || it.contains('\n'));
        differences.push(match (found, expected) {
            _ if is_long(found) || is_long(expected) => format!("{who} has another {attribute}"),
            (Some(found), Some(expected)) if says_what_it_is(attribute) => {
                format!("{who} is {found}, expected {expected}")
            }
            (Some(found), Some(expected)) => {
                format!("{who} has {attribute} {found}, expected {expected}")
            }
            (Some(found), None) => format!("{who} has {attribute} {found}, expected none"),
            (None, expected) => {
                let expected = expected.unwrap_or_default();
                format!("{who} has no {attribute}, expected {expected}")
            }
        });
    }
}

fn says_what_it_is(attribute: &str) -> bool {
    matches!(attribute, "type" | "kind" | "definition" | "null")
}

/// The first few, and how many more there are.
pub fn told(differences: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = differences.iter().take(SHOWN).map(|it| clip(it, 400)).collect();
    match differences.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ObjectKind::{Column, Index, Sequence, Table};

    fn orders(total: &str) -> Structure {
        let mut structure = Structure::default();
        structure.add(Table, "", "orders", "kind", "table");
        structure.add(Column, "orders", "total", "type", total);
        structure.add(Column, "orders", "total", "null", "NOT NULL");
        structure.add(Index, "orders", "by_total", "definition", "(total)");
        structure
    }

    #[test]
    fn the_same_is_the_same() {
        assert!(differences(&orders("int"), &orders("int")).is_empty());
    }

    #[test]
    fn each_difference_is_named() {
        let mut found = orders("numeric(10,2)");
        found.facts.retain(|fact| fact.object.kind != Index);
        found.add(Column, "orders", "total", "default", "0");
        found.add(Column, "orders", "note", "type", "text");
        found.add(Table, "", "junk", "kind", "table");
        found.add(Column, "junk", "id", "type", "int");
        assert_eq!(
            differences(&orders("numeric(12,2)"), &found),
            [
                "table orders: column total has default 0, expected none",
                "table orders: column total is numeric(10,2), expected numeric(12,2)",
                "table orders: index by_total is missing",
                "extra table junk",
                "table orders: extra column note",
            ]
        );
        let nothing = differences(&orders("int"), &Structure::default());
        assert_eq!(nothing, ["table orders is missing"]);
    }

    #[test]
    fn the_books_of_other_tools_are_passed_over() {
        let mut found = orders("int");
        found.add(Table, "", "django_migrations", "kind", "table");
        found.add(Column, "django_migrations", "id", "type", "int");
        found.add(Sequence, "", "django_migrations_id_seq", "type", "int");
        assert!(differences(&orders("int"), &found).is_empty());
    }
}
