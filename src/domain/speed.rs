//! What one rollout did, and how long it took.

use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// Applied, over all tenants.
    pub migrations: u64,
    pub took: Duration,
}

impl Speed {
    /// Seconds a migration.
    pub fn each(self) -> f64 {
        self.took.as_secs_f64() / self.migrations.max(1) as f64
    }
}
