//! The config file as it is written. The comments on its fields are the manual: they become the
//! descriptions of `schemas/config.json`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::expect::RowSecurityConfig;
use super::isolation::IsolationConfig;
use super::lint::LintConfig;
use super::prove::ProveConfig;
use super::rollout::{NumberOrText, RolloutConfig};
use super::validation::ValidateConfig;

/// tenantgate.toml: what the gate demands of each environment.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tenantgate.toml")]
pub(super) struct Config {
    /// The project's name, as comments and reports show it.
    pub(super) name: String,
    /// The environments by name: `[environments.dev]`, `[environments.uat]`, `[environments.prod]`.
    #[serde(default)]
    pub(super) environments: BTreeMap<String, EnvironmentConfig>,
    /// What is demanded of secrets, by name. `{ENV}` in a name stands for the environment's name in
    /// upper case (`DEV`, `UAT`, `UAT_2` for `uat-2`). Each rule holds in every environment.
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, SecretConfig>,
    /// How tenants are separated and found.
    pub(super) tenancy: TenancyConfig,
    /// The folders of migrations; at least one of the two.
    #[serde(default)]
    pub(super) migrations: MigrationsConfig,
    /// How a change moves from one environment to the next.
    #[serde(default)]
    pub(super) promotion: PromotionConfig,
    /// How migrations are carried out over the tenants.
    #[serde(default)]
    pub(super) rollout: RolloutConfig,
    /// What schemas are compared with, and when.
    #[serde(default)]
    pub(super) validate: ValidateConfig,
    /// How far tenants must be kept apart.
    #[serde(default)]
    pub(super) isolation: IsolationConfig,
    /// What the schemas must look like once migrated.
    #[serde(default)]
    pub(super) expect: ExpectConfig,
    /// What is looked for in migrations before they run.
    #[serde(default)]
    pub(super) lint: LintConfig,
    /// What `plan --prove` says of migrations that it ran a second time.
    #[serde(default)]
    pub(super) prove: ProveConfig,
    /// What a run in GitHub Actions leaves on GitHub.
    #[serde(default)]
    pub(super) github: GithubConfig,
}

/// A stage with its secrets, database and predecessor.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentConfig {
    /// The GitHub environment that holds the secrets; hints name it.
    pub(super) github_environment: Option<String>,
    /// The NAME of the environment variable (the secret) that holds the database's URL, never the
    /// URL itself. May contain `{ENV}`.
    pub(super) database_url: String,
    /// The name of the variable that holds a URL past the pooler, for migrations that cannot run in
    /// a transaction. May contain `{ENV}`.
    pub(super) direct_url: Option<String>,
    /// The environment in which exactly this change must have passed before.
    pub(super) after: Option<String>,
    /// How long the change must have stood in the environment before this one: `"24h"`.
    pub(super) soak: Option<DurationText>,
    /// The evidence of the environment before this one must not be older than this: `"7d"`.
    pub(super) max_age: Option<DurationText>,
    /// The public keys that alone may vouch for this environment, instead of those of `[promotion]`.
    #[serde(default)]
    pub(super) public_keys: Vec<String>,
    /// A file of variables (`NAME=value`) for work on a laptop, relative to this file. The process
    /// environment wins over it, and it may be absent.
    pub(super) env_file: Option<String>,
    /// Other servers that tenants of this environment are on, by the names that the registry's column
    /// `server` has (PostgreSQL, MySQL and MariaDB).
    #[serde(default)]
    pub(super) servers: BTreeMap<String, ServerConfig>,
}

/// One more server, with tenants and their ledger on it. The registry and the shared schema stay on the
/// environment's own.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerConfig {
    /// The name of the secret or environment variable that holds the server's URL, never the URL
    /// itself. May contain `{ENV}`.
    pub(super) database_url: String,
    /// The name of the variable that holds a URL past this server's pooler. May contain `{ENV}`.
    pub(super) direct_url: Option<String>,
    /// How many tenants are migrated at a time on this server: a number, or `"auto"`. Default: that of
    /// `[rollout]`.
    pub(super) concurrency: Option<NumberOrText>,
}

/// What is demanded of one secret.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SecretConfig {
    /// At least so many characters.
    pub(super) min_length: Option<usize>,
    /// At least so many different characters. Default: 8 where `min_length` is 20 or more.
    pub(super) min_distinct: Option<usize>,
    /// A regular expression that must match; `^` and `$` tie it to the beginning and the end.
    pub(super) pattern: Option<String>,
    /// The values that are allowed. They are public, as they stand in this file.
    pub(super) one_of: Option<Vec<String>>,
    /// The secret may be absent. When it is present, the other demands hold.
    pub(super) optional: bool,
    /// The same value in two environments is an error. Default: true where `min_length` or
    /// `min_distinct` is given.
    pub(super) unique: Option<bool>,
}

/// How tenants are separated and found.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TenancyConfig {
    /// How tenants are separated.
    pub(super) mode: ModeConfig,
    /// A query over the shared schema that gives one row per tenant: a column `tenant` with its name
    /// (mode `row`: its key), perhaps `active` (false: suspended; migrated all the same), and, where tenants
    /// are on several servers, `server` (a name of the environment's `servers`) or `database_url` (that
    /// server's URL). NULL there is the environment's own server.
    pub(super) registry: String,
    /// Tenants that must exist; they are created where they do not.
    #[serde(default)]
    pub(super) ensure: Vec<String>,
    /// A statement that registers an ensured tenant; `{tenant}` is its name, quoted as text.
    pub(super) ensure_sql: Option<String>,
    /// Mode `schema`: a tenant's schema; `{tenant}` is its name. Default: `{tenant}`.
    pub(super) schema: Option<String>,
    /// Mode `database`: a tenant's database, or its file beside the shared one (SQLite); `{tenant}`
    /// is its name, `{shared}` the shared database's or, of its file, what stands before the dot.
    /// Required there.
    pub(super) database: Option<String>,
    /// The schema of the shared migrations (PostgreSQL).
    #[serde(default = "public")]
    pub(super) shared_schema: String,
    /// The schema (PostgreSQL, default `tenantgate`) or database (MySQL and MariaDB, default
    /// `<shared database>_tenantgate`) of tenantgate's own tables.
    pub(super) ledger: Option<String>,
    /// Schemas or databases that belong to no tenant and are left alone: names or globs (`audit_*`).
    #[serde(default)]
    pub(super) ignore: Vec<String>,
    /// The role or user as which the application is connected; `{tenant}` is the tenant's name, where each has
    /// one of its own. What it may see and do is looked at by `validate`.
    pub(super) serving_role: Option<String>,
    /// Mode `row`: the column that says whose a row is. Required there.
    pub(super) column: Option<String>,
    /// Mode `row`: tables whose column has another name (`organisations = "id"`).
    #[serde(default)]
    pub(super) columns: BTreeMap<String, String>,
    /// Mode `row`: one statement that makes a transaction a tenant's, as the application does; `{tenant}` is its
    /// key, quoted as text. It is run as the role of the URL, before the serving role is taken on.
    pub(super) context: Option<String>,
    /// Mode `row`: the schemas with tenants' rows. Default: `shared_schema`.
    #[serde(default)]
    pub(super) schemas: Vec<String>,
    /// Mode `row`: tables that are everybody's on purpose: names or globs (`plan*`).
    #[serde(default)]
    pub(super) global_tables: Vec<String>,
    /// Mode `row`: SECURITY DEFINER functions that may give rows past the policies: names or globs.
    #[serde(default)]
    pub(super) trusted_functions: Vec<String>,
    /// Fewer registered tenants than this block the gate.
    #[serde(default = "one")]
    pub(super) min: usize,
    /// By how much the number of registered tenants may differ from that of the last run: a number, or a
    /// percentage (`"20%"`). Default: it is not asked.
    pub(super) max_change: Option<NumberOrText>,
    /// A query over the shared schema that gives one row per domain: columns `tenant`, `domain` and `is_primary`.
    /// Every active tenant must have one primary domain, and no domain may be there twice.
    pub(super) domains: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeConfig {
    /// A schema per tenant (PostgreSQL).
    Schema,
    /// A database per tenant (MySQL, MariaDB, PostgreSQL), or a file per tenant (SQLite).
    Database,
    /// Tenants share tables, and row-level security keeps their rows apart (PostgreSQL).
    Row,
}

/// The folders of migrations.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MigrationsConfig {
    /// The folder of migrations of the shared schema, relative to this file.
    pub(super) shared: Option<String>,
    /// The folder of migrations that each tenant gets, relative to this file.
    pub(super) tenant: Option<String>,
}

/// How a change moves from one environment to the next.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PromotionConfig {
    /// The folder of evidence, relative to this file; `--evidence` wins over it.
    pub(super) evidence: Option<String>,
    /// Where evidence is kept.
    pub(super) store: StoreConfig,
    /// The public keys, as `tenantgate keygen` prints them. Where there are any, only evidence that one
    /// of them signed counts; several make it possible to change keys. Each of them vouches for every
    /// environment that has no `public_keys` of its own.
    pub(super) public_keys: Vec<String>,
    /// Whose deployments on GitHub are read. Default: `["github-actions[bot]"]`, the workflows of the
    /// repository.
    pub(super) trusted_creators: Option<Vec<String>>,
    /// Who may set the promotion rules aside.
    #[serde(rename = "override")]
    pub(super) overriding: OverrideConfig,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoreConfig {
    /// In a job of GitHub Actions with a token: on GitHub. Elsewhere in the folder where one is named,
    /// else on GitHub where a repository and a token are known. `--evidence DIR` is always that folder.
    #[default]
    Auto,
    /// In the folder that `evidence` or `--evidence` names.
    Folder,
    /// In the deployments of the repository.
    Github,
}

/// Break glass: `--override REASON`, in a workflow that was begun by hand.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OverrideConfig {
    /// Logins on GitHub of those who may set the promotion rules aside.
    pub(super) actors: Vec<String>,
    /// Teams on GitHub whose members may: `"org/team"`. The token must be allowed to read them.
    pub(super) teams: Vec<String>,
    /// A pass under an override opens the next environment too.
    pub(super) counts: bool,
}

/// What a run in GitHub Actions leaves on GitHub.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GithubConfig {
    /// One comment on the pull request, for all environments.
    pub(super) comment: bool,
    /// A commit status: `tenantgate/<environment>`.
    pub(super) status: bool,
    /// A check run, with annotations where the migrations stand.
    pub(super) check_run: bool,
}

impl Default for GithubConfig {
    fn default() -> Self {
        Self {
            comment: true,
            status: true,
            check_run: false,
        }
    }
}

/// What the schemas must look like once migrated.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectConfig {
    /// The shared schema.
    pub(super) shared: ScopeExpectConfig,
    /// Every tenant's schema.
    pub(super) tenant: ScopeExpectConfig,
}

/// What one kind of schema must hold.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ScopeExpectConfig {
    /// Tables by name. Tables that are not named here are not looked at.
    pub(super) tables: BTreeMap<String, TableExpectConfig>,
    /// Queries that must give a certain value.
    pub(super) assertions: Vec<AssertionConfig>,
    /// Queries whose number must stay within limits.
    pub(super) thresholds: Vec<ThresholdConfig>,
}

/// What one table must have. What is left out is not compared.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TableExpectConfig {
    /// Columns by name: `id = "bigint"`, or `status = { type = "text", nullable = false }`.
    pub(super) columns: BTreeMap<String, ColumnConfig>,
    /// Names of indexes.
    pub(super) indexes: Vec<String>,
    /// Names of foreign keys.
    pub(super) foreign_keys: Vec<String>,
    /// Row-level security: `true`, `"forced"` (for its owner too), or `false` (PostgreSQL).
    pub(super) row_security: Option<RowSecurityConfig>,
    /// Names of policies (PostgreSQL).
    pub(super) policies: Vec<String>,
}

/// A column's type, or more about it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(untagged)]
#[serde(untagged)]
pub(super) enum ColumnConfig {
    /// The column's type, as the database writes it.
    Type(String),
    Full(ColumnFullConfig),
}

/// What one column must be. What is left out is not compared.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ColumnFullConfig {
    /// The column's type, as the database writes it.
    #[serde(rename = "type")]
    pub(super) data_type: Option<String>,
    /// Whether the column takes NULL.
    pub(super) nullable: Option<bool>,
    /// The column's default, as the database writes it and always as text: `"0"`, `"now()"`.
    pub(super) default: Option<String>,
    /// True: the column must not have a default.
    pub(super) no_default: bool,
}

/// A query whose single number must stay within limits; at least one of them.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThresholdConfig {
    /// What is counted: `orders that nobody took`.
    pub(super) name: String,
    /// A query of one row and one column, a number.
    pub(super) sql: String,
    /// More than this is a warning.
    pub(super) warn: Option<f64>,
    /// More than this blocks.
    pub(super) fail: Option<f64>,
    /// Less than this is a warning.
    pub(super) warn_below: Option<f64>,
    /// Less than this blocks.
    pub(super) fail_below: Option<f64>,
}

/// A query whose single value must be the expected one.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AssertionConfig {
    /// What is true when it holds: `every order has a customer`.
    pub(super) name: String,
    /// A query of one row and one column.
    pub(super) sql: String,
    /// The value that it must give, compared as text.
    pub(super) equals: ScalarText,
}

/// A duration: a number and a unit, such as `"1500ms"`, `"30s"`, `"5m"`, `"24h"`, `"2d"`, `"1h30m"`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct DurationText(pub(super) String);

/// Text, a number, or true or false; kept as text.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ScalarText(pub(super) String);

fn public() -> String {
    "public".to_owned()
}

fn one() -> usize {
    1
}

impl<'de> Deserialize<'de> for ColumnConfig {
    /// By hand, since serde's untagged enums lose the place of an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Column;
        impl<'de> Visitor<'de> for Column {
            type Value = ColumnConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a type as text or a table such as { type = \"text\", nullable = false }")
            }

            fn visit_str<E>(self, text: &str) -> Result<ColumnConfig, E> {
                Ok(ColumnConfig::Type(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ColumnConfig, A::Error> {
                ColumnFullConfig::deserialize(MapAccessDeserializer::new(map)).map(ColumnConfig::Full)
            }
        }
        deserializer.deserialize_any(Column)
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = DurationText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration as text, such as \"30s\" or \"24h\"")
            }

            fn visit_str<E>(self, text: &str) -> Result<DurationText, E> {
                Ok(DurationText(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for ScalarText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = ScalarText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true or false")
            }

            fn visit_str<E>(self, text: &str) -> Result<ScalarText, E> {
                Ok(ScalarText(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<ScalarText, E> {
                Ok(ScalarText(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<ScalarText, E> {
                Ok(ScalarText(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<ScalarText, E> {
                Ok(ScalarText(number.to_string()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<ScalarText, E> {
                Ok(ScalarText(value.to_string()))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

impl JsonSchema for ScalarText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ScalarText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}
