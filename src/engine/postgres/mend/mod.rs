//! SQL that makes a schema what was expected, written for a person to read.
//!
//! It is composed of the expected structure's facts, so that what PostgreSQL wrote is what is run. What would
//! lose data stands there as a comment.

mod alter;
mod columns;
mod create;
mod inherited;
mod order;
mod rights;
mod sequences;

use std::collections::BTreeMap;

use crate::domain::{
    COLUMN_ORDER, COMMENT, Change, Difference, GRANTS, OWNER, Object, ObjectKind, Structure,
};

use super::sql::{ident, literal};
use super::structure::written;
use super::words;
use crate::engine::Target;
use crate::engine::facts::commented;

/// When a statement's turn is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Not in the transaction.
    Label,
    First,
    DropView,
    Drop,
    Type,
    /// Routines that a table's own text uses.
    Early,
    Sequence,
    Table,
    Column,
    Routine,
    /// What uses routines.
    Default,
    Key,
    ForeignKey,
    Index,
    Attach,
    View,
    Part,
    /// What nothing uses any more by then.
    Unused,
    Owner,
    /// Both must have the same owner by then.
    Owned,
    Right,
}

/// Extra views, which no word drops together.
const VIEWS: &str = "VIEW";

type Attributes<'a> = BTreeMap<&'a str, &'a str>;

/// What the SQL is for.
pub(super) struct Place<'a> {
    schema: &'a str,
    /// As its own roles have it in their names.
    tenant: &'a str,
    shared: &'a str,
}

impl<'a> Place<'a> {
    /// `schema` is where it is to run.
    pub(super) fn new(schema: &'a str, target: Target<'a>, shared: &'a str) -> Self {
        let tenant = match target {
            Target::Shared => schema,
            Target::Tenant(tenant) => tenant.name.as_str(),
        };
        Self {
            schema,
            tenant,
            shared,
        }
    }
}

struct Mending<'a> {
    place: &'a Place<'a>,
    expected: BTreeMap<&'a Object, Attributes<'a>>,
    differences: &'a [Difference],
    statements: Vec<Said>,
    /// Extra objects, by the word that drops several at once: they may use one another.
    unused: BTreeMap<&'static str, Vec<String>>,
}

struct Said {
    turn: Turn,
    text: String,
    /// The view or routine that it makes: those that use one another follow it.
    makes: Option<String>,
}

/// The SQL with the search path that it is for; empty where nothing differs.
pub(super) fn mend(place: &Place<'_>, expected: &Structure, differences: &[Difference]) -> String {
    let said = composed(place, expected, differences);
    if said.is_empty() {
        return String::new();
    }
    let (schema, shared) = (ident(place.schema), ident(place.shared));
    // As the structure was read: an own object comes before one of the server's with its name. All of it or nothing,
    // but a label that is new cannot be used in the transaction that adds it.
    let (labels, rest): (Vec<Said>, Vec<Said>) = said.into_iter().partition(|it| it.turn == Turn::Label);
    let labels = if_any(written_out(place, labels), "", "\n");
    let rest = written_out(place, rest);
    let rest = match rest.lines().any(|line| !line.starts_with("--")) {
        true => if_any(rest, "BEGIN;\n", "\nCOMMIT;\n"),
        false => if_any(rest, "", "\n"),
    };
    format!("SET search_path TO {schema}, pg_catalog, {shared};\n{labels}{rest}")
}

fn if_any(text: String, before: &str, behind: &str) -> String {
    match text.is_empty() {
        true => text,
        false => format!("{before}{text}{behind}"),
    }
}

/// The same without the search path.
pub(super) fn statements(place: &Place<'_>, expected: &Structure, differences: &[Difference]) -> String {
    written_out(place, composed(place, expected, differences))
}

fn written_out(place: &Place<'_>, said: Vec<Said>) -> String {
    let text = order::by_use(said).join("\n");
    text.replace("{shared}.", &format!("{}.", written(place.shared)))
        .replace("{tenant}", &written(place.schema))
}

/// In the order in which they are to be run, those that use one another aside.
fn composed(place: &Place<'_>, expected: &Structure, differences: &[Difference]) -> Vec<Said> {
    let mut objects: BTreeMap<&Object, Attributes<'_>> = BTreeMap::new();
    for fact in &expected.facts {
        let attributes = objects.entry(&fact.object).or_default();
        attributes.insert(&fact.attribute, &fact.text);
    }
    let mut mending = Mending {
        place,
        expected: objects,
        differences,
        statements: Vec::new(),
        unused: BTreeMap::new(),
    };
    mending.compose();
    mending.statements.sort_by_key(|said| said.turn);
    mending.statements
}

impl<'a> Mending<'a> {
    fn compose(&mut self) {
        // What is made anew as a whole is not altered too.
        let mut anew: Vec<&Object> = Vec::new();
        for difference in self.differences {
            let object = &difference.object;
            if anew.contains(&object) || self.comes_by_parents(difference) {
                continue;
            }
            match &difference.change {
                Change::Missing => self.create(object),
                Change::Extra => self.remove(object),
                Change::Altered {
                    attribute,
                    expected,
                    found,
                } => {
                    let (expected, found) = (expected.as_deref(), found.as_deref());
                    if self.alter(object, attribute, expected, found) {
                        anew.push(object);
                    }
                }
            }
        }
        // They may show those that are made anew.
        if let Some(views) = self.unused.remove(VIEWS) {
            self.drop_views(&views);
        }
        self.views_anew(&anew);
        for (word, names) in std::mem::take(&mut self.unused) {
            self.say(Turn::Unused, format!("DROP {word} {};", names.join(", ")));
        }
    }

    /// What policies hide from the tables' owner must not be overlooked: then it is an error.
    fn see_all_rows(&mut self) {
        self.say(Turn::First, "SET LOCAL row_security = off;");
    }

    fn say(&mut self, turn: Turn, text: impl Into<String>) {
        let text = text.into();
        if !self.statements.iter().any(|said| said.text == text) {
            let makes = None;
            self.statements.push(Said { turn, text, makes });
        }
    }

    fn say_making(&mut self, turn: Turn, name: &str, text: String) {
        let makes = Some(name.to_owned());
        if !self.statements.iter().any(|said| said.text == text) {
            self.statements.push(Said { turn, text, makes });
        }
    }

    /// With its schema, so that nobody else's is meant where there is none.
    fn own(&self, name: &str) -> String {
        format!("{}.{name}", ident(self.place.schema))
    }

    fn unknown(&mut self, object: &Object, what: &str) {
        self.say(Turn::Right, commented(&format!("{object}: {what}")));
    }

    fn is_missing(&self, object: &Object) -> bool {
        let missing = |it: &&Difference| it.change == Change::Missing && it.object == *object;
        self.differences.iter().any(|it| missing(&it))
    }

    /// Whether a text uses a routine that is yet to be made, or made another.
    fn uses_routine(&self, text: &str) -> bool {
        let differ = self.differences.iter().map(|it| &it.object);
        let mut routines = differ.filter(|it| it.kind == ObjectKind::Routine);
        routines.any(|it| order::names(text).contains(order::plain(&it.name)))
    }

    fn attribute(&self, object: &Object, name: &str) -> Option<&'a str> {
        self.expected.get(object)?.get(name).copied()
    }

    fn attributes(&self, object: &Object) -> Attributes<'a> {
        self.expected.get(object).cloned().unwrap_or_default()
    }

    /// What belongs to a table, or a view.
    fn parts(&self, table: &str) -> Vec<&'a Object> {
        let parts = self.expected.keys().filter(|it| it.table == table);
        parts.copied().collect()
    }

    fn remove(&mut self, object: &Object) {
        let (table, name) = (ident(&object.table), ident(&object.name));
        let is_extra = |kind| {
            let extra = |it: &Difference| it.change == Change::Extra && it.object.kind == kind;
            self.differences.iter().any(extra)
        };
        // What is not dropped here may use it.
        let is_kept = is_extra(ObjectKind::Table) || is_extra(ObjectKind::Column);
        let text = match object.kind {
            ObjectKind::Table => commented(&format!("DROP TABLE {name};")),
            ObjectKind::Column if self.is_view(&object.table) => return,
            ObjectKind::Column => commented(&format!("ALTER TABLE {table} DROP COLUMN {name};")),
            // An identity's goes with its column.
            ObjectKind::Sequence if !object.table.is_empty() => return,
            ObjectKind::Sequence => return self.remove_unused("SEQUENCE", object, name, is_kept),
            ObjectKind::Index if self.is_constraint(object) => format!("COMMENT ON INDEX {name} IS NULL;"),
            ObjectKind::Index | ObjectKind::Constraint if self.goes_by_parents(object) => {
                let text = match object.kind {
                    ObjectKind::Index => format!("DROP INDEX IF EXISTS {};", self.own(&name)),
                    _ => format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name};"),
                };
                return self.say(Turn::Unused, text);
            }
            ObjectKind::Constraint => format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
            ObjectKind::Index => format!("DROP INDEX {};", self.own(&name)),
            ObjectKind::Statistics => format!("DROP STATISTICS {};", self.own(&name)),
            ObjectKind::Trigger => format!("DROP TRIGGER {name} ON {table};"),
            ObjectKind::Rule => format!("DROP RULE {name} ON {table};"),
            ObjectKind::Policy => format!("DROP POLICY {name} ON {table};"),
            ObjectKind::View => {
                let name = self.own(&name);
                return self.unused.entry(VIEWS).or_default().push(name);
            }
            ObjectKind::Routine => {
                return self.remove_unused("ROUTINE", object, signature(&object.name), is_kept);
            }
            ObjectKind::Type => match object.name.split_once(' ') {
                Some((domain, constraint)) => {
                    format!(
                        "ALTER DOMAIN {} DROP CONSTRAINT {};",
                        ident(domain),
                        ident(constraint)
                    )
                }
                None => return self.remove_unused("TYPE", object, name, is_kept),
            },
            ObjectKind::Collation if !object.name.contains(' ') => {
                format!("DROP COLLATION {};", self.own(&name))
            }
            ObjectKind::Operator | ObjectKind::TextSearch | ObjectKind::Collation => {
                format!("DROP {};", designation(object, &Attributes::new()))
            }
            _ => return self.unknown(object, "is there and not expected"),
        };
        self.say(Turn::Drop, text);
    }

    fn remove_unused(&mut self, word: &'static str, object: &Object, name: String, is_kept: bool) {
        let in_the_way = |it: &Difference| it.change == Change::Missing && it.object.name == object.name;
        let name = self.own(&name);
        if is_kept {
            self.say(Turn::Unused, commented(&format!("DROP {word} {name};")));
        } else if self.differences.iter().any(in_the_way) {
            self.say(Turn::Drop, format!("DROP {word} {name};"));
        } else {
            self.unused.entry(word).or_default().push(name);
        }
    }

    /// Of a view that is extra it is not told whether it is a materialized one, nor what it reads: those that were
    /// made last go first.
    fn drop_views(&mut self, names: &[String]) {
        let each: Vec<String> = names
            .iter()
            .map(|it| format!("to_regclass({})", literal(it)))
            .collect();
        let block = dollars(&format!(
            " DECLARE one record; BEGIN\n    FOR one IN SELECT oid::regclass AS name, CASE relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS kind\n        FROM pg_class WHERE oid IN ({}) ORDER BY oid DESC\n    LOOP EXECUTE format('DROP %s %s', one.kind, one.name); END LOOP; END ",
            each.join(", ")
        ));
        self.say(Turn::DropView, format!("DO {block};"));
    }

    fn is_view(&self, name: &str) -> bool {
        let view = Object::alone(ObjectKind::View, name);
        self.expected.contains_key(&view)
    }

    /// An index of a constraint has nothing of its own but a comment.
    fn is_constraint(&self, index: &Object) -> bool {
        let constraint = Object {
            kind: ObjectKind::Constraint,
            ..index.clone()
        };
        self.expected.contains_key(&constraint) && !self.is_missing(&constraint)
    }

    /// True where the object is made anew with all that it has.
    fn alter(
        &mut self,
        object: &Object,
        attribute: &str,
        expected: Option<&str>,
        found: Option<&str>,
    ) -> bool {
        match attribute {
            OWNER => self.owner(object),
            GRANTS => self.grants(object, expected, found),
            COMMENT => self.comment(object),
            COLUMN_ORDER => self.unknown(
                object,
                "its columns stand in another order; only a new table would change that (`column_order = false` in [validate] leaves it out)",
            ),
            _ => return self.alter_attribute(object, attribute, expected, found),
        }
        false
    }
}

/// `FUNCTION touch(integer)` without the first word: only the name is quoted.
fn signature(name: &str) -> String {
    match name.split_once('(') {
        Some((name, arguments)) => format!("{}({arguments}", ident(name)),
        None => ident(name),
    }
}

/// What an object is called in `COMMENT ON` and `ALTER … OWNER TO`.
fn designation(object: &Object, attributes: &Attributes<'_>) -> String {
    let (table, name) = (ident(&object.table), ident(&object.name));
    let kind = attributes.get("kind").copied().unwrap_or_default();
    match object.kind {
        ObjectKind::Table if kind == "foreign table" => format!("FOREIGN TABLE {name}"),
        ObjectKind::View if kind == "materialized view" => format!("MATERIALIZED VIEW {name}"),
        ObjectKind::Column => format!("COLUMN {table}.{name}"),
        ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => {
            format!("{} {name} ON {table}", object.kind.as_str().to_uppercase())
        }
        ObjectKind::Type => match (object.name.split_once(' '), object.name.split_once('.')) {
            (Some((domain, constraint)), _) => {
                format!("CONSTRAINT {} ON DOMAIN {}", ident(constraint), ident(domain))
            }
            (None, Some((of, attribute))) => format!("COLUMN {}.{}", ident(of), ident(attribute)),
            _ if kind == "domain" => format!("DOMAIN {name}"),
            _ => format!("TYPE {name}"),
        },
        ObjectKind::Routine => {
            let kind = if matches!(kind, "procedure" | "aggregate") {
                kind
            } else {
                "function"
            };
            format!("{} {}", kind.to_uppercase(), signature(&object.name))
        }
        ObjectKind::TextSearch => match object.name.split_once(' ') {
            Some((what, name)) => format!("TEXT SEARCH {} {}", what.to_uppercase(), ident(name)),
            None => format!("TEXT SEARCH CONFIGURATION {name}"),
        },
        ObjectKind::Collation => match object.name.strip_prefix("conversion ") {
            Some(name) => format!("CONVERSION {}", ident(name)),
            None => format!("COLLATION {name}"),
        },
        ObjectKind::Operator => operator(&object.name),
        kind => format!("{} {name}", kind.as_str().to_uppercase()),
    }
}

/// `+(integer,integer)`, `class x using btree`.
fn operator(name: &str) -> String {
    for what in ["class", "family"] {
        let rest = name.strip_prefix(what).and_then(|it| it.strip_prefix(' '));
        if let Some((name, method)) = rest.and_then(|it| it.rsplit_once(" using ")) {
            return format!("OPERATOR {} {} USING {method}", what.to_uppercase(), ident(name));
        }
    }
    format!("OPERATOR {}", name.replacen('(', " (", 1))
}

/// Between dollars that are not in the text.
fn dollars(text: &str) -> String {
    let mut tag = "$$".to_owned();
    while text.contains(&tag) {
        tag.insert(1, 'x');
    }
    format!("{tag}{text}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(kind: ObjectKind, table: &str, name: &str, change: Change) -> Difference {
        let object = Object {
            kind,
            table: table.to_owned(),
            name: name.to_owned(),
        };
        Difference { object, change }
    }

    #[test]
    fn what_would_lose_data_is_a_comment_and_the_rest_is_in_order() {
        let place = Place::new("acme", Target::Shared, "public");
        let mut expected = Structure::default();
        expected.add(
            ObjectKind::Index,
            "orders",
            "by_total",
            "definition",
            "CREATE INDEX by_total ON orders USING btree (total)",
        );
        expected.add(ObjectKind::Column, "orders", "total", "type", "numeric(12,2)");
        let differences = [
            difference(ObjectKind::Index, "orders", "by_total", Change::Missing),
            difference(ObjectKind::Column, "orders", "total", Change::Missing),
            difference(ObjectKind::Table, "", "junk\nDROP TABLE orders", Change::Extra),
        ];
        assert_eq!(
            mend(&place, &expected, &differences),
            "SET search_path TO \"acme\", pg_catalog, \"public\";\n\
             BEGIN;\n-- DROP TABLE \"junk\n-- DROP TABLE orders\";\n\
             ALTER TABLE \"orders\" ADD COLUMN \"total\" numeric(12,2);\n\
             CREATE INDEX by_total ON orders USING btree (total);\nCOMMIT;\n"
        );
        assert_eq!(mend(&place, &expected, &[]), "");
    }
}
