//! What a schema is made of, as plain facts that no engine's names are in.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a fact is about, in the order in which things build on one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The schema or database itself: it has no name of its own here.
    Schema,
    Extension,
    Type,
    Collation,
    Sequence,
    Table,
    Column,
    Constraint,
    Index,
    Statistics,
    Trigger,
    Rule,
    Policy,
    View,
    Routine,
    Operator,
    TextSearch,
    Event,
}

impl ObjectKind {
    pub const ALL: [ObjectKind; 18] = [
        Self::Schema,
        Self::Extension,
        Self::Type,
        Self::Collation,
        Self::Sequence,
        Self::Table,
        Self::Column,
        Self::Constraint,
        Self::Index,
        Self::Statistics,
        Self::Trigger,
        Self::Rule,
        Self::Policy,
        Self::View,
        Self::Routine,
        Self::Operator,
        Self::TextSearch,
        Self::Event,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Type => "type",
            Self::Collation => "collation",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Index => "index",
            Self::Statistics => "statistics",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::View => "view",
            Self::Routine => "routine",
            Self::Operator => "operator",
            Self::TextSearch => "text search",
            Self::Event => "event",
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

impl Object {
    /// One that belongs to no table.
    pub fn alone(kind: ObjectKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            table: String::new(),
            name: name.into(),
        }
    }
}

/// ``column `orders.total` ``, ``index `by_total` of `orders` ``.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, table, name) = (self.kind.as_str(), &self.table, &self.name);
        match (self.kind, table.as_str(), name.as_str()) {
            (_, "", "") => f.write_str(kind),
            // What the schema has besides itself: `default privileges of deploy on tables`.
            (ObjectKind::Schema, "", _) => write!(f, "`{name}`"),
            (_, "", _) => write!(f, "{kind} `{name}`"),
            (ObjectKind::Column, ..) => write!(f, "{kind} `{table}.{name}`"),
            (_, _, "") => write!(f, "{kind} of `{table}`"),
            _ => write!(f, "{kind} `{name}` of `{table}`"),
        }
    }
}

/// One attribute of one object, in the engine's words, without the name of its schema.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    pub object: Object,
    pub attribute: String,
    pub text: String,
}

/// Two places with the same print, from one answer of one server, are made alike; where prints differ they may
/// be alike all the same. Nothing to keep: another server, or the same one upgraded, prints otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Print(pub String);

/// A hash over all facts of a structure: the same wherever the structure is. `sha256:` and 64 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The attribute of who owns an object.
pub const OWNER: &str = "owner";
/// The attribute of who may do what with an object.
pub const GRANTS: &str = "grants";
/// The attribute of what is said about an object.
pub const COMMENT: &str = "comment";
/// The attribute of a table that lists its columns, `, ` between them.
pub const COLUMN_ORDER: &str = "column order";

/// The attribute of whose rights a view or a routine has.
pub const DEFINER: &str = "definer";

/// True of texts that a program could be written in, or a key: somebody put them there, and they may be anything.
pub fn is_code(kind: ObjectKind, attribute: &str) -> bool {
    match kind {
        ObjectKind::Routine | ObjectKind::Trigger | ObjectKind::Event => {
            matches!(attribute, "definition" | "body" | "settings")
        }
        _ => attribute == "server options",
    }
}

impl Fact {
    /// Set by whoever provides schemas rather than by migrations, and other in another environment.
    pub fn is_administrative(&self) -> bool {
        let attribute = self.attribute.as_str();
        self.object.kind == ObjectKind::Schema || [OWNER, DEFINER, GRANTS].contains(&attribute)
    }
}

/// A whole schema, database or file, free of what differs per tenant by nature.
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

    /// What is the same in every environment that has the same migrations.
    #[must_use]
    pub fn portable(&self) -> Self {
        let facts = self.facts.iter().filter(|it| !it.is_administrative());
        Self {
            facts: facts.cloned().collect(),
        }
    }

    /// Each text is preceded by its length, so that no two structures are written alike.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        for fact in &self.facts {
            let object = &fact.object;
            let kind = object.kind.as_str();
            for text in [kind, &object.table, &object.name, &fact.attribute, &fact.text] {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text);
            }
        }
        let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Fingerprint(format!("sha256:{hex}"))
    }
}
