//! Are tenants kept apart? Pure judgements of what a server tells of their borders.

mod definers;
mod grants;
mod names;
mod placement;
mod references;
mod trying;
mod words;

use std::collections::{BTreeSet, HashMap};

use crate::database_url::EngineKind;
use crate::domain::{CheckDefinition, Finding, Severity, Tenant};
use crate::engine::isolation::{Borders, Unread};
use crate::settings::{Isolation, Level};

pub use grants::grants;
pub use names::names;
pub use placement::{Made, is_open, placement};
pub use references::references;
pub use trying::{attempts, elsewhere, tried, untried};

pub const REFERENCES: CheckDefinition = CheckDefinition {
    id: "isolation.references",
    title: "no object of one tenant points into another",
};
pub const PLACEMENT: CheckDefinition = CheckDefinition {
    id: "isolation.placement",
    title: "tenants' tables and shared ones are where they belong",
};
pub const GRANTS: CheckDefinition = CheckDefinition {
    id: "isolation.grants",
    title: "no role may do what crosses tenants",
};
pub const NAMES: CheckDefinition = CheckDefinition {
    id: "isolation.names",
    title: "no text that runs in the server names another tenant",
};
pub const TRY: CheckDefinition = CheckDefinition {
    id: "isolation.try",
    title: "the serving role was tried, and stays with its tenant",
};

pub const CHECKS: [CheckDefinition; 5] = [REFERENCES, PLACEMENT, GRANTS, NAMES, TRY];

/// What the config says of each of [`CHECKS`].
pub fn level(settings: &Isolation, check: &CheckDefinition) -> Level {
    match check.id {
        id if id == REFERENCES.id => settings.references,
        id if id == PLACEMENT.id => settings.placement,
        id if id == GRANTS.id => settings.grants,
        id if id == NAMES.id => settings.names,
        _ => settings.r#try,
    }
}

/// What one server tells, and who its tenants are.
pub struct Scene<'a> {
    pub borders: &'a Borders,
    pub tenants: Vec<&'a Tenant>,
    by_location: HashMap<&'a str, &'a Tenant>,
    pub serving_role: Option<&'a str>,
    pub settings: &'a Isolation,
    pub kind: EngineKind,
    /// The application's user is tried by its own URL.
    pub is_tried: bool,
    /// How the engine's SQL writes a name.
    pub quoted: &'a dyn Fn(&str) -> String,
}

/// Whose a schema or database is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Shared,
    Tenant(&'a Tenant),
    Nobody,
}

impl<'a> Scene<'a> {
    pub fn new(
        borders: &'a Borders,
        tenants: &[&'a Tenant],
        serving_role: Option<&'a str>,
        settings: &'a Isolation,
        kind: EngineKind,
        quoted: &'a dyn Fn(&str) -> String,
    ) -> Self {
        let here = tenants.iter().filter(|it| it.server == borders.server);
        let tenants: Vec<&Tenant> = here.copied().collect();
        let by_location = tenants.iter().map(|it| (it.location.as_str(), *it)).collect();
        Self {
            borders,
            tenants,
            by_location,
            serving_role,
            settings,
            kind,
            is_tried: false,
            quoted,
        }
    }

    fn place(&self, location: &str) -> Place<'a> {
        if location == self.borders.shared {
            return Place::Shared;
        }
        self.by_location
            .get(location)
            .map_or(Place::Nobody, |tenant| Place::Tenant(tenant))
    }

    fn tenant_at(&self, location: &str) -> Option<&'a Tenant> {
        self.by_location.get(location).copied()
    }

    fn ignores(&self, location: &str, object: &str) -> bool {
        let name = object
            .rsplit(' ')
            .next()
            .unwrap_or(object)
            .trim_matches(['`', '"']);
        self.settings.ignore.is_match(location) || self.settings.ignore.is_match(name)
    }

    /// `schema` or `database`.
    fn noun(&self) -> &'static str {
        match self.kind {
            EngineKind::Postgres => "schema",
            EngineKind::Mysql | EngineKind::Sqlite => "database",
        }
    }

    fn told(&self, name: &str) -> String {
        (self.quoted)(name)
    }

    /// One serving role for each tenant.
    pub fn one_role_each(&self) -> bool {
        self.serving_role.is_some_and(|it| it.contains("{tenant}"))
    }

    /// The role that serves a tenant.
    fn role_of(&self, tenant: &Tenant) -> Option<String> {
        let template = self.serving_role?;
        Some(template.replace("{tenant}", tenant.name.as_str()))
    }
}

/// A finding as bad as the config says.
fn finding(level: Level, message: impl Into<String>) -> Finding {
    let mut finding = Finding::error(message);
    if level == Level::Warning {
        finding.severity = Severity::Warning;
    }
    finding
}

/// What nobody could look at has not passed.
fn unread(questions: &[Unread]) -> Vec<Finding> {
    let told =
        |it: &Unread| Finding::warning(format!("{} could not be looked at", it.what)).hint(it.hint.clone());
    questions.iter().map(told).collect()
}

/// Each in backticks: at most five by name.
fn shown<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: BTreeSet<String> = names.into_iter().map(|it| format!("`{it}`")).collect();
    let names: Vec<String> = names.into_iter().collect();
    crate::domain::words::listed(&names, 5)
}
