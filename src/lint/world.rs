//! What is known of the environment: names that migrations must not know.

use std::collections::BTreeMap;

use globset::GlobSet;

use crate::database_url::EngineKind;
use crate::settings::{Tenancy, TenancyMode};

/// The engine, and the names of schemas or databases.
#[derive(Debug)]
pub struct World {
    pub kind: EngineKind,
    /// The schema, or where it is known the database, of the shared migrations.
    shared: Option<String>,
    /// Of tenantgate's own tables.
    ledger: Option<String>,
    /// Names of the tenants that are known, by their schema or database in small letters.
    tenants: BTreeMap<String, String>,
    /// What stands before and behind a tenant's name in the name of its schema or database.
    frame: Option<(String, String)>,
    ignore: GlobSet,
}

/// Whose a schema or database is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Shared,
    Ledger,
    /// The tenant's name.
    Tenant(String),
    /// The engine's own, or nobody's business.
    System,
    Other,
}

impl World {
    /// `known`: tenants' names and their schemas or databases. `database`: the shared one, where it is known.
    pub fn new(
        kind: EngineKind,
        tenancy: &Tenancy,
        database: Option<&str>,
        known: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let by_schema = tenancy.mode != TenancyMode::Database;
        // Tenants in shared tables have no place of their own that could be named.
        let have_places = tenancy.mode != TenancyMode::Row;
        let shared = match by_schema {
            true => Some(tenancy.shared_schema.clone()),
            false => database.map(str::to_owned),
        };
        let template = match (&shared, by_schema) {
            (Some(shared), false) => tenancy.location.replace("{shared}", shared),
            _ => tenancy.location.clone(),
        };
        let frame = template
            .split_once("{tenant}")
            .filter(|(before, behind)| before.len() + behind.len() >= SHORTEST_FRAME)
            .filter(|_| have_places)
            .filter(|(before, _)| kind != EngineKind::Sqlite && !before.contains('{'))
            .map(|(before, behind)| (before.to_lowercase(), behind.to_lowercase()));
        let ledger = tenancy.ledger.clone().or(match kind {
            EngineKind::Postgres => Some("tenantgate".to_owned()),
            EngineKind::Mysql => shared.as_ref().map(|it| format!("{it}_tenantgate")),
            EngineKind::Sqlite => None,
        });
        let ensured = tenancy.ensure.iter().map(|name| {
            let location = template.replace("{tenant}", name.as_str());
            (name.as_str().to_owned(), location)
        });
        let tenants = ensured
            .chain(known)
            .filter(|_| have_places)
            .map(|(name, location)| (location.to_lowercase(), name))
            .collect();
        Self {
            kind,
            shared,
            ledger,
            tenants,
            frame,
            ignore: tenancy.ignore.clone(),
        }
    }

    pub(super) fn is_shared(&self, schema: &str) -> bool {
        let shared = self.shared.as_deref();
        shared.is_some_and(|shared| shared.eq_ignore_ascii_case(schema))
    }

    /// A tenant's unqualified name may be a shared table's: PostgreSQL's search path ends there.
    pub(super) fn sees_shared(&self) -> bool {
        self.kind == EngineKind::Postgres
    }

    pub(super) fn whose(&self, schema: &str) -> Whose {
        let name = schema.to_lowercase();
        if self.is_shared(&name) {
            return Whose::Shared;
        }
        if self
            .ledger
            .as_deref()
            .is_some_and(|ledger| ledger.eq_ignore_ascii_case(&name))
        {
            return Whose::Ledger;
        }
        if let Some(tenant) = self.tenants.get(&name) {
            return Whose::Tenant(tenant.clone());
        }
        let system: &[&str] = match self.kind {
            EngineKind::Postgres => &["information_schema"],
            EngineKind::Mysql => &["information_schema", "mysql", "performance_schema", "sys"],
            EngineKind::Sqlite => &["main", "temp"],
        };
        let of_postgres = self.kind == EngineKind::Postgres && name.starts_with("pg_");
        if of_postgres || system.contains(&name.as_str()) || self.ignore.is_match(schema) {
            return Whose::System;
        }
        if let Some((before, behind)) = &self.frame
            && let Some(rest) = name.strip_prefix(before.as_str())
            && let Some(tenant) = rest.strip_suffix(behind.as_str())
            && !tenant.is_empty()
        {
            return Whose::Tenant(tenant.to_owned());
        }
        Whose::Other
    }
}

/// Less would be found in names of any kind.
const SHORTEST_FRAME: usize = 3;
