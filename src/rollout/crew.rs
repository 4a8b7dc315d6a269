//! All tenants, turn by turn, as many at a time as pays, as far as failures allow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::domain::{
    Finding, Locations, MigrationSet, Outcome, OutcomeState, ServerName, Severity, Tenant, TenantName,
};
use crate::engine::{Engine, ErrorKind, Target};
use crate::migrations::TenantPlan;
use crate::settings::{OnFailure, Rollout};

use super::patience::Patience;
use super::queue::{Queue, Taken};
use super::ranges::Reached;
use super::target::{Sessions, Work};
use super::together::{self, Quickness, may_share};
use super::waves::{Listed, Turn, turns};
use super::{Event, Failure, Migrated, Progress, Stop, StopReason};

/// How often progress is told where nothing happens.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// One tenant's outcome, and the finding where it failed.
#[derive(Debug)]
pub struct TenantResult {
    pub outcome: Outcome,
    pub finding: Option<Finding>,
}

/// Looks at tenants that were just migrated, before others are.
#[async_trait]
pub trait Inspector: Sync {
    /// What did not come out right.
    async fn inspect(&self, tenants: &[&Tenant]) -> Vec<Finding>;
}

/// Why not everybody had a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// More failures than allowed.
    Failures { failed: usize, allowed: usize },
    /// Somebody failed of whom nobody may: an ensured tenant or a canary.
    Strict { turn: String },
    /// The canaries were migrated, and did not come out right.
    Canaries,
    /// The server did not come back.
    ServerGone,
    /// Told to end.
    Stopped(StopReason),
}

/// What became of a rollout.
#[derive(Debug)]
pub struct RolledOut {
    /// One for each tenant of the plan, in its order.
    pub results: Vec<TenantResult>,
    /// What was found about the canaries; absent where none were migrated.
    pub canaries: Option<Vec<Finding>>,
    pub halt: Option<Halt>,
    /// Servers that did not come back, where the others went on; none: the environment's own.
    pub gone: BTreeSet<Option<ServerName>>,
}

/// A rollout to be carried out.
pub struct Job<'a> {
    pub engine: &'a dyn Engine,
    pub set: &'a MigrationSet,
    pub plan: &'a [TenantPlan],
    pub locations: &'a Locations,
    pub ensure: &'a [TenantName],
    pub rollout: &'a Rollout,
    /// What the groups' queries gave.
    pub listed: &'a Listed,
    pub inspector: &'a dyn Inspector,
    /// Canaries that are not of this plan, and at their newest migration.
    pub elsewhere: &'a [Tenant],
    pub stop: &'a Stop,
    pub progress: &'a dyn Progress,
}

/// Migrates every tenant that is behind; each gets a result.
pub async fn roll_out(job: &Job<'_>) -> RolledOut {
    let turns = turns(job.plan, job.ensure, job.rollout, job.listed);
    let behind = turns.iter().map(|turn| turn.tenants.len()).sum();
    job.progress.tell(&Event::Tenants {
        total: job.plan.len(),
        behind,
    });
    let mut crew = Crew {
        job,
        allowed: job.rollout.max_failures.of(behind),
        began: Instant::now(),
        results: job.plan.iter().map(before).collect(),
        failed: 0,
        halt: None,
        several: several(job.plan),
        gone: BTreeSet::new(),
    };
    let mut canaries = None;
    let mut looked = false;
    for turn in &turns {
        // Those of an earlier run too: what came out wrong then is in the way until it is mended.
        if !turn.strict && !looked {
            looked = true;
            canaries = crew.inspect().await;
        }
        if crew.halt.is_none() {
            crew.turn(turn).await;
        }
        if crew.halt.is_some() {
            break;
        }
    }
    if !looked && crew.halt.is_none() {
        canaries = crew.inspect().await;
    }
    job.progress.tell(&Event::Finished);
    RolledOut {
        results: crew.results,
        canaries,
        halt: crew.halt,
        gone: crew.gone,
    }
}

/// The tenants are on more than one server.
fn several(plan: &[TenantPlan]) -> bool {
    let first = plan.first().map(|it| &it.tenant.server);
    plan.iter().any(|it| Some(&it.tenant.server) != first)
}

/// What is said of a tenant that nobody comes to.
fn before(plan: &TenantPlan) -> TenantResult {
    let state = if plan.pending.migrations.is_empty() {
        OutcomeState::UpToDate
    } else {
        OutcomeState::NotReached
    };
    let outcome = Outcome {
        tenant: Some(plan.tenant.name.clone()),
        server: plan.tenant.server.clone(),
        state,
        applied: Vec::new(),
        undone: Vec::new(),
        head: plan.pending.head,
        duration_ms: 0,
        retries: 0,
        rows: None,
        error: None,
    };
    TenantResult {
        outcome,
        finding: None,
    }
}

/// A tenant that somebody was at, those that went along, and the connections that were used.
struct Hand {
    taken: Taken,
    sessions: Sessions,
    /// In the order in which they were taken.
    done: Vec<Done>,
    /// Not come to, because one before failed.
    left: Vec<usize>,
}

struct Done {
    index: usize,
    duration: Duration,
    result: Result<Migrated, Failure>,
}

struct Crew<'a> {
    job: &'a Job<'a>,
    /// Failures that do not end the rollout.
    allowed: usize,
    began: Instant,
    results: Vec<TenantResult>,
    failed: usize,
    halt: Option<Halt>,
    several: bool,
    gone: BTreeSet<Option<ServerName>>,
}

impl Crew<'_> {
    async fn turn(&mut self, turn: &Turn) {
        let job = self.job;
        let place = |index: &usize| (*index, job.plan[*index].tenant.server.as_ref());
        let there = |(_, server): &(usize, Option<&ServerName>)| !self.gone.contains(&server.cloned());
        let tenants = turn.tenants.iter().map(place).filter(there);
        let mut queue = Queue::new(tenants, |server| {
            job.rollout.concurrency_on(server, turn.concurrency)
        });
        let mut patience: BTreeMap<usize, Patience> = BTreeMap::new();
        let mut idle: Vec<Vec<Sessions>> = Vec::new();
        idle.resize_with(queue.servers(), Vec::new);
        let mut hands = FuturesUnordered::new();
        let mut quickness = Quickness::default();
        let mut tick = tokio::time::interval(TICK);
        loop {
            while !self.must_stop() {
                let Some(taken) = queue.next(self.began.elapsed()) else {
                    break;
                };
                let along = self.along(turn, &mut queue, taken, &quickness);
                let sessions = idle[taken.lane].pop().unwrap_or_default();
                hands.push(take(job, sessions, taken, along));
            }
            if hands.is_empty() {
                let rest = queue.rest(self.began.elapsed()).filter(|_| !self.must_stop());
                let Some(rest) = rest else { return };
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = job.stop.wanted() => {}
                }
                continue;
            }
            let hand = tokio::select! {
                hand = hands.next() => hand,
                _ = tick.tick() => {
                    job.progress.tell(&Event::Tick);
                    continue;
                }
            };
            let Some(hand) = hand else { return };
            let Hand {
                taken,
                sessions,
                done,
                left,
            } = hand;
            queue.leave(taken, &left);
            for index in left {
                job.progress.tell(&Event::PutBack(&job.plan[index].tenant.name));
            }
            let is_crowded = |done: &Done| matches!(&done.result, Err(failure) if failure.crowded);
            if let Some(index) = done.iter().find(|it| is_crowded(it)).map(|it| it.index) {
                // It goes when one of the others there is done, or after a while where there are none.
                let patience = patience
                    .entry(taken.lane)
                    .or_insert_with(|| Patience::new(job.rollout));
                let alone = queue.others(taken) == 0;
                let wait = if alone {
                    patience.after(ErrorKind::Exhausted, true)
                } else {
                    Some(Duration::ZERO)
                };
                if let Some(wait) = wait {
                    let taken = Taken { index, ..taken };
                    queue.put_back(taken, self.began.elapsed() + wait);
                    job.progress.tell(&Event::PutBack(&job.plan[index].tenant.name));
                    continue;
                }
            }
            queue.done(taken, done.len(), self.began.elapsed());
            let well = done.iter().all(|it| it.result.is_ok());
            if well && idle[taken.lane].len() < queue.limit(taken) {
                idle[taken.lane].push(sessions);
            }
            for Done {
                index,
                duration,
                result,
            } in done
            {
                quickness.took(duration);
                if self.settle(turn, index, duration, result) {
                    queue.close(taken);
                }
            }
        }
    }

    /// Who goes along with a tenant, in its transaction.
    fn along(&self, turn: &Turn, queue: &mut Queue, taken: Taken, quickness: &Quickness) -> Vec<usize> {
        let job = self.job;
        let first = &job.plan[taken.index];
        let alike = |index: usize| job.plan[index].pending == first.pending;
        let along = if turn.strict || !may_share(job, first) {
            Vec::new()
        } else {
            queue.along(taken, |waiting, hands| quickness.size(waiting, hands), alike)
        };
        for index in std::iter::once(&taken.index).chain(&along) {
            job.progress.tell(&Event::Begun(&job.plan[*index].tenant.name));
        }
        along
    }

    /// Keeps what became of a tenant, and halts where it must not go on; true where its server is gone.
    fn settle(
        &mut self,
        turn: &Turn,
        index: usize,
        duration: Duration,
        done: Result<Migrated, Failure>,
    ) -> bool {
        let mut gone = false;
        let tenant = &self.job.plan[index].tenant;
        let (state, migrated, finding) = match done {
            Ok(migrated) => (OutcomeState::Migrated, migrated, None),
            Err(failure) => {
                self.failed += 1;
                gone = failure.kind == Some(ErrorKind::Unreachable);
                if gone && self.several {
                    self.gone.insert(tenant.server.clone());
                } else if gone {
                    self.halt.get_or_insert(Halt::ServerGone);
                }
                let finding = failure.finding.tenant(&tenant.name);
                (OutcomeState::Failed, failure.migrated, Some(finding))
            }
        };
        if state == OutcomeState::Failed && turn.strict {
            let turn = turn.name.clone();
            self.halt.get_or_insert(Halt::Strict { turn });
        }
        if self.failed > self.allowed && self.job.rollout.on_failure != OnFailure::Continue {
            let (failed, allowed) = (self.failed, self.allowed);
            match &mut self.halt {
                // Those in hand may still fail.
                Some(Halt::Failures { failed: before, .. }) => *before = failed,
                halt => drop(halt.get_or_insert(Halt::Failures { failed, allowed })),
            }
        }
        let outcome = Outcome {
            tenant: Some(tenant.name.clone()),
            server: tenant.server.clone(),
            state,
            applied: migrated.applied,
            undone: Vec::new(),
            head: migrated.head,
            duration_ms: duration.as_millis() as u64,
            retries: migrated.retries,
            rows: migrated.rows,
            error: finding.as_ref().map(|finding| finding.message.clone()),
        };
        self.job.progress.tell(&Event::Done(&outcome));
        self.results[index] = TenantResult { outcome, finding };
        gone
    }

    /// Looks at the canaries that are at their newest migration; none where nobody is.
    async fn inspect(&mut self) -> Option<Vec<Finding>> {
        let job = self.job;
        let is_there = |state| matches!(state, OutcomeState::Migrated | OutcomeState::UpToDate);
        let all = job.plan.iter().zip(&self.results);
        let tenants: Vec<&Tenant> = all
            .filter(|(_, result)| is_there(result.outcome.state))
            .map(|(plan, _)| &plan.tenant)
            .filter(|tenant| job.rollout.canary.contains(&tenant.name))
            .chain(job.elsewhere)
            .collect();
        if tenants.is_empty() {
            return None;
        }
        let findings = tokio::select! {
            findings = self.job.inspector.inspect(&tenants) => findings,
            () = self.job.stop.wanted() => {
                let finding = Finding::error("the canaries could not be looked at: the run was told to end");
                vec![finding.operational(true).hint("run again: it goes on from there")]
            }
        };
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            self.halt = Some(match self.job.stop.reason() {
                Some(reason) => Halt::Stopped(reason),
                None => Halt::Canaries,
            });
        }
        Some(findings)
    }

    fn must_stop(&mut self) -> bool {
        if self.job.stop.requested() {
            let reason = self.job.stop.reason().unwrap_or(StopReason::Signal);
            self.halt.get_or_insert(Halt::Stopped(reason));
        }
        self.halt.is_some()
    }
}

/// Carries a tenant out and those that go along: together, and where that fails one after the other.
async fn take(job: &Job<'_>, mut sessions: Sessions, taken: Taken, along: Vec<usize>) -> Hand {
    let mut waiting: VecDeque<usize> = std::iter::once(taken.index).chain(along).collect();
    let mut done = Vec::with_capacity(waiting.len());
    if waiting.len() > 1 {
        let begun = Instant::now();
        let tenants: &[usize] = waiting.make_contiguous();
        let applied = tokio::select! {
            applied = together::apply(job, &mut sessions, tenants) => applied.ok(),
            () = job.stop.aborted() => None,
        };
        if let Some(applied) = applied {
            let duration = begun.elapsed() / u32::try_from(applied.len()).unwrap_or(u32::MAX);
            done = waiting
                .drain(..)
                .zip(applied)
                .map(|(index, migrated)| Done {
                    index,
                    duration,
                    result: Ok(migrated),
                })
                .collect();
        } else {
            sessions = Sessions::default();
        }
    }
    while let Some(index) = waiting.pop_front() {
        let begun = Instant::now();
        let result = alone(job, &mut sessions, index).await;
        let failed = result.is_err();
        done.push(Done {
            index,
            duration: begun.elapsed(),
            result,
        });
        if failed || job.stop.requested() {
            break;
        }
    }
    Hand {
        taken,
        sessions,
        done,
        left: waiting.into(),
    }
}

/// Carries one tenant out, or is told to drop it.
async fn alone(job: &Job<'_>, sessions: &mut Sessions, index: usize) -> Result<Migrated, Failure> {
    let TenantPlan { tenant, pending } = &job.plan[index];
    let work = Work {
        engine: job.engine,
        target: Target::Tenant(tenant),
        create: !job.locations.contains(tenant),
        migrations: &job.set.tenant,
        rollout: job.rollout,
        stop: job.stop,
        progress: job.progress,
        reached: Reached::default(),
    };
    tokio::select! {
        done = work.carry_out(sessions, pending) => done,
        () = job.stop.aborted() => Err(Failure {
            migrated: Migrated { head: pending.head, ..Default::default() },
            finding: dropped(job),
            kind: None,
            crowded: false,
        }),
    }
}

fn dropped(job: &Job<'_>) -> Finding {
    let why = match job.stop.reason() {
        Some(StopReason::LeaseLost) => "another run took the environment over",
        Some(StopReason::Deadline) => "the deadline is over",
        Some(StopReason::Signal) | None => "the run was told to end",
    };
    let undone = if job.engine.rolls_back_ddl() {
        "the server rolls its transaction back"
    } else {
        "the ledger has the statement it was at"
    };
    Finding::error(format!("cut off in the middle because {why}; {undone}"))
        .hint("run again: it goes on from there")
        .operational(true)
}
