//! Servers besides the environment's own, and what is on which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidName, Tenant};

/// What a server besides the environment's own is called: its name in the config, or its address and
/// database where only the registry has its URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ServerName(String);

impl ServerName {
    /// A name as the config gives it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let fits = !text.is_empty() && text.len() <= 63;
        if fits && text.chars().all(plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName(
                "a server's name is 1 to 63 letters, digits, `-` or `_`",
            ))
        }
    }

    /// `db-7.internal:5432/app`: the colon keeps it apart from all names of the config.
    pub fn of_address(address: impl fmt::Display, database: &str) -> Self {
        Self(format!("{address}/{database}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Schemas, databases or files that are, or look like, tenants', by server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Locations(BTreeMap<Option<ServerName>, BTreeSet<String>>);

impl Locations {
    /// The tenant's place is there, on the tenant's server.
    pub fn contains(&self, tenant: &Tenant) -> bool {
        let there = self.0.get(&tenant.server);
        there.is_some_and(|names| names.contains(&tenant.location))
    }

    /// Takes what is on the environment's own server of `theirs` for another server's.
    pub fn add(&mut self, server: ServerName, mut theirs: Self) {
        let names = theirs.0.remove(&None).unwrap_or_default();
        self.0.entry(Some(server)).or_default().extend(names);
    }

    pub fn iter(&self) -> impl Iterator<Item = (Option<&ServerName>, &str)> {
        let names = |(server, names)| on(server, names);
        self.0.iter().flat_map(names)
    }
}

fn on<'l>(
    server: &'l Option<ServerName>,
    names: &'l BTreeSet<String>,
) -> impl Iterator<Item = (Option<&'l ServerName>, &'l str)> {
    names.iter().map(move |name| (server.as_ref(), name.as_str()))
}

/// Names on the environment's own server.
impl FromIterator<String> for Locations {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(BTreeMap::from([(None, names.into_iter().collect())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantName;

    #[test]
    fn a_place_on_another_server_is_another_place() {
        let eu = ServerName::parse("eu").expect("a name");
        let tenant = |server: Option<&ServerName>| Tenant {
            name: TenantName::parse("acme").expect("a name"),
            server: server.cloned(),
            location: "acme".to_owned(),
            active: true,
        };
        let mut locations: Locations = ["zeta".to_owned()].into_iter().collect();
        locations.add(eu.clone(), ["acme".to_owned()].into_iter().collect());
        assert!(locations.contains(&tenant(Some(&eu))));
        assert!(!locations.contains(&tenant(None)));
        let all: Vec<_> = locations.iter().collect();
        assert_eq!(all, [(None, "zeta"), (Some(&eu), "acme")]);
    }

    #[test]
    fn names_of_the_config_are_no_addresses() {
        assert!(ServerName::parse("eu-1").is_ok());
        for bad in ["", "-eu", "eu:5432/app", "a b", "é"] {
            assert!(ServerName::parse(bad).is_err(), "{bad}");
        }
    }
}
