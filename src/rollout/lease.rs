//! One run at a time, or one for each shard: the lease is taken, kept alive while work goes on, and given back on every path.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::engine::{Engine, EngineError, ErrorKind, Holder, LeaseAnswer};

use super::{Event, Progress, Stop, StopReason};

/// How long a lock on the lease's own table is taken for others who begin at the same moment.
const CONTENDED: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("another run still owned this environment after {waited:?}: {whence}")]
    Held { whence: String, waited: Duration },
    #[error("{} while another run owned this environment: {whence}", why(*.reason))]
    Stopped {
        whence: String,
        reason: Option<StopReason>,
    },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

fn why(reason: Option<StopReason>) -> &'static str {
    match reason {
        Some(StopReason::Deadline) => "the deadline was over",
        _ => "the run was told to end",
    }
}

/// Waits for the lease, does the work under it, gives it back. When the lease is lost on the way,
/// `stop` is told.
pub async fn with_lease<T>(
    engine: &dyn Engine,
    holder: &Holder,
    ttl: Duration,
    wait: Duration,
    stop: &Stop,
    progress: &dyn Progress,
    work: impl Future<Output = T>,
) -> Result<T, LeaseError> {
    acquire(engine, holder, ttl, wait, stop, progress).await?;
    let result = {
        let heartbeat = keep_alive(engine, holder, ttl, stop);
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => result,
            () = heartbeat => work.await,
        }
    };
    // A lease that cannot be given back expires; the work itself is done.
    let _ = engine.release_lease(holder).await;
    Ok(result)
}

async fn acquire(
    engine: &dyn Engine,
    holder: &Holder,
    ttl: Duration,
    wait: Duration,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<(), LeaseError> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        let (whence, expires_in) = match engine.try_lease(holder, ttl).await {
            Ok(LeaseAnswer::Acquired) => return Ok(()),
            Ok(LeaseAnswer::Held { whence, expires_in }) => (whence, expires_in),
            // Others who take or give back theirs at the same moment, and one was told to wait.
            Err(error) if error.kind == ErrorKind::Contended && begun.elapsed() < wait.min(CONTENDED) => {
                ("others who begin at this moment".to_owned(), Duration::ZERO)
            }
            Err(error) => return Err(error.into()),
        };
        if begun.elapsed() >= wait {
            return Err(LeaseError::Held { whence, waited: wait });
        }
        if !told {
            progress.tell(&Event::Waiting {
                whence: &whence,
                seconds: expires_in.as_secs(),
            });
            told = true;
        }
        // Its holder may finish long before the lease would expire.
        let left = wait.saturating_sub(begun.elapsed());
        let pause = expires_in
            .clamp(Duration::from_millis(50), Duration::from_millis(500))
            .min(left);
        // Of two who saw each other, one must come back before the other.
        let jitter = Duration::from_millis(fastrand::u64(0..100));
        tokio::select! {
            () = tokio::time::sleep(pause + jitter) => {}
            () = stop.wanted() => {
                let reason = stop.reason();
                return Err(LeaseError::Stopped { whence, reason });
            }
        }
    }
}

/// Renews until the lease is somebody else's, or could not be renewed for as long as it lives.
async fn keep_alive(engine: &dyn Engine, holder: &Holder, ttl: Duration, stop: &Stop) {
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(ttl / 3).await;
        match engine.renew_lease(holder, ttl).await {
            Ok(true) => renewed = Instant::now(),
            Ok(false) => return stop.lose_lease(),
            Err(_) if renewed.elapsed() >= ttl => return stop.lose_lease(),
            Err(_) => {}
        }
    }
}
