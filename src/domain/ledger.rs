//! The ledger's content: which migration ran for which tenant.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Checksum, TenantName, Version};

/// How far a migration came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    Applied,
    /// Begun outside a transaction and not finished: statements before this index (from 0) are
    /// done, the one at it is in doubt.
    Running {
        statement: u32,
    },
}

/// One migration's row for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub version: Version,
    pub name: String,
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
}

impl Ledger {
    pub fn tenant(&self, name: &TenantName) -> Arc<History> {
        self.tenants.get(name).cloned().unwrap_or_default()
    }
}
