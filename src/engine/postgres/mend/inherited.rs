//! What partitions and children get by what is done to their parents.

use super::{Change, Difference, Mending, Object, ObjectKind};

impl Mending<'_> {
    /// It is the same as with a parent, whose statement does it here, too.
    pub(super) fn comes_by_parents(&self, difference: &Difference) -> bool {
        let object = &difference.object;
        let is_done = |parent: &Difference| match (object.kind, &difference.change, &parent.change) {
            (ObjectKind::Column, Change::Missing, Change::Missing) => parent.object.name == object.name,
            (
                ObjectKind::Column,
                Change::Altered { attribute, .. },
                Change::Altered {
                    attribute: of_parent, ..
                },
            ) => {
                let passed_on = ["type", "collation", "null", "default", "generated", "identity"];
                parent.object.name == object.name
                    && attribute == of_parent
                    && passed_on.contains(&attribute.as_str())
            }
            // That of a partition has a name of its own.
            (ObjectKind::Constraint, Change::Missing, Change::Missing) => {
                self.attribute(object, "definition") == self.attribute(&parent.object, "definition")
            }
            (ObjectKind::Constraint, Change::Extra, Change::Extra) => parent.object.name == object.name,
            (
                ObjectKind::Constraint,
                Change::Altered { attribute, .. },
                Change::Altered {
                    attribute: of_parent, ..
                },
            ) => attribute == "definition" && attribute == of_parent,
            _ => false,
        };
        self.of_parents(object).any(is_done)
    }

    /// Something of the kind goes from a parent, perhaps that which it is a part of.
    pub(super) fn goes_by_parents(&self, object: &Object) -> bool {
        self.of_parents(object).any(|it| it.change == Change::Extra)
    }

    fn of_parents<'d>(&'d self, object: &'d Object) -> impl Iterator<Item = &'d Difference> {
        let table = Object::alone(ObjectKind::Table, &object.table);
        let parents = self.attribute(&table, "parents").unwrap_or_default();
        let parents: Vec<&str> = parents.split(", ").filter(|it| !it.is_empty()).collect();
        let is_parent = move |name: &str| parents.iter().any(|it| *it == name || *it == super::ident(name));
        self.differences
            .iter()
            .filter(move |it| it.object.kind == object.kind && is_parent(&it.object.table))
    }
}
