//! How many tenants are migrated at a time, where the server is to be measured.
//!
//! Building schemas is bound by the server: by one lock, by its disk, or by its processors, and which of
//! them is not to be seen from here. So the number is doubled for as long as the throughput grows with it,
//! and what did not pay is taken back. Now and then the next number is tried again, because a first
//! measure of few tenants may have been a bad one.

use std::time::Duration;

use crate::settings::Concurrency;

/// What every rollout begins with: the least that shows whether two do better than one.
const FIRST: usize = 2;
/// More connections than this help no server that was measured, and take them from the application.
const MOST: usize = 32;
/// Less than this is noise, not growth.
const GROWTH: f64 = 1.15;
/// Times the number at work: so many tenants are left out of a measure, until all are at work …
const WARM_UP: usize = 1;
/// … and so many are measured.
const MEASURED: usize = 2;
/// Times the number at work: so long a settled number stands before the next one is tried again.
const SETTLED: usize = 20;

/// Tenants per second at one number.
#[derive(Debug, Clone, Copy)]
struct Measure {
    limit: usize,
    rate: f64,
}

#[derive(Debug)]
pub(super) struct Tuner {
    limit: usize,
    most: usize,
    /// Absent: the number is fixed.
    climb: Option<Climb>,
}

#[derive(Debug, Default)]
struct Climb {
    best: Option<Measure>,
    /// The best so far stands, and nothing is measured.
    settled: bool,
    /// Tenants done at the present number.
    done: usize,
    /// When the measure began.
    since: Duration,
}

impl Tuner {
    pub(super) fn new(concurrency: Concurrency) -> Self {
        match concurrency {
            Concurrency::Fixed(number) => Self {
                limit: number,
                most: number,
                climb: None,
            },
            Concurrency::Auto => Self {
                limit: FIRST,
                most: MOST,
                climb: Some(Climb::default()),
            },
        }
    }

    /// How many may be at work now.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The server gave no more connections than this.
    pub(super) fn crowded(&mut self, at_work: usize) {
        self.most = self.most.min(at_work.max(1));
        self.set(self.limit.min(self.most), true);
    }

    /// A tenant is done, at this time since the rollout began.
    pub(super) fn done(&mut self, now: Duration) {
        let (limit, most) = (self.limit, self.most);
        let Some(climb) = &mut self.climb else { return };
        climb.done += 1;
        if climb.settled {
            if climb.done >= limit * SETTLED && limit < most {
                self.set((limit * 2).min(most), false);
            }
            return;
        }
        if climb.done == limit * WARM_UP {
            climb.since = now;
        }
        if climb.done < limit * (WARM_UP + MEASURED) {
            return;
        }
        let took = now.saturating_sub(climb.since).as_secs_f64().max(1e-6);
        let here = Measure {
            limit,
            rate: (limit * MEASURED) as f64 / took,
        };
        match climb.best {
            // The rate of a number that stands is of long ago: it is not compared with again.
            Some(best) if best.limit < limit && here.rate < best.rate * GROWTH => self.set(best.limit, true),
            _ => {
                climb.best = Some(here);
                self.set((limit * 2).min(most), limit == most);
            }
        }
    }

    fn set(&mut self, limit: usize, settled: bool) {
        self.limit = limit;
        if let Some(climb) = &mut self.climb {
            climb.done = 0;
            climb.settled = settled;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs tenants against a server whose throughput depends on the number at work.
    fn settle(rate: impl Fn(usize) -> f64, tenants: usize) -> usize {
        let mut tuner = Tuner::new(Concurrency::Auto);
        let mut now = 0.0;
        let mut at = std::collections::BTreeMap::new();
        for _ in 0..tenants {
            now += 1.0 / rate(tuner.limit());
            *at.entry(tuner.limit()).or_insert(0) += 1;
            tuner.done(Duration::from_secs_f64(now));
        }
        at.into_iter()
            .max_by_key(|(_, tenants)| *tenants)
            .expect("some")
            .0
    }

    #[test]
    fn a_server_bound_by_one_lock_is_left_alone() {
        assert_eq!(settle(|_| 50.0, 1000), 2);
    }

    #[test]
    fn a_server_with_eight_disks_gets_eight() {
        assert_eq!(settle(|at_work| 10.0 * at_work.min(8) as f64, 2000), 8);
    }

    #[test]
    fn more_than_it_can_bear_is_taken_back() {
        let rate = |at_work: usize| if at_work > 4 { 20.0 } else { 10.0 * at_work as f64 };
        assert_eq!(settle(rate, 1000), 4);
    }

    #[test]
    fn without_an_end_to_growth_it_ends_at_the_most() {
        assert_eq!(settle(|at_work| at_work as f64, 5000), MOST);
    }

    #[test]
    fn a_fixed_number_stays() {
        let mut tuner = Tuner::new(Concurrency::Fixed(3));
        for second in 0..100 {
            tuner.done(Duration::from_secs(second));
        }
        assert_eq!(tuner.limit(), 3);
    }

    #[test]
    fn what_the_server_refused_is_not_tried_again() {
        let mut tuner = Tuner::new(Concurrency::Auto);
        tuner.crowded(1);
        for tenth in 0..1000 {
            tuner.done(Duration::from_millis(tenth * 100 / tuner.limit() as u64));
        }
        assert_eq!(tuner.limit(), 1);
        let mut fixed = Tuner::new(Concurrency::Fixed(8));
        fixed.crowded(0);
        assert_eq!(fixed.limit(), 1);
    }
}
