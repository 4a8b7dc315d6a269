//! Who is next: tenants by server, no more of them at a time than each server takes.

use std::collections::VecDeque;

use crate::domain::ServerName;

/// Tenants that wait, by the server they are on.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: Vec<Lane>,
}

/// One server's tenants.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<usize>,
    running: usize,
    /// How many may run at a time.
    limit: usize,
}

impl Lane {
    fn is_ready(&self) -> bool {
        !self.waiting.is_empty() && self.running < self.limit
    }
}

/// One tenant's turn. It is over with [`Queue::done`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which tenant.
    pub(super) index: usize,
    lane: usize,
}

impl Queue {
    /// Tenants in their order, with the servers they are on (absent: the environment's own). A server
    /// takes at least one at a time.
    pub(super) fn new<'s>(
        tenants: impl IntoIterator<Item = (usize, Option<&'s ServerName>)>,
        limit: impl Fn(Option<&ServerName>) -> usize,
    ) -> Self {
        let mut servers: Vec<Option<&ServerName>> = Vec::new();
        let mut lanes: Vec<Lane> = Vec::new();
        for (index, server) in tenants {
            let lane = servers.iter().position(|known| *known == server);
            let lane = lane.unwrap_or_else(|| {
                servers.push(server);
                lanes.push(Lane {
                    waiting: VecDeque::new(),
                    running: 0,
                    limit: limit(server).max(1),
                });
                lanes.len() - 1
            });
            lanes[lane].waiting.push_back(index);
        }
        Self { lanes }
    }

    /// As many workers as can have something to do at a time.
    pub(super) fn workers(&self) -> usize {
        let most = |lane: &Lane| lane.limit.min(lane.waiting.len() + lane.running);
        self.lanes.iter().map(most).sum()
    }

    /// The next tenant of a server that takes one more; of the same server as `last` where that has
    /// one, for there the worker's connection is open, else of the one that is least busy.
    ///
    /// None: this worker is not needed any more. Where tenants still wait, as many workers are busy
    /// with their servers as these take, and each of them asks again when it is done.
    pub(super) fn next(&mut self, last: Option<Turn>) -> Option<Turn> {
        let stay = last
            .map(|turn| turn.lane)
            .filter(|lane| self.lanes[*lane].is_ready());
        let least_busy = || {
            let ready = (0..self.lanes.len()).filter(|lane| self.lanes[*lane].is_ready());
            ready.min_by_key(|lane| self.lanes[*lane].running * 1000 / self.lanes[*lane].limit)
        };
        let lane = stay.or_else(least_busy)?;
        let index = self.lanes[lane].waiting.pop_front()?;
        self.lanes[lane].running += 1;
        Some(Turn { index, lane })
    }

    /// The tenant's server takes another one.
    pub(super) fn done(&mut self, turn: Turn) {
        let running = &mut self.lanes[turn.lane].running;
        *running = running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str) -> ServerName {
        ServerName::parse(name).expect("a name")
    }

    fn indexes(turns: &[Turn]) -> Vec<usize> {
        turns.iter().map(|turn| turn.index).collect()
    }

    #[test]
    fn one_server_is_a_plain_queue_with_a_limit() {
        let mut queue = Queue::new((0..4).map(|index| (index, None)), |_| 2);
        assert_eq!(queue.workers(), 2);
        let first = queue.next(None).expect("a turn");
        let second = queue.next(None).expect("a turn");
        assert_eq!(indexes(&[first, second]), [0, 1]);
        assert_eq!(queue.next(None), None, "the server takes two at a time");
        queue.done(first);
        assert_eq!(queue.next(Some(first)).map(|turn| turn.index), Some(2));
        queue.done(second);
        let last = queue.next(Some(second)).expect("a turn");
        assert_eq!(last.index, 3);
        queue.done(last);
        assert_eq!(queue.next(Some(last)), None);
    }

    #[test]
    fn each_server_has_its_own_limit() {
        let (eu, us) = (server("eu"), server("us"));
        let tenants = [
            (0, Some(&eu)),
            (1, Some(&eu)),
            (2, Some(&eu)),
            (3, Some(&us)),
            (4, Some(&us)),
            (5, None),
        ];
        let limit = |server: Option<&ServerName>| match server {
            Some(server) if server.as_str() == "eu" => 1,
            _ => 8,
        };
        let mut queue = Queue::new(tenants, limit);
        assert_eq!(queue.workers(), 1 + 2 + 1);
        let mut turns: Vec<Turn> = std::iter::from_fn(|| queue.next(None)).collect();
        turns.sort_by_key(|turn| turn.index);
        assert_eq!(indexes(&turns), [0, 3, 4, 5], "one of eu, all of the others");
        queue.done(turns[1]);
        assert_eq!(queue.next(Some(turns[1])), None, "eu is still busy");
        queue.done(turns[0]);
        assert_eq!(queue.next(Some(turns[0])).map(|turn| turn.index), Some(1));
    }

    #[test]
    fn a_worker_stays_where_its_connection_is() {
        let (eu, us) = (server("eu"), server("us"));
        let tenants = [(0, Some(&eu)), (1, Some(&us)), (2, Some(&us)), (3, Some(&eu))];
        let mut queue = Queue::new(tenants, |_| 1);
        let mut last = None;
        let mut order = Vec::new();
        while let Some(turn) = queue.next(last) {
            order.push(turn.index);
            queue.done(turn);
            last = Some(turn);
        }
        assert_eq!(order, [0, 3, 1, 2]);
    }

    #[test]
    fn workers_that_are_sent_away_are_not_missed() {
        // Whatever the number of workers and whoever is done first, all tenants get their turn.
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let servers: Vec<ServerName> = ["a", "b", "c"].map(server).to_vec();
            let tenants: Vec<_> = (0..random.usize(1..30))
                .map(|index| (index, random.choice(&servers)))
                .collect();
            let limits = [random.usize(1..4), random.usize(1..4), random.usize(1..4)];
            let place = |name: &ServerName| servers.iter().position(|it| it == name).unwrap_or(0);
            let limit = |name: Option<&ServerName>| name.map_or(1, |name| limits[place(name)]);
            let mut queue = Queue::new(tenants.iter().copied(), limit);
            let mut idle: Vec<Option<Turn>> = vec![None; random.usize(1..10)];
            let mut busy: Vec<Turn> = Vec::new();
            let mut served = Vec::new();
            loop {
                while let Some(last) = idle.pop() {
                    busy.extend(queue.next(last));
                }
                for name in &servers {
                    let on = |turn: &&Turn| tenants[turn.index].1 == Some(name);
                    assert!(
                        busy.iter().filter(on).count() <= limits[place(name)],
                        "seed {seed}"
                    );
                }
                if busy.is_empty() {
                    break;
                }
                let turn = busy.swap_remove(random.usize(0..busy.len()));
                served.push(turn.index);
                queue.done(turn);
                idle.push(Some(turn));
            }
            served.sort_unstable();
            assert_eq!(served, (0..tenants.len()).collect::<Vec<_>>(), "seed {seed}");
        }
    }
}
