//! Owners, rights and comments.

use super::{Attributes, Change, Mending, Object, ObjectKind, Turn, designation, ident, literal};
use crate::domain::{COMMENT, GRANTS, OWNER};

impl Mending<'_> {
    /// All three of what was just made.
    pub(super) fn administer(&mut self, object: &Object) {
        if self.attribute(object, OWNER).is_some() {
            self.owner(object);
        }
        if let Some(expected) = self.attribute(object, GRANTS) {
            self.grants(object, Some(expected), None);
        }
        if self.attribute(object, COMMENT).is_some() {
            self.comment(object);
        }
    }

    /// A role's name with the tenant's in it.
    fn role(&self, role: &str) -> String {
        match role {
            "PUBLIC" => role.to_owned(),
            role => ident(&role.replace("{tenant}", self.place.tenant)),
        }
    }

    pub(super) fn owner(&mut self, object: &Object) {
        if self.is_linked(object) {
            return;
        }
        let Some(owner) = self.attribute(object, OWNER) else {
            return self.unknown(object, "nothing says who is to own it");
        };
        let owner = self.role(owner);
        let what = self.designation(object);
        self.say(Turn::Owner, format!("ALTER {what} OWNER TO {owner};"));
    }

    /// A sequence that belongs to a column: its owner is the table's, with which it changes.
    fn is_linked(&self, object: &Object) -> bool {
        let mut differing = self.differences.iter().filter(|it| it.object == *object);
        let becomes_so = differing.any(|it| match &it.change {
            Change::Altered { attribute, .. } => attribute == "owned by",
            _ => true,
        });
        object.kind == ObjectKind::Sequence && self.attribute(object, "owned by").is_some() && !becomes_so
    }

    pub(super) fn comment(&mut self, object: &Object) {
        let comment = self.attribute(object, COMMENT).map_or("NULL".to_owned(), literal);
        let what = self.designation(object);
        self.say(Turn::Right, format!("COMMENT ON {what} IS {comment};"));
    }

    fn designation(&self, object: &Object) -> String {
        match (object.kind, object.name.as_str()) {
            (ObjectKind::Schema, "") => format!("SCHEMA {}", ident(self.place.schema)),
            _ => designation(object, &self.attributes(object)),
        }
    }

    /// Entries as `structure/rights.sql` writes them.
    pub(super) fn grants(&mut self, object: &Object, expected: Option<&str>, found: Option<&str>) {
        let entries = |text: Option<&str>| -> Vec<String> {
            let text = text.unwrap_or_default();
            text.split("; ")
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (expected, found) = (entries(expected), entries(found));
        for entry in found.iter().filter(|it| !expected.contains(it)) {
            match entry.strip_prefix("not ") {
                Some(entry) => self.grant(object, entry, true),
                None => self.grant(object, entry, false),
            }
        }
        for entry in expected.iter().filter(|it| !found.contains(it)) {
            match entry.strip_prefix("not ") {
                Some(entry) => self.grant(object, entry, false),
                None => self.grant(object, entry, true),
            }
        }
    }

    fn grant(&mut self, object: &Object, entry: &str, give: bool) {
        let (entry, by) = match entry.rsplit_once(" by ") {
            Some((entry, by)) => (entry, Some(by)),
            None => (entry, None),
        };
        let (entry, option) = match entry.strip_suffix(" with grant option") {
            Some(entry) => (entry, " WITH GRANT OPTION"),
            None => (entry, ""),
        };
        let Some((privileges, role)) = entry.split_once(" to ") else {
            return self.unknown(object, entry);
        };
        if let Some(by) = by {
            return self.unknown(object, &format!("{privileges} to {role} is a matter of {by}"));
        }
        let owner = self.attribute(object, OWNER).unwrap_or("{owner}");
        let role = self.role(if role == "{owner}" { owner } else { role });
        if role == "\"{owner}\"" {
            return self.unknown(object, &format!("its owner's {privileges}"));
        }
        let (prefix, privileges, on) = match self.granted(object, privileges) {
            Some(granted) => granted,
            None => return self.unknown(object, entry),
        };
        self.say(
            Turn::Right,
            match give {
                true => format!("{prefix}GRANT {privileges} ON {on} TO {role}{option};"),
                false => format!("{prefix}REVOKE {privileges} ON {on} FROM {role};"),
            },
        );
    }

    /// What precedes `GRANT`, the privileges, and on what they are.
    fn granted(&self, object: &Object, privileges: &str) -> Option<(String, String, String)> {
        let attributes: Attributes<'_> = self.attributes(object);
        let name = ident(&object.name);
        let plain = |on: String| Some((String::new(), privileges.to_owned(), on));
        match object.kind {
            ObjectKind::Schema if object.name.is_empty() => {
                plain(format!("SCHEMA {}", ident(self.place.schema)))
            }
            ObjectKind::Schema => {
                let rest = object.name.strip_prefix("default privileges of ")?;
                let (role, on) = rest.rsplit_once(" on ")?;
                let prefix = format!(
                    "ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA {} ",
                    self.role(role),
                    ident(self.place.schema)
                );
                Some((prefix, privileges.to_owned(), on.to_uppercase()))
            }
            ObjectKind::Table | ObjectKind::View => plain(format!("TABLE {name}")),
            ObjectKind::Column => {
                let each: Vec<String> = privileges
                    .split(", ")
                    .map(|it| format!("{it} ({name})"))
                    .collect();
                Some((
                    String::new(),
                    each.join(", "),
                    format!("TABLE {}", ident(&object.table)),
                ))
            }
            ObjectKind::Routine if attributes.get("kind").copied() == Some("aggregate") => {
                plain(format!("FUNCTION {}", super::signature(&object.name)))
            }
            _ => plain(designation(object, &attributes)),
        }
    }
}
