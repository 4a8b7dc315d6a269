//! Carrying migrations out: what commits by itself is in doubt before it is sent, and the transaction
//! that says so is the one that records what went before. So whoever is cut off at any instant leaves
//! each statement recorded, or in doubt with a probe that tells.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::Migration;
use crate::engine::{EngineError, StepError, Target};

use super::connect::Failed;
use super::effect::Effect;
use super::message::{Message, Purpose};
use super::parts::{Known, Part, Touched, know, parts};
use super::place::place;
use super::probe::letters;
use super::session::{DUPLICATE_ENTRY, MysqlSession, OUT_OF_RANGE};
use super::sql::{ident, literal};

/// Longer messages are sent in parts: servers take 4 MiB (MySQL 5.7) or more.
const LONGEST_MESSAGE: usize = 256 * 1024;

/// What is to be done for one target.
pub(super) struct Work<'a> {
    pub(super) target: Target<'a>,
    pub(super) create: bool,
    pub(super) migrations: &'a [&'a Migration],
    /// Where the last migration's work ends.
    pub(super) until: usize,
}

/// How far it came.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    pub(super) migration: usize,
    pub(super) statement: usize,
    /// The migration has its row, and that is ours.
    pub(super) begun: bool,
}

impl Position {
    /// In the first migration, whose row is ours.
    pub(super) fn begun_at(statement: usize) -> Self {
        Self {
            migration: 0,
            statement,
            begun: true,
        }
    }
}

enum Stopped {
    /// The ledger failed and then recorded what had been done: it goes on from there.
    Again(Position),
    Failed(StepError),
}

/// What is collected until it is sent.
struct Draft {
    message: Message,
    /// The migration whose row is ours and says less than what was done.
    open: Option<usize>,
    /// The last statement that messages before carried out.
    done: Option<(usize, usize)>,
}

impl MysqlSession {
    pub(super) async fn carry(&mut self, work: &Work<'_>, mut at: Position) -> Result<(), StepError> {
        let known: Vec<Arc<Vec<Known>>> = work.migrations.iter().map(|it| self.known(it)).collect();
        loop {
            match self.carry_from(work, &known, at).await {
                Ok(()) => return Ok(()),
                Err(Stopped::Again(position)) => at = position,
                Err(Stopped::Failed(error)) => return Err(error),
            }
        }
    }

    /// Read once for all tenants of this session.
    fn known(&mut self, migration: &Migration) -> Arc<Vec<Known>> {
        let known = self.known.entry(migration.checksum.clone());
        known.or_insert_with(|| Arc::new(know(migration))).clone()
    }

    async fn carry_from(
        &mut self,
        work: &Work<'_>,
        known: &[Arc<Vec<Known>>],
        at: Position,
    ) -> Result<(), Stopped> {
        let absent = self.absent(work, known, at).await?;
        let mut draft = Draft {
            message: Message::default(),
            open: at.begun.then_some(at.migration),
            done: None,
        };
        for (m, statements) in known.iter().enumerate().skip(at.migration) {
            self.flush(work, &mut draft).await?;
            let range = range_of(work, m, at, statements.len());
            if range.is_empty() && draft.open != Some(m) {
                self.mark(work, &mut draft, m, 0, None);
            }
            for part in parts(statements, range) {
                if draft.message.len() > LONGEST_MESSAGE {
                    self.flush(work, &mut draft).await?;
                }
                match part {
                    Part::Inside(index) => {
                        self.inside(work, &mut draft, m, index, &statements[index])
                            .await?
                    }
                    Part::Alone(index) => self.alone(work, &mut draft, m, index, &statements[index]).await?,
                    Part::Group(group) => {
                        let new = |it: usize| absent.contains(&(m, it));
                        self.group(work, &mut draft, m, group, statements, &new).await?;
                    }
                }
            }
        }
        if let Some(m) = draft.open {
            let done = self.advanced(work.target, work.migrations[m], done_at_end(work, m));
            self.fence_in(work, &mut draft, m);
            draft.message.add(Purpose::Ours, &done);
            draft.message.add(Purpose::Ours, "COMMIT");
        }
        self.flush(work, &mut draft).await
    }

    /// Statements that make what is not there and what nothing before them can have made: asked for
    /// all at once.
    async fn absent(
        &mut self,
        work: &Work<'_>,
        known: &[Arc<Vec<Known>>],
        at: Position,
    ) -> Result<Vec<(usize, usize)>, Stopped> {
        let mut touched = Touched::default();
        let mut asked = Vec::new();
        let mut objects = Vec::new();
        for (m, statements) in known.iter().enumerate().skip(at.migration) {
            for index in range_of(work, m, at, statements.len()) {
                let statement = &statements[index];
                if let Some(object) = statement.makes().filter(|_| touched.spares(statement)) {
                    asked.push((m, index));
                    objects.push(object);
                }
                touched.add(statement);
            }
        }
        let present = self.present(work.target, &objects).await;
        let present = present.map_err(|error| stopped(work, at.migration, None, error))?;
        let pairs = asked.into_iter().zip(present);
        Ok(pairs.filter(|it| !it.1).map(|it| it.0).collect())
    }

    async fn inside(
        &mut self,
        work: &Work<'_>,
        draft: &mut Draft,
        m: usize,
        index: usize,
        statement: &Known,
    ) -> Result<(), Stopped> {
        if draft.open != Some(m) || statement.opaque {
            // What it does may change what a probe asks for.
            self.mark(work, draft, m, index, None);
        }
        if statement.opaque {
            self.flush(work, draft).await?;
        }
        self.fence_in(work, draft, m);
        self.user(draft, m, index, statement);
        self.record_in(work, draft, m, index + 1);
        if statement.opaque {
            self.flush(work, draft).await?;
        }
        Ok(())
    }

    async fn alone(
        &mut self,
        work: &Work<'_>,
        draft: &mut Draft,
        m: usize,
        index: usize,
        statement: &Known,
    ) -> Result<(), Stopped> {
        if statement.opaque || !matches!(statement.effect, Effect::Repeatable | Effect::Untraceable) {
            // What it changes is looked at when all before it is done.
            self.flush(work, draft).await?;
        }
        let probe = self.probe(work.target, &statement.effect).await;
        let probe = probe.map_err(|error| stopped(work, m, Some(index), error))?;
        self.mark(work, draft, m, index, Some(&probe));
        self.user(draft, m, index, statement);
        if statement.effect == Effect::Untraceable {
            self.fence_in(work, draft, m);
            self.record_in(work, draft, m, index + 1);
        }
        if statement.opaque {
            self.flush(work, draft).await?;
        }
        Ok(())
    }

    async fn group(
        &mut self,
        work: &Work<'_>,
        draft: &mut Draft,
        m: usize,
        group: Range<usize>,
        statements: &[Known],
        absent: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<(), Stopped> {
        let made = |it: &usize| statements[*it].makes().filter(|_| !absent(*it)).is_some();
        let unsure: Vec<usize> = group.clone().filter(made).collect();
        let mut there = Vec::new();
        if !unsure.is_empty() {
            self.flush(work, draft).await?;
            let objects: Vec<_> = unsure.iter().filter_map(|it| statements[*it].makes()).collect();
            let present = self.present(work.target, &objects).await;
            let present = present.map_err(|error| stopped(work, m, Some(group.start), error))?;
            let pairs = unsure.into_iter().zip(present);
            there = pairs.filter(|it| it.1).map(|it| it.0).collect();
        }
        let probe = letters(group.clone().map(|index| {
            let makes = statements[index].makes().is_some();
            makes.then(|| there.contains(&index))
        }));
        self.mark(work, draft, m, group.start, Some(&probe));
        for index in group {
            self.user(draft, m, index, &statements[index]);
        }
        Ok(())
    }

    fn user(&mut self, draft: &mut Draft, m: usize, index: usize, statement: &Known) {
        if statement.traces {
            self.reusable = false;
        }
        draft.message.add(Purpose::Statement(m, index), &statement.sql);
    }

    /// Opens a transaction in which the migration's row is ours.
    fn fence_in(&self, work: &Work<'_>, draft: &mut Draft, m: usize) {
        self.place_in(work, draft);
        draft.message.add(Purpose::Ours, "START TRANSACTION");
        let fence = self.fence(work.target, work.migrations[m]);
        draft.message.add(Purpose::Fence, &fence);
    }

    /// Ends it with what is done.
    fn record_in(&self, work: &Work<'_>, draft: &mut Draft, m: usize, done: usize) {
        let advanced = self.advanced(work.target, work.migrations[m], done);
        draft.message.add(Purpose::Ours, &advanced);
        draft.message.add(Purpose::Ours, "COMMIT");
        let finished = done >= work.migrations[m].statements.len();
        draft.open = (!finished).then_some(m);
    }

    fn place_in(&self, work: &Work<'_>, draft: &mut Draft) {
        if draft.message.is_empty() {
            let database = ident(&self.database(work.target));
            draft.message.add(Purpose::Ours, &format!("USE {database}"));
        }
    }

    /// One transaction: what went before is done, and what follows is in doubt where it has a probe.
    fn mark(&self, work: &Work<'_>, draft: &mut Draft, m: usize, index: usize, probe: Option<&str>) {
        let migration = work.migrations[m];
        match draft.open {
            Some(open) => self.fence_in(work, draft, open),
            None => {
                if let (true, true, Target::Tenant(tenant)) =
                    (work.create, draft.message.is_empty(), work.target)
                {
                    let create = format!("CREATE DATABASE IF NOT EXISTS {}", ident(&tenant.location));
                    draft.message.add(Purpose::Ours, &create);
                    let place = format!("USE {}", ident(&tenant.location));
                    draft.message.add(Purpose::Ours, &place);
                }
                self.place_in(work, draft);
                draft.message.add(Purpose::Ours, "START TRANSACTION");
            }
        }
        if draft.open == Some(m) {
            let set = format!(
                "in_doubt = {}, statement = {index}, done = {}, checksum = {}, probe = {}",
                u8::from(probe.is_some()),
                literal(&migration.done_checksum(index).0),
                literal(&migration.checksum.0),
                literal(probe.unwrap_or_default())
            );
            let update = self.update(work.target, migration, &set);
            draft.message.add(Purpose::Ours, &update);
        } else {
            if let Some(open) = draft.open {
                let done = self.advanced(work.target, work.migrations[open], done_at_end(work, open));
                draft.message.add(Purpose::Ours, &done);
            }
            let begin = self.begin_row(work.target, migration, probe);
            draft.message.add(Purpose::Begin, &begin);
        }
        draft.message.add(Purpose::Ours, "COMMIT");
        draft.open = Some(m);
    }

    async fn flush(&mut self, work: &Work<'_>, draft: &mut Draft) -> Result<(), Stopped> {
        if draft.message.is_empty() {
            return Ok(());
        }
        let message = std::mem::take(&mut draft.message);
        match self.send_or_roll_back(message.text().to_owned()).await {
            Ok(_) => {
                self.owned = draft.open.map(|it| self.key(work.target, work.migrations[it]));
                draft.done = message.last_done(usize::MAX).or(draft.done);
                Ok(())
            }
            Err(failed) => Err(self.understand(work, &message, draft.done, failed).await),
        }
    }

    /// What an error is about, and the ledger told of it as far as that can be.
    async fn understand(
        &mut self,
        work: &Work<'_>,
        message: &Message,
        before: Option<(usize, usize)>,
        failed: Failed,
    ) -> Stopped {
        self.owned = None;
        let Failed {
            error,
            completed,
            number,
        } = failed;
        let purpose = message.failed(completed);
        if let Purpose::Statement(m, index) = purpose {
            let error = error.without(message.tail(completed));
            if number.is_some() && !error.kind.is_operational() {
                // Where this fails too the statement stays in doubt, which the next run settles.
                let _ = self.refused(work.target, work.migrations[m], index).await;
            }
            return stopped(work, m, Some(index), error);
        }
        let done = message.last_done(completed);
        let m = message.next(completed).or(done).or(before).map_or(0, |it| it.0);
        let moved = (purpose == Purpose::Fence && number == Some(OUT_OF_RANGE))
            || (purpose == Purpose::Begin && number == Some(DUPLICATE_ENTRY));
        if moved {
            return stopped(work, m, None, self.moved());
        }
        // The ledger's own trouble. What took effect must not look like refused.
        let Some((m_done, index)) = done.or(before).filter(|_| number.is_some()) else {
            return stopped(work, m, None, error);
        };
        match self.record(work.target, work.migrations[m_done], index + 1).await {
            Ok(()) if done.is_some() => Stopped::Again(after(work, m_done, index + 1)),
            Err(error) if done.is_some() => stopped(work, m_done, Some(index), error),
            _ => stopped(work, m, None, error),
        }
    }

    async fn refused(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        index: usize,
    ) -> Result<(), EngineError> {
        let set = format!(
            "in_doubt = 0, probe = '', statement = {index}, done = {}, checksum = {}",
            literal(&migration.done_checksum(index).0),
            literal(&migration.checksum.0)
        );
        let update = self.update(target, migration, &set);
        self.send_fenced(target, migration, &update).await
    }
}

fn stopped(work: &Work<'_>, migration: usize, index: Option<usize>, error: EngineError) -> Stopped {
    let statement = index.and_then(|it| work.migrations.get(migration)?.statements.get(it));
    Stopped::Failed(StepError {
        place: statement.map(|it| place(&error.message, it)),
        error,
        migration,
    })
}

fn after(work: &Work<'_>, migration: usize, statement: usize) -> Position {
    if statement < work.migrations[migration].statements.len() {
        Position {
            migration,
            statement,
            begun: true,
        }
    } else {
        Position {
            migration: migration + 1,
            statement: 0,
            begun: false,
        }
    }
}

fn range_of(work: &Work<'_>, m: usize, at: Position, statements: usize) -> Range<usize> {
    let from = if m == at.migration { at.statement } else { 0 };
    let end = if m + 1 == work.migrations.len() {
        work.until.min(statements)
    } else {
        statements
    };
    from..end.max(from)
}

fn done_at_end(work: &Work<'_>, m: usize) -> usize {
    let all = work.migrations[m].statements.len();
    if m + 1 == work.migrations.len() {
        work.until.min(all)
    } else {
        all
    }
}
