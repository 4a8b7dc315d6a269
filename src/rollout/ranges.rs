//! A batch: one statement over ranges of a key, with the server's other work in mind.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::domain::words::count;
use crate::domain::{Batch, Migration};
use crate::engine::{EngineError, ErrorKind, Load, RangeStanding, Session};
use crate::settings::Rollout;

use super::Event;
use super::target::{Failed, Work};

/// Between two looks at a server that is too busy.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How busy a server may be while ranges run.
#[derive(Clone, Copy)]
struct Limits {
    max_active_sessions: Option<u64>,
    max_replica_lag: Option<Duration>,
}

impl Limits {
    fn of(rollout: &Rollout) -> Self {
        Self {
            max_active_sessions: rollout.max_active_sessions,
            max_replica_lag: rollout.max_replica_lag,
        }
    }

    fn looks(&self) -> bool {
        self.max_active_sessions.is_some() || self.max_replica_lag.is_some()
    }

    /// Why the next range must wait; none: it need not.
    fn too_busy(&self, load: Load) -> Option<String> {
        if let (Some(most), Some(active)) = (self.max_active_sessions, load.active)
            && active > most
        {
            return Some(format!(
                "{active} sessions are at work on the server, and `max_active_sessions` is {most}"
            ));
        }
        if let (Some(most), Some(lag)) = (self.max_replica_lag, load.replica_lag)
            && lag > most
        {
            return Some(format!(
                "a replica is {lag:?} behind, and `max_replica_lag` is {most:?}"
            ));
        }
        None
    }
}

/// What ranges of one target did in this run, for its outcome and its finding.
#[derive(Default)]
pub(super) struct Reached(Mutex<Tally>);

#[derive(Default)]
struct Tally {
    /// Since it was last asked.
    ranges: u64,
    rows: Option<u64>,
    words: Option<String>,
}

impl Reached {
    /// Whether ranges were done since this was last asked: then a failure begins its tries anew.
    pub(super) fn further(&self) -> bool {
        std::mem::take(&mut self.locked().ranges) > 0
    }

    /// Rows changed; absent where no batch ran.
    pub(super) fn rows(&self) -> Option<u64> {
        self.locked().rows
    }

    /// `2 ranges are done, up to id 10000`
    pub(super) fn words(&self) -> Option<String> {
        self.locked().words.clone()
    }

    fn note(&self, batch: &Batch, before: u64, at: &RangeStanding) {
        let mut tally = self.locked();
        *tally.rows.get_or_insert(0) += at.rows.saturating_sub(before);
        let verb = if at.ranges == 1 { "is" } else { "are" };
        tally.words = Some(match &at.last {
            None => "no range is done".to_owned(),
            Some(last) => format!(
                "{} {verb} done, up to `{}` {last}",
                count(at.ranges as usize, "range"),
                batch.key
            ),
        });
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ranges that take much longer than they could say that the server has other work.
#[derive(Default)]
struct Pacer {
    recent: VecDeque<Duration>,
}

impl Pacer {
    const REMEMBERED: usize = 20;
    const MUCH_LONGER: u32 = 3;
    /// Below this a difference says nothing.
    const NOISE: Duration = Duration::from_millis(20);

    /// How long to wait after a range: as long as it took, so that no more than half of the time is ours.
    fn rest(&mut self, took: Duration) -> Duration {
        let best = self.recent.iter().min().copied().unwrap_or(took).max(Self::NOISE);
        self.recent.push_back(took);
        if self.recent.len() > Self::REMEMBERED {
            self.recent.pop_front();
        }
        if took > best * Self::MUCH_LONGER {
            took
        } else {
            Duration::ZERO
        }
    }
}

impl Work<'_> {
    /// Carries out the ranges that are left of a batch. Between two of them the run may be stopped.
    pub(super) async fn by_ranges<'m>(
        &self,
        session: &mut Box<dyn Session>,
        create: bool,
        migration: &'m Migration,
        batch: &Batch,
        begun: bool,
    ) -> Result<(), Failed<'m>> {
        let failed = |error, range: Option<String>| self.range_failed(migration, error, range);
        let opened = session.open_ranges(self.target, create, migration, begun).await;
        let mut at = opened.map_err(|error| failed(error, None))?;
        self.reached.note(batch, at.rows, &at);
        let mut pacer = Pacer::default();
        while !at.applied {
            if self.stop.requested() {
                return Err(failed(stopped(), None));
            }
            let since = Instant::now();
            let next = session.next_range(self.target, migration, &at).await;
            let next = next.map_err(|failure| failed(failure.error, failure.range))?;
            if !next.applied && next.last == at.last {
                return Err(failed(stuck(batch), None));
            }
            let before = std::mem::replace(&mut at, next).rows;
            self.reached.note(batch, before, &at);
            self.reached.locked().ranges += 1;
            self.tell(batch, &at, None);
            if !at.applied {
                let rest = pacer.rest(since.elapsed()) + self.rollout.batch_pause;
                let waited = self.give_way(session, batch, &at, rest).await;
                waited.map_err(|error| failed(error, None))?;
            }
        }
        Ok(())
    }

    /// Waits for so long, and then until the server is less busy than allowed. There is no other end to it
    /// than the run's: whoever sets a limit wants it kept.
    async fn give_way(
        &self,
        session: &mut Box<dyn Session>,
        batch: &Batch,
        at: &RangeStanding,
        rest: Duration,
    ) -> Result<(), EngineError> {
        self.wait(rest).await?;
        let limits = Limits::of(self.rollout);
        while limits.looks() {
            let Some(why) = limits.too_busy(session.load().await?) else {
                break;
            };
            self.tell(batch, at, Some(&why));
            self.wait(LOOK_AGAIN).await?;
        }
        Ok(())
    }

    async fn wait(&self, pause: Duration) -> Result<(), EngineError> {
        if pause.is_zero() {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.wanted() => Err(stopped()),
        }
    }

    fn tell(&self, batch: &Batch, at: &RangeStanding, waiting: Option<&str>) {
        let passed = at.ranges.saturating_mul(batch.size);
        self.progress.tell(&Event::Ranges {
            tenant: self.tenant(),
            passed: if at.about > 0 {
                passed.min(at.about)
            } else {
                passed
            },
            about: at.about,
            waiting,
        });
    }

    fn range_failed<'m>(
        &self,
        migration: &'m Migration,
        mut error: EngineError,
        range: Option<String>,
    ) -> Failed<'m> {
        if let Some(range) = range {
            error.message = format!("{} (in the range {range})", error.message);
        }
        Failed {
            error,
            migration: Some(migration),
            place: migration.statements.first().map(|it| (it.line, it.column)),
            crowded: false,
        }
    }
}

/// A key that is not written as it is there would be met for ever.
fn stuck(batch: &Batch) -> EngineError {
    EngineError {
        kind: ErrorKind::Statement,
        message: format!("the ranges over `{}` do not move on", batch.key),
        server_hint: Some("take another key, such as the primary key".to_owned()),
        position: None,
    }
}

fn stopped() -> EngineError {
    EngineError {
        kind: ErrorKind::Stopped,
        message: "stopped between two ranges, because the run was told to end".to_owned(),
        server_hint: None,
        position: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_range_is_followed_by_as_long_a_pause() {
        let ms = Duration::from_millis;
        let mut pacer = Pacer::default();
        assert_eq!(pacer.rest(ms(900)), Duration::ZERO, "nothing to compare with");
        assert_eq!(pacer.rest(ms(100)), Duration::ZERO);
        assert_eq!(pacer.rest(ms(250)), Duration::ZERO);
        assert_eq!(pacer.rest(ms(301)), ms(301));
        for _ in 0..Pacer::REMEMBERED {
            pacer.rest(ms(400));
        }
        assert_eq!(pacer.rest(ms(400)), Duration::ZERO, "that is how it is now");
        let mut quick = Pacer::default();
        quick.rest(ms(1));
        assert_eq!(quick.rest(ms(50)), Duration::ZERO, "noise");
    }

    #[test]
    fn only_what_is_limited_and_known_makes_wait() {
        let pace = |max_active_sessions, max_replica_lag| Limits {
            max_active_sessions,
            max_replica_lag,
        };
        let load = Load {
            active: Some(9),
            replica_lag: Some(Duration::from_secs(20)),
        };
        assert_eq!(pace(None, None).too_busy(load), None);
        assert_eq!(pace(Some(9), Some(Duration::from_secs(20))).too_busy(load), None);
        assert!(
            pace(Some(8), None)
                .too_busy(load)
                .expect("busy")
                .starts_with("9 sessions")
        );
        let lag = pace(None, Some(Duration::from_secs(5))).too_busy(load);
        assert_eq!(
            lag.expect("behind"),
            "a replica is 20s behind, and `max_replica_lag` is 5s"
        );
        let unseen = Load::default();
        assert_eq!(pace(Some(1), Some(Duration::ZERO)).too_busy(unseen), None);
    }
}
