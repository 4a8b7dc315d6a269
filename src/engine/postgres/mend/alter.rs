//! Objects that are there, and of which one attribute is not as expected.

use super::{Mending, Object, ObjectKind, Turn, commented, ident, words};

impl Mending<'_> {
    /// True where the object is made anew with all that it has.
    pub(super) fn alter_attribute(
        &mut self,
        object: &Object,
        attribute: &str,
        expected: Option<&str>,
        found: Option<&str>,
    ) -> bool {
        match (object.kind, attribute) {
            (ObjectKind::Table, _) => self.alter_table(object, attribute, expected, found),
            (ObjectKind::View, "definition" | "kind") => return true,
            (ObjectKind::Schema, attribute) if attribute.starts_with("published in ") => {
                let publication = ident(attribute.trim_start_matches("published in "));
                let change = if expected.is_some() { "ADD" } else { "DROP" };
                let schema = ident(self.place.schema);
                let text = format!("ALTER PUBLICATION {publication} {change} TABLES IN SCHEMA {schema};");
                self.say(Turn::Right, text);
            }
            (ObjectKind::View, "options") => {
                let kind = self.attribute(object, "kind").unwrap_or("view").to_uppercase();
                self.options(&format!("{kind} {}", ident(&object.name)), expected, found);
            }
            (ObjectKind::Column, _) => self.alter_column(object, attribute, expected, found),
            (ObjectKind::Constraint | ObjectKind::Index, _) => {
                return self.alter_index(object, attribute, expected, found);
            }
            (ObjectKind::Statistics, "statistics target") => {
                let target = expected.unwrap_or("-1");
                let name = ident(&object.name);
                self.say(
                    Turn::Part,
                    format!("ALTER STATISTICS {name} SET STATISTICS {target};"),
                );
            }
            (ObjectKind::Trigger | ObjectKind::Rule, "enabled") => self.enable(object),
            (ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy | ObjectKind::Statistics, _) => {
                let on = match object.kind {
                    ObjectKind::Statistics => String::new(),
                    _ => format!(" ON {}", ident(&object.table)),
                };
                let kind = object.kind.as_str().to_uppercase();
                let name = match object.kind {
                    ObjectKind::Statistics => self.own(&ident(&object.name)),
                    _ => ident(&object.name),
                };
                self.say(Turn::Drop, format!("DROP {kind} {name}{on};"));
                self.create(object);
                return true;
            }
            (ObjectKind::Sequence, _) => self.alter_sequence(object, attribute, expected),
            (ObjectKind::Routine, "kind" | "returns" | "arguments") => {
                self.routine_is_new(object);
                return true;
            }
            (ObjectKind::Routine, _) => {
                self.create_routine(object);
                // What is replaced keeps its owner, rights and comment.
            }
            (ObjectKind::Type, _) => self.alter_type(object, attribute, expected, found),
            _ => self.unknown(
                object,
                &format!("has another {attribute}; see the migration that makes it"),
            ),
        }
        false
    }

    fn alter_table(&mut self, object: &Object, attribute: &str, expected: Option<&str>, found: Option<&str>) {
        let name = ident(&object.name);
        let action = match (attribute, expected) {
            ("row security", Some(_)) => "ENABLE ROW LEVEL SECURITY".to_owned(),
            ("row security", None) => "DISABLE ROW LEVEL SECURITY".to_owned(),
            ("forced row security", Some(_)) => "FORCE ROW LEVEL SECURITY".to_owned(),
            ("forced row security", None) => "NO FORCE ROW LEVEL SECURITY".to_owned(),
            ("replica identity", to) => {
                format!("REPLICA IDENTITY {}", to.unwrap_or("default").to_uppercase())
            }
            ("kind", Some("unlogged table")) => "SET UNLOGGED".to_owned(),
            ("kind", Some("table")) if found == Some("unlogged table") => "SET LOGGED".to_owned(),
            ("access method", to) => format!("SET ACCESS METHOD {}", to.unwrap_or("heap")),
            ("tablespace", to) => format!("SET TABLESPACE {}", ident(to.unwrap_or("pg_default"))),
            ("options", _) => return self.options(&format!("TABLE {name}"), expected, found),
            (trigger, to) if trigger.starts_with("trigger ") => {
                let trigger = ident(trigger.trim_start_matches("trigger "));
                match to {
                    Some("disabled") => format!("DISABLE TRIGGER {trigger}"),
                    Some("enabled always") => format!("ENABLE ALWAYS TRIGGER {trigger}"),
                    Some("enabled in a replica") => format!("ENABLE REPLICA TRIGGER {trigger}"),
                    // As its parent's is, which is so almost everywhere.
                    _ => format!("ENABLE TRIGGER {trigger}"),
                }
            }
            ("parents", _) if self.attribute(object, "bound").is_none() => {
                return self.parents(&name, expected, found);
            }
            // It says no more than the parents do.
            ("bound", Some(bound)) => {
                let parent = self.attribute(object, "parents").unwrap_or_default();
                if found.is_some() {
                    self.say(
                        Turn::Drop,
                        format!("ALTER TABLE {parent} DETACH PARTITION {name};"),
                    );
                }
                let text = format!("ALTER TABLE {parent} ATTACH PARTITION {name} {bound};");
                return self.say(Turn::Column, text);
            }
            ("parents", Some(_)) => return,
            _ => {
                return self.unknown(
                    object,
                    &format!("has another {attribute}; see the migration that makes it"),
                );
            }
        };
        self.say(Turn::Column, format!("ALTER TABLE {name} {action};"));
    }

    fn parents(&mut self, name: &str, expected: Option<&str>, found: Option<&str>) {
        let list = |text: Option<&str>| -> Vec<String> {
            text.unwrap_or_default()
                .split(", ")
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (expected, found) = (list(expected), list(found));
        for parent in found.iter().filter(|it| !expected.contains(it)) {
            self.say(Turn::Column, format!("ALTER TABLE {name} NO INHERIT {parent};"));
        }
        for parent in expected.iter().filter(|it| !found.contains(it)) {
            self.say(Turn::Column, format!("ALTER TABLE {name} INHERIT {parent};"));
        }
    }

    /// Storage options: `a=1, toast.b=2`.
    pub(super) fn options(&mut self, what: &str, expected: Option<&str>, found: Option<&str>) {
        let keys = |text: Option<&str>| -> Vec<String> {
            let options = text.unwrap_or_default().split(", ").filter(|it| !it.is_empty());
            options
                .map(|it| it.split('=').next().unwrap_or_default().to_owned())
                .collect()
        };
        let (wanted, has) = (keys(expected), keys(found));
        let gone: Vec<String> = has.into_iter().filter(|it| !wanted.contains(it)).collect();
        let turn = if what.starts_with("TABLE") {
            Turn::Column
        } else {
            Turn::Part
        };
        if !gone.is_empty() {
            self.say(turn, format!("ALTER {what} RESET ({});", gone.join(", ")));
        }
        if let Some(expected) = expected {
            self.say(turn, format!("ALTER {what} SET ({expected});"));
        }
    }

    fn alter_index(
        &mut self,
        object: &Object,
        attribute: &str,
        expected: Option<&str>,
        found: Option<&str>,
    ) -> bool {
        let (table, name) = (ident(&object.table), ident(&object.name));
        let is_constraint = object.kind == ObjectKind::Constraint;
        let text = match (attribute, expected) {
            ("definition", Some(wanted)) => {
                if is_constraint && found.and_then(|it| it.strip_suffix(" NOT VALID")) == Some(wanted) {
                    self.say(
                        Turn::Key,
                        format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"),
                    );
                    return false;
                }
                let drop = match is_constraint {
                    true => format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
                    false => format!("DROP INDEX {};", self.own(&name)),
                };
                self.say(Turn::Drop, drop);
                self.create(object);
                return true;
            }
            ("options", _) => {
                self.options(&format!("INDEX {name}"), expected, found);
                return false;
            }
            ("enforced", None) => commented(&format!(
                "{object} is not enforced: as a superuser, ALTER TABLE … ENABLE TRIGGER ALL on the tables named, then look for rows that it forbids"
            )),
            ("state", None) => format!("REINDEX INDEX {name};"),
            ("clustered", Some(_)) => format!("ALTER TABLE {table} CLUSTER ON {name};"),
            ("clustered", None) => format!("ALTER TABLE {table} SET WITHOUT CLUSTER;"),
            ("replica identity", Some(_)) => {
                format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {name};")
            }
            ("replica identity", None) => format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT;"),
            ("tablespace", to) => format!(
                "ALTER INDEX {name} SET TABLESPACE {};",
                ident(to.unwrap_or("pg_default"))
            ),
            ("attached to", Some(parent)) => format!("ALTER INDEX {parent} ATTACH PARTITION {name};"),
            ("statistics target", to) => {
                let each = to.or(found).unwrap_or_default().split(", ");
                let each = each.filter_map(|it| it.split_once(": "));
                let each = each.map(|(column, target)| {
                    let target = if to.is_some() { target } else { "-1" };
                    format!("ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target};")
                });
                each.collect::<Vec<_>>().join("\n")
            }
            _ => {
                self.unknown(
                    object,
                    &format!("has another {attribute}; see the migration that makes it"),
                );
                return false;
            }
        };
        self.say(Turn::Part, text);
        false
    }

    pub(super) fn enable(&mut self, object: &Object) {
        let how = match self.attribute(object, "enabled") {
            Some("no") => "DISABLE",
            Some("always") => "ENABLE ALWAYS",
            Some("in a replica") => "ENABLE REPLICA",
            _ => "ENABLE",
        };
        let kind = object.kind.as_str().to_uppercase();
        let (table, name) = (ident(&object.table), ident(&object.name));
        self.say(Turn::Owner, format!("ALTER TABLE {table} {how} {kind} {name};"));
    }

    fn alter_type(&mut self, object: &Object, attribute: &str, expected: Option<&str>, found: Option<&str>) {
        let name = ident(&object.name);
        let is_domain = self.attribute(object, "kind") == Some("domain");
        match (attribute, expected) {
            ("labels", Some(expected)) => self.labels(object, expected, found.unwrap_or_default()),
            ("attributes", Some(expected)) => {
                self.type_attributes(object, expected, found.unwrap_or_default())
            }
            ("definition", Some(_)) => {
                if let Some((domain, constraint)) = object.name.split_once(' ') {
                    let text = format!(
                        "ALTER DOMAIN {} DROP CONSTRAINT {};",
                        ident(domain),
                        ident(constraint)
                    );
                    self.say(Turn::Drop, text);
                    self.create(object);
                }
            }
            ("default", Some(default)) => {
                self.say(Turn::Type, format!("ALTER DOMAIN {name} SET DEFAULT {default};"))
            }
            ("default", None) => self.say(Turn::Type, format!("ALTER DOMAIN {name} DROP DEFAULT;")),
            ("null", Some(_)) if is_domain => {
                self.say(Turn::Type, format!("ALTER DOMAIN {name} SET NOT NULL;"))
            }
            ("null", None) if is_domain => {
                self.say(Turn::Type, format!("ALTER DOMAIN {name} DROP NOT NULL;"))
            }
            _ => self.unknown(
                object,
                &format!("has another {attribute}; see the migration that makes it"),
            ),
        }
    }

    /// Labels can be added, not taken away.
    fn labels(&mut self, object: &Object, expected: &str, found: &str) {
        let name = ident(&object.name);
        let (expected_labels, found_labels) = (literals(expected), literals(found));
        let wanted: Vec<&str> = expected_labels.iter().map(String::as_str).collect();
        let has: Vec<&str> = found_labels.iter().map(String::as_str).collect();
        let others: Vec<(&str, &str)> = wanted
            .iter()
            .copied()
            .zip(has.iter().copied())
            .filter(|(wanted, has)| wanted != has)
            .collect();
        if let ([(label, other)], true) = (others.as_slice(), wanted.len() == has.len()) {
            let rename = format!("ALTER TYPE {name} RENAME VALUE {other} TO {label};");
            let text = commented(&format!("where {other} means what {label} does:\n{rename}"));
            return self.say(Turn::Type, text);
        }
        let kept: Vec<&str> = wanted.iter().copied().filter(|it| has.contains(it)).collect();
        let mut before: Option<&str> = None;
        for label in &wanted {
            if !has.contains(label) {
                let place = match (before, wanted.iter().find(|it| has.contains(it))) {
                    (Some(before), _) => format!(" AFTER {before}"),
                    (None, Some(first)) => format!(" BEFORE {first}"),
                    (None, None) => String::new(),
                };
                let text = format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {label}{place};");
                self.say(Turn::Label, text);
            }
            before = Some(label);
        }
        if kept != has {
            self.unknown(
                object,
                &format!("its labels are to be {expected}; one that is there cannot be taken away"),
            );
        }
    }

    fn type_attributes(&mut self, object: &Object, expected: &str, found: &str) {
        let name = ident(&object.name);
        let parse = |text: &str| -> Vec<(String, String)> {
            let each = text.split(", ").filter_map(|it| it.split_once(' '));
            each.map(|(name, kind)| (name.to_owned(), kind.to_owned()))
                .collect()
        };
        let (wanted, has) = (parse(expected), parse(found));
        for (attribute, _) in has
            .iter()
            .filter(|it| !wanted.iter().any(|wanted| wanted.0 == it.0))
        {
            let text = format!("ALTER TYPE {name} DROP ATTRIBUTE {attribute} CASCADE;");
            self.say(Turn::Type, commented(&text));
        }
        for (attribute, kind) in &wanted {
            match has.iter().find(|it| it.0 == *attribute) {
                None => self.say(
                    Turn::Type,
                    format!("ALTER TYPE {name} ADD ATTRIBUTE {attribute} {kind} CASCADE;"),
                ),
                Some((_, there)) if there != kind => {
                    let text = format!("ALTER TYPE {name} ALTER ATTRIBUTE {attribute} TYPE {kind} CASCADE;");
                    self.say(Turn::Type, text);
                }
                Some(_) => {}
            }
        }
    }
}

/// `'a'`, `'b, c'` of `'a', 'b, c'`.
fn literals(list: &str) -> Vec<String> {
    let parts = words::parts(list);
    let items = parts.split(|part| part.1 == ",");
    let items = items.map(|item| item.iter().map(|it| it.1).collect::<String>().trim().to_owned());
    items.filter(|it| !it.is_empty()).collect()
}
