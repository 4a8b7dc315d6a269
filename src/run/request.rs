//! What was asked for.

use std::path::PathBuf;

use crate::database_url::EngineKind;
use crate::domain::{Scope, Shard, TenantName, Version};

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
    Rollback,
    Baseline,
    Lint,
    Snapshot,
}

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum From {
    /// What the migrations make of nothing.
    #[default]
    Migrations,
    /// The tenant that is named, else one of the largest group of tenants that are alike.
    Tenants,
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
            Self::Rollback => "rollback",
            Self::Baseline => "baseline",
            Self::Lint => "lint",
            Self::Snapshot => "snapshot",
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
        !matches!(self, Self::Promote | Self::Lint)
    }

    pub(super) fn asks_database(self) -> bool {
        !matches!(self, Self::Check | Self::Promote | Self::Lint)
    }

    pub(super) fn migrates(self) -> bool {
        matches!(self, Self::Run | Self::Migrate)
    }

    /// It looks for itself at what the ledger has; what is pending is none of its business.
    pub(super) fn asks_ledger_itself(self) -> bool {
        matches!(self, Self::Rollback | Self::Baseline)
    }

    /// What is pending is read before anything runs.
    pub(super) fn lints(self) -> bool {
        matches!(self, Self::Run | Self::Migrate | Self::Plan | Self::Lint)
    }

    pub(super) fn validates(self) -> bool {
        matches!(self, Self::Run | Self::Validate)
    }
}

/// Which migrations are looked at without a database; all where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintRequest {
    pub files: Vec<PathBuf>,
    /// A commit or branch: what is new or changed since.
    pub since: Option<String>,
    /// Instead of the URL's.
    pub engine: Option<EngineKind>,
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
    /// Only the tenants of this part; all where absent.
    pub shard: Option<Shard>,
    /// Also asks GitHub for the names of secrets.
    pub all_environments: bool,
    /// How far back, or up to which version.
    pub version: Option<Version>,
    /// A baseline of all tenants or of none.
    pub all_or_nothing: bool,
    pub from: From,
    /// Where the snapshot is, instead of where the config says.
    pub out: Option<PathBuf>,
    /// The snapshot is compared, not written.
    pub compares: bool,
    /// The plan is tried out.
    pub proves: bool,
    /// The plan shows the SQL.
    pub show_sql: bool,
    /// Which migrations `lint` is for.
    pub lint: LintRequest,
    /// Why the promotion rules are to be set aside, where they are.
    pub overriding: Option<String>,
}

impl Request {
    pub fn writes(&self) -> bool {
        (self.command.migrates() || self.command.asks_ledger_itself()) && !self.dry_run
    }

    pub(super) fn includes(&self, scope: Scope) -> bool {
        match self.scope {
            Some(only) => only == scope,
            None if self.only.is_empty() && self.shard.is_none() => true,
            None => scope == Scope::Tenant,
        }
    }

    /// The one that a rollback or a baseline is for.
    pub(super) fn one_scope(&self) -> Scope {
        self.scope.unwrap_or(Scope::Tenant)
    }

    pub(super) fn includes_tenant(&self, tenant: &TenantName) -> bool {
        self.is_in_part(tenant) && (self.only.is_empty() || self.only.contains(tenant))
    }

    /// Another part's tenants are another job's, and are not counted here.
    pub(super) fn is_in_part(&self, tenant: &TenantName) -> bool {
        self.shard.is_none_or(|shard| shard.has(tenant))
    }

    /// The whole set for all tenants: only such a run is evidence.
    pub(super) fn is_whole(&self) -> bool {
        self.scope.is_none() && self.only.is_empty() && self.shard.is_none()
    }
}
