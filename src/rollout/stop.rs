//! When to stop: a signal, a deadline, or the lease lost.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Why a rollout ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// SIGTERM or SIGINT.
    Signal,
    /// The time that the run was given is over.
    Deadline,
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

#[derive(Debug, Clone, Copy)]
struct State {
    stage: Stage,
    /// The first that there was.
    reason: Option<StopReason>,
    signalled: Option<Instant>,
}

/// Shared by all who work: asked before each tenant, awaited during one.
#[derive(Debug, Clone)]
pub struct Stop {
    state: watch::Sender<State>,
}

/// GitHub's runner sends SIGINT, 7.5 s later SIGTERM, and kills 2.5 s after that: what is in hand
/// has this long, so that the report is still written.
const GRACE: Duration = Duration::from_secs(5);
/// What is in hand at the deadline has this long: whoever sets it below the job's limit leaves more.
const LAST_TENANTS: Duration = Duration::from_secs(30);
/// After a signal nobody is waited for any longer than this, since the runner kills 1.5 s later.
const AT_LAST: Duration = Duration::from_millis(8500);

impl Default for Stop {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State {
                stage: Stage::Running,
                reason: None,
                signalled: None,
            }),
        }
    }
}

impl Stop {
    /// The reason, once there is one.
    pub fn reason(&self) -> Option<StopReason> {
        self.state.borrow().reason
    }

    pub fn requested(&self) -> bool {
        self.state.borrow().stage > Stage::Running
    }

    /// Waits until what is in hand must be dropped.
    pub async fn aborted(&self) {
        let mut receiver = self.state.subscribe();
        // The sender is `self`, so it outlives the wait.
        let _ = receiver.wait_for(|state| state.stage == Stage::Aborting).await;
    }

    /// Waits until nothing new may be begun.
    pub async fn wanted(&self) {
        let mut receiver = self.state.subscribe();
        let _ = receiver.wait_for(|state| state.stage > Stage::Running).await;
    }

    /// Carries out what a slow service may draw out: after a signal it has a moment left. None: it was not
    /// done by then.
    pub async fn hurried<T>(&self, moment: Duration, work: impl Future<Output = T>) -> Option<T> {
        let late = async {
            let mut receiver = self.state.subscribe();
            let signalled = receiver.wait_for(|state| state.signalled.is_some()).await;
            let signalled = signalled.ok().and_then(|state| state.signalled);
            let now = Instant::now();
            let last = signalled.unwrap_or(now) + AT_LAST;
            tokio::time::sleep_until(last.min(now + moment)).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = late => None,
        }
    }

    fn advance(&self, to: Stage, why: StopReason) {
        self.state.send_modify(|state| {
            state.stage = state.stage.max(to);
            state.reason.get_or_insert(why);
            if why == StopReason::Signal {
                state.signalled.get_or_insert_with(Instant::now);
            }
        });
    }

    /// Another run took the environment over: whatever is in hand must not go on.
    pub fn lose_lease(&self) {
        self.advance(Stage::Aborting, StopReason::LeaseLost);
    }

    /// Ends the run when its time is over: nothing new is begun, and half a minute later what is in hand is
    /// dropped.
    pub async fn at_deadline(self, deadline: Option<Duration>) {
        let Some(deadline) = deadline else {
            return std::future::pending().await;
        };
        tokio::time::sleep(deadline).await;
        self.advance(Stage::Finishing, StopReason::Deadline);
        tokio::time::sleep(LAST_TENANTS).await;
        self.advance(Stage::Aborting, StopReason::Deadline);
        std::future::pending().await
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
