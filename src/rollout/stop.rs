//! When to stop: a signal, or the lease lost.

use std::time::Duration;

use tokio::sync::watch;

/// Why a rollout ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// SIGTERM or SIGINT.
    Signal,
    /// Another run owns the environment by now.
    LeaseLost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    /// What is in hand is finished, nothing new begun.
    Finishing,
    /// What is in hand is dropped, which rolls it back.
    Aborting,
}

/// Shared by all who work: asked before each tenant, awaited during one.
#[derive(Debug, Clone)]
pub struct Stop {
    state: watch::Sender<(Stage, Option<StopReason>)>,
}

/// GitHub's runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that: what is in hand
/// has this long, so that the report is still written.
const GRACE: Duration = Duration::from_secs(5);

impl Default for Stop {
    fn default() -> Self {
        Self {
            state: watch::Sender::new((Stage::Running, None)),
        }
    }
}

impl Stop {
    /// The reason, once there is one.
    pub fn reason(&self) -> Option<StopReason> {
        self.state.borrow().1
    }

    pub fn requested(&self) -> bool {
        self.state.borrow().0 > Stage::Running
    }

    /// Waits until what is in hand must be dropped.
    pub async fn aborted(&self) {
        let mut receiver = self.state.subscribe();
        // The sender is `self`, so it outlives the wait.
        let _ = receiver.wait_for(|(stage, _)| *stage == Stage::Aborting).await;
    }

    /// Waits until nothing new may be begun.
    pub async fn wanted(&self) {
        let mut receiver = self.state.subscribe();
        let _ = receiver.wait_for(|(stage, _)| *stage > Stage::Running).await;
    }

    fn advance(&self, to: Stage, why: StopReason) {
        self.state.send_modify(|(stage, reason)| {
            *stage = (*stage).max(to);
            reason.get_or_insert(why);
        });
    }

    /// Another run took the environment over: whatever is in hand must not go on.
    pub fn lose_lease(&self) {
        self.advance(Stage::Aborting, StopReason::LeaseLost);
    }

    /// Turns signals into stages, until the process ends. The first asks to finish, the second, or
    /// five seconds, to drop.
    pub async fn listen(self) {
        next_signal().await;
        self.advance(Stage::Finishing, StopReason::Signal);
        tokio::select! {
            () = next_signal() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
        self.advance(Stage::Aborting, StopReason::Signal);
    }
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the signals end the process, which the ledger survives as well.
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
