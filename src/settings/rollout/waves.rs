//! `[[rollout.waves]]`: groups of tenants.

use globset::{GlobBuilder, GlobMatcher};

use crate::settings::document::Document;
use crate::settings::error::SettingsError;

use super::config::{OrderConfig, WaveConfig};
use super::{Concurrency, resolve_concurrency};

/// A group of tenants that goes when the one before it is done.
#[derive(Debug, Clone)]
pub struct Wave {
    pub name: String,
    pub tenants: WaveTenants,
    /// Absent: the rollout's.
    pub concurrency: Option<Concurrency>,
    pub order: Order,
}

/// Who is in a group.
#[derive(Debug, Clone)]
pub enum WaveTenants {
    /// In the order written.
    Matching(Vec<GlobMatcher>),
    /// A query with a column `tenant`.
    Query(String),
}

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Registry,
    Name,
    /// As the group itself gives them.
    Listed,
}

pub(super) fn resolve(document: &Document<'_>, waves: &[WaveConfig]) -> Result<Vec<Wave>, SettingsError> {
    let mut resolved: Vec<Wave> = Vec::new();
    for (index, config) in waves.iter().enumerate() {
        let index = index.to_string();
        let at = |key| ["rollout", "waves", index.as_str(), key];
        if config.name.trim().is_empty() {
            return Err(document.error(&at("name"), "`name` is empty"));
        }
        if resolved.iter().any(|it| it.name == config.name) {
            return Err(document.error(&at("name"), "two waves have this name"));
        }
        let tenants = who(document, &index, config)?;
        let concurrency = match &config.concurrency {
            Some(value) => Some(resolve_concurrency(document, &at("concurrency"), value)?),
            None => None,
        };
        let order = match (config.order, &tenants) {
            (Some(OrderConfig::Registry), _) | (None, WaveTenants::Matching(_)) => Order::Registry,
            (Some(OrderConfig::Name), _) => Order::Name,
            (Some(OrderConfig::Listed), _) | (None, WaveTenants::Query(_)) => Order::Listed,
        };
        resolved.push(Wave {
            name: config.name.clone(),
            tenants,
            concurrency,
            order,
        });
    }
    Ok(resolved)
}

fn who(document: &Document<'_>, index: &str, config: &WaveConfig) -> Result<WaveTenants, SettingsError> {
    let hint = "tenants = [\"eu_*\"], or query = \"SELECT name AS tenant FROM tenants WHERE …\"";
    match (&config.query, config.tenants.is_empty()) {
        (Some(_), false) => Err(document
            .error(
                &["rollout", "waves", index, "query"],
                "a wave has `tenants` or `query`, not both",
            )
            .hint(hint)),
        (None, true) => Err(document
            .error(
                &["rollout", "waves", index, "name"],
                "this wave has neither `tenants` nor `query`",
            )
            .hint(hint)),
        (Some(query), true) if query.trim().is_empty() => {
            Err(document.error(&["rollout", "waves", index, "query"], "`query` is empty"))
        }
        (Some(query), true) => Ok(WaveTenants::Query(query.clone())),
        (None, false) => {
            let matcher = |(item, pattern): (usize, &String)| {
                let glob = GlobBuilder::new(pattern).build();
                glob.map(|glob| glob.compile_matcher()).map_err(|error| {
                    let item = item.to_string();
                    let message = format!("`tenants` has an item that is not a glob: {}", error.kind());
                    document.error(&["rollout", "waves", index, "tenants", &item], message)
                })
            };
            let matchers = config.tenants.iter().enumerate().map(matcher);
            Ok(WaveTenants::Matching(matchers.collect::<Result<_, _>>()?))
        }
    }
}
