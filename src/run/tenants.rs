//! The rollout over the tenants, and what its end says of those who had no turn.

use std::collections::BTreeMap;
use std::time::Instant;

use async_trait::async_trait;

use crate::domain::words::count;
use crate::domain::{Check, Finding, OutcomeState, ServerName, Speed, Tenant, TenantCounts};
use crate::engine::Engine;
use crate::migrations::TenantPlan;
use crate::rollout::{self, Halt, Inspector, RolledOut, StopReason, TenantResult};

use super::compare::Comparison;
use super::connect::{LEDGER, finding};
use super::survey::Survey;
use super::{Blocked, Gate, Stage};

const AGAIN: &str = "run again: those that are done are left alone";

impl Gate<'_> {
    pub(super) async fn migrate_tenants(&mut self, engine: &dyn Engine, survey: &mut Survey) -> Stage<()> {
        let since = Instant::now();
        let plan = survey.plan.tenants.clone().unwrap_or_default();
        let (included, left): (Vec<_>, Vec<_>) = plan
            .into_iter()
            .partition(|it| self.request.includes_tenant(&it.tenant.name));
        let elsewhere = self.canaries_elsewhere(survey)?;
        let settings = self.settings;
        let canaries = Canaries(Comparison {
            engine,
            expect: &settings.expect,
            kind: self.kind(),
            redactor: &self.redactor,
        });
        let mut rolled_out = rollout::roll_out(&rollout::Job {
            engine,
            set: self.set(),
            plan: &included,
            locations: &survey.locations,
            ensure: &settings.tenancy.ensure,
            rollout: &settings.rollout,
            listed: &survey.listed,
            inspector: &canaries,
            elsewhere: &elsewhere,
            stop: self.stop,
            progress: self.progress,
        })
        .await;
        let left_behind = left.iter().filter(|it| !it.pending.migrations.is_empty()).count();
        let counts = TenantCounts {
            discovered: included.len() + left.len() + survey.suspended.len(),
            suspended: survey.suspended.len(),
            skipped: left_behind,
            up_to_date: left.len() - left_behind,
            ..TenantCounts::default()
        };
        let speed = Speed {
            migrations: rolled_out
                .results
                .iter()
                .map(|it| it.outcome.applied.len() as u64)
                .sum(),
            took: since.elapsed(),
        };
        self.trend(engine, speed).await;
        let taken_back = self.take_back(engine, &included, &mut rolled_out).await;
        let again = match &taken_back {
            Some(_) => "mend what failed, then run again: those that were taken back are migrated again",
            None => AGAIN,
        };
        if let Some(check) = taken_back {
            let _ = self.add(vec![check], since);
        }
        self.account(rolled_out, counts, again, since)?;
        let made = |tenant: &&Tenant| {
            let stays = self.left_behind.contains(&tenant.name) || survey.suspended.contains(&tenant.name);
            self.request.includes_tenant(&tenant.name) && !stays
        };
        let made: Vec<_> = survey.known().iter().filter(made).cloned().collect();
        let remembered = engine.remember(&made).await;
        self.or_block(&LEDGER, since, remembered)?;
        // What came out right is validated even where some failed.
        let tenants = self.tenants.clone();
        let again = self.survey(engine).await;
        self.tenants = tenants;
        *survey = again?;
        Ok(())
    }

    /// Canaries of other shards: they go before every shard, so none of them may be behind.
    fn canaries_elsewhere(&mut self, survey: &Survey) -> Stage<Vec<Tenant>> {
        let behind = |it: &&TenantPlan| !it.pending.migrations.is_empty();
        let finding = |it: &TenantPlan| {
            let name = &it.tenant.name;
            Finding::error("is behind, and a canary goes before every shard")
                .tenant(name)
                .hint(format!(
                    "run `tenantgate migrate --tenant {name}` in a job before the shards"
                ))
        };
        let findings: Vec<Finding> = survey
            .canaries_elsewhere
            .iter()
            .filter(behind)
            .map(finding)
            .collect();
        if !findings.is_empty() {
            self.add(vec![Check::answered(&rollout::CANARY, findings)], Instant::now())?;
        }
        Ok(survey
            .canaries_elsewhere
            .iter()
            .map(|it| it.tenant.clone())
            .collect())
    }

    /// Outcomes, counts and checks; blocked where the run was told to end.
    fn account(
        &mut self,
        rolled_out: RolledOut,
        mut counts: TenantCounts,
        again: &str,
        since: Instant,
    ) -> Stage<()> {
        let RolledOut {
            results,
            canaries,
            halt,
            gone,
        } = rolled_out;
        let mut findings = Vec::new();
        let mut unreached: BTreeMap<Option<ServerName>, usize> = BTreeMap::new();
        for TenantResult { outcome, finding } in results {
            findings.extend(finding);
            match outcome.state {
                OutcomeState::UpToDate => counts.up_to_date += 1,
                OutcomeState::Migrated => counts.migrated += 1,
                OutcomeState::Failed => counts.failed += 1,
                OutcomeState::NotReached => counts.not_reached += 1,
                OutcomeState::Skipped => counts.skipped += 1,
                OutcomeState::RolledBack => counts.rolled_back += 1,
                OutcomeState::Baselined => counts.baselined += 1,
            }
            if matches!(
                outcome.state,
                OutcomeState::Failed | OutcomeState::NotReached | OutcomeState::RolledBack
            ) {
                self.left_behind.extend(outcome.tenant.clone());
            }
            if outcome.state == OutcomeState::NotReached && gone.contains(&outcome.server) {
                *unreached.entry(outcome.server.clone()).or_default() += 1;
            }
            if outcome.state != OutcomeState::UpToDate {
                self.outcomes.push(outcome);
            }
        }
        let unanswered = !findings.is_empty() && findings.iter().all(|finding| finding.operational);
        let others = counts.not_reached - unreached.values().sum::<usize>();
        findings.extend(
            unreached
                .iter()
                .map(|(server, number)| of_gone(server.as_ref(), *number)),
        );
        findings.extend(self.not_reached(others, halt, unanswered, again));
        let everybody = counts.not_reached == 0;
        self.tenants = Some(counts);
        self.outcomes.sort_by_key(|outcome| match outcome.state {
            OutcomeState::Failed => 0,
            OutcomeState::NotReached => 1,
            _ => 2,
        });
        if !self.settings.rollout.canary.is_empty() {
            // Where the rollout ended before them, this question stays open.
            let check = match canaries {
                Some(findings) => Check::answered(&rollout::CANARY, findings),
                None if everybody => Check::answered(&rollout::CANARY, Vec::new()),
                None => Check::skipped(&rollout::CANARY),
            };
            let _ = self.add(vec![check], since);
        }
        let added = self.add(vec![Check::answered(&rollout::TENANTS, findings)], since);
        if added.is_err() && self.stop.reason().is_some() {
            return Err(Blocked);
        }
        Ok(())
    }

    /// How fast this rollout was next to those before it. It is told, and never in anybody's way.
    async fn trend(&mut self, engine: &dyn Engine, speed: Speed) {
        if speed.migrations == 0 || self.stop.requested() {
            return;
        }
        let since = Instant::now();
        let before = engine.rollouts(rollout::COMPARED).await.unwrap_or_default();
        let finding = rollout::trend(speed, &before);
        let _ = self.add(
            vec![Check::answered(&rollout::TREND, finding.into_iter().collect())],
            since,
        );
        // What cannot be kept is not compared with later.
        let _ = engine.keep_rollout(speed).await;
    }

    /// Why some had no turn.
    fn not_reached(
        &self,
        number: usize,
        halt: Option<Halt>,
        unanswered: bool,
        again: &str,
    ) -> Option<Finding> {
        if number == 0 {
            return None;
        }
        let hint = match halt {
            Some(Halt::Canaries) => {
                "mend what rollout.canary names, then run again: the canaries are looked at first"
            }
            _ => again,
        };
        let (why, operational) = match halt {
            Some(Halt::Stopped(StopReason::Deadline)) => {
                let deadline = self.settings.rollout.deadline.unwrap_or_default();
                (format!("the deadline of {deadline:?} was over"), true)
            }
            Some(Halt::Stopped(StopReason::LeaseLost)) => {
                ("another run took the environment over".to_owned(), true)
            }
            Some(Halt::Stopped(StopReason::Signal)) | None => ("the run was told to end".to_owned(), true),
            Some(Halt::ServerGone) => ("the server did not come back".to_owned(), true),
            Some(Halt::Failures { failed, allowed }) => (
                format!("{failed} failed, and `max_failures` allows {allowed}"),
                unanswered,
            ),
            Some(Halt::Strict { turn }) => (format!("one of the first ({turn}) failed"), unanswered),
            Some(Halt::Canaries) => ("the canaries did not come out right".to_owned(), unanswered),
        };
        let verb = if number == 1 { "was" } else { "were" };
        let many = count(number, "tenant");
        Some(
            Finding::error(format!("{many} {verb} not reached: {why}"))
                .operational(operational)
                .hint(hint),
        )
    }
}

/// Those of one server of several.
fn of_gone(server: Option<&ServerName>, number: usize) -> Finding {
    let many = count(number, "tenant");
    let verb = if number == 1 { "was" } else { "were" };
    let place = match server {
        Some(server) => format!("server {server}"),
        None => "the environment's own server".to_owned(),
    };
    Finding::error(format!(
        "{many} of {place} {verb} not reached: it did not come back"
    ))
    .operational(true)
    .hint(AGAIN)
}

/// Compares canaries with what the config expects of every tenant.
struct Canaries<'a>(Comparison<'a>);

#[async_trait]
impl Inspector for Canaries<'_> {
    async fn inspect(&self, tenants: &[&Tenant]) -> Vec<Finding> {
        let mut findings: Vec<Finding> = match self.0.tables(false, tenants).await {
            Ok(checks) => checks.into_iter().flat_map(|check| check.findings).collect(),
            Err(error) => vec![finding(&error)],
        };
        findings.extend(self.0.values(false, tenants).await);
        findings
    }
}
