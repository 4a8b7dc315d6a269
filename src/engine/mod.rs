//! What the gate asks of a database, the same for all engines. SQL text lives only below here.
//!
//! All statements go out as plain text in the simple protocol: one round trip each, no prepared
//! statement that a pooler would lose, several statements at once where that saves a trip.

mod error;
mod facts;
mod fleet;
mod found;
mod history;
pub mod isolation;
mod lease;
mod ledger;
mod mysql;
mod postgres;
pub mod queries;
mod range_key;
mod ranges;
pub mod row_security;
mod rows;
mod scratch;
mod session;
mod sqlite;
mod structure;
mod uncompared;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use crate::database_url::{DatabaseUrl, EngineKind};
use crate::domain::{
    Batch, COMMENT, Difference, Locations, Migration, Print, Redactor, RowSecurity, Scope, Secret,
    ServerName, Speed, Structure, Tenant, Version,
};

pub use error::{EngineError, ErrorKind};
pub use fleet::{Fleet, NotAdmitted};
use isolation::{Attempt, Borderline, Borders, Crossed};
pub use ledger::{Holder, Label, LeaseAnswer, LedgerStore};
pub use queries::Given;
pub use range_key::RangeKey;
use row_security::{RowFacts, RowQuestion, Trial, Tried};

pub use ranges::{Load, RangeError, Standing as RangeStanding, Underway};
pub use scratch::Scratch;
pub use session::Session;
pub use uncompared::Mark;

/// How an engine is reached and what it must keep to.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    pub shared_schema: String,
    /// Schema or database of the ledger; absent: the engine's default.
    pub ledger: Option<String>,
    /// What a tenant's location looks like; `{tenant}` is its name, `{shared}` the shared database's.
    pub location: String,
    pub lock_timeout: Duration,
    pub statement_timeout: Option<Duration>,
    pub connect_timeout: Duration,
    /// Which run writes the ledger's rows: its URL, or what tells it from others.
    pub run: String,
    pub redactor: Redactor,
}

/// What the gate asks about, a server answers long before this many times what a connection may take;
/// one that says nothing is not there any more. Migrations have limits of their own.
const PATIENCE: u32 = 30;

/// One row of the registry's query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryRow {
    pub tenant: Option<String>,
    /// Absent: the query has no such column, or it is NULL.
    pub active: Option<bool>,
    /// A name of the environment's servers.
    pub server: Option<String>,
    pub database_url: Option<Secret>,
    /// Of the query of domains.
    pub domain: Option<String>,
    pub primary: Option<bool>,
}

/// Where statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    Shared,
    Tenant(&'a Tenant),
}

impl Target<'_> {
    pub fn scope(&self) -> Scope {
        match self {
            Target::Shared => Scope::Shared,
            Target::Tenant(_) => Scope::Tenant,
        }
    }

    /// Absent: the environment's own.
    pub fn server(&self) -> Option<&ServerName> {
        match self {
            Target::Shared => None,
            Target::Tenant(tenant) => tenant.server.as_ref(),
        }
    }

    /// The ledger's `tenant` column: empty for the shared schema.
    pub fn ledger_name(&self) -> &str {
        match self {
            Target::Shared => "",
            Target::Tenant(tenant) => tenant.name.as_str(),
        }
    }
}

/// One table as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundTable {
    pub name: String,
    pub columns: Vec<FoundColumn>,
    pub indexes: Vec<String>,
    /// Names of the constraints.
    pub foreign_keys: Vec<String>,
    pub row_security: RowSecurity,
    /// Names.
    pub policies: Vec<String>,
}

/// A kind of thing that a role does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unseen {
    /// `triggers`
    pub things: &'static str,
    pub privilege: &'static str,
}

/// An index that a build left behind, or that a build is not done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidIndex {
    /// Absent: the environment's own.
    pub server: Option<ServerName>,
    /// The tenant's, or the shared one.
    pub location: String,
    pub table: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundColumn {
    pub name: String,
    /// As the engine writes it.
    pub data_type: String,
    pub nullable: bool,
    /// The expression, as the engine writes it.
    pub default: Option<String>,
}

/// A migration that failed: at which statement, where it is known.
#[derive(Debug)]
pub struct StepError {
    pub error: EngineError,
    /// Index into the migrations that were given.
    pub migration: usize,
    /// Line and column in the migration's file.
    pub place: Option<(usize, usize)>,
}

/// Why it is not known what migrations make.
#[derive(Debug)]
pub struct NotMade {
    pub error: EngineError,
    /// Index into all that were given, shared ones first.
    pub migration: Option<usize>,
}

impl NotMade {
    /// The same among all, where only those behind the first were tried.
    fn behind(mut self, first: usize) -> Self {
        self.migration = self.migration.map(|index| index + first);
        self
    }
}

impl From<EngineError> for NotMade {
    fn from(error: EngineError) -> Self {
        Self {
            error,
            migration: None,
        }
    }
}

/// One environment's database, and the tenants' other servers where there are any.
#[async_trait]
pub trait Engine: LedgerStore {
    fn kind(&self) -> EngineKind;

    /// True where a failed migration leaves nothing behind, DDL included.
    fn rolls_back_ddl(&self) -> bool;

    /// True where several tenants may be migrated in one transaction.
    fn applies_together(&self) -> bool {
        false
    }

    /// True where the URL leads to a pooler and no way past it is known: statements that need a
    /// session of their own cannot be carried out. Asked of the server where the URL does not say it.
    async fn needs_direct_url(&self, _server: Option<&ServerName>) -> bool {
        false
    }

    /// The servers, where tenants may be on several.
    fn fleet(&self) -> Option<&Fleet> {
        None
    }

    /// What a tenant of this name is called in the database.
    fn location(&self, tenant: &str) -> String;

    /// Why a location cannot be a tenant's: it belongs to the engine or to the gate.
    fn reserved(&self, location: &str) -> Option<&'static str>;

    /// Connects, and says what answered: `PostgreSQL 15.18`.
    async fn server(&self) -> Result<String, EngineError>;

    /// The rows of one query; [`queries::registry`] makes sure that it is one.
    async fn registry(&self, query: &str) -> Result<Vec<RegistryRow>, EngineError>;

    /// Schemas, databases or files that are, or look like, tenants'.
    async fn locations(&self) -> Result<Locations, EngineError>;

    /// Runs the SQL that registers a tenant, in one transaction; `{tenant}` is its quoted name.
    async fn register(&self, sql: &str, tenant: &str) -> Result<(), EngineError>;

    /// The named tables of each target, in the order of the targets.
    async fn inspect(
        &self,
        targets: &[Target<'_>],
        tables: &[&str],
    ) -> Result<Vec<Vec<FoundTable>>, EngineError>;

    /// Whether ranges can go over a batch's key. Nothing is written.
    async fn range_key(&self, target: Target<'_>, batch: &Batch) -> Result<RangeKey, EngineError>;

    /// How far batches are that are half done at each target, in their order. Nothing is written.
    async fn ranges_underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError>;

    /// Indexes of the whole database that failed builds left, which no query uses; none where an engine
    /// has no such thing.
    async fn invalid_indexes(&self) -> Result<Vec<InvalidIndex>, EngineError> {
        Ok(Vec::new())
    }

    /// What crosses, or could cross, the borders between tenants, of each server; none where an engine has no
    /// such thing. A constant number of statements. Nothing is written.
    async fn borders(&self, _line: &Borderline<'_>) -> Result<Vec<Borders>, EngineError> {
        Ok(Vec::new())
    }

    /// What roles may do, by acting as them or by connecting as they do, in the order of the attempts; absent: an
    /// engine in which nobody can act as another, and no URL to connect by. Nothing is written.
    async fn attempt(&self, _attempts: &[Attempt<'_>]) -> Result<Option<Vec<Crossed>>, EngineError> {
        Ok(None)
    }

    /// A name as the engine's SQL writes it.
    fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// What one query gives at each target, in their order, all in one message where the engine can;
    /// an error may be any one's. Nothing is written. [`queries::values`] asks so that each has its own.
    async fn ask(&self, targets: &[Target<'_>], query: &str) -> Result<Vec<Given>, EngineError>;

    /// Marks of what each target is made of, in their order, made where the schemas are: so that thousands are
    /// compared without being read. Facts `comment` are part of it where `comments` says so. Nothing is written.
    async fn prints(&self, targets: &[Target<'_>], comments: bool) -> Result<Vec<Print>, EngineError> {
        let print = |mut structure: Structure| {
            structure.facts.retain(|it| comments || it.attribute != COMMENT);
            Print(structure.fingerprint().0)
        };
        Ok(self.structures(targets).await?.into_iter().map(print).collect())
    }

    /// SQL that makes one target what was expected, to be read before it is run; it is never run by itself.
    /// `differences` are [`differences`] between `expected` and what is there. Empty where no SQL would do.
    ///
    /// [`differences`]: crate::domain::differences
    fn mend(&self, _target: Target<'_>, _expected: &Structure, _differences: &[Difference]) -> String {
        String::new()
    }

    /// What each target is made of, in their order. Nothing is written.
    async fn structures(&self, targets: &[Target<'_>]) -> Result<Vec<Structure>, EngineError>;

    /// What the role may not see of a structure, and the privilege that it lacks: such things are compared with
    /// nobody's, because they seem not to be there.
    async fn unseen(&self, _target: Target<'_>) -> Result<Vec<Unseen>, EngineError> {
        Ok(Vec::new())
    }

    /// Of each target the role that may not look into it, if it may not: names in its definitions are then written
    /// otherwise, and nothing could be compared.
    async fn closed(&self, targets: &[Target<'_>]) -> Result<Vec<Option<String>>, EngineError> {
        Ok(vec![None; targets.len()])
    }

    /// What migrations of one scope make of nothing, learnt where it leaves no trace. `shared` are those
    /// that tenants build on, where the engine lets them.
    async fn made(&self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade>;

    /// A place without a trace, in which migrations are tried out step by step. `real`: what the real shared
    /// schema has is seen from there, where the engine lets it.
    async fn scratch(&self, real: bool) -> Result<Box<dyn Scratch>, EngineError>;

    /// What keeps the rows of tenants apart that share tables. Nothing is written.
    async fn row_facts(&self, _question: &RowQuestion) -> Result<RowFacts, EngineError> {
        Err(no_row_security())
    }

    /// What the serving role may do to other tenants' rows in a tenant's context, tried in transactions that
    /// are rolled back.
    async fn try_rows(&self, _trial: &Trial<'_>) -> Result<Tried, EngineError> {
        Err(no_row_security())
    }

    /// A connection to one server for migrations. `direct`: past a pooler, for what needs session state.
    async fn session(
        &self,
        server: Option<&ServerName>,
        direct: bool,
    ) -> Result<Box<dyn Session>, EngineError>;
}

/// The engine that a URL is for. Nothing is connected yet.
pub fn open(
    url: DatabaseUrl,
    direct_url: Option<DatabaseUrl>,
    mut options: EngineOptions,
) -> Box<dyn Engine> {
    let shared = Path::new(&url.database).file_stem().unwrap_or_default();
    options.location = options.location.replace("{shared}", &shared.to_string_lossy());
    match url.kind {
        EngineKind::Postgres => Box::new(postgres::Postgres::new(url, direct_url, options)),
        EngineKind::Mysql => Box::new(mysql::Mysql::new(url, direct_url, options)),
        EngineKind::Sqlite => Box::new(sqlite::Sqlite::new(url, options)),
    }
}

/// No config that passes its checks asks this.
fn no_row_security() -> EngineError {
    let message = "this engine has no row-level security";
    EngineError::new(ErrorKind::Statement, message, &Redactor::default())
}

/// A row of (migrations, milliseconds).
fn speed(row: &[Option<String>]) -> Option<Speed> {
    let number = |index: usize| row.get(index)?.as_ref()?.parse::<u64>().ok();
    Some(Speed {
        migrations: number(0)?,
        took: Duration::from_millis(number(1)?),
    })
}

/// Reads rows of (scope, version, microseconds), and keeps the earliest.
fn earliest(
    found: &mut BTreeMap<(Scope, Version), i64>,
    rows: impl IntoIterator<Item = Vec<Option<String>>>,
) {
    for row in rows {
        let [Some(scope), Some(version), Some(at)] = &row[..] else {
            continue;
        };
        let scope = Scope::ALL.into_iter().find(|it| it.as_str() == scope);
        if let (Some(scope), Ok(version), Ok(at)) = (scope, version.parse(), at.parse::<i64>()) {
            let first = found.entry((scope, Version(version))).or_insert(at);
            *first = at.min(*first);
        }
    }
}

/// Reads one registry row from its columns by name; none: there is no column `tenant`.
fn registry_row<'a>(columns: impl Iterator<Item = (&'a str, Option<String>)>) -> Option<RegistryRow> {
    let mut found = None;
    let mut active = None;
    let mut server = None;
    let mut database_url = None;
    let (mut domain, mut primary) = (None, None);
    let truth = |value: Option<String>| {
        value.map(|text| {
            matches!(
                text.to_ascii_lowercase().as_str(),
                "1" | "t" | "true" | "y" | "yes"
            )
        })
    };
    let filled = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    for (name, value) in columns {
        match name.to_ascii_lowercase().as_str() {
            "tenant" => found = Some(value),
            "active" => active = truth(value),
            "domain" => domain = filled(value),
            "is_primary" => primary = truth(value),
            "server" => server = filled(value),
            "database_url" => database_url = filled(value).map(Secret::new),
            _ => {}
        }
    }
    Some(RegistryRow {
        tenant: found?,
        active,
        server,
        database_url,
        domain,
        primary,
    })
}
