//! The other servers of an environment.

use std::collections::BTreeMap;

use crate::domain::{EnvironmentName, ServerName};

use super::ServerSettings;
use super::config::ServerConfig;
use super::document::Document;
use super::environments::secret_name;
use super::error::SettingsError;
use super::rollout::resolve_concurrency;

pub(super) fn resolve_servers(
    document: &Document<'_>,
    environment: &EnvironmentName,
    servers: &BTreeMap<String, ServerConfig>,
) -> Result<BTreeMap<ServerName, ServerSettings>, SettingsError> {
    let resolve = |(name, config): (&String, &ServerConfig)| {
        let parent = ["environments", environment.as_str(), "servers", name.as_str()];
        let at = |key| [parent[0], parent[1], parent[2], parent[3], key];
        let parsed =
            ServerName::parse(name).map_err(|error| document.error_at_key(&parent, error.to_string()))?;
        let secret = |key, text: &str| secret_name(document, environment, &at(key), text);
        let concurrency = config.concurrency.as_ref();
        let concurrency = concurrency.map(|value| resolve_concurrency(document, &at("concurrency"), value));
        let settings = ServerSettings {
            database_url: secret("database_url", &config.database_url)?,
            direct_url: match &config.direct_url {
                Some(text) => Some(secret("direct_url", text)?),
                None => None,
            },
            concurrency: concurrency.transpose()?,
        };
        Ok((parsed, settings))
    };
    servers.iter().map(resolve).collect()
}
