//! How far tenants must be kept apart.

use globset::{Glob, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::error::SettingsError;
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
) -> Result<Isolation, SettingsError> {
    let mut ignore = GlobSetBuilder::new();
    for (index, pattern) in config.ignore.iter().enumerate() {
        let index = index.to_string();
        ignore.add(Glob::new(pattern).map_err(|error| {
            let message = format!("`ignore` has an item that is not a glob: {}", error.kind());
            document.error(&["isolation", "ignore", &index], message)
        })?);
    }
    let ignore = ignore
        .build()
        .map_err(|error| document.error(&["isolation", "ignore"], format!("`ignore`: {}", error.kind())))?;
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
        ignore,
        sample: config.sample,
    })
}
