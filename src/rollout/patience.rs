//! What is tried again, how often, and after how long.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use crate::engine::ErrorKind;
use crate::settings::Rollout;

/// The tries that one target has left. Waiting grows and is jittered, so that those who met at one lock,
/// or lost one server, do not meet again.
pub(super) struct Patience {
    locks: ExponentialBackoff,
    connections: ExponentialBackoff,
}

impl Patience {
    pub(super) fn new(rollout: &Rollout) -> Self {
        let backoff = |first: u64, longest: u64, times| {
            ExponentialBuilder::default()
                .with_min_delay(Duration::from_millis(first))
                .with_max_delay(Duration::from_millis(longest))
                .with_jitter()
                .with_max_times(times)
                .build()
        };
        Self {
            locks: backoff(100, 5_000, rollout.lock_retries),
            // A server that is started again needs some seconds.
            connections: backoff(500, 8_000, rollout.connection_retries),
        }
    }

    /// How long to wait before the next try; none: it is no use, or there were enough.
    pub(super) fn after(&mut self, kind: ErrorKind, crowded: bool) -> Option<Duration> {
        match kind {
            ErrorKind::Contended | ErrorKind::AlreadyApplied => self.locks.next(),
            ErrorKind::Disconnected | ErrorKind::Unreachable => self.connections.next(),
            ErrorKind::Exhausted if crowded => self.connections.next(),
            _ => None,
        }
    }
}
