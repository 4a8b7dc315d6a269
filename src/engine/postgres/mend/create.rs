//! Objects that are missing, made of their facts.

use std::collections::BTreeSet;

use super::order::{names, plain};
use super::words::{self, Kind};
use super::{Mending, Object, ObjectKind, Turn, dollars, ident, literal, signature};

impl Mending<'_> {
    pub(super) fn create(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let (table, name) = (ident(&object.table), ident(&object.name));
        match object.kind {
            ObjectKind::Type => self.create_type(object),
            ObjectKind::Sequence => self.create_sequence(object),
            ObjectKind::Table => return self.create_table(object),
            ObjectKind::Column if self.is_view(&object.table) => {}
            ObjectKind::Column => self.add_column(object),
            ObjectKind::Constraint if has("inherited").is_some() => {}
            ObjectKind::Constraint => {
                let definition = has("definition").unwrap_or_default();
                let turn = match definition.starts_with("FOREIGN KEY") {
                    true => Turn::ForeignKey,
                    false => Turn::Key,
                };
                self.say(
                    turn,
                    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"),
                );
                self.finish_index(object);
            }
            ObjectKind::Index => {
                if let Some(definition) = has("definition") {
                    let turn = if self.is_view(&object.table) {
                        Turn::Part
                    } else {
                        Turn::Index
                    };
                    self.say(turn, format!("{definition};"));
                }
                self.finish_index(object);
            }
            ObjectKind::Statistics => {
                self.say(Turn::Part, format!("{};", has("definition").unwrap_or_default()));
                if let Some(target) = has("statistics target") {
                    self.say(
                        Turn::Part,
                        format!("ALTER STATISTICS {name} SET STATISTICS {target};"),
                    );
                }
            }
            ObjectKind::Trigger | ObjectKind::Rule => {
                let definition = has("definition").unwrap_or_default().trim_end_matches(';');
                self.say(Turn::Part, format!("{definition};"));
                if has("enabled") != Some("yes") {
                    self.enable(object);
                }
            }
            ObjectKind::Policy => self.create_policy(object),
            ObjectKind::View => return self.create_view(object),
            ObjectKind::Routine => self.create_routine(object),
            // Its own rights and defaults; the schema itself is there.
            ObjectKind::Schema => {}
            _ => self.unknown(object, "is missing; see the migration that makes it"),
        }
        self.administer(object);
    }

    fn create_table(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let name = ident(&object.name);
        let parts = self.parts(&object.name);
        let kind = has("kind").unwrap_or_default();
        if kind == "foreign table" || has("of type").is_some() {
            self.unknown(object, "is missing; see the migration that makes it");
            return;
        }
        let unlogged = if kind.starts_with("unlogged") {
            "UNLOGGED "
        } else {
            ""
        };
        let order: Vec<&str> = has("column order").unwrap_or_default().split(", ").collect();
        let mut columns: Vec<&Object> = parts
            .iter()
            .copied()
            .filter(|it| it.kind == ObjectKind::Column)
            .collect();
        let place = |it: &Object| {
            let quoted = ident(&it.name);
            order.iter().position(|name| *name == it.name || *name == quoted)
        };
        columns.retain(|it| place(it).is_some());
        columns.sort_by_key(|it| place(it));
        let list: Vec<String> = columns
            .iter()
            .map(|it| format!("    {}", self.column(it, false)))
            .collect();
        let mut text = format!("CREATE {unlogged}TABLE {name} (\n{})", list.join(",\n"));
        if let (Some(parents), None) = (has("parents"), has("bound")) {
            text.push_str(&format!(" INHERITS ({parents})"));
        }
        if let Some(key) = has("partition") {
            text.push_str(&format!(" PARTITION BY {key}"));
        }
        if let Some(options) = has("options") {
            text.push_str(&format!(" WITH ({options})"));
        }
        self.say(Turn::Table, format!("{text};"));
        // With the indexes that it is to have there already, so that none is made for it.
        if let (Some(parents), Some(bound)) = (has("parents"), has("bound")) {
            let text = format!("ALTER TABLE ONLY {parents} ATTACH PARTITION {name} {bound};");
            self.say(Turn::Attach, text);
        }
        for (attribute, text) in &attributes {
            if matches!(
                *attribute,
                "row security" | "forced row security" | "replica identity" | "access method" | "tablespace"
            ) {
                self.alter_attribute(object, attribute, Some(text), None);
            }
        }
        self.administer(object);
        for part in parts {
            match part.kind {
                ObjectKind::Column => {
                    let default = self.attribute(part, "default");
                    if let Some(default) = default.filter(|it| self.uses_routine(it)) {
                        self.alter_attribute(part, "default", Some(default), None);
                    }
                    self.finish_column(part);
                    self.administer(part);
                }
                ObjectKind::Sequence => self.administer(part),
                _ => self.create(part),
            }
        }
    }

    fn finish_index(&mut self, object: &Object) {
        for (attribute, text) in self.attributes(object) {
            if matches!(
                attribute,
                "options"
                    | "clustered"
                    | "replica identity"
                    | "statistics target"
                    | "tablespace"
                    | "attached to"
            ) {
                self.alter_attribute(object, attribute, Some(text), None);
            }
        }
    }

    fn create_type(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let name = ident(&object.name);
        if let (Some(definition), Some((domain, constraint))) =
            (has("definition"), object.name.split_once(' '))
        {
            let text = format!(
                "ALTER DOMAIN {} ADD CONSTRAINT {} {definition};",
                ident(domain),
                ident(constraint)
            );
            return self.say(Turn::Sequence, text);
        }
        let text = match has("kind") {
            Some("enum") => format!(
                "CREATE TYPE {name} AS ENUM ({});",
                has("labels").unwrap_or_default()
            ),
            Some("composite") => format!(
                "CREATE TYPE {name} AS ({});",
                has("attributes").unwrap_or_default()
            ),
            Some("range") => format!(
                "CREATE TYPE {name} AS RANGE ({});",
                has("range").unwrap_or_default()
            ),
            Some("shell") => format!("CREATE TYPE {name};"),
            Some("domain") => {
                let mut text = format!("CREATE DOMAIN {name} AS {}", has("type").unwrap_or_default());
                for (attribute, word) in [("collation", "COLLATE "), ("default", "DEFAULT "), ("null", "")] {
                    if let Some(value) = has(attribute) {
                        text.push_str(&format!(" {word}{value}"));
                    }
                }
                format!("{text};")
            }
            // A comment on one attribute of it.
            None => return,
            Some(_) => return self.unknown(object, "is missing; see the migration that makes it"),
        };
        self.say(Turn::Type, text);
    }

    pub(super) fn create_policy(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied().unwrap_or_default();
        let roles = has("roles").split(", ").map(|role| match role {
            "PUBLIC" => role.to_owned(),
            role => ident(&role.replace("{tenant}", self.place.tenant)),
        });
        let mut text = format!(
            "CREATE POLICY {} ON {} AS {} FOR {} TO {}",
            ident(&object.name),
            ident(&object.table),
            has("kind").to_uppercase(),
            has("command"),
            roles.collect::<Vec<_>>().join(", ")
        );
        for (attribute, word) in [("using", "USING"), ("check", "WITH CHECK")] {
            if let Some(expression) = attributes.get(attribute) {
                text.push_str(&format!(" {word} ({expression})"));
            }
        }
        self.say(Turn::Part, format!("{text};"));
    }

    pub(super) fn create_view(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let name = ident(&object.name);
        let options = has("options").map_or(String::new(), |it| format!(" WITH ({it})"));
        let definition = has("definition").unwrap_or_default().trim().trim_end_matches(';');
        let kind = has("kind").unwrap_or("view").to_uppercase();
        let text = format!("CREATE {kind} {name}{options} AS\n{definition};");
        self.say_making(Turn::View, &object.name, text);
        self.administer(object);
        for part in self.parts(&object.name) {
            match (part.kind, self.attribute(part, "default")) {
                (ObjectKind::Column, Some(default)) => {
                    let column = ident(&part.name);
                    let text = format!("ALTER VIEW {name} ALTER COLUMN {column} SET DEFAULT {default};");
                    self.say(Turn::Part, text);
                    self.administer(part);
                }
                (ObjectKind::Column, None) => self.administer(part),
                _ => self.create(part),
            }
        }
    }

    pub(super) fn create_routine(&mut self, object: &Object) {
        let attributes = self.attributes(object);
        let has = |name: &str| attributes.get(name).copied();
        let kind = has("kind").unwrap_or_default();
        let Some(body) = has("body").filter(|_| kind != "aggregate") else {
            return self.unknown(object, "see the migration that makes it");
        };
        let name = object.name.split('(').next().unwrap_or_default();
        let mut text = format!(
            "CREATE OR REPLACE {} {}({})",
            if kind == "procedure" {
                "PROCEDURE"
            } else {
                "FUNCTION"
            },
            ident(name),
            has("arguments").unwrap_or_default()
        );
        if let Some(returns) = has("returns") {
            text.push_str(&format!(" RETURNS {returns}"));
        }
        text.push_str(&format!("\nLANGUAGE {}", has("language").unwrap_or_default()));
        if kind == "window function" {
            text.push_str(" WINDOW");
        }
        let is_function = kind != "procedure";
        let words = [
            ("volatility", "@", is_function),
            ("strict", "STRICT", is_function),
            ("security", "SECURITY @", true),
            ("leakproof", "LEAKPROOF", is_function),
            ("parallel", "PARALLEL @", is_function),
            ("cost", "COST @", is_function),
            ("rows", "ROWS @", is_function),
            ("support", "SUPPORT @", is_function),
        ];
        for (attribute, word, may) in words {
            if let Some(value) = has(attribute).filter(|_| may) {
                text.push_str(&format!(" {}", word.replace('@', value)));
            }
        }
        for setting in has("settings").unwrap_or_default().lines() {
            text.push_str(&format!(" SET {}", self.setting_of(setting)));
        }
        let standard = body.starts_with("BEGIN ATOMIC") || body.starts_with("RETURN ");
        match (standard && has("language") == Some("sql"), has("language")) {
            (true, _) => text.push_str(&format!("\n{body}")),
            (false, Some("c")) => text.push_str(&format!("\nAS {body}")),
            _ => text.push_str(&format!("\nAS {}", dollars(body))),
        }
        let turn = match self.is_used_early(name) {
            true => Turn::Early,
            false => Turn::Routine,
        };
        self.say(turn, "SET check_function_bodies = off;");
        self.say_making(turn, &object.name, format!("{text};"));
    }

    /// A table cannot be made without what its generated columns and its partitions use, nor a domain without
    /// what it checks, and what that uses in turn.
    fn is_used_early(&self, routine: &str) -> bool {
        const KINDS: [ObjectKind; 3] = [ObjectKind::Column, ObjectKind::Table, ObjectKind::Type];
        let mut used = BTreeSet::new();
        for (object, of) in self.expected.iter().filter(|(it, _)| KINDS.contains(&it.kind)) {
            for attribute in ["generated", "partition", "definition"] {
                let checks = attribute != "definition" || object.kind == ObjectKind::Type;
                if let Some(text) = of.get(attribute).filter(|_| checks) {
                    used.extend(names(text));
                }
            }
        }
        let routines = self
            .expected
            .iter()
            .filter(|(it, _)| it.kind == ObjectKind::Routine);
        let bodies: Vec<(&str, BTreeSet<String>)> = routines
            .map(|(it, of)| {
                (
                    plain(&it.name),
                    names(of.get("body").copied().unwrap_or_default()),
                )
            })
            .collect();
        // As many times as there may be steps from one to the other.
        for _ in 0..bodies.len() {
            let before = used.len();
            let reached = bodies.iter().filter(|(name, _)| used.contains(*name));
            let further: Vec<String> = reached.flat_map(|(_, body)| body.iter().cloned()).collect();
            used.extend(further);
            if used.len() == before {
                break;
            }
        }
        used.contains(routine)
    }

    /// Lists of names are not one value.
    fn setting_of(&self, setting: &str) -> String {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        match name {
            "search_path"
            | "temp_tablespaces"
            | "session_preload_libraries"
            | "shared_preload_libraries"
            | "local_preload_libraries"
            | "unix_socket_directories" => {
                // `{tenant}` is in several parts.
                let parts = words::parts(value);
                let items = parts.split(|part| *part == (Kind::Other, ","));
                let items = items.map(|item| item.iter().map(|it| it.1).collect::<String>());
                let each: Vec<String> = items.map(|it| self.listed(it.trim())).collect();
                format!("{name} TO {}", each.join(", "))
            }
            _ => format!("{name} TO {}", literal(value)),
        }
    }

    /// As a literal, which may be empty too.
    fn listed(&self, item: &str) -> String {
        match item {
            "{tenant}" => literal(self.place.schema),
            "{shared}" => literal(self.place.shared),
            item => match item.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
                Some(quoted) => literal(&quoted.replace("\"\"", "\"")),
                None => literal(item),
            },
        }
    }

    pub(super) fn routine_is_new(&mut self, object: &Object) {
        let text = format!("DROP ROUTINE {};", self.own(&signature(&object.name)));
        self.say(Turn::Drop, text);
        self.create(object);
    }
}
