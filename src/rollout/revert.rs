//! Migrations taken back by their down files: of many tenants at once, with what holds for the way there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Instant;

use futures_util::future::join_all;

use crate::domain::{
    Entry, EntryState, Finding, History, Migration, MigrationSet, Outcome, OutcomeState, Version,
};
use crate::engine::{Engine, Session, Target};
use crate::migrations::{Resume, Undo, undo};
use crate::settings::{Concurrency, Rollout};

use super::crew::{TICK, TenantResult};
use super::patience::Patience;
use super::ranges::Reached;
use super::target::{Failed, Sessions, Work};
use super::{Event, Progress, Stop, StopReason};

/// One tenant (or the shared schema), and the versions that are to be taken back of it.
#[derive(Debug, Clone)]
pub struct Revert<'a> {
    pub target: Target<'a>,
    pub versions: Vec<Version>,
    /// Where it stands before.
    pub head: Option<Version>,
    /// What is to be done where it fails: "run the rollback again".
    pub again: String,
}

/// Takes back what is asked for, newest first; each gets a result, in the order asked. A failure of one
/// does not keep the others from their way back. What the ledger does not have any more is done.
pub async fn revert(
    engine: &dyn Engine,
    set: &MigrationSet,
    reverts: &[Revert<'_>],
    rollout: &Rollout,
    stop: &Stop,
    progress: &dyn Progress,
) -> Vec<TenantResult> {
    let crew = Crew {
        engine,
        set,
        reverts,
        rollout,
        stop,
        progress,
    };
    progress.tell(&Event::Back { total: reverts.len() });
    let results = Mutex::new(reverts.iter().map(not_reached).collect::<Vec<_>>());
    let mut queues: BTreeMap<_, VecDeque<usize>> = BTreeMap::new();
    for (index, revert) in reverts.iter().enumerate() {
        queues.entry(revert.target.server()).or_default().push_back(index);
    }
    let queues: Vec<_> = queues
        .into_iter()
        .map(|(server, queue)| {
            let workers = match rollout.concurrency_on(server, rollout.concurrency) {
                Concurrency::Auto => AUTO,
                Concurrency::Fixed(number) => number,
            };
            (workers.clamp(1, queue.len().max(1)), Mutex::new(queue))
        })
        .collect();
    let workers = queues
        .iter()
        .flat_map(|(workers, queue)| (0..*workers).map(|_| crew.work(queue, &results)));
    let time_goes_by = async {
        loop {
            tokio::time::sleep(TICK).await;
            progress.tell(&Event::Tick);
        }
    };
    tokio::select! {
        _ = join_all(workers) => {}
        () = time_goes_by => {}
    }
    progress.tell(&Event::Finished);
    results
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Ways back are few and rare: none is worth measuring the server.
const AUTO: usize = 4;

fn not_reached(revert: &Revert<'_>) -> TenantResult {
    let outcome = Outcome {
        tenant: tenant(revert.target),
        server: revert.target.server().cloned(),
        state: OutcomeState::NotReached,
        applied: Vec::new(),
        undone: Vec::new(),
        head: revert.head,
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

fn tenant(target: Target<'_>) -> Option<crate::domain::TenantName> {
    match target {
        Target::Shared => None,
        Target::Tenant(tenant) => Some(tenant.name.clone()),
    }
}

struct Crew<'a> {
    engine: &'a dyn Engine,
    set: &'a MigrationSet,
    reverts: &'a [Revert<'a>],
    rollout: &'a Rollout,
    stop: &'a Stop,
    progress: &'a dyn Progress,
}

impl Crew<'_> {
    async fn work(&self, queue: &Mutex<VecDeque<usize>>, results: &Mutex<Vec<TenantResult>>) {
        let mut sessions = Sessions::default();
        while !self.stop.requested() {
            let Some(index) = locked(queue).pop_front() else {
                return;
            };
            if let Target::Tenant(tenant) = self.reverts[index].target {
                self.progress.tell(&Event::Begun(&tenant.name));
            }
            let result = self.one(&mut sessions, &self.reverts[index]).await;
            if result.outcome.state == OutcomeState::Failed {
                // After a failure nothing is known of the connection.
                sessions = Sessions::default();
            }
            self.progress.tell(&Event::Done(&result.outcome));
            locked(results)[index] = result;
        }
    }

    async fn one(&self, sessions: &mut Sessions, revert: &Revert<'_>) -> TenantResult {
        let begun = Instant::now();
        let work = Back {
            work: Work {
                engine: self.engine,
                target: revert.target,
                create: false,
                migrations: self.set.of(revert.target.scope()),
                rollout: self.rollout,
                stop: self.stop,
                reached: Reached::default(),
                progress: self.progress,
            },
            versions: &revert.versions,
            again: &revert.again,
        };
        let went = tokio::select! {
            went = work.carry_out(sessions) => went,
            () = self.stop.aborted() => Went {
                finding: Some(self.dropped(revert)),
                ..Went::default()
            },
        };
        let finding = went.finding.map(|finding| match revert.target {
            Target::Shared => finding,
            Target::Tenant(tenant) => finding.tenant(&tenant.name),
        });
        let state = match (&finding, went.undone.is_empty()) {
            (Some(_), _) => OutcomeState::Failed,
            (None, true) => OutcomeState::UpToDate,
            (None, false) => OutcomeState::RolledBack,
        };
        let outcome = Outcome {
            tenant: tenant(revert.target),
            server: revert.target.server().cloned(),
            state,
            applied: Vec::new(),
            undone: went.undone,
            head: went.head,
            duration_ms: begun.elapsed().as_millis() as u64,
            retries: went.retries,
            rows: None,
            error: finding.as_ref().map(|finding| finding.message.clone()),
        };
        TenantResult { outcome, finding }
    }

    fn dropped(&self, revert: &Revert<'_>) -> Finding {
        let why = match self.stop.reason() {
            Some(StopReason::LeaseLost) => "another run took the environment over",
            _ => "the run was told to end",
        };
        let left = if self.engine.rolls_back_ddl() {
            "the server undoes what was not committed"
        } else {
            "the ledger has the statement it was at"
        };
        Finding::error(format!("cut off on the way back because {why}; {left}"))
            .hint(format!("{}: it goes on from there", revert.again))
            .operational(true)
    }
}

/// What became of one.
#[derive(Default)]
struct Went {
    undone: Vec<Version>,
    head: Option<Version>,
    retries: u32,
    finding: Option<Finding>,
}

/// The way back of one target.
struct Back<'a> {
    work: Work<'a>,
    versions: &'a [Version],
    again: &'a str,
}

impl Back<'_> {
    /// Tries until done, refused, or out of tries. The ledger, not the error, says what happened.
    async fn carry_out(&self, sessions: &mut Sessions) -> Went {
        let mut patience = Patience::new(self.work.rollout);
        let mut went = Went::default();
        let before = match self.work.engine.history(self.work.target).await {
            Ok(history) => history,
            Err(error) => {
                went.finding = Some(self.finding(&Failed::of(error, None), None));
                return went;
            }
        };
        if let Some(finding) = self.half_done(&before) {
            went.finding = Some(finding);
            return self.done(went, &before, Some(&before));
        }
        let mut undo = self.undo(&before);
        loop {
            let Err(failed) = self.attempt(sessions, &undo).await else {
                return self.done(went, &before, None);
            };
            // After an error nothing is known of the connections.
            *sessions = Sessions::default();
            loop {
                let history = self.work.engine.history(self.work.target).await;
                if let Ok(now) = &history {
                    let left = self.undo(now);
                    // The answer to COMMIT was lost, or another run was faster.
                    if left.is_empty() && !failed.error.kind.is_refusal() {
                        return self.done(went, &before, Some(now));
                    }
                    undo = left;
                }
                let kind = history
                    .as_ref()
                    .map_or_else(|error| error.kind, |_| failed.error.kind);
                let Some(delay) = patience.after(kind, failed.crowded) else {
                    went.finding = Some(self.finding(&failed, history.as_ref().ok()));
                    let now = history.unwrap_or_else(|_| before.clone());
                    return self.done(went, &before, Some(&now));
                };
                self.work.progress.tell(&Event::Retry {
                    tenant: tenant(self.work.target).as_ref(),
                    message: &failed.error.message,
                });
                tokio::time::sleep(delay).await;
                went.retries += 1;
                if history.is_ok() {
                    break;
                }
            }
        }
    }

    fn undo(&self, history: &History) -> Undo {
        undo(self.work.migrations, history, |version| {
            self.versions.contains(&version)
        })
    }

    /// What was half done on the way there has no way back before it is whole. Where it is all that was
    /// asked for, whoever failed there has said so.
    fn half_done(&self, history: &History) -> Option<Finding> {
        let is_running = |entry: &&Entry| matches!(entry.state, EntryState::Running { .. });
        let mut running = history.iter().filter(is_running);
        let entry = running.find(|entry| !self.work.is_void(entry))?;
        if self.undo(history).is_empty() {
            return None;
        }
        Some(
            Finding::error(format!(
                "{} {} is half done, so nothing below it is taken back",
                self.work.target.scope(),
                entry.version
            ))
            .hint(format!(
                "run `tenantgate migrate` until it is whole; then {}",
                self.again
            )),
        )
    }

    /// With what the ledger has now; none: all that was asked for is gone.
    fn done(&self, mut went: Went, before: &History, now: Option<&History>) -> Went {
        let asked = self.undo(before);
        let left = now.map_or_else(Undo::default, |now| self.undo(now));
        let version = |index: &usize| self.work.migrations[*index].version;
        let gone = asked.migrations.iter().filter(|it| !left.migrations.contains(it));
        went.undone = gone.map(version).collect();
        went.head = left.migrations.iter().map(version).max().max(asked.stays);
        went
    }

    async fn attempt(&self, sessions: &mut Sessions, undo: &Undo) -> Result<(), Failed<'_>> {
        let migrations = self.work.migrations;
        for migration in undo.void.iter().map(|index| &migrations[*index]) {
            let session = self.session(sessions, !migration.transactional).await?;
            let withdrawn = session.withdraw(self.work.target, migration).await;
            withdrawn.map_err(|error| Failed::of(error, Some(migration)))?;
        }
        let mut rest: VecDeque<&Migration> =
            undo.migrations.iter().map(|index| &migrations[*index]).collect();
        let mut resume: Option<&Resume> = undo.resume.as_ref();
        while let Some(first) = rest.front().copied() {
            let Some(down) = first.down.as_deref() else {
                return Err(self.no_way_back(first));
            };
            let together = |it: &&&Migration| {
                self.work.engine.rolls_back_ddl() && it.down.as_ref().is_some_and(|down| down.transactional)
            };
            let batch = match resume {
                Some(_) => 0,
                None => rest.iter().take_while(together).count(),
            };
            let direct = batch == 0 && !down.transactional;
            let session = self.session(sessions, direct).await?;
            if batch > 0 {
                let these: Vec<&Migration> = rest.drain(..batch).collect();
                let taken = session.revert(self.work.target, &these).await;
                taken.map_err(|failed| Failed {
                    migration: these.get(failed.migration).and_then(|it| it.down.as_deref()),
                    place: failed.place,
                    error: failed.error,
                    crowded: false,
                })?;
            } else {
                rest.pop_front();
                let resume = resume.take();
                self.work.by_statement(session, false, down, resume).await?;
            }
        }
        Ok(())
    }

    async fn session<'s>(
        &self,
        sessions: &'s mut Sessions,
        direct: bool,
    ) -> Result<&'s mut Box<dyn Session>, Failed<'static>> {
        let session = sessions
            .get(self.work.engine, self.work.target.server(), direct)
            .await;
        session.map_err(Failed::of_connecting)
    }

    /// Asked before anything is touched; here only where the caller did not.
    fn no_way_back<'m>(&self, migration: &'m Migration) -> Failed<'m> {
        let message = "it has no down file";
        let redactor = crate::domain::Redactor::default();
        let error = crate::engine::EngineError::without_server(message, &redactor);
        Failed::of(error, Some(migration))
    }

    fn finding(&self, failed: &Failed<'_>, history: Option<&History>) -> Finding {
        let state = self.work.state(failed, history);
        let what = match failed.migration {
            Some(down) => format!("{} failed: {}; {state}", down.label(), failed.error.message),
            None => format!("{}; {state}", failed.error.message),
        };
        let mut finding = Finding::error(what).operational(failed.error.kind.is_operational());
        if let Some(down) = failed.migration {
            finding = finding.file(&down.file);
            if let Some((line, column)) = failed.place {
                finding = finding.at(line, column);
            }
        }
        let fallback = || {
            format!(
                "mend what it met in the data, or the down file; then {}",
                self.again
            )
        };
        finding.hint(failed.error.hint().unwrap_or_else(fallback))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
