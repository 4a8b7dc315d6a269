//! What the gate itself keeps in a database.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{EnvironmentName, History, Ledger, Migration, Scope, Shard, Speed, Tenant, Version};

use super::{EngineError, Mark, Target};

/// Who holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Unlike any other run's.
    pub id: String,
    /// For people: the run's URL, or host and process.
    pub whence: String,
    /// The part of the environment that it is for; absent: all of it.
    pub shard: Option<Shard>,
}

/// The answer to a wish for the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer {
    Acquired,
    Held {
        whence: String,
        /// Until its holder is taken for dead, by the database's clock.
        expires_in: Duration,
    },
}

/// Which environment a database says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub environment: String,
    pub project: String,
}

/// The ledger, and what stands beside it: whose database it is, who is at work on it, how fast those before were,
/// and what is to be compared yet.
#[async_trait]
pub trait LedgerStore: Send + Sync {
    /// Absent while no run has labelled it.
    async fn label(&self) -> Result<Option<Label>, EngineError>;

    /// Makes the ledger where it is missing, or brings an older one's form up to date. Several runs may do
    /// so at once.
    async fn prepare(&self) -> Result<(), EngineError>;

    /// Writes which environment this database is: the first label, or a new one with `replace`.
    async fn set_label(
        &self,
        environment: &EnvironmentName,
        project: &str,
        replace: bool,
    ) -> Result<(), EngineError>;

    /// Takes the lease where nobody is in the way whose own has not expired; see `engine/lease.rs`. Needs
    /// [`LedgerStore::prepare`].
    async fn try_lease(&self, holder: &Holder, ttl: Duration) -> Result<LeaseAnswer, EngineError>;

    /// Prolongs the lease; false: it is somebody else's by now.
    async fn renew_lease(&self, holder: &Holder, ttl: Duration) -> Result<bool, EngineError>;

    async fn release_lease(&self, holder: &Holder) -> Result<(), EngineError>;

    /// The whole ledger, read at once; empty where there is none.
    async fn ledger(&self, tenants: &[Tenant]) -> Result<Ledger, EngineError>;

    /// One tenant's part of it, on a connection of its own: for looking after something went wrong.
    async fn history(&self, target: Target<'_>) -> Result<History, EngineError>;

    /// Keeps the names of tenants that are migrated, where their ledgers go with their files: so that
    /// a lost file is not taken for a new tenant.
    async fn remember(&self, _tenants: &[Tenant]) -> Result<(), EngineError> {
        Ok(())
    }

    /// Keeps how fast a rollout was.
    async fn keep_rollout(&self, speed: Speed) -> Result<(), EngineError>;

    /// How fast those before were, the newest first.
    async fn rollouts(&self, newest: usize) -> Result<Vec<Speed>, EngineError>;

    /// Leaves a mark that structures are about to change, and are to be compared. Needs [`LedgerStore::prepare`].
    async fn leave_mark(&self, mark: &Mark) -> Result<(), EngineError>;

    /// The marks that are left; none where there is no ledger, or one of an earlier version.
    async fn marks(&self) -> Result<Vec<Mark>, EngineError>;

    /// Structures were compared since these were read.
    async fn take_marks(&self, marks: &[Mark]) -> Result<(), EngineError>;

    /// Takes names out of that again, before a tenant is left without any migration.
    async fn forget(&self, _tenants: &[Tenant]) -> Result<(), EngineError> {
        Ok(())
    }

    /// When each migration was first applied, in microseconds of the server's clock; of tenants by any of them.
    async fn first_applied(&self, tenants: &[Tenant])
    -> Result<BTreeMap<(Scope, Version), i64>, EngineError>;

    /// Writes migrations into the ledger as applied, for all the targets or for none of one file or
    /// database; [`ErrorKind::AlreadyApplied`](super::ErrorKind::AlreadyApplied) where one is there already. None is carried out.
    async fn adopt(&self, targets: &[(Target<'_>, Vec<&Migration>)]) -> Result<(), EngineError>;
}
