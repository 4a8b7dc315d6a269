//! Two structures, and what tells them apart. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{COLUMN_ORDER, Object, ObjectKind, Structure, is_code};

/// Longer texts are not quoted: that they differ is said.
const QUOTED: usize = 160;

/// One object that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub object: Object,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is expected, and not there.
    Missing,
    /// It is there, and not expected.
    Extra,
    /// One attribute of it has another text, or is had by one of the two only.
    Altered {
        attribute: String,
        expected: Option<String>,
        found: Option<String>,
    },
}

/// An attribute may be had several times, such as a foreign key without a name: all its texts count.
type Attributes<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;
type Objects<'a> = BTreeMap<&'a Object, Attributes<'a>>;

/// What would have to change for `found` to be `expected`; empty where it is. Of a table that is missing or
/// extra, its parts are not said one by one.
pub fn differences(expected: &Structure, found: &Structure) -> Vec<Difference> {
    let (expected, found) = (objects(expected), objects(found));
    let mut differences = Vec::new();
    let mut push = |object: &Object, change| {
        differences.push(Difference {
            object: object.clone(),
            change,
        });
    };
    for (object, wanted) in &expected {
        match found.get(object) {
            Some(has) => alterations(wanted, has).for_each(|change| push(object, change)),
            None if !is_within(object, &found) => {}
            None => push(object, Change::Missing),
        }
    }
    for object in found.keys() {
        if !expected.contains_key(object) && is_within(object, &expected) {
            push(object, Change::Extra);
        }
    }
    differences
}

fn objects(structure: &Structure) -> Objects<'_> {
    let mut objects = Objects::new();
    for fact in &structure.facts {
        let attributes = objects.entry(&fact.object).or_default();
        attributes.entry(&fact.attribute).or_default().insert(&fact.text);
    }
    objects
}

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

fn alterations<'a>(wanted: &'a Attributes<'a>, has: &'a Attributes<'a>) -> impl Iterator<Item = Change> + 'a {
    let mut attributes: Vec<&str> = wanted.keys().chain(has.keys()).copied().collect();
    attributes.sort_unstable();
    attributes.dedup();
    attributes.into_iter().filter_map(|attribute| {
        let text = |of: &Attributes<'_>| {
            let texts = of.get(attribute)?.iter().copied();
            Some(texts.collect::<Vec<_>>().join(" and "))
        };
        let (expected, found) = (text(wanted), text(has));
        let lacks = |one: &Option<String>, other: &Option<String>| match (one, other) {
            (Some(one), Some(other)) => only_lacks(one, other),
            _ => false,
        };
        let differ = expected != found && !(attribute == COLUMN_ORDER && lacks(&expected, &found));
        differ.then(|| Change::Altered {
            attribute: attribute.to_owned(),
            expected,
            found,
        })
    })
}

/// True where two lists have in the same order what both have: what one lacks is a difference of its own.
fn only_lacks(one: &str, other: &str) -> bool {
    let both = |list: &str, of: &str| -> Vec<String> {
        let of: BTreeSet<&str> = of.split(", ").collect();
        let kept = list.split(", ").filter(|name| of.contains(name));
        kept.map(str::to_owned).collect()
    };
    one != other && both(one, other) == both(other, one)
}

/// ``column `orders.total` is numeric(10,2), expected numeric(12,2)``.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.object.to_string();
        match &self.change {
            Change::Missing => write!(f, "{who} is missing"),
            Change::Extra => write!(f, "extra {who}"),
            Change::Altered { attribute, .. } if is_code(self.object.kind, attribute) => {
                // A text that is there may hold what is in no config, so nothing would redact it.
                f.write_str(&another(&who, attribute))
            }
            Change::Altered {
                attribute,
                expected,
                found,
            } => f.write_str(&altered(&who, attribute, expected.as_deref(), found.as_deref())),
        }
    }
}

fn altered(who: &str, attribute: &str, expected: Option<&str>, found: Option<&str>) -> String {
    let is_long = |text: Option<&str>| text.is_some_and(|it| it.len() > QUOTED || it.contains('\n'));
    match (found, expected) {
        _ if is_long(found) || is_long(expected) => another(who, attribute),
        (Some(found), Some(expected)) if says_what_it_is(attribute) => {
            format!("{who} is {found}, expected {expected}")
        }
        (Some(found), Some(expected)) => format!("{who} has {attribute} {found}, expected {expected}"),
        (Some(found), None) => format!("{who} has {attribute} {found}, expected none"),
        (None, expected) => {
            let expected = expected.unwrap_or_default();
            format!("{who} has no {attribute}, expected {expected}")
        }
    }
}

fn another(who: &str, attribute: &str) -> String {
    let other = if attribute.ends_with('s') {
        "other"
    } else {
        "another"
    };
    format!("{who} has {other} {attribute}")
}

fn says_what_it_is(attribute: &str) -> bool {
    matches!(attribute, "type" | "kind" | "definition" | "null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ObjectKind::{Column, Index, Table};

    fn orders(total: &str) -> Structure {
        let mut structure = Structure::default();
        structure.add(Table, "", "orders", "kind", "table");
        structure.add(Column, "orders", "total", "type", total);
        structure.add(Column, "orders", "total", "null", "NOT NULL");
        structure.add(Index, "orders", "by_total", "definition", "(total)");
        structure
    }

    fn told(expected: &Structure, found: &Structure) -> Vec<String> {
        differences(expected, found)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_same_is_the_same() {
        assert!(differences(&orders("int"), &orders("int")).is_empty());
        assert_eq!(orders("int").fingerprint(), orders("int").fingerprint());
        assert_ne!(orders("int").fingerprint(), orders("bigint").fingerprint());
    }

    #[test]
    fn a_column_that_is_missing_is_no_other_order_too() {
        let ordered = |order: &str| {
            let mut structure = orders("int");
            structure.add(Table, "", "orders", COLUMN_ORDER, order);
            structure
        };
        assert!(told(&ordered("id, total, note"), &ordered("id, note")).is_empty());
        assert_eq!(
            told(&ordered("id, total"), &ordered("total, id")),
            ["table `orders` has column order total, id, expected id, total"]
        );
    }

    #[test]
    fn what_is_had_twice_is_not_what_is_had_once() {
        let mut twice = orders("int");
        twice.add(Column, "orders", "total", "references", "a(id)");
        let once = twice.clone();
        twice.add(Column, "orders", "total", "references", "b(id)");
        assert_ne!(once.fingerprint(), twice.fingerprint());
        assert_eq!(
            told(&once, &twice),
            ["column `orders.total` has references a(id) and b(id), expected a(id)"]
        );
        assert_eq!(told(&twice, &once).len(), 1);
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
            told(&orders("numeric(12,2)"), &found),
            [
                "column `orders.total` has default 0, expected none",
                "column `orders.total` is numeric(10,2), expected numeric(12,2)",
                "index `by_total` of `orders` is missing",
                "extra table `junk`",
                "extra column `orders.note`",
            ]
        );
        assert_eq!(
            told(&orders("int"), &Structure::default()),
            ["table `orders` is missing"]
        );
    }
}
