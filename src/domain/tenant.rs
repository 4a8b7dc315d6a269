//! Tenants as the registry gives them.

use super::{ServerName, TenantName};

/// One customer's schema, database or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub name: TenantName,
    /// Absent: the environment's own server.
    pub server: Option<ServerName>,
    /// Schema name, database name, or the file's path: what the engine calls it.
    pub location: String,
    /// False where the registry says that the tenant is suspended. It is migrated all the same.
    pub active: bool,
}

/// The tenants of an environment, or the fact that they cannot be known yet because the registry
/// is made by shared migrations that have not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenants {
    Unknown,
    Known(Vec<Tenant>),
}
