//! What keeps the rows of tenants apart that share tables: as the catalog says it, and as it was tried.
//! Which statement learns it is the engine's business.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is looked at.
#[derive(Debug, Clone)]
pub struct RowQuestion {
    pub schemas: Vec<String>,
    /// The column that says whose a row is.
    pub column: String,
    /// By table, where it has another name.
    pub columns: BTreeMap<String, String>,
    /// As whom the application is connected.
    pub role: String,
}

/// What the catalog says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowFacts {
    pub server: ServerFacts,
    /// The serving role, and all that it is a member of.
    pub roles: Vec<RoleFacts>,
    pub tables: Vec<TableFacts>,
    pub policies: Vec<PolicyFacts>,
    pub uniques: Vec<UniqueFacts>,
    pub foreign_keys: Vec<ForeignKeyFacts>,
    /// Views and materialized views over such tables that the serving role can read.
    pub views: Vec<ViewFacts>,
    /// SECURITY DEFINER functions that the serving role may call.
    pub functions: Vec<FunctionFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ServerFacts {
    /// 150018
    pub version: u32,
    /// The role of the URL.
    pub gate: String,
    /// The role of the URL may act as the serving role; absent: there is no such role.
    pub may_become: Option<bool>,
    /// Schemas of the question that are not there.
    pub no_schemas: Vec<String>,
    /// Schemas of the question in which the serving role may create.
    pub creates_in: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct RoleFacts {
    pub name: String,
    pub superuser: bool,
    pub bypasses: bool,
    pub owns_database: bool,
    /// May create roles, and thereby become most others.
    pub creates_roles: bool,
}

/// A table of the schemas, with the tenant column or without.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct TableFacts {
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`: `r`, `p`, `f`.
    pub kind: String,
    pub partition: bool,
    pub owner: String,
    /// What the tenant column of this table is called.
    pub key: String,
    /// Absent: it has no such column.
    pub column: Option<KeyFacts>,
    pub enabled: bool,
    pub forced: bool,
    /// Privileges that the serving role has, or can take on, other than as the owner.
    pub granted: Vec<String>,
    /// Tables with the tenant column that foreign keys of this one point at.
    pub parents: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct KeyFacts {
    pub not_null: bool,
    /// An index begins with it.
    pub indexed: bool,
    /// A trigger may change it before a row is written.
    pub triggers: bool,
    /// A trigger that runs before any policy is asked may do what no rollback takes back.
    pub reaches_out: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct PolicyFacts {
    pub schema: String,
    pub table: String,
    pub name: String,
    /// `pg_policy.polcmd`: `*`, `r`, `a`, `w`, `d`.
    pub command: String,
    pub permissive: bool,
    /// It is for the serving role, or for a role that it is a member of.
    pub applies: bool,
    #[serde(rename = "using")]
    pub condition: Option<String>,
    pub check: Option<String>,
    /// It names the tenant column of its table.
    pub mentions: bool,
    /// Other tables whose tenant column it names.
    pub mentions_of: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct UniqueFacts {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub has_key: bool,
    /// A primary key of one uuid or number, which nobody chooses.
    pub surrogate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ForeignKeyFacts {
    pub schema: String,
    pub table: String,
    pub name: String,
    pub parent: String,
    /// The tenant columns of both tables are a pair of it.
    pub has_key: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ViewFacts {
    pub schema: String,
    pub name: String,
    pub owner: String,
    /// It is one, or reads one.
    pub materialized: bool,
    /// `security_invoker`
    pub invoker: bool,
    /// Tables with row-level security below it.
    pub tables: Vec<String>,
    /// Those of them that it reads as somebody whom their policies do not bind.
    pub unbound: Vec<String>,
    /// It has the tenant column.
    pub has_key: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct FunctionFacts {
    pub schema: String,
    pub name: String,
    pub arguments: String,
    pub owner: String,
    /// The policies of some of the tables do not bind its owner.
    pub unbound: bool,
    /// It has a `search_path` of its own.
    pub fixed_path: bool,
    /// It changes nothing, and tells nothing but yes or no, or nothing at all.
    pub tells_little: bool,
}

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    pub role: &'a str,
    /// One statement; `{tenant}` becomes the key.
    pub context: &'a str,
    /// The registered tenants' keys.
    pub tenants: &'a [String],
    pub tables: Vec<&'a TableFacts>,
    /// Views that have the tenant column, with its name.
    pub views: Vec<(&'a ViewFacts, &'a str)>,
}

/// What one attempt was to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Probe {
    /// A tenant sees its own rows; told only where it does not.
    SeesOwn,
    SeesOthers,
    SeesWithoutContext,
    InsertsAsOther,
    /// Makes an own row another tenant's.
    GivesAway,
    /// Makes another tenant's row its own.
    Takes,
    Deletes,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is as it must be.
    Held,
    Leaks,
    /// Something else answered first.
    Unclear(String),
    NotTried(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedTable {
    pub schema: String,
    pub name: String,
    pub is_view: bool,
    pub answers: Vec<(Probe, Answer)>,
    /// It has rows of a tenant that the registry lacks.
    pub stranger: bool,
}

/// What was tried of all, in their order; views behind the tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tried {
    pub tables: Vec<TriedTable>,
    /// Without a context it was tried on connections that had been some tenant's before: a pooler's.
    pub was_used: bool,
}
