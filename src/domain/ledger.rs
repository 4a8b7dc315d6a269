//! The ledger's content: which migration ran for which tenant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Checksum, ServerName, TenantName, Version};

/// How far a migration came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    Applied,
    /// Begun statement by statement and not finished.
    Running {
        /// Statements before this index (from 0) are done.
        statement: usize,
        /// Over the statements that are done, so that what follows them may still be mended.
        done: Checksum,
        /// True: the statement at the index was sent and its answer never read. False: it was
        /// refused by the server, so it has had no effect.
        in_doubt: bool,
    },
    /// Its down file is carried out statement by statement, and not finished.
    Reverting {
        statement: usize,
        done: Checksum,
        in_doubt: bool,
    },
}

impl EntryState {
    /// Begun, and its first statement was refused by the server or never sent. (A batch stands at that
    /// statement, too, while its ranges run, and is told apart by what is done.)
    pub fn has_done_nothing(&self) -> bool {
        match self {
            Self::Running {
                statement: 0,
                done,
                in_doubt: false,
            } => *done == Checksum::of(""),
            _ => false,
        }
    }
}

/// One migration's row for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub version: Version,
    pub name: String,
    /// Of the migration's file; of its down file while that is carried out.
    pub checksum: Checksum,
    pub state: EntryState,
}

/// All rows of one tenant (or of the shared schema), by version.
pub type History = Vec<Entry>;

/// The whole ledger. Tenants with equal histories share one value, so that ten thousand tenants
/// at the same head cost one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    pub shared: Arc<History>,
    pub tenants: BTreeMap<TenantName, Arc<History>>,
    /// Tenants that were migrated once, as far as that is kept apart from their own schemas.
    pub remembered: BTreeSet<TenantName>,
    /// Tenants without rows on their server, and with some on another one.
    pub elsewhere: BTreeSet<TenantName>,
    /// Servers besides the environment's own whose ledger has rows.
    pub servers: BTreeSet<ServerName>,
}

impl Ledger {
    pub fn tenant(&self, name: &TenantName) -> Arc<History> {
        self.tenants.get(name).cloned().unwrap_or_default()
    }

    /// Migrations ran for it once.
    pub fn knows(&self, name: &TenantName) -> bool {
        self.remembered.contains(name) || self.tenants.contains_key(name)
    }
}
