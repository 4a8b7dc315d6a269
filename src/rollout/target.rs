//! The pending migrations of one target: batches, steps, retries.

use crate::domain::words::count;
use crate::domain::{Entry, EntryState, Finding, History, Migration, ServerName, TenantName, Version};
use crate::engine::{Engine, EngineError, ErrorKind, Session, StepError, Target};
use crate::migrations::{Pending, Resume, nothing_ran, pending_after};
use crate::settings::Rollout;

use super::patience::Patience;
use super::ranges::Reached;
use super::{Event, Progress, Stop};

/// What became of a target that went well.
#[derive(Debug, Default)]
pub struct Migrated {
    pub applied: Vec<Version>,
    pub head: Option<Version>,
    pub retries: u32,
    /// Rows that batches changed; absent where none ran.
    pub rows: Option<u64>,
}

/// What became of one that did not.
#[derive(Debug)]
pub struct Failure {
    pub migrated: Migrated,
    /// Message, place, hint, and where the target stands now; without its tenant.
    pub finding: Finding,
    /// What the last try ran into; absent where it was told to end.
    pub kind: Option<ErrorKind>,
    /// The server had no connection left to begin with.
    pub crowded: bool,
}

/// Connections of one worker to one server, made when first needed and kept while they are good. A worker
/// that goes on to another server leaves them, so that no server has more than it takes tenants at a time.
#[derive(Default)]
pub(super) struct Sessions {
    server: Option<ServerName>,
    usual: Option<Box<dyn Session>>,
    direct: Option<Box<dyn Session>>,
}

impl Sessions {
    pub(super) async fn get(
        &mut self,
        engine: &dyn Engine,
        server: Option<&ServerName>,
        direct: bool,
    ) -> Result<&mut Box<dyn Session>, EngineError> {
        if self.server.as_ref() != server {
            *self = Self {
                server: server.cloned(),
                ..Self::default()
            };
        }
        let slot = if direct { &mut self.direct } else { &mut self.usual };
        let session = match slot.take().filter(|session| session.reusable()) {
            Some(session) => session,
            None => engine.session(server, direct).await?,
        };
        Ok(slot.insert(session))
    }
}

/// Brings one target to its newest migration, on connections of its own.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing that only the caller knows"
)]
pub async fn migrate(
    engine: &dyn Engine,
    target: Target<'_>,
    create: bool,
    migrations: &[Migration],
    pending: &Pending,
    rollout: &Rollout,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<Migrated, Failure> {
    let work = Work {
        engine,
        target,
        create,
        migrations,
        rollout,
        stop,
        progress,
        reached: Reached::default(),
    };
    work.carry_out(&mut Sessions::default(), pending).await
}

/// One target and what is needed to migrate it.
pub(super) struct Work<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) target: Target<'a>,
    pub(super) create: bool,
    pub(super) migrations: &'a [Migration],
    pub(super) rollout: &'a Rollout,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a dyn Progress,
    pub(super) reached: Reached,
}

impl Work<'_> {
    /// Tries until done, refused, or out of tries. After an error the ledger is read again: it, not
    /// the error, says what happened.
    pub(super) async fn carry_out(
        &self,
        sessions: &mut Sessions,
        pending: &Pending,
    ) -> Result<Migrated, Failure> {
        let mut patience = Patience::new(self.rollout);
        let before = pending.clone();
        let mut pending = Some(before.clone());
        let mut retries = 0;
        loop {
            let tried = match &pending {
                Some(pending) => self.attempt(sessions, pending).await,
                // What the try before last left behind is still unknown.
                None => Ok(()),
            };
            let failed = match tried {
                Ok(()) if pending.is_some() => {
                    return Ok(self.migrated(&before, &Pending::default(), retries));
                }
                Ok(()) => None,
                Err(failed) => Some(failed),
            };
            let crowded = failed.as_ref().is_some_and(|failed| failed.crowded);
            // After an error nothing is known of the connections.
            *sessions = Sessions::default();
            let history = self.engine.history(self.target).await;
            let now = history.as_ref().ok().map(|it| pending_after(self.migrations, it));
            if let Some(now) = &now {
                let refused = failed
                    .as_ref()
                    .is_some_and(|failed| failed.error.kind.is_refusal());
                // The answer to COMMIT was lost, or another run was faster. A statement that the server
                // refused was never committed by us, whatever the ledger says.
                if now.migrations.is_empty() && !refused {
                    return Ok(self.migrated(&before, now, retries));
                }
            }
            let failed = match (failed, &history) {
                (Some(failed), _) => failed,
                (None, Err(error)) => Failed::of(error.clone(), None),
                (None, Ok(_)) => {
                    pending = now;
                    continue;
                }
            };
            // Each range of a batch has its own tries.
            if self.reached.further() {
                patience = Patience::new(self.rollout);
            }
            // Of many tenants one that finds no connection waits for the others to give theirs back.
            let wait = !crowded || self.target == Target::Shared;
            // Each range of a batch has its own tries.
            if self.reached.further() {
                patience = Patience::new(self.rollout);
            }
            let delay = wait.then(|| patience.after(failed.error.kind, crowded)).flatten();
            let Some(delay) = delay else {
                let left = now.unwrap_or_else(|| before.clone());
                return Err(Failure {
                    migrated: self.migrated(&before, &left, retries),
                    finding: self.finding(&failed, history.as_ref().ok()),
                    kind: Some(failed.error.kind),
                    crowded,
                });
            };
            self.progress.tell(&Event::Retry {
                tenant: self.tenant(),
                message: &failed.error.message,
            });
            tokio::time::sleep(delay).await;
            retries += 1;
            pending = now;
        }
    }

    pub(super) fn tenant(&self) -> Option<&TenantName> {
        match self.target {
            Target::Shared => None,
            Target::Tenant(tenant) => Some(&tenant.name),
        }
    }

    fn migrated(&self, before: &Pending, left: &Pending, retries: u32) -> Migrated {
        let version = |index: &usize| self.migrations[*index].version;
        let done = before
            .migrations
            .iter()
            .filter(|index| !left.migrations.contains(index));
        let applied: Vec<Version> = done.map(version).collect();
        let head = applied.iter().copied().max().max(before.head);
        Migrated {
            applied,
            head,
            retries,
            rows: self.reached.rows(),
        }
    }

    async fn attempt(&self, sessions: &mut Sessions, pending: &Pending) -> Result<(), Failed<'_>> {
        let mut rest = pending
            .migrations
            .iter()
            .map(|index| &self.migrations[*index])
            .collect::<Vec<_>>();
        let mut resume = pending.resume.as_ref();
        let mut create = self.create;
        while let Some(first) = rest.first().copied() {
            let together =
                |it: &&&Migration| self.engine.rolls_back_ddl() && it.transactional && it.batch.is_none();
            let batch = if resume.is_some() {
                0
            } else {
                rest.iter().take_while(together).count()
            };
            let direct = batch == 0 && !first.transactional;
            let session = sessions
                .get(self.engine, self.target.server(), direct)
                .await
                .map_err(Failed::of_connecting)?;
            if batch > 0 {
                let migrations: Vec<&Migration> = rest.drain(..batch).collect();
                let applied = session.apply(self.target, create, &migrations).await;
                applied.map_err(|failed| Failed::within(&migrations, failed))?;
            } else if let Some(ranges) = &first.batch {
                rest.remove(0);
                let begun = resume.take().is_some();
                self.by_ranges(session, create, first, ranges, begun).await?;
            } else if !self.engine.rolls_back_ddl() {
                let alike = |it: &&&Migration| it.transactional == first.transactional && it.batch.is_none();
                let alike = rest.iter().take_while(alike).count();
                let migrations: Vec<&Migration> = rest.drain(..alike).collect();
                let from = resume.take().map(|it| it.statement);
                let carried = session.carry_on(self.target, create, &migrations, from).await;
                carried.map_err(|failed| Failed::within(&migrations, failed))?;
            } else {
                rest.remove(0);
                self.by_statement(session, create, first, resume.take()).await?;
            }
            create = false;
        }
        Ok(())
    }

    /// Carries out a migration that cannot be rolled back whole: the ledger keeps up statement by
    /// statement, so that a rerun goes on where this one stopped.
    pub(super) async fn by_statement<'m>(
        &self,
        session: &mut Box<dyn Session>,
        create: bool,
        migration: &'m Migration,
        resume: Option<&Resume>,
    ) -> Result<(), Failed<'m>> {
        let whole = |error| Failed::of(error, Some(migration));
        let last = migration.statements.len();
        let start = match resume {
            None => {
                session
                    .begin(self.target, create, migration)
                    .await
                    .map_err(whole)?;
                0
            }
            Some(Resume { statement, .. }) => {
                let took_effect = session
                    .settle(self.target, migration, *statement)
                    .await
                    .map_err(whole)?;
                let start = if took_effect { statement + 1 } else { *statement };
                if took_effect || start >= last {
                    session
                        .advance(self.target, migration, start)
                        .await
                        .map_err(whole)?;
                }
                start
            }
        };
        for index in start..last {
            let Err(StepError { error, place, .. }) = session.step(self.target, migration, index).await
            else {
                continue;
            };
            // Only a refusal that the server spoke is known to have had no effect; and what another
            // run owns is that run's to record.
            if !error.kind.is_operational() && error.kind != ErrorKind::AlreadyApplied {
                // Where this fails too the statement stays in doubt, which the next run settles.
                let _ = session.refuse(self.target, migration, index).await;
            }
            return Err(Failed {
                error,
                migration: Some(migration),
                place,
                crowded: false,
            });
        }
        Ok(())
    }

    fn finding(&self, failed: &Failed<'_>, history: Option<&History>) -> Finding {
        let state = self.state(failed, history);
        let what = match failed.migration {
            Some(migration) => format!("{} failed: {}; {state}", migration.label(), failed.error.message),
            None => format!("{}; {state}", failed.error.message),
        };
        let mut finding = Finding::error(what).operational(failed.error.kind.is_operational());
        if let Some(migration) = failed.migration {
            finding = finding.file(&migration.file);
            if let Some((line, column)) = failed.place {
                finding = finding.at(line, column);
            }
        }
        let untouched = history.is_some_and(|it| it.iter().all(|entry| self.is_void(entry)));
        let foreign = untouched && failed.error.message.contains("already exists");
        let fallback = || {
            let hint = if foreign {
                "was this database migrated by another tool? `tenantgate baseline` adopts it; else mend what is in the way, \
                 then run again"
            } else {
                "mend what it met in the data, or, while nobody has applied this migration, the file; then run again"
            };
            hint.to_owned()
        };
        let hint = failed.error.hint().unwrap_or_else(fallback);
        finding.hint(hint)
    }

    /// Begun, and nothing of it ran.
    pub(super) fn is_void(&self, entry: &Entry) -> bool {
        let migration = self.migrations.iter().find(|it| it.version == entry.version);
        migration.is_some_and(|it| nothing_ran(entry, it))
    }

    /// Where the target stands now.
    pub(super) fn state(&self, failed: &Failed<'_>, history: Option<&History>) -> String {
        let who = match self.target {
            Target::Shared => "the shared schema".to_owned(),
            Target::Tenant(tenant) => tenant.name.to_string(),
        };
        let Some(history) = history else {
            return format!("where {who} stands could not be read, the next run will");
        };
        let half_done = history.iter().find_map(|entry| match &entry.state {
            // How far its ranges are is worth a word, also where that is nowhere.
            _ if self.is_void(entry) && self.reached.words().is_none() => None,
            EntryState::Running { statement, .. } => Some((entry.version, *statement, "through")),
            EntryState::Reverting { statement, .. } => Some((entry.version, *statement, "back from")),
            EntryState::Applied => None,
        });
        if let Some((version, done, way)) = half_done {
            let migration = failed.migration.filter(|it| it.version == version);
            let ranges = migration.filter(|it| it.batch.is_some());
            if let (Some(reached), Some(_)) = (self.reached.words(), ranges) {
                return format!(
                    "{who} is half way through {version}: {reached}, the next run goes on from there"
                );
            }
            let of = migration.map_or_else(String::new, |it| format!(" of {}", it.statements.len()));
            return format!(
                "{who} is half way {way} {version}: {}{of} done, the next run goes on with statement {}",
                count(done, "statement"),
                done + 1
            );
        }
        let applied = history.iter().filter(|entry| !self.is_void(entry));
        match applied.map(|entry| entry.version).max() {
            Some(head) => format!("{who} is at {head}, with nothing half done"),
            None => format!("{who} has no migration applied, and nothing half done"),
        }
    }
}

pub(super) struct Failed<'m> {
    pub(super) error: EngineError,
    pub(super) migration: Option<&'m Migration>,
    pub(super) place: Option<(usize, usize)>,
    /// The server had no connection left.
    pub(super) crowded: bool,
}

impl<'m> Failed<'m> {
    pub(super) fn of(error: EngineError, migration: Option<&'m Migration>) -> Self {
        Self {
            error,
            migration,
            place: None,
            crowded: false,
        }
    }

    pub(super) fn of_connecting(error: EngineError) -> Self {
        Self {
            crowded: error.kind == ErrorKind::Exhausted,
            ..Self::of(error, None)
        }
    }

    fn within(migrations: &[&'m Migration], failed: StepError) -> Self {
        Self {
            migration: migrations.get(failed.migration).copied(),
            place: failed.place,
            error: failed.error,
            crowded: false,
        }
    }
}
