//! Config file, process environment and flags become one [`Settings`], once.
//!
//! Nothing after this stage reads a file of settings or an environment variable.

mod actions;
mod config;
mod document;
mod duration;
mod env_file;
mod environments;
mod error;
mod expect;
mod globs;
mod invocation;
mod isolation;
mod lint;
mod load;
mod promotion;
mod prove;
mod rollout;
mod row;
mod rules;
mod schema;
mod servers;
mod tenancy;
#[cfg(test)]
mod tests;
mod validation;
mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use globset::GlobSet;
use regex::Regex;

use crate::domain::{
    EnvironmentName, RowSecurity, Secret, SecretName, ServerName, Severity, SigningKey, TenantName,
};

pub use actions::{Actions, Proxy, TOKEN_VARIABLES};
pub use duration::{FORM as DURATION_FORM, parse_duration};
pub use error::SettingsError;
pub(crate) use error::nearest;
pub use invocation::Invocation;
pub use isolation::Isolation;
pub use lint::Lint;
pub use load::{Flags, load};
pub use promotion::{Overriding, Promotion, Store, Team};
pub use rollout::{Concurrency, MaxFailures, OnFailure, Order, Rollout, Suspended, Wave, WaveTenants};
pub use schema::config_schema;
pub use validation::{Compare, ExpectedFrom, Level, Validation};
pub use variables::{ProcessEnvironment, Variables};

/// Everything a run was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project's name.
    pub name: String,
    /// The config file.
    pub file: PathBuf,
    /// Its folder; relative paths inside the config begin here.
    pub root: PathBuf,
    /// The environment this run is for.
    pub environment: Environment,
    /// All environments, predecessors before successors.
    pub environments: Vec<Environment>,
    /// As written, with `{ENV}`.
    pub secrets: Vec<SecretRule>,
    pub tenancy: Tenancy,
    /// Absent where the config names no such folder.
    pub shared_migrations: Option<PathBuf>,
    pub tenant_migrations: Option<PathBuf>,
    pub rollout: Rollout,
    pub validation: Validation,
    pub isolation: Isolation,
    pub expect: Expectations,
    pub lint: Lint,
    pub proof: Proof,
    pub promotion: Promotion,
    /// Signs the evidence of this run.
    pub signing_key: Option<SigningKey>,
    pub variables: Variables,
    pub publishing: Publishing,
}

/// What a run in GitHub Actions leaves on GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publishing {
    pub comment: bool,
    pub status: bool,
    pub check_run: bool,
}

/// Over what the config says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum When {
    /// As the config says.
    #[default]
    Auto,
    Always,
    Never,
}

impl When {
    fn over(self, config: bool) -> bool {
        match self {
            Self::Auto => config,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl Settings {
    /// The names of all secrets of an environment: of its rules and of its URLs.
    pub fn secret_names(&self, environment: &Environment) -> BTreeSet<String> {
        let rules = self.secrets.iter().map(|rule| rule.name_in(&environment.name));
        let urls = environment.url_names().map(|name| name.as_str().to_owned());
        rules.chain(urls).collect()
    }

    /// What a name holds in an environment, as far as this run can see.
    ///
    /// For another environment than the run's own, the process environment is asked first and its
    /// env file next. A name that both environments use (`DATABASE_URL` in each) is looked up in the
    /// other one's env file only: what the process holds under it belongs to this run.
    pub fn value_in(&self, environment: &Environment, name: &str) -> Option<&Secret> {
        if environment.name == self.environment.name {
            return self.variables.get(name);
        }
        let theirs = self.variables.in_file_of(&environment.name, name);
        if self.secret_names(&self.environment).contains(name) {
            return theirs;
        }
        self.variables.get(name).or(theirs)
    }
}

impl Settings {
    /// An environment that waits for this run's evidence.
    pub fn next(&self) -> Option<&Environment> {
        let own = &self.environment.name;
        self.environments.iter().find(|it| it.after.as_ref() == Some(own))
    }
}

/// A stage with its secrets, database and predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    pub name: EnvironmentName,
    /// The environment that must have passed before.
    pub after: Option<EnvironmentName>,
    pub database_url: SecretName,
    /// Where no-transaction migrations connect when `database_url` is a pooler.
    pub direct_url: Option<SecretName>,
    /// How long the change must have stood in the predecessor.
    pub soak: Option<Duration>,
    /// The predecessor's evidence must not be older than this.
    pub max_age: Option<Duration>,
    pub github_environment: Option<String>,
    /// Absolute, or relative to the working directory. It need not exist.
    pub env_file: Option<PathBuf>,
    /// Other servers that tenants are on.
    pub servers: BTreeMap<ServerName, ServerSettings>,
    /// The application's own URL, as whose user borders are tried; `{tenant}` in it is a tenant's name.
    pub try_url: Option<SecretName>,
}

impl Environment {
    /// The secrets that hold URLs: the environment's own first.
    pub fn url_names(&self) -> impl Iterator<Item = &SecretName> {
        let servers = self
            .servers
            .values()
            .flat_map(|server| [Some(&server.database_url), server.direct_url.as_ref()]);
        [Some(&self.database_url), self.direct_url.as_ref()]
            .into_iter()
            .chain(servers)
            .chain([self.try_url.as_ref()])
            .flatten()
    }
}

/// One more server of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    pub database_url: SecretName,
    /// Where no-transaction migrations connect when `database_url` is a pooler.
    pub direct_url: Option<SecretName>,
    /// Absent: that of the rollout.
    pub concurrency: Option<Concurrency>,
}

/// What is demanded of one secret in every environment.
#[derive(Debug, Clone)]
pub struct SecretRule {
    /// May contain `{ENV}`.
    pub template: String,
    pub min_length: Option<usize>,
    /// At least so many different characters.
    pub min_distinct: Option<usize>,
    pub pattern: Option<Regex>,
    pub one_of: Vec<String>,
    /// May be absent; when present, the other rules hold.
    pub optional: bool,
    /// The same value in another environment's variable is an error.
    pub unique: bool,
}

impl SecretRule {
    /// The variable's name in one environment.
    pub fn name_in(&self, environment: &EnvironmentName) -> String {
        self.template.replace("{ENV}", &environment.variable_prefix())
    }
}

/// How tenants are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenancyMode {
    /// A schema per tenant (PostgreSQL).
    Schema,
    /// A database per tenant (MySQL, MariaDB), or a file per tenant (SQLite).
    Database,
    /// Shared tables, kept apart by row-level security (PostgreSQL).
    Row,
}

#[derive(Debug, Clone)]
pub struct Tenancy {
    pub mode: TenancyMode,
    /// A query with a column `tenant`, and perhaps `active`.
    pub registry: String,
    /// Tenants that must exist.
    pub ensure: Vec<TenantName>,
    /// Inserts the registry row of an ensured tenant; `{tenant}` is its name, quoted.
    pub ensure_sql: Option<String>,
    /// Schema or database name, or the file's path beside the shared file; `{tenant}` is the name.
    pub location: String,
    /// The schema of the shared migrations (PostgreSQL).
    pub shared_schema: String,
    /// The schema or database of the ledger; absent: the engine's default.
    pub ledger: Option<String>,
    /// Schemas or databases that are nobody's business.
    pub ignore: GlobSet,
    /// As whom the application is connected; may contain `{tenant}`, but not in mode `row`.
    pub serving_role: Option<String>,
    /// Present in mode `row`, and only there.
    pub row: Option<RowTenancy>,
    /// Fewer registered tenants than this block.
    pub min: usize,
    /// How far their number may be from the last run's; absent: it is not asked.
    pub max_change: Option<MaxChange>,
    /// A query with columns `tenant`, `domain` and `is_primary`.
    pub domains: Option<String>,
}

/// How bad it is what migrations do when they run a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The server refuses them, and nothing changed.
    pub refused: Severity,
    /// They leave something.
    pub changed: Severity,
}

/// How much may have changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxChange {
    Count(usize),
    /// Of what there was before.
    Percent(f64),
}

impl MaxChange {
    /// From so many.
    pub fn of(self, before: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => (before as f64 * percent / 100.0).floor() as usize,
        }
    }
}

/// How rows say whose they are.
#[derive(Debug, Clone)]
pub struct RowTenancy {
    pub column: String,
    /// By table, where it has another name.
    pub columns: BTreeMap<String, String>,
    /// The application's role.
    pub role: String,
    /// Makes a transaction a tenant's; contains `{tenant}`.
    pub context: Option<String>,
    pub schemas: Vec<String>,
    pub global_tables: GlobSet,
    pub trusted_functions: GlobSet,
}

/// What the schemas must look like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expectations {
    pub shared: ScopeExpectations,
    pub tenant: ScopeExpectations,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScopeExpectations {
    pub tables: BTreeMap<String, TableExpectation>,
    pub assertions: Vec<Assertion>,
    pub thresholds: Vec<Threshold>,
}

impl ScopeExpectations {
    /// Something is expected of a table's row-level security.
    pub fn names_row_security(&self) -> bool {
        let mut tables = self.tables.values();
        tables.any(|it| it.row_security.is_some() || !it.policies.is_empty())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableExpectation {
    pub columns: BTreeMap<String, ColumnExpectation>,
    pub indexes: Vec<String>,
    pub foreign_keys: Vec<String>,
    pub row_security: Option<RowSecurity>,
    pub policies: Vec<String>,
}

/// What is left out is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnExpectation {
    pub data_type: Option<String>,
    pub nullable: Option<bool>,
    pub default: Option<DefaultExpectation>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultExpectation {
    Absent,
    Is(String),
}

/// A query whose single number must stay within limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    pub name: String,
    pub sql: String,
    pub warn: Option<f64>,
    pub fail: Option<f64>,
    pub warn_below: Option<f64>,
    pub fail_below: Option<f64>,
}

/// A query whose single value must be the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    pub name: String,
    pub sql: String,
    pub equals: String,
}
