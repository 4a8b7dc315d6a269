//! All tenants, turn by turn, as many at a time as pays, as far as failures allow.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::domain::{Finding, MigrationSet, Outcome, OutcomeState, Severity, Tenant, TenantName};
use crate::engine::{Engine, ErrorKind, Target};
use crate::migrations::TenantPlan;
use crate::settings::{OnFailure, Rollout};

use super::patience::Patience;
use super::target::{Sessions, Work};
use super::tuner::Tuner;
use super::waves::{Listed, Turn, turns};
use super::{Event, Failure, Migrated, Progress, Stop, StopReason};

/// How often progress is told where nothing happens.
const TICK: Duration = Duration::from_secs(1);

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
}

/// A rollout to be carried out.
pub struct Job<'a> {
    pub engine: &'a dyn Engine,
    pub set: &'a MigrationSet,
    pub plan: &'a [TenantPlan],
    pub locations: &'a BTreeSet<String>,
    pub ensure: &'a [TenantName],
    pub rollout: &'a Rollout,
    /// What the groups' queries gave.
    pub listed: &'a Listed,
    pub inspector: &'a dyn Inspector,
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
    };
    let mut canaries = None;
    for turn in &turns {
        crew.turn(turn).await;
        if turn.validated && crew.halt.is_none() {
            canaries = Some(crew.inspect(turn).await);
        }
        if crew.halt.is_some() {
            break;
        }
    }
    job.progress.tell(&Event::Finished);
    RolledOut {
        results: crew.results,
        canaries,
        halt: crew.halt,
    }
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
        state,
        applied: Vec::new(),
        head: plan.pending.head,
        duration_ms: 0,
        retries: 0,
        error: None,
    };
    TenantResult {
        outcome,
        finding: None,
    }
}

/// A tenant that somebody was at, and the connections that were used.
struct Hand {
    index: usize,
    sessions: Sessions,
    duration: Duration,
    done: Result<Migrated, Failure>,
}

struct Crew<'a> {
    job: &'a Job<'a>,
    /// Failures that do not end the rollout.
    allowed: usize,
    began: Instant,
    results: Vec<TenantResult>,
    failed: usize,
    halt: Option<Halt>,
}

impl Crew<'_> {
    async fn turn(&mut self, turn: &Turn) {
        let job = self.job;
        let mut queue: VecDeque<usize> = turn.tenants.iter().copied().collect();
        let mut tuner = Tuner::new(turn.concurrency);
        let mut patience = Patience::new(job.rollout);
        let mut idle: Vec<Sessions> = Vec::new();
        let mut hands = FuturesUnordered::new();
        let mut tick = tokio::time::interval(TICK);
        loop {
            while hands.len() < tuner.limit() && !self.must_stop() {
                let Some(index) = queue.pop_front() else { break };
                job.progress.tell(&Event::Begun(&job.plan[index].tenant.name));
                hands.push(take(job, idle.pop().unwrap_or_default(), index));
            }
            if hands.is_empty() {
                return;
            }
            let hand = tokio::select! {
                hand = hands.next() => hand,
                _ = tick.tick() => {
                    job.progress.tell(&Event::Tick);
                    continue;
                }
            };
            let Some(hand) = hand else { return };
            let crowded = matches!(&hand.done, Err(failure) if failure.crowded);
            if crowded {
                // It goes when one of the others is done, or after a while where there are no others.
                let wait = hands
                    .is_empty()
                    .then(|| patience.after(ErrorKind::Exhausted, true));
                if wait != Some(None) {
                    tuner.crowded(hands.len());
                    job.progress
                        .tell(&Event::PutBack(&job.plan[hand.index].tenant.name));
                    queue.push_front(hand.index);
                    if let Some(Some(delay)) = wait {
                        tokio::select! {
                            () = tokio::time::sleep(delay) => {}
                            () = job.stop.wanted() => {}
                        }
                    }
                    continue;
                }
            }
            tuner.done(self.began.elapsed());
            if hand.done.is_ok() && idle.len() < tuner.limit() {
                idle.push(hand.sessions);
            }
            self.settle(turn, hand.index, hand.duration, hand.done);
        }
    }

    /// Keeps what became of a tenant, and halts where it must not go on.
    fn settle(&mut self, turn: &Turn, index: usize, duration: Duration, done: Result<Migrated, Failure>) {
        let tenant = &self.job.plan[index].tenant;
        let (state, migrated, finding) = match done {
            Ok(migrated) => (OutcomeState::Migrated, migrated, None),
            Err(failure) => {
                self.failed += 1;
                if failure.kind == Some(ErrorKind::Unreachable) {
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
            state,
            applied: migrated.applied,
            head: migrated.head,
            duration_ms: duration.as_millis() as u64,
            retries: migrated.retries,
            error: finding.as_ref().map(|finding| finding.message.clone()),
        };
        self.job.progress.tell(&Event::Done(&outcome));
        self.results[index] = TenantResult { outcome, finding };
    }

    /// Looks at those of a turn who were migrated.
    async fn inspect(&mut self, turn: &Turn) -> Vec<Finding> {
        let migrated = |index: &&usize| self.results[**index].outcome.state == OutcomeState::Migrated;
        let migrated = turn.tenants.iter().filter(migrated);
        let tenants: Vec<&Tenant> = migrated.map(|index| &self.job.plan[*index].tenant).collect();
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
        findings
    }

    fn must_stop(&mut self) -> bool {
        if self.job.stop.requested() {
            let reason = self.job.stop.reason().unwrap_or(StopReason::Signal);
            self.halt.get_or_insert(Halt::Stopped(reason));
        }
        self.halt.is_some()
    }
}

/// Carries one tenant out, or is told to drop it.
async fn take(job: &Job<'_>, mut sessions: Sessions, index: usize) -> Hand {
    let TenantPlan { tenant, pending } = &job.plan[index];
    let begun = Instant::now();
    let work = Work {
        engine: job.engine,
        target: Target::Tenant(tenant),
        create: !job.locations.contains(&tenant.location),
        migrations: &job.set.tenant,
        rollout: job.rollout,
        progress: job.progress,
    };
    let done = tokio::select! {
        done = work.carry_out(&mut sessions, pending) => done,
        () = job.stop.aborted() => Err(Failure {
            migrated: Migrated { head: pending.head, ..Default::default() },
            finding: dropped(job),
            kind: None,
            crowded: false,
        }),
    };
    Hand {
        index,
        sessions,
        duration: begun.elapsed(),
        done,
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
