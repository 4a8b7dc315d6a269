//! Who is next: tenants by server, no more of them at a time than pays on each server.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::ServerName;
use crate::settings::Concurrency;

use super::tuner::Tuner;

/// Tenants that wait, by the server they are on.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: Vec<Lane>,
}

/// One server's tenants.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<usize>,
    at_work: usize,
    tuner: Tuner,
    /// Nothing new is begun before this time since the rollout began.
    rests_until: Duration,
}

impl Lane {
    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() && self.at_work < self.tuner.limit()
    }
}

/// One tenant's turn. It is over with [`Queue::done`] or [`Queue::put_back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// Which tenant.
    pub(super) index: usize,
    /// Which server, by number.
    pub(super) lane: usize,
}

impl Queue {
    /// Tenants in their order, with the servers they are on (absent: the environment's own).
    pub(super) fn new<'s>(
        tenants: impl IntoIterator<Item = (usize, Option<&'s ServerName>)>,
        concurrency: impl Fn(Option<&ServerName>) -> Concurrency,
    ) -> Self {
        let mut servers: Vec<Option<&ServerName>> = Vec::new();
        let mut lanes: Vec<Lane> = Vec::new();
        for (index, server) in tenants {
            let lane = servers.iter().position(|known| *known == server);
            let lane = lane.unwrap_or_else(|| {
                servers.push(server);
                lanes.push(Lane {
                    waiting: VecDeque::new(),
                    at_work: 0,
                    tuner: Tuner::new(concurrency(server)),
                    rests_until: Duration::ZERO,
                });
                lanes.len() - 1
            });
            lanes[lane].waiting.push_back(index);
        }
        Self { lanes }
    }

    pub(super) fn servers(&self) -> usize {
        self.lanes.len()
    }

    /// The next tenant, of the least busy of the servers that take one more.
    pub(super) fn next(&mut self, now: Duration) -> Option<Taken> {
        let ready = |lane: &usize| self.lanes[*lane].is_ready() && self.lanes[*lane].rests_until <= now;
        let busy = |lane: &usize| {
            let Lane { at_work, tuner, .. } = &self.lanes[*lane];
            at_work * 1000 / tuner.limit().max(1)
        };
        let lane = (0..self.lanes.len()).filter(ready).min_by_key(busy)?;
        let index = self.lanes[lane].waiting.pop_front()?;
        self.lanes[lane].at_work += 1;
        Some(Taken { index, lane })
    }

    /// How long until a server takes one more without another being done.
    pub(super) fn rest(&self, now: Duration) -> Option<Duration> {
        let ready = self.lanes.iter().filter(|lane| lane.is_ready());
        ready.map(|lane| lane.rests_until.saturating_sub(now)).min()
    }

    /// Others of the same server that go along with the tenant: those at the front that fit, so many as
    /// `size` says of those that wait and those at work.
    pub(super) fn along(
        &mut self,
        taken: Taken,
        size: impl Fn(usize, usize) -> usize,
        fits: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let lane = &mut self.lanes[taken.lane];
        let others = size(lane.waiting.len() + 1, lane.tuner.limit()).saturating_sub(1);
        let fitting = lane
            .waiting
            .iter()
            .take(others)
            .take_while(|index| fits(**index))
            .count();
        lane.waiting.drain(..fitting).collect()
    }

    /// The tenant's server takes another one; so many were done with this turn.
    pub(super) fn done(&mut self, taken: Taken, tenants: usize, now: Duration) {
        let lane = &mut self.lanes[taken.lane];
        lane.at_work = lane.at_work.saturating_sub(1);
        (0..tenants).for_each(|_| lane.tuner.done(now));
    }

    /// Those that went along and were not come to are next.
    pub(super) fn leave(&mut self, taken: Taken, tenants: &[usize]) {
        let lane = &mut self.lanes[taken.lane];
        tenants
            .iter()
            .rev()
            .for_each(|index| lane.waiting.push_front(*index));
    }

    /// How many others are at work on the tenant's server.
    pub(super) fn others(&self, taken: Taken) -> usize {
        self.lanes[taken.lane].at_work.saturating_sub(1)
    }

    /// Connections to keep open to the tenant's server.
    pub(super) fn limit(&self, taken: Taken) -> usize {
        self.lanes[taken.lane].tuner.limit()
    }

    /// The server had no connection for the tenant: it is the next one there, when it has rested.
    pub(super) fn put_back(&mut self, taken: Taken, rests_until: Duration) {
        let lane = &mut self.lanes[taken.lane];
        lane.at_work = lane.at_work.saturating_sub(1);
        lane.tuner.crowded(lane.at_work);
        lane.waiting.push_front(taken.index);
        lane.rests_until = lane.rests_until.max(rests_until);
    }

    /// Those who wait for a server that is gone wait no more.
    pub(super) fn close(&mut self, taken: Taken) {
        self.lanes[taken.lane].waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn server(name: &str) -> ServerName {
        ServerName::parse(name).expect("a name")
    }

    fn all(queue: &mut Queue) -> Vec<Taken> {
        std::iter::from_fn(|| queue.next(NOW)).collect()
    }

    fn indexes(taken: &[Taken]) -> Vec<usize> {
        let mut indexes: Vec<usize> = taken.iter().map(|taken| taken.index).collect();
        indexes.sort_unstable();
        indexes
    }

    #[test]
    fn one_server_is_a_plain_queue_with_a_limit() {
        let mut queue = Queue::new((0..3).map(|index| (index, None)), |_| Concurrency::Fixed(2));
        let first = all(&mut queue);
        assert_eq!(indexes(&first), [0, 1], "the server takes two at a time");
        queue.done(first[0], 1, NOW);
        assert_eq!(indexes(&all(&mut queue)), [2]);
        assert_eq!(queue.rest(NOW), None);
    }

    #[test]
    fn each_server_has_its_own_limit() {
        let (eu, us) = (server("eu"), server("us"));
        let places = [Some(&eu), Some(&eu), Some(&eu), Some(&us), Some(&us), None];
        let concurrency = |server: Option<&ServerName>| match server {
            Some(server) if server.as_str() == "eu" => Concurrency::Fixed(1),
            _ => Concurrency::Fixed(8),
        };
        let mut queue = Queue::new(places.into_iter().enumerate(), concurrency);
        let taken = all(&mut queue);
        assert_eq!(indexes(&taken), [0, 3, 4, 5], "one of eu, all of the others");
        let of = |index| {
            taken
                .iter()
                .find(|it| it.index == index)
                .copied()
                .expect("it was taken")
        };
        queue.done(of(3), 1, NOW);
        assert_eq!(queue.next(NOW), None, "eu is still busy");
        queue.done(of(0), 1, NOW);
        assert_eq!(indexes(&all(&mut queue)), [1]);
    }

    #[test]
    fn a_crowded_server_rests_and_the_others_go_on() {
        let (eu, us) = (server("eu"), server("us"));
        let places = [Some(&eu), Some(&us), Some(&eu), Some(&us)];
        let mut queue = Queue::new(places.into_iter().enumerate(), |_| Concurrency::Fixed(1));
        let taken = all(&mut queue);
        let second = Duration::from_secs(1);
        assert_eq!(queue.others(taken[0]), 0);
        queue.put_back(taken[0], second);
        queue.done(taken[1], 1, NOW);
        let next = queue.next(NOW).expect("us goes on");
        assert_eq!(next.index, 3);
        assert_eq!((queue.next(NOW), queue.rest(NOW)), (None, Some(second)));
        assert_eq!(
            queue.next(second).map(|taken| taken.index),
            Some(0),
            "the same one again"
        );
    }

    #[test]
    fn nobody_waits_for_a_server_that_is_gone() {
        let (eu, us) = (server("eu"), server("us"));
        let places = [Some(&eu), Some(&us), Some(&eu), Some(&us)];
        let mut queue = Queue::new(places.into_iter().enumerate(), |_| Concurrency::Fixed(1));
        let taken = all(&mut queue);
        queue.close(taken[0]);
        taken.iter().for_each(|taken| queue.done(*taken, 1, NOW));
        assert_eq!(indexes(&all(&mut queue)), [3]);
    }

    #[test]
    fn everybody_has_one_turn_whoever_is_done_first() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let servers = ["a", "b", "c"].map(server);
            let places: Vec<usize> = (0..random.usize(1..30)).map(|_| random.usize(0..3)).collect();
            let limits = [random.usize(1..4), random.usize(1..4), random.usize(1..4)];
            let number = |name: &ServerName| servers.iter().position(|it| it == name).unwrap_or(0);
            let tenants = places.iter().map(|place| Some(&servers[*place])).enumerate();
            let mut queue = Queue::new(tenants, |name| {
                Concurrency::Fixed(name.map_or(1, |name| limits[number(name)]))
            });
            let mut at_work: Vec<Taken> = Vec::new();
            let mut served = Vec::new();
            loop {
                at_work.extend(all(&mut queue));
                for (place, limit) in limits.iter().enumerate() {
                    let here = at_work.iter().filter(|taken| places[taken.index] == place);
                    assert!(here.count() <= *limit, "seed {seed}");
                }
                if at_work.is_empty() {
                    break;
                }
                let taken = at_work.swap_remove(random.usize(0..at_work.len()));
                served.push(taken);
                queue.done(taken, 1, NOW);
            }
            assert_eq!(
                indexes(&served),
                (0..places.len()).collect::<Vec<_>>(),
                "seed {seed}"
            );
        }
    }
}
