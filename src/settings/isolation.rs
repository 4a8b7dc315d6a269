//! How far tenants must be kept apart.

use globset::GlobSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{EnvironmentName, SecretName};

use super::TenancyMode;
use super::document::Document;
use super::environments::secret_name;
use super::error::SettingsError;
use super::globs::resolve_globs;
use super::validation::{Level, LevelConfig};

/// How far tenants must be kept apart.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct IsolationConfig {
    /// How bad it is when an object of one tenant does not work without one of another.
    references: LevelConfig,
    /// How bad it is when a tenant's table is in the shared schema, or a shared one in a tenant's.
    placement: LevelConfig,
    /// How bad it is when a role may do what crosses tenants.
    grants: LevelConfig,
    /// How bad it is when the text of a function or the like names another tenant's schema or database.
    names: LevelConfig,
    /// How bad it is when the serving role is seen to cross tenants.
    r#try: LevelConfig,
    /// Schemas, databases or objects that are not looked at: names or globs.
    ignore: Vec<String>,
    /// As how many tenants the serving role is tried.
    sample: usize,
    /// Mode `database`: the name of the secret that holds the application's own URL; `{ENV}` is the environment.
    /// In the URL `{tenant}` is the tenant's name.
    pub(super) try_url: Option<String>,
}

impl Default for IsolationConfig {
    fn default() -> Self {
        Self {
            references: LevelConfig::Error,
            placement: LevelConfig::Error,
            grants: LevelConfig::Error,
            names: LevelConfig::Error,
            r#try: LevelConfig::Error,
            ignore: Vec::new(),
            sample: 20,
            try_url: None,
        }
    }
}

/// How far tenants must be kept apart.
#[derive(Debug, Clone)]
pub struct Isolation {
    pub references: Level,
    pub placement: Level,
    pub grants: Level,
    pub names: Level,
    pub r#try: Level,
    /// By the name of a schema or database, or of an object.
    pub ignore: GlobSet,
    pub sample: usize,
}

pub(super) fn resolve_isolation(
    document: &Document<'_>,
    config: &IsolationConfig,
    mode: TenancyMode,
) -> Result<Isolation, SettingsError> {
    refuse_without_effect(document, config, mode)?;
    if config.sample == 0 {
        let message = "`sample` is 0: nothing would be tried";
        return Err(document
            .error(&["isolation", "sample"], message)
            .hint("try = \"off\" says that"));
    }
    Ok(Isolation {
        references: config.references.into(),
        placement: config.placement.into(),
        grants: config.grants.into(),
        names: config.names.into(),
        r#try: config.r#try.into(),
        ignore: resolve_globs(document, ["isolation", "ignore"], &config.ignore)?,
        sample: config.sample,
    })
}

/// Of keys that do nothing whatever the environment's engine, people would believe that they do.
fn refuse_without_effect(
    document: &Document<'_>,
    config: &IsolationConfig,
    mode: TenancyMode,
) -> Result<(), SettingsError> {
    let keys = [
        "references",
        "placement",
        "grants",
        "names",
        "try",
        "ignore",
        "sample",
        "try_url",
    ];
    let (without, why, hint): (&[&str], &str, &str) = match mode {
        TenancyMode::Row => (
            &keys,
            "in mode \"row\"",
            "what is asked of shared tables, `global_tables`, `trusted_functions` and `context` of [tenancy] say",
        ),
        TenancyMode::Schema => (
            &["try_url"],
            "in mode \"schema\"",
            "on PostgreSQL the gate acts as the `serving_role` of [tenancy]",
        ),
        TenancyMode::Database if config.try_url.is_none() => (
            &["placement", "try", "sample"],
            "in mode \"database\" without `try_url`",
            "`placement` is asked of schemas; to try what the application's user may do, name the secret with its URL in `try_url`",
        ),
        TenancyMode::Database => (
            &["placement"],
            "in mode \"database\"",
            "a name without a database is the own one's",
        ),
    };
    let given = without.iter().find(|key| document.has(["isolation", key]));
    match given {
        Some(key) => Err(document
            .error_at_key(&["isolation", key], format!("`{key}` does nothing {why}"))
            .hint(hint)),
        None => Ok(()),
    }
}

/// The name of the secret, in one environment.
pub(super) fn resolve_try_url(
    document: &Document<'_>,
    environment: &EnvironmentName,
    text: Option<&str>,
) -> Result<Option<SecretName>, SettingsError> {
    let resolve = |text| secret_name(document, environment, &["isolation", "try_url"], text);
    text.map(resolve).transpose()
}
