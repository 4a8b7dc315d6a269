//! What a schema is made of, as plain facts that no engine's names are in.

use std::collections::BTreeSet;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    Type,
    Sequence,
    Table,
    Column,
    Constraint,
    Index,
    Trigger,
    Policy,
    View,
    Routine,
}

impl ObjectKind {
    pub const ALL: [ObjectKind; 10] = [
        Self::Type,
        Self::Sequence,
        Self::Table,
        Self::Column,
        Self::Constraint,
        Self::Index,
        Self::Trigger,
        Self::Policy,
        Self::View,
        Self::Routine,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::Policy => "policy",
            Self::View => "view",
            Self::Routine => "routine",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A thing in a schema. What belongs to a table has its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    pub kind: ObjectKind,
    /// Empty where it stands alone.
    pub table: String,
    pub name: String,
}

/// One attribute of one object, in the engine's words, without the name of its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    pub object: Object,
    pub attribute: String,
    pub text: String,
}

/// A whole schema, database or file. Owners, privileges, comments and the order of columns are no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Structure {
    pub facts: BTreeSet<Fact>,
}

impl Structure {
    pub fn add(
        &mut self,
        kind: ObjectKind,
        table: impl Into<String>,
        name: impl Into<String>,
        attribute: impl Into<String>,
        text: impl Into<String>,
    ) {
        self.facts.insert(Fact {
            object: Object {
                kind,
                table: table.into(),
                name: name.into(),
            },
            attribute: attribute.into(),
            text: text.into(),
        });
    }
}
