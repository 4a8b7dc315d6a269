//! On which server a tenant is, as the registry's row says it.

use std::collections::{BTreeMap, HashMap};

use crate::domain::words::{count, listed};
use crate::domain::{Finding, Redactor, Secret, ServerName, TenantName};
use crate::engine::{Engine, Fleet, NotAdmitted};

use super::{is_like_a_url, shown};

/// Servers that rows named, each looked up once, and tenants whose server cannot be used.
pub(super) struct Servers<'e> {
    engine: &'e dyn Engine,
    admitted: HashMap<Secret, Result<Option<ServerName>, NotAdmitted>>,
    unknown: BTreeMap<String, Vec<TenantName>>,
    bad_urls: Vec<(NotAdmitted, Vec<TenantName>)>,
    bad: HashMap<Secret, usize>,
    both: Vec<TenantName>,
    /// Where the engine has but one server.
    alone: Vec<TenantName>,
}

impl<'e> Servers<'e> {
    pub(super) fn new(engine: &'e dyn Engine) -> Self {
        Self {
            engine,
            admitted: HashMap::new(),
            unknown: BTreeMap::new(),
            bad_urls: Vec::new(),
            bad: HashMap::new(),
            both: Vec::new(),
            alone: Vec::new(),
        }
    }

    /// The row's server; inside, absent: the environment's own. None: there is a finding instead.
    pub(super) fn of(
        &mut self,
        tenant: &TenantName,
        server: Option<&str>,
        url: Option<&Secret>,
    ) -> Option<Option<ServerName>> {
        if server.is_none() && url.is_none() {
            return Some(None);
        }
        let Some(fleet) = self.engine.fleet() else {
            self.alone.push(tenant.clone());
            return None;
        };
        match (server, url) {
            (Some(_), Some(_)) => {
                self.both.push(tenant.clone());
                None
            }
            (Some(server), None) => self.by_name(fleet, tenant, server),
            (None, Some(url)) => self.by_url(fleet, tenant, url),
            (None, None) => Some(None),
        }
    }

    fn by_name(&mut self, fleet: &Fleet, tenant: &TenantName, text: &str) -> Option<Option<ServerName>> {
        match ServerName::parse(text.trim()) {
            Ok(server) if fleet.knows(&server) => Some(Some(server)),
            _ => {
                let tenants = self.unknown.entry(text.to_owned()).or_default();
                tenants.push(tenant.clone());
                None
            }
        }
    }

    fn by_url(&mut self, fleet: &Fleet, tenant: &TenantName, url: &Secret) -> Option<Option<ServerName>> {
        let admitted = self
            .admitted
            .entry(url.clone())
            .or_insert_with(|| fleet.admit(url));
        match admitted {
            Ok(server) => Some(server.clone()),
            Err(why) => {
                let number = *self.bad.entry(url.clone()).or_insert_with(|| {
                    self.bad_urls.push((why.clone(), Vec::new()));
                    self.bad_urls.len() - 1
                });
                self.bad_urls[number].1.push(tenant.clone());
                None
            }
        }
    }

    /// What a tenant is called on its server, and why that cannot be.
    pub(super) fn place(
        &self,
        server: Option<&ServerName>,
        tenant: &TenantName,
    ) -> (String, Option<&'static str>) {
        if let (Some(fleet), Some(server)) = (self.engine.fleet(), server) {
            return fleet.place(server, tenant.as_str());
        }
        let location = self.engine.location(tenant.as_str());
        let reserved = self.engine.reserved(&location);
        (location, reserved)
    }

    /// One finding for each server, not for each of its tenants.
    pub(super) fn findings(self, redactor: &Redactor) -> Vec<Finding> {
        let known = self.engine.fleet().map(Fleet::names).unwrap_or_default();
        let unknown = self
            .unknown
            .iter()
            .map(|(text, tenants)| unknown(&redactor.redact(text), tenants, &known));
        let urls = self
            .bad_urls
            .iter()
            .flat_map(|(why, tenants)| not_admitted(why, tenants));
        let both = some(&self.both).map(|who| {
            Finding::error(format!(
                "the registry gives both `server` and `database_url` for {who}"
            ))
            .hint("one of them says where a tenant is; leave the other one NULL")
        });
        let alone = some(&self.alone).map(|who| {
            Finding::error(format!(
                "the registry puts {who} on another server, and SQLite has none"
            ))
            .hint("leave `server` and `database_url` out of the registry's query")
        });
        unknown.chain(urls).chain(both).chain(alone).collect()
    }
}

fn some(tenants: &[TenantName]) -> Option<String> {
    (!tenants.is_empty()).then(|| format!("{}: {}", count(tenants.len(), "tenant"), listed(tenants, 5)))
}

fn unknown(text: &str, tenants: &[TenantName], known: &[ServerName]) -> Finding {
    let (many, who) = (count(tenants.len(), "tenant"), listed(tenants, 5));
    // A URL in the wrong column is a secret.
    let (text, hint) = if is_like_a_url(text) {
        let hint = "a URL belongs into the column `database_url`; `server` is a name of the config";
        ("a URL".to_owned(), hint.to_owned())
    } else {
        let hint = if known.is_empty() {
            "add it to the config: [environments.NAME.servers.SERVER]; or leave `server` out of the registry's query"
                .to_owned()
        } else {
            format!("the config's servers are {}", listed(known, 10))
        };
        (shown(text), hint)
    };
    Finding::error(format!(
        "the registry puts {many} on server {text}, which the config does not have: {who}"
    ))
    .hint(hint)
}

fn not_admitted(why: &NotAdmitted, tenants: &[TenantName]) -> Vec<Finding> {
    let whose = format!("`database_url` of {}", listed(tenants, 5));
    match why {
        NotAdmitted::Unreadable(problems) => {
            let finding = |problem: &crate::database_url::Problem| {
                let mut finding = Finding::error(format!("{whose}: {}", problem.message));
                finding.hint = problem.hint.clone();
                finding
            };
            problems.iter().map(finding).collect()
        }
        NotAdmitted::OtherEngine => vec![
            Finding::error(format!(
                "{whose} is for another engine than the environment's URL"
            ))
            .hint("all servers of an environment are of one kind"),
        ],
        NotAdmitted::OtherUrl(server) => {
            let server = match server {
                Some(server) => format!("server {server}"),
                None => "the environment's own server".to_owned(),
            };
            vec![
                Finding::error(format!(
                    "{whose} names the database of {server} with another user, password or TLS mode"
                ))
                .hint("give all tenants of a server the same URL"),
            ]
        }
    }
}
