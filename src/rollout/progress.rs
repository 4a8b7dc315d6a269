//! What a rollout tells while it runs.

use crate::domain::{Outcome, TenantName};

/// Something worth telling at once.
#[derive(Debug)]
pub enum Event<'a> {
    /// Another run holds the lease.
    Waiting {
        whence: &'a str,
        seconds: u64,
    },
    Shared {
        pending: usize,
    },
    /// The rollout begins.
    Tenants {
        total: usize,
        behind: usize,
    },
    /// Migrations are taken back instead.
    Back {
        total: usize,
    },
    /// Somebody is at this tenant now.
    Begun(&'a TenantName),
    /// It could not be begun after all, and will be later.
    PutBack(&'a TenantName),
    Done(&'a Outcome),
    /// Time goes by.
    Tick,
    Retry {
        tenant: Option<&'a TenantName>,
        message: &'a str,
    },
    /// A batch of one tenant passed another range, or waits to begin one.
    Ranges {
        tenant: Option<&'a TenantName>,
        /// Rows, of about so many; 0: nobody knows.
        passed: u64,
        about: u64,
        waiting: Option<&'a str>,
    },
    /// Structures of so many are compared.
    Comparing {
        tenants: usize,
    },
    /// A signal came: the tenants in hand are finished, no others begun.
    Stopping,
    Finished,
}

/// Somebody who wants to know.
pub trait Progress: Send + Sync {
    fn tell(&self, event: &Event<'_>);
}
