//! The other servers of an environment.

use std::collections::BTreeMap;

use crate::domain::{EnvironmentName, ServerName};

use super::ServerSettings;
use super::config::ServerConfig;
use super::document::Document;
use super::environments::secret_name;
use super::error::SettingsError;

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
        if config.concurrency == Some(0) {
            let message = "`concurrency` is 0: nothing would ever run on this server";
            return Err(document
                .error(&at("concurrency"), message)
                .hint("1 migrates one tenant at a time"));
        }
        let settings = ServerSettings {
            database_url: secret("database_url", &config.database_url)?,
            direct_url: match &config.direct_url {
                Some(text) => Some(secret("direct_url", text)?),
                None => None,
            },
            concurrency: config.concurrency,
        };
        Ok((parsed, settings))
    };
    servers.iter().map(resolve).collect()
}
