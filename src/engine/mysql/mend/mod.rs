//! SQL that would make a database what it is expected to be, for a person to read and to run.
//!
//! What loses data is commented out. Each statement commits by itself, so the order is one in which what is left
//! half way is no worse than what was there.

mod lossy;
mod stored;
mod tables;

use std::collections::BTreeMap;

use crate::domain::ObjectKind::{
    Column, Constraint, Event, Index, Routine, Schema, Sequence, Table, Trigger, View,
};
use crate::domain::{Change, Difference, Object, ObjectKind, Structure};
use crate::engine::facts::{Facts, Fate, fates};

use super::sql::ident;
use super::structure::{DATABASE, Place, TENANT};

/// The SQL, beginning with the database that it is for.
pub(super) fn mend(place: &Place, shared: &str, expected: &Structure, differences: &[Difference]) -> String {
    let mend = Mend {
        place,
        facts: Facts::from(expected),
        fates: fates(differences),
        differences,
    };
    let mut lines = vec![format!("USE {};", ident(&place.database)), MODE.to_owned()];
    lines.extend(mend.lines());
    lines
        .join("\n")
        .replace("{shared}.", &format!("{}.", ident(shared)))
}

/// Strict, so that what does not fit is refused; a row that has the number 0 keeps it.
const MODE: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO';";

struct Mend<'a> {
    place: &'a Place,
    facts: Facts<'a>,
    fates: BTreeMap<&'a Object, Fate>,
    differences: &'a [Difference],
}

impl<'a> Mend<'a> {
    fn lines(&self) -> Vec<String> {
        let mut lines = self.database();
        if self.changed_tables().into_iter().any(|it| self.is_versioned(it)) {
            lines.push("SET SESSION system_versioning_alter_history = KEEP;".to_owned());
        }
        for (object, fate) in self.of(Trigger) {
            if fate != Fate::Made {
                lines.push(format!("DROP TRIGGER IF EXISTS {};", ident(&object.name)));
            }
        }
        for (object, _) in self
            .of(View)
            .into_iter()
            .filter(|(_, fate)| *fate == Fate::Dropped)
        {
            lines.push(format!("DROP VIEW {};", ident(&object.name)));
        }
        lines.extend(self.sequences());
        lines.extend(self.dropped_constraints());
        // Functions may be what checks and views use, and sequences what defaults do.
        lines.extend(self.routines());
        lines.extend(self.made_tables());
        lines.extend(self.altered_tables());
        lines.extend(self.made_constraints());
        lines.extend(self.lost_tables());
        lines.extend(self.views());
        lines.extend(self.triggers());
        lines.extend(self.events());
        for kind in self.fates.keys().map(|it| it.kind) {
            if ![
                Column, Constraint, Event, Index, Routine, Schema, Sequence, Table, Trigger, View,
            ]
            .contains(&kind)
            {
                lines.push(format!("-- no SQL is known that mends the {}", kind.as_str()));
            }
        }
        lines
    }

    /// `` `name`@`host` `` of `name@host`, of this place.
    fn account(&self, definer: &str) -> String {
        let tenant = self.place.tenant.as_deref().unwrap_or(&self.place.database);
        let definer = definer
            .replace(DATABASE, &self.place.database)
            .replace(TENANT, tenant);
        match definer.rsplit_once('@') {
            Some((user, host)) => format!("{}@{}", ident(user), ident(host)),
            None => ident(&definer),
        }
    }

    /// Those of one kind that are not as expected.
    fn of(&self, kind: ObjectKind) -> Vec<(&'a Object, Fate)> {
        let all = self.fates.iter().map(|(object, fate)| (*object, *fate));
        all.filter(|(object, _)| object.kind == kind).collect()
    }

    /// Attributes of an object that differ.
    fn altered(&self, object: &Object) -> Vec<&'a str> {
        let of = self.differences.iter().filter(|it| it.object == *object);
        of.filter_map(|it| match &it.change {
            Change::Altered { attribute, .. } => Some(attribute.as_str()),
            _ => None,
        })
        .collect()
    }

    fn database(&self) -> Vec<String> {
        let of = |(object, _): &(&Object, Fate)| {
            let mut clauses = Vec::new();
            if let Some(charset) = self.facts.get(object, "charset") {
                clauses.push(format!("CHARACTER SET {charset}"));
            }
            if let Some(collation) = self.facts.get(object, "collation") {
                clauses.push(format!("COLLATE {collation}"));
            }
            if self.altered(object).contains(&"comment") {
                clauses.push(format!("COMMENT {}", text(self.facts.text(object, "comment"))));
            }
            format!("ALTER DATABASE {};", clauses.join(" "))
        };
        self.of(Schema).iter().map(of).collect()
    }
}

/// A literal where the server takes no other form of it.
fn text(text: &str) -> String {
    format!(
        "'{}'",
        text.replace('\\', "\\\\")
            .replace('\'', "''")
            .replace('\n', "\\n")
    )
}
