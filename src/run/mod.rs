//! The order of the stages, nothing else.

mod baseline;
mod classes;
mod compare;
mod connect;
mod drift;
mod evidence;
mod finish;
mod isolation;
mod lint;
mod made;
mod marks;
mod migrate;
mod offline;
mod onto;
mod poolers;
mod promotion;
mod prove;
mod ranges;
mod request;
mod rollback;
mod rolling_back;
mod rows;
mod servers;
mod show;
mod snapshot;
mod survey;
mod tenants;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::database_url::EngineKind;
use crate::domain::{
    Check, CheckDefinition, Finding, Outcome, Override, PlanSummary, PromotionSummary, Redactor, Report,
    SchemaSummary, ServerName, Severity, Standing, TenantCounts, TenantName,
};
use crate::lint::Accepted;
use crate::migrations::Loaded;
use crate::promotion::{RecordedSchema, RolledBack};
use crate::rollout::{Progress, Stop, StopReason};
use crate::settings::{Invocation, Settings};

pub(crate) use lint::engine_by_names;
pub use request::{Command, From, LintRequest, Request};

/// The checks that no area but the order of the stages can ask.
pub const CHECKS: &[CheckDefinition] = &[
    offline::URL_MISSING,
    offline::URL_ENGINE,
    connect::REACHABLE,
    connect::LABEL,
    connect::LEDGER,
    ranges::RANGE_KEY,
    ranges::RANGE_INDEX,
];

/// The gate is shut: the checks say by what, and no later stage is begun.
#[derive(Debug)]
struct Blocked;

type Stage<T> = Result<T, Blocked>;

/// Something wrong with what was asked for, that only the database could tell.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    message: String,
    pub hint: String,
}

/// What one run gathers on its way.
struct Gate<'a> {
    request: &'a Request,
    settings: &'a Settings,
    invocation: &'a Invocation,
    stop: &'a Stop,
    progress: &'a dyn Progress,
    started_at: Timestamp,
    started: Instant,
    redactor: Redactor,
    checks: Vec<Check>,
    loaded: Option<Loaded>,
    /// From the URL, once it is understood.
    kind: Option<EngineKind>,
    /// The shared database's name, from the same.
    database: Option<String>,
    server: Option<String>,
    /// The other ones that have answered.
    servers: BTreeMap<ServerName, String>,
    tenants: Option<TenantCounts>,
    outcomes: Vec<Outcome>,
    /// Tenants that this run did not bring to head: the rollout's findings speak of them.
    left_behind: BTreeSet<TenantName>,
    plan: Option<PlanSummary>,
    schema: Option<SchemaSummary>,
    /// What the environment before was when it passed with this migration set, where its evidence says so.
    predecessor: Option<RecordedSchema>,
    /// Something was changed, by this run or an earlier one, and not compared since.
    uncompared: bool,
    /// The comparison of structures was come to, whatever it was about.
    drift_reached: bool,
    /// Whose structure was seen to be that of another tenant, by the comparison.
    alike: BTreeMap<TenantName, TenantName>,
    /// The same of the tenants' isolation.
    isolation_reached: bool,
    standings: Option<Vec<Standing>>,
    promotion: Option<PromotionSummary>,
    overridden: Option<Override>,
    /// Warnings that the environment before passed with.
    accepted: Vec<Accepted>,
    /// The database's state was looked at: from here on a run is evidence, whatever comes of it.
    reached_database: bool,
    /// What this run took back, where it took anything back.
    rolled_back: Option<RolledBack>,
    /// What was asked for cannot be meant: nothing was touched, and there is no report.
    wrong: Option<Wrong>,
}

/// Does what was asked, as far as the gate stays open, and reports all that was found.
pub async fn execute(
    request: &Request,
    settings: &Settings,
    invocation: &Invocation,
    stop: &Stop,
    progress: &dyn Progress,
) -> anyhow::Result<Report> {
    let mut gate = Gate {
        request,
        settings,
        invocation,
        stop,
        progress,
        started_at: Timestamp::now(),
        started: Instant::now(),
        redactor: crate::secrets::redactor(settings),
        checks: Vec::new(),
        loaded: None,
        kind: None,
        database: None,
        server: None,
        servers: BTreeMap::new(),
        tenants: None,
        outcomes: Vec::new(),
        left_behind: BTreeSet::new(),
        plan: None,
        schema: None,
        predecessor: None,
        uncompared: false,
        drift_reached: false,
        alike: BTreeMap::new(),
        isolation_reached: false,
        standings: None,
        promotion: None,
        overridden: None,
        accepted: Vec::new(),
        reached_database: false,
        rolled_back: None,
        wrong: None,
    };
    let opened = gate.offline().await?;
    if let Ok(Some(urls)) = opened {
        let cut_off = tokio::select! {
            // What blocks is in the checks.
            _ = gate.online(urls) => false,
            () = cut_off(request, stop) => true,
        };
        if cut_off {
            let finding = Finding::error("stopped by a signal while the database was asked")
                .hint("does something hold a lock there? Then run again")
                .operational(true);
            let _ = gate.add(
                vec![Check::answered(&connect::REACHABLE, vec![finding])],
                gate.started,
            );
        }
    }
    match gate.wrong.take() {
        Some(wrong) => Err(wrong.into()),
        None => gate.finish().await,
    }
}

/// Waits until a run that was told to end must not be waited for any longer. One that writes ends by
/// itself, unless it still waits for the server: it is told to drop what is in hand, and has a moment to.
async fn cut_off(request: &Request, stop: &Stop) {
    if request.writes() {
        stop.aborted().await;
        if stop.reason() == Some(StopReason::LeaseLost) {
            // The lease was lost, and what is in hand is on its way out.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(MOMENT).await;
    } else {
        stop.wanted().await;
    }
}

/// Enough to give the lease back, and well within what GitHub's runner leaves before it kills.
const MOMENT: Duration = Duration::from_millis(1500);

impl Gate<'_> {
    /// Everything that needs the database.
    async fn online(&mut self, urls: offline::Urls) -> Stage<()> {
        let engine = self.connect(urls).await?;
        let engine = engine.as_ref();
        if self.request.command == Command::Relabel {
            return self.relabel(engine).await;
        }
        self.label(engine).await?;
        self.reached_database = true;
        if self.request.command == Command::Snapshot {
            return self.snapshot(engine).await;
        }
        let survey = self.survey(engine).await?;
        self.show(&survey);
        self.lint_pending(&survey)?;
        self.ranges_underway(engine, &survey).await?;
        self.range_keys(engine, &survey).await?;
        if self.request.command == Command::Plan {
            self.invalid_indexes(engine, &survey, Severity::Warning).await?;
            if self.request.proves {
                self.prove(engine, &survey).await?;
            }
        }
        match self.request.command {
            Command::Rollback => return self.rollback(engine, survey).await,
            Command::Baseline => return self.baseline(engine, survey).await,
            _ => {}
        }
        let survey = if self.request.writes() {
            self.migrate(engine, survey).await?
        } else {
            survey
        };
        if self.request.command.validates() && !self.request.dry_run {
            self.validate(engine, &survey).await?;
        }
        Ok(())
    }

    /// Adds checks; blocked where one of them failed.
    fn add(&mut self, checks: Vec<Check>, since: Instant) -> Stage<()> {
        let blocked = checks.iter().any(Check::blocks);
        for mut check in checks {
            check.duration_ms = since.elapsed().as_millis() as u64;
            // A question asked again, after the state changed, has one answer: the last.
            match self.checks.iter_mut().find(|it| it.id == check.id) {
                Some(before) => *before = check,
                None => self.checks.push(check),
            }
        }
        if blocked { Err(Blocked) } else { Ok(()) }
    }
}
