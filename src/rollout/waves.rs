//! All tenants: ensured ones first, then canaries, then the rest in parallel, as far as failures allow.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Instant;

use futures_util::future::join_all;

use crate::domain::{Finding, MigrationSet, Outcome, OutcomeState, TenantName};
use crate::engine::{Engine, Target};
use crate::migrations::TenantPlan;
use crate::settings::Rollout;

use super::target::{Sessions, Work};
use super::{Event, Progress, Stop, StopReason};

/// One tenant's outcome, and the finding where it failed.
#[derive(Debug)]
pub struct TenantResult {
    pub outcome: Outcome,
    pub finding: Option<Finding>,
}

/// Migrates every tenant that is behind; each gets a result, in the order of the plan.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that only the caller knows"
)]
pub async fn roll_out(
    engine: &dyn Engine,
    set: &MigrationSet,
    plan: &[TenantPlan],
    locations: &BTreeSet<String>,
    ensure: &[TenantName],
    rollout: &Rollout,
    stop: &Stop,
    progress: &dyn Progress,
) -> Vec<TenantResult> {
    let crew = Crew {
        engine,
        set,
        plan,
        locations,
        rollout,
        stop,
        progress,
        results: Mutex::new(plan.iter().map(up_to_date_or_not_reached).collect()),
        failures: Mutex::new(0),
    };
    let behind = |index: &usize| !plan[*index].pending.migrations.is_empty();
    let behind: Vec<usize> = (0..plan.len()).filter(behind).collect();
    progress.tell(&Event::Tenants {
        total: plan.len(),
        behind: behind.len(),
    });
    for wave in waves(plan, &behind, ensure, &rollout.canary) {
        crew.wave(wave).await;
        if crew.must_stop() || crew.has_failed() {
            break;
        }
    }
    progress.tell(&Event::Finished);
    crew.results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn up_to_date_or_not_reached(plan: &TenantPlan) -> TenantResult {
    let state = if plan.pending.migrations.is_empty() {
        OutcomeState::UpToDate
    } else {
        OutcomeState::NotReached
    };
    let outcome = Outcome {
        tenant: Some(plan.tenant.name.clone()),
        state,
        applied: Vec::new(),
        undone: Vec::new(),
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

/// A later wave begins only when the one before went well.
fn waves(
    plan: &[TenantPlan],
    behind: &[usize],
    ensure: &[TenantName],
    canary: &[TenantName],
) -> Vec<VecDeque<usize>> {
    let mut waves = vec![VecDeque::new(); 3];
    for index in behind {
        let name = &plan[*index].tenant.name;
        let wave = if ensure.contains(name) {
            0
        } else if canary.contains(name) {
            1
        } else {
            2
        };
        waves[wave].push_back(*index);
    }
    waves.retain(|wave| !wave.is_empty());
    waves
}

struct Crew<'a> {
    engine: &'a dyn Engine,
    set: &'a MigrationSet,
    plan: &'a [TenantPlan],
    locations: &'a BTreeSet<String>,
    rollout: &'a Rollout,
    stop: &'a Stop,
    progress: &'a dyn Progress,
    results: Mutex<Vec<TenantResult>>,
    failures: Mutex<usize>,
}

impl Crew<'_> {
    async fn wave(&self, wave: VecDeque<usize>) {
        let workers = self.rollout.concurrency.clamp(1, wave.len().max(1));
        let queue = Mutex::new(wave);
        join_all((0..workers).map(|_| self.work(&queue))).await;
    }

    async fn work(&self, queue: &Mutex<VecDeque<usize>>) {
        let mut sessions = Sessions::default();
        while !self.must_stop() {
            let Some(index) = locked(queue).pop_front() else {
                return;
            };
            let result = self.tenant(&mut sessions, index).await;
            if result.outcome.state == OutcomeState::Failed {
                *locked(&self.failures) += 1;
                // After a failure nothing is known of the connection.
                sessions = Sessions::default();
            }
            self.progress.tell(&Event::Done(&result.outcome));
            locked(&self.results)[index] = result;
        }
    }

    async fn tenant(&self, sessions: &mut Sessions, index: usize) -> TenantResult {
        let TenantPlan { tenant, pending } = &self.plan[index];
        let begun = Instant::now();
        let work = Work {
            engine: self.engine,
            target: Target::Tenant(tenant),
            create: !self.locations.contains(&tenant.location),
            migrations: &self.set.tenant,
            lock_retries: self.rollout.lock_retries,
            progress: self.progress,
        };
        let carried_out = tokio::select! {
            carried_out = work.carry_out(sessions, pending) => carried_out,
            () = self.stop.aborted() => Err(super::Failure {
                migrated: super::Migrated { head: pending.head, ..Default::default() },
                finding: self.dropped(),
            }),
        };
        let (state, migrated, finding) = match carried_out {
            Ok(migrated) => (OutcomeState::Migrated, migrated, None),
            Err(failure) => (
                OutcomeState::Failed,
                failure.migrated,
                Some(failure.finding.tenant(&tenant.name)),
            ),
        };
        let outcome = Outcome {
            tenant: Some(tenant.name.clone()),
            state,
            applied: migrated.applied,
            undone: Vec::new(),
            head: migrated.head,
            duration_ms: begun.elapsed().as_millis() as u64,
            retries: migrated.retries,
            error: finding.as_ref().map(|finding| finding.message.clone()),
        };
        TenantResult { outcome, finding }
    }

    fn dropped(&self) -> Finding {
        let why = match self.stop.reason() {
            Some(StopReason::LeaseLost) => "another run took the environment over",
            _ => "the run was told to end",
        };
        let undone = if self.engine.rolls_back_ddl() {
            "the server rolls its transaction back"
        } else {
            "the ledger has the statement it was at"
        };
        Finding::error(format!("cut off in the middle because {why}; {undone}"))
            .hint("run again: it goes on from there")
            .operational(true)
    }

    fn has_failed(&self) -> bool {
        *locked(&self.failures) > 0
    }

    fn must_stop(&self) -> bool {
        self.stop.requested() || *locked(&self.failures) > self.rollout.max_failures
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
