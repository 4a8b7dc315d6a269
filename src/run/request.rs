//! What was asked for.

use crate::domain::{Scope, TenantName};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Run,
    Check,
    Plan,
    Migrate,
    Validate,
    Promote,
    Status,
    Relabel,
}

impl Command {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Check => "check",
            Self::Plan => "plan",
            Self::Migrate => "migrate",
            Self::Validate => "validate",
            Self::Promote => "promote",
            Self::Status => "status",
            Self::Relabel => "relabel",
        }
    }

    pub(super) fn asks_secrets(self) -> bool {
        matches!(self, Self::Run | Self::Check)
    }

    pub(super) fn asks_migrations(self) -> bool {
        !matches!(self, Self::Check | Self::Relabel)
    }

    pub(super) fn asks_promotion(self) -> bool {
        matches!(self, Self::Run | Self::Migrate | Self::Promote)
    }

    pub(super) fn asks_url(self) -> bool {
        self != Self::Promote
    }

    pub(super) fn asks_database(self) -> bool {
        !matches!(self, Self::Check | Self::Promote)
    }

    pub(super) fn migrates(self) -> bool {
        matches!(self, Self::Run | Self::Migrate)
    }

    pub(super) fn validates(self) -> bool {
        matches!(self, Self::Run | Self::Validate)
    }
}

#[derive(Debug, Clone)]
pub struct Request {
    pub command: Command,
    /// Shows what would be done.
    pub dry_run: bool,
    /// Only this scope; both where absent.
    pub scope: Option<Scope>,
    /// Only these tenants; all where empty.
    pub only: Vec<TenantName>,
    /// Also asks GitHub for the names of secrets.
    pub all_environments: bool,
    /// The plan shows the SQL.
    pub show_sql: bool,
    /// Why the promotion rules are to be set aside, where they are.
    pub overriding: Option<String>,
}

impl Request {
    pub fn writes(&self) -> bool {
        self.command.migrates() && !self.dry_run
    }

    pub(super) fn includes(&self, scope: Scope) -> bool {
        match (self.scope, self.only.is_empty()) {
            (Some(only), _) => only == scope,
            (None, true) => true,
            (None, false) => scope == Scope::Tenant,
        }
    }

    pub(super) fn includes_tenant(&self, tenant: &TenantName) -> bool {
        self.only.is_empty() || self.only.contains(tenant)
    }

    /// The whole set for all tenants: only such a run is evidence.
    pub(super) fn is_whole(&self) -> bool {
        self.scope.is_none() && self.only.is_empty()
    }
}
