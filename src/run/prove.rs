//! Migrations tried out where that leaves no trace: twice, back and again, and on what is there.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::baseline::told;
use crate::domain::{
    Check, CheckDefinition, Finding, Migration, MigrationSet, Scope, Structure, differences,
};
use crate::engine::{Engine, EngineError, Scratch};
use crate::prove::{self, BACK, ONTO, State, TWICE, Touched, changes};
use crate::settings::Proof;

use super::connect::finding;
use super::made::{failed, leaving};
use super::onto::Onto;
use super::survey::Survey;
use super::{Blocked, Gate, Stage};

/// Why a proof was not come to.
pub(super) enum Unproven {
    /// The migrations themselves are to blame.
    Found(Vec<Finding>),
    Engine(EngineError),
}

impl From<EngineError> for Unproven {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl Unproven {
    fn findings(self) -> Vec<Finding> {
        match self {
            Self::Found(findings) => findings,
            Self::Engine(error) => vec![finding(&error)],
        }
    }
}

pub(super) type Proven<T> = Result<T, Unproven>;

/// Where it is tried out, made anew when it is spoilt.
pub(super) struct Workbench<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) set: &'a MigrationSet,
    /// The real shared schema is seen behind.
    real: bool,
    scratch: Option<Box<dyn Scratch>>,
}

impl<'a> Workbench<'a> {
    fn new(engine: &'a dyn Engine, set: &'a MigrationSet) -> Self {
        Self {
            engine,
            set,
            real: false,
            scratch: None,
        }
    }

    /// The one in hand.
    pub(super) async fn scratch(&mut self) -> Result<&mut Box<dyn Scratch>, EngineError> {
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => self.engine.scratch(self.real).await?,
        };
        Ok(self.scratch.insert(scratch))
    }

    pub(super) async fn clear(&mut self) -> Result<(), EngineError> {
        match self.scratch.take() {
            Some(scratch) => scratch.close().await,
            None => Ok(()),
        }
    }

    /// Carries these out in an empty place. What extensions keep in the real shared schema may be needed.
    pub(super) async fn build(&mut self, migrations: &[&Migration]) -> Proven<()> {
        self.clear().await?;
        match self.carry_out(migrations).await {
            Err((error, _)) if error.kind.is_refusal() && !self.real => {
                self.clear().await?;
                self.real = true;
                let carried = self.carry_out(migrations).await;
                carried.map_err(|(error, migration)| unproven(migration, error))
            }
            carried => carried.map_err(|(error, migration)| unproven(migration, error)),
        }
    }

    async fn carry_out<'m>(
        &mut self,
        migrations: &[&'m Migration],
    ) -> Result<(), (EngineError, Option<&'m Migration>)> {
        let scratch = self.scratch().await.map_err(|error| (error, None))?;
        for migration in migrations {
            let carried = scratch.carry_out(migration).await;
            carried.map_err(|error| (error, Some(*migration)))?;
        }
        Ok(())
    }

    pub(super) async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        self.scratch().await?.structure(scope).await
    }

    async fn state(&mut self, scope: Scope) -> Result<State, EngineError> {
        let scratch = self.scratch().await?;
        Ok(State {
            structure: scratch.structure(scope).await?,
            rows: scratch.rows(scope).await?,
        })
    }
}

fn unproven(migration: Option<&Migration>, error: EngineError) -> Unproven {
    match migration {
        Some(_) => Unproven::Found(vec![failed(migration, &error)]),
        None => Unproven::Engine(error),
    }
}

impl Gate<'_> {
    /// The three proofs. One that fails does not keep the others from being tried.
    pub(super) async fn prove(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let set = self.set().clone();
        let all: Vec<&Migration> = set.iter().collect();
        let downs = all.iter().filter_map(|it| it.down.as_deref());
        let tried: Vec<&Migration> = all.iter().copied().chain(downs).collect();
        let leaving = leaving(engine, &tried);
        if !leaving.is_empty() {
            return self.add(vec![Check::answered(&TWICE, leaving)], Instant::now());
        }
        let mut bench = Workbench::new(engine, &set);
        let since = Instant::now();
        let proven = twice(&mut bench, &self.settings.proof).await;
        let whole = match proven {
            Ok((whole, findings)) => {
                let _ = self.proven(&mut bench, &TWICE, Ok(findings), since).await;
                whole
            }
            // Without the whole there is nothing to compare with.
            Err(why) => return self.proven(&mut bench, &TWICE, Err(why), since).await,
        };
        let since = Instant::now();
        let proven = back(&mut bench).await;
        let mut open = self.proven(&mut bench, &BACK, proven, since).await;
        let since = Instant::now();
        let recorded = self.recorded_here().await;
        let onto = Onto {
            survey,
            validation: &self.settings.validation,
            environment: &self.settings.environment.name,
            recorded,
            whole,
        };
        let proven = onto.prove(&mut bench).await;
        open = self.proven(&mut bench, &ONTO, proven, since).await.and(open);
        match self.checks.iter().any(|it| it.id == TWICE.id && it.blocks()) {
            true => Err(Blocked),
            false => open,
        }
    }

    /// Whatever came of it, the place is removed.
    async fn proven(
        &mut self,
        bench: &mut Workbench<'_>,
        check: &CheckDefinition,
        proven: Proven<Vec<Finding>>,
        since: Instant,
    ) -> Stage<()> {
        let cleared = bench.clear().await;
        let mut findings = proven.unwrap_or_else(Unproven::findings);
        findings.extend(cleared.err().map(|error| finding(&error)));
        self.add(vec![Check::answered(check, findings)], since)
    }
}

const SCOPES: [Scope; 2] = Scope::ALL;

/// The set, and all of it again: what is there then must be what was there before. Gives what the set makes.
async fn twice(
    bench: &mut Workbench<'_>,
    proof: &Proof,
) -> Proven<(BTreeMap<Scope, Structure>, Vec<Finding>)> {
    let set = bench.set;
    let all: Vec<&Migration> = set.iter().collect();
    bench.build(&all).await?;
    let mut before = BTreeMap::new();
    for scope in SCOPES {
        before.insert(scope, bench.state(scope).await?);
    }
    let mut now = before.clone();
    let mut refused: Vec<&Migration> = Vec::new();
    // Who was the first to touch what.
    let mut touched: BTreeMap<(Scope, Touched), &Migration> = BTreeMap::new();
    for migration in &all {
        let carried = bench.scratch().await?.carry_out(migration).await;
        match carried {
            Ok(()) => {}
            Err(error) if error.kind.is_operational() || error.kind.is_passing() => {
                return Err(unproven(Some(migration), error));
            }
            Err(_) => {
                refused.push(*migration);
                if bench.engine.rolls_back_ddl() && migration.transactional {
                    continue;
                }
            }
        }
        // A tenant's migration may write to what is shared.
        for scope in SCOPES {
            let after = bench.state(scope).await?;
            for (what, _) in changes(&now[&scope], &after) {
                touched.entry((scope, what)).or_insert(migration);
            }
            now.insert(scope, after);
        }
    }
    let mut left: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for scope in SCOPES {
        for (what, words) in changes(&before[&scope], &now[&scope]) {
            let by = touched.get(&(scope, what));
            let by = by.and_then(|by| all.iter().position(|it| std::ptr::eq(*it, *by)));
            if let Some(by) = by {
                left.entry(by).or_default().push(words);
            }
        }
    }
    let is_refused = |by: usize| refused.iter().any(|it| std::ptr::eq(*it, all[by]));
    let mut findings: Vec<Finding> = left
        .iter()
        .map(|(by, words)| match is_refused(*by) {
            false => prove::changed(all[*by], &words.join("; "), proof.changed),
            // The ledger knows how far it came.
            true => prove::left(all[*by], &words.join("; "), proof.refused),
        })
        .collect();
    let left_something = |it: &&Migration| left.keys().any(|by| std::ptr::eq(all[*by], *it));
    refused.retain(|it| !left_something(it));
    findings.extend(prove::refused(&refused, all.len(), proof.refused));
    let whole = before.into_iter().map(|(scope, it)| (scope, it.structure));
    Ok((whole.collect(), findings))
}

/// Each migration, its down file, and the migration again, where those before it are applied.
async fn back(bench: &mut Workbench<'_>) -> Proven<Vec<Finding>> {
    let all: Vec<&Migration> = bench.set.iter().collect();
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    bench.clear().await?;
    bench.scratch().await?;
    for (index, migration) in all.iter().enumerate() {
        let Some(down) = migration.down.as_deref() else {
            missing.push(*migration);
            let carried = bench.scratch().await?.carry_out(migration).await;
            carried.map_err(|error| unproven(Some(migration), error))?;
            continue;
        };
        let wrong = there_and_back(bench, migration, down).await?;
        if !wrong.is_empty() {
            findings.extend(wrong);
            // What comes next is tried where this one has been applied, and nothing else happened.
            bench.build(&all[..=index]).await?;
        }
    }
    findings.extend(prove::without_down(&missing, all.len()));
    Ok(findings)
}

async fn there_and_back(
    bench: &mut Workbench<'_>,
    migration: &Migration,
    down: &Migration,
) -> Proven<Vec<Finding>> {
    let scope = migration.scope;
    let before = bench.structure(scope).await?;
    let carried = bench.scratch().await?.carry_out(migration).await;
    carried.map_err(|error| unproven(Some(migration), error))?;
    let there = bench.structure(scope).await?;
    if let Err(error) = bench.scratch().await?.carry_out(down).await {
        return found(down, error);
    }
    let mut findings = Vec::new();
    let wrong = differences(&before, &bench.structure(scope).await?);
    if !wrong.is_empty() {
        let message = format!(
            "after {} it is not as before its migration: {}",
            down.label(),
            told(&wrong)
        );
        let hint = "let it take back all that the migration makes, and nothing else";
        findings.push(Finding::error(message).hint(hint).file(&down.file));
    }
    if let Err(error) = bench.scratch().await?.carry_out(migration).await {
        let mut again = found(migration, error)?;
        for finding in &mut again {
            finding.message = format!("after {}: {}", down.label(), finding.message);
        }
        findings.extend(again);
        return Ok(findings);
    }
    let wrong = differences(&there, &bench.structure(scope).await?);
    if !wrong.is_empty() {
        let message = format!(
            "{} makes something else after {} than before: {}",
            migration.label(),
            down.label(),
            told(&wrong)
        );
        findings.push(Finding::error(message).file(&migration.file));
    }
    Ok(findings)
}

/// What the server says to a file is a finding; that it says nothing is none.
pub(super) fn found(migration: &Migration, error: EngineError) -> Proven<Vec<Finding>> {
    if error.kind.is_operational() || error.kind.is_passing() {
        return Err(unproven(Some(migration), error));
    }
    Ok(vec![failed(Some(migration), &error)])
}
