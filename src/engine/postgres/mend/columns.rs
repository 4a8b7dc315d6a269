//! Columns of tables.

use super::{COLUMN_ORDER, Change, Mending, Object, ObjectKind, Turn, commented, dollars, ident, literal};

impl Mending<'_> {
    pub(super) fn alter_column(
        &mut self,
        object: &Object,
        attribute: &str,
        expected: Option<&str>,
        found: Option<&str>,
    ) {
        let (table, name) = (ident(&object.table), ident(&object.name));
        if self.is_view(&object.table) {
            if let ("default", Some(default)) = (attribute, expected) {
                let text = format!("ALTER VIEW {table} ALTER COLUMN {name} SET DEFAULT {default};");
                self.say(Turn::Part, text);
            } else if attribute == "default" {
                self.say(
                    Turn::Part,
                    format!("ALTER VIEW {table} ALTER COLUMN {name} DROP DEFAULT;"),
                );
            } else if attribute == "statistics target" {
                let target = expected.unwrap_or("-1");
                let text =
                    format!("ALTER MATERIALIZED VIEW {table} ALTER COLUMN {name} SET STATISTICS {target};");
                self.say(Turn::Part, text);
            }
            return;
        }
        let action = match (attribute, expected) {
            ("type", _) => return self.alter_type_of_column(object, found),
            // Both are said with the type.
            ("collation" | "default", _) if self.differs(object, "type") => return,
            ("collation", _) => return self.alter_type_of_column(object, None),
            ("default", _) if self.differs(object, "collation") => return,
            ("null", Some("NOT NULL")) => "SET NOT NULL".to_owned(),
            ("null", _) => "DROP NOT NULL".to_owned(),
            ("default", Some(default)) => {
                let text = format!("ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {default};");
                return self.say(self.turn_of_default(default), text);
            }
            ("default", None) => "DROP DEFAULT".to_owned(),
            ("identity", Some(identity)) if found.is_some() => {
                format!("SET GENERATED {}", identity.to_uppercase())
            }
            ("identity", Some(identity)) => {
                let options = self.identity_options(object);
                self.position_of_identity(object);
                format!("ADD GENERATED {} AS IDENTITY{options}", identity.to_uppercase())
            }
            ("identity", None) => "DROP IDENTITY".to_owned(),
            ("generated", None) => "DROP EXPRESSION".to_owned(),
            ("storage", to) => match to {
                Some(to) => format!("SET STORAGE {}", to.to_uppercase()),
                None => return self.unknown(
                    object,
                    "its storage is not what its type has; SET STORAGE DEFAULT is there since PostgreSQL 16",
                ),
            },
            ("compression", to) => format!("SET COMPRESSION {}", to.unwrap_or("default")),
            ("statistics target", to) => format!("SET STATISTICS {}", to.unwrap_or("-1")),
            ("options", _) => {
                return self.options(&format!("TABLE {table} ALTER COLUMN {name}"), expected, found);
            }
            _ => {
                return self.unknown(
                    object,
                    &format!("has another {attribute}; see the migration that makes it"),
                );
            }
        };
        self.say(
            Turn::Column,
            format!("ALTER TABLE {table} ALTER COLUMN {name} {action};"),
        );
    }

    /// `found`: the type that it has, where it is another.
    fn alter_type_of_column(&mut self, object: &Object, found: Option<&str>) {
        let (table, name) = (ident(&object.table), ident(&object.name));
        let kind = self.attribute(object, "type").unwrap_or_default();
        let collation = self.attribute(object, "collation");
        let collate = collation.map_or(String::new(), |it| format!(" COLLATE {it}"));
        let column = format!("ALTER TABLE {table} ALTER COLUMN {name}");
        let default = self.attribute(object, "default");
        let zone = found.and_then(|found| zone_of(found, kind));
        let value = match zone {
            Some(Zone::Utc) => format!("({name} AT TIME ZONE 'UTC')"),
            _ => name.clone(),
        };
        let mut steps = vec![(
            Turn::Column,
            format!("{column} TYPE {kind}{collate} USING {value}::{kind};"),
        )];
        // A default need not fit another type, so it goes before and comes after.
        if default.is_some() || self.differs(object, "default") {
            steps.insert(0, (Turn::Column, format!("{column} DROP DEFAULT;")));
        }
        if let Some(default) = default {
            let turn = self.turn_of_default(default);
            steps.push((turn, format!("{column} SET DEFAULT {default};")));
        }
        if let Some(zone) = zone {
            let clock = match zone {
                Zone::Utc => "UTC",
                Zone::Session => "that of this session (SET TimeZone)",
            };
            let texts: Vec<String> = steps.into_iter().map(|(_, text)| text).collect();
            let texts = texts.join("\n");
            let text = format!(
                "{object} does not say whose clock its times are by: where that is {clock},\n{texts}"
            );
            return self.say(Turn::Column, commented(&text));
        }
        if let Some(found) = found {
            // A cast cuts texts off, rounds numbers and forgets the time of day, and says nothing of it.
            let text = if compares(found) { "" } else { "::text" };
            let lost = format!("({name}::{kind}::{found}){text} IS DISTINCT FROM {name}{text}");
            let message = literal(&format!("{object} holds what {kind} would lose"));
            let block = dollars(&format!(
                " BEGIN IF EXISTS (SELECT FROM {table} WHERE {lost}) THEN RAISE EXCEPTION USING MESSAGE = {message}; END IF; END "
            ));
            self.see_all_rows();
            self.say(Turn::Column, format!("DO {block};"));
        }
        for (turn, text) in steps {
            self.say(turn, text);
        }
    }

    /// A column that is missing, of a table that is there.
    pub(super) fn add_column(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.contains_key(name);
        let turn = match attributes.get("default") {
            // What it is computed of may be missing too.
            _ if has("generated") => Turn::Default,
            Some(default) => self.turn_of_default(default),
            None => Turn::Column,
        };
        let filled = ["default", "generated", "identity"].into_iter().any(has);
        if has("null") && !filled {
            let text = "where the table has rows, add it without NOT NULL, fill it, and set NOT NULL then";
            self.say(turn, commented(&format!("{object}: {text}")));
        }
        if !self.comes_last(object) {
            let text = "will stand last, and not where it is expected (`column_order = false` in [validate] leaves that out)";
            self.say(turn, commented(&format!("{object} {text}")));
        }
        let column = self.column(object, true);
        self.say(
            turn,
            format!("ALTER TABLE {} ADD COLUMN {column};", ident(&object.table)),
        );
        self.finish_column(object);
    }

    /// Whether all that are expected behind it are missing, too.
    fn comes_last(&self, column: &Object) -> bool {
        let table = Object::alone(ObjectKind::Table, &column.table);
        let order = self.attribute(&table, COLUMN_ORDER).unwrap_or_default();
        let is_there = |name: &str| {
            let parts = self.expected.keys();
            let mut columns = parts.filter(|it| it.kind == ObjectKind::Column && it.table == column.table);
            columns.any(|it| (it.name == name || ident(&it.name) == name) && !self.is_missing(it))
        };
        let names = order.split(", ");
        let quoted = ident(&column.name);
        let mut behind = names.skip_while(|it| *it != column.name && *it != quoted).skip(1);
        !behind.any(is_there)
    }

    fn differs(&self, object: &Object, attribute: &str) -> bool {
        let altered = |it: &Change| matches!(it, Change::Altered { attribute: of, .. } if of == attribute);
        let mut differences = self.differences.iter();
        differences.any(|it| it.object == *object && altered(&it.change))
    }

    /// A default may use a routine that uses tables.
    pub(super) fn turn_of_default(&self, default: &str) -> Turn {
        match self.uses_routine(default) {
            true => Turn::Default,
            false => Turn::Column,
        }
    }

    /// `"total" numeric(12,2) DEFAULT 0 NOT NULL`; `whole`: also with a default that uses a routine.
    pub(super) fn column(&self, object: &Object, whole: bool) -> String {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let mut text = format!("{} {}", ident(&object.name), has("type").unwrap_or_default());
        if let Some(collation) = has("collation") {
            text.push_str(&format!(" COLLATE {collation}"));
        }
        if let Some(default) = has("default").filter(|it| whole || !self.uses_routine(it)) {
            text.push_str(&format!(" DEFAULT {default}"));
        }
        if let Some(generated) = has("generated") {
            let (expression, kind) = generated.rsplit_once(' ').unwrap_or((generated, "STORED"));
            text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {kind}"));
        }
        if let Some(identity) = has("identity") {
            let sequence = self.identity_options(object);
            text.push_str(&format!(
                " GENERATED {} AS IDENTITY{sequence}",
                identity.to_uppercase()
            ));
        }
        if has("null") == Some("NOT NULL") {
            if let Some(name) = has("named null") {
                text.push_str(&format!(" CONSTRAINT {name}"));
            }
            text.push_str(" NOT NULL");
        }
        text
    }

    /// ` (SEQUENCE NAME … START WITH …)`
    fn identity_options(&self, column: &Object) -> String {
        let Some(sequence) = self.sequence_of(column) else {
            return String::new();
        };
        format!(
            " (SEQUENCE NAME {}{})",
            ident(&sequence.name),
            self.sequence_options(sequence)
        )
    }

    /// What cannot be said where a column is made.
    pub(super) fn finish_column(&mut self, object: &Object) {
        for (attribute, text) in self.attributes(object) {
            if matches!(
                attribute,
                "storage" | "compression" | "statistics target" | "options"
            ) {
                self.alter_attribute(object, attribute, Some(text), None);
            }
        }
    }
}

/// Whose clock a cast takes the times by.
enum Zone {
    /// The one that is written there, for a person to put another in.
    Utc,
    Session,
}

/// A cast between times that have a zone and times that have none takes the session's.
fn zone_of(found: &str, expected: &str) -> Option<Zone> {
    let zoned = |kind: &str| kind.ends_with(" with time zone");
    let is_time = |kind: &str| kind.starts_with("time") || kind == "date";
    match (zoned(found), zoned(expected)) {
        (true, false) if is_time(expected) => Some(Zone::Utc),
        (false, true) if found.starts_with("timestamp") => Some(Zone::Utc),
        (false, true) => Some(Zone::Session),
        _ => None,
    }
}

/// Whether its values are equal where they mean the same: 1.5 and 1.50 are, as numbers.
fn compares(kind: &str) -> bool {
    let kinds = [
        "numeric",
        "character",
        "bigint",
        "integer",
        "smallint",
        "timestamp",
        "date",
    ];
    kinds.iter().any(|it| kind.starts_with(it)) && !kind.ends_with("[]")
}
