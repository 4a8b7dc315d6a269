//! Taking applied migrations back: asked first, then carried out under the lease.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use crate::domain::words::listed;
use crate::domain::{
    Check, Finding, History, Migration, Outcome, OutcomeState, PlanGroup, PlanSummary, Scope, Tenant,
    TenantCounts, Version,
};
use crate::engine::{Engine, Target};
use crate::migrations::{self, Rollback};
use crate::promotion::RolledBack;
use crate::rollout::{self, Revert, TenantResult};

use super::connect::LEDGER;
use super::migrate::no_lease;
use super::survey::Survey;
use super::{Blocked, Gate, Stage, Wrong};

impl Gate<'_> {
    pub(super) async fn rollback(&mut self, engine: &dyn Engine, survey: Survey) -> Stage<()> {
        let since = Instant::now();
        self.wrong = self.unknown_version(&survey);
        if self.wrong.is_some() {
            return Err(Blocked);
        }
        let plan = self.plan_rollback(engine, &survey).await?;
        if plan.is_empty() {
            let scope = self.request.one_scope();
            let nothing = if survey.is_untouched() {
                Finding::warning(format!(
                    "nothing was ever run in {}: there is nothing to roll back",
                    self.settings.environment.name
                ))
                .hint("is it the environment that you mean, and its URL the right one?")
            } else {
                Finding::note(format!("no {scope} migration above {} is applied", self.to()))
            };
            let answers = vec![
                Check::answered(&rollout::UNDONE, vec![nothing]),
                Check::answered(&rollout::LEASE, Vec::new()),
                Check::answered(&LEDGER, Vec::new()),
            ];
            return self.add(answers, since);
        }
        if self.request.dry_run {
            self.plan = Some(self.summarise_rollback(&plan));
            return Ok(());
        }
        // A ledger that an older version made is brought to what is written to it now.
        let prepared = engine.prepare().await;
        self.or_block(&LEDGER, since, prepared)?;
        self.add(vec![Check::answered(&LEDGER, Vec::new())], since)?;
        let holder = self.holder();
        let lease = &self.settings.rollout;
        let (stop, progress) = (self.stop, self.progress);
        let (ttl, wait) = (lease.lease_ttl, lease.lease_wait);
        let work = self.roll_back(engine);
        match rollout::with_lease(engine, &holder, ttl, wait, stop, progress, work).await {
            Ok(result) => result,
            Err(error) => {
                self.add(
                    vec![Check::answered(&rollout::LEASE, vec![no_lease(&error)])],
                    since,
                )?;
                Err(Blocked)
            }
        }
    }

    /// A version that no file has and no ledger is a slip of the pen: everything above it might be everything.
    fn unknown_version(&self, survey: &Survey) -> Option<Wrong> {
        let (scope, to) = (self.request.one_scope(), self.to());
        let (own, other) = match scope {
            Scope::Shared => (&self.set().shared, &self.set().tenant),
            Scope::Tenant => (&self.set().tenant, &self.set().shared),
        };
        let mut known: BTreeSet<Version> = own.iter().map(|it| it.version).collect();
        match scope {
            Scope::Shared => known.extend(survey.ledger.shared.iter().map(|it| it.version)),
            Scope::Tenant => {
                let histories = survey.ledger.tenants.values();
                known.extend(histories.flat_map(|it| it.iter()).map(|it| it.version));
            }
        }
        let is_other = other.iter().any(|it| it.version == to);
        let elsewhere = match scope {
            _ if !is_other => "",
            Scope::Shared => "; there is a tenant migration of this version: leave `--scope` out",
            Scope::Tenant => "; there is a shared migration of this version: add `--scope shared`",
        };
        unknown(scope, to, &known, elsewhere)
    }

    /// Everything above it goes.
    fn to(&self) -> Version {
        self.request.version.unwrap_or(Version(u64::MAX))
    }

    async fn plan_rollback(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<Rollback> {
        let since = Instant::now();
        let scope = self.request.one_scope();
        let tenants: Vec<(Tenant, Arc<History>)> = match scope {
            Scope::Shared => Vec::new(),
            Scope::Tenant => survey
                .known()
                .iter()
                .filter(|tenant| self.request.includes_tenant(&tenant.name))
                .map(|tenant| (tenant.clone(), survey.ledger.tenant(&tenant.name)))
                .collect(),
        };
        let migrations = self.set().of(scope);
        let mut plan = migrations::rollback(scope, migrations, self.to(), &survey.ledger.shared, &tenants);
        let mut checks = std::mem::take(&mut plan.checks);
        checks.push(self.rollback_past_a_pooler(engine, &plan).await);
        let built_on = match scope {
            Scope::Shared if !plan.shared.migrations.is_empty() => {
                let first = engine.first_applied(survey.known()).await;
                let first = self.or_block(&migrations::ROLLBACK_SHARED, since, first)?;
                built_on(&first, self.to(), &self.set().tenant)
            }
            _ => None,
        };
        checks.push(Check::answered(
            &migrations::ROLLBACK_SHARED,
            built_on.into_iter().collect(),
        ));
        self.add(checks, since)?;
        Ok(plan)
    }

    /// Labels of the down files, in the order they would run.
    fn summarise_rollback(&self, plan: &Rollback) -> PlanSummary {
        let migrations = self.set().of(self.request.one_scope());
        let labels = |undo: &migrations::Undo| -> Vec<String> {
            let downs = undo
                .migrations
                .iter()
                .filter_map(|index| migrations[*index].down.as_ref());
            downs.map(|down| down.label()).collect()
        };
        let mut groups: Vec<PlanGroup> = Vec::new();
        for it in plan.tenants.iter().filter(|it| !it.undo.migrations.is_empty()) {
            let pending = labels(&it.undo);
            let server = it.tenant.server.clone();
            let same = |group: &&mut PlanGroup| group.pending == pending && group.server == server;
            match groups.iter_mut().find(same) {
                Some(group) => group.tenants.push(it.tenant.name.clone()),
                None => groups.push(PlanGroup {
                    server,
                    tenants: vec![it.tenant.name.clone()],
                    pending,
                }),
            }
        }
        PlanSummary {
            shared: labels(&plan.shared),
            tenants: Some(groups),
            each_tenant: Vec::new(),
            waves: Vec::new(),
            ranges: Vec::new(),
            sql: Vec::new(),
        }
    }

    async fn roll_back(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        // What was seen before the lease may be another run's work by now.
        let survey = self.survey(engine).await?;
        let plan = self.plan_rollback(engine, &survey).await?;
        let scope = self.request.one_scope();
        let migrations = self.set().of(scope);
        let versions = |undo: &migrations::Undo| -> Vec<Version> {
            let indexes = undo.migrations.iter().chain(&undo.void);
            indexes.map(|index| migrations[*index].version).collect()
        };
        let shared = [&plan.shared].into_iter().map(|undo| (Target::Shared, undo));
        let tenants = plan
            .tenants
            .iter()
            .map(|it| (Target::Tenant(&it.tenant), &it.undo));
        let reverts: Vec<Revert<'_>> = shared
            .chain(tenants)
            .filter(|(_, undo)| !undo.is_empty())
            .map(|(target, undo)| Revert {
                target,
                versions: versions(undo),
                head: undo.head,
                again: "run the rollback again".to_owned(),
            })
            .collect();
        let rolled_back = RolledBack { scope, to: self.to() };
        let takes_back = plan.takes_back();
        if takes_back {
            self.leave_mark(engine).await?;
            self.announce_rollback(rolled_back.clone()).await?;
        }
        // From here on something may be gone, also where this run is cut off.
        self.rolled_back = takes_back.then_some(rolled_back);
        // A tenant without any migration is none whose file was emptied.
        let bare: Vec<Tenant> = plan
            .tenants
            .iter()
            .filter(|it| it.undo.stays.is_none())
            .map(|it| it.tenant.clone())
            .collect();
        let forgotten = engine.forget(&bare).await;
        self.or_block(&LEDGER, since, forgotten)?;
        let (stop, progress) = (self.stop, self.progress);
        let settings = &self.settings.rollout;
        let results = rollout::revert(engine, self.set(), &reverts, settings, stop, progress).await;
        let kept: Vec<Tenant> = bare
            .into_iter()
            .filter(|tenant| {
                results.iter().any(|result| {
                    result.outcome.tenant.as_ref() == Some(&tenant.name) && result.outcome.head.is_some()
                })
            })
            .collect();
        let remembered = engine.remember(&kept).await;
        let discovered = survey.known().len();
        let done = self.tell_rollback(results, discovered, since);
        self.or_block(&LEDGER, since, remembered)?;
        self.add(vec![self.kept_the_lease()], since).and(done)
    }

    fn tell_rollback(&mut self, results: Vec<TenantResult>, discovered: usize, since: Instant) -> Stage<()> {
        let mut counts = TenantCounts {
            discovered,
            ..TenantCounts::default()
        };
        let mut findings = Vec::new();
        let mut outcomes: Vec<Outcome> = Vec::new();
        for TenantResult { outcome, finding } in results {
            findings.extend(finding);
            if outcome.tenant.is_some() {
                match outcome.state {
                    OutcomeState::RolledBack => counts.rolled_back += 1,
                    OutcomeState::Failed => counts.failed += 1,
                    OutcomeState::NotReached => counts.not_reached += 1,
                    _ => {}
                }
            }
            if outcome.state != OutcomeState::UpToDate {
                outcomes.push(outcome);
            }
        }
        counts.skipped = discovered - counts.rolled_back - counts.failed - counts.not_reached;
        if counts.not_reached > 0 {
            let many = crate::domain::words::count(counts.not_reached, "tenant");
            findings.push(
                Finding::error(format!("{many} not reached: the run was told to end"))
                    .operational(true)
                    .hint("run the rollback again: those that are done are left alone"),
            );
        }
        // Where a part of it failed, too, what stands here is not what passed.
        if outcomes.iter().all(|it| it.state == OutcomeState::NotReached) {
            self.rolled_back = None;
        }
        outcomes.sort_by_key(|outcome| match outcome.state {
            OutcomeState::Failed => 0,
            OutcomeState::NotReached => 1,
            _ => 2,
        });
        self.tenants = (self.request.one_scope() == Scope::Tenant).then_some(counts);
        self.outcomes = outcomes;
        self.add(vec![Check::answered(&rollout::UNDONE, findings)], since)
    }
}

/// Absent where the version is known; everything is above 0.
fn unknown(scope: Scope, to: Version, known: &BTreeSet<Version>, elsewhere: &str) -> Option<Wrong> {
    if to == Version(0) || known.contains(&to) {
        return None;
    }
    let below = known.range(..to).next_back();
    let above = known.range(to..).next();
    let nearest: Vec<String> = below.into_iter().chain(above).map(ToString::to_string).collect();
    let nearest = match nearest.as_slice() {
        [] => format!("no {scope} migration is known"),
        [one] => format!("the nearest is {one}"),
        both => format!("the nearest are {}", both.join(" and ")),
    };
    Some(Wrong {
        message: format!("--to: there is no {scope} migration {to}, neither as a file nor in the ledger"),
        hint: format!("{nearest}, and 0 takes everything back{elsewhere}"),
    })
}

/// Tenants' migrations that no tenant had before the first of the shared ones that would go: they were
/// written for what it made.
fn built_on(first: &BTreeMap<(Scope, Version), i64>, to: Version, tenant: &[Migration]) -> Option<Finding> {
    let shared = first
        .iter()
        .filter(|((scope, version), _)| *scope == Scope::Shared && *version > to);
    let oldest = shared.map(|(_, at)| *at).min()?;
    let mut later: Vec<Version> = first
        .iter()
        .filter(|((scope, _), at)| *scope == Scope::Tenant && **at >= oldest)
        .map(|((_, version), _)| *version)
        .collect();
    later.sort();
    let oldest = *later.first()?;
    let before = tenant.iter().map(|it| it.version).filter(|it| *it < oldest).max();
    Some(
        Finding::error(format!(
            "tenant migrations came after it, and may build on it: {}",
            listed(&later, 5)
        ))
        .hint(format!(
            "take the tenants back first: `tenantgate rollback --to {}`",
            before.unwrap_or(Version(0))
        )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_after_is_in_the_way() {
        let first = |shared: i64| {
            [
                ((Scope::Shared, Version(1)), 10),
                ((Scope::Shared, Version(2)), shared),
                ((Scope::Tenant, Version(1)), 20),
                ((Scope::Tenant, Version(2)), 40),
            ]
            .into_iter()
            .collect()
        };
        assert_eq!(built_on(&first(50), Version(1), &[]), None);
        let files = [file(1), file(2)];
        let finding = built_on(&first(30), Version(1), &files).expect("0002 came after it");
        assert!(finding.message.ends_with(": 0002"), "{}", finding.message);
        assert!(finding.hint.expect("a hint").ends_with("--to 0001`"));
        let all = built_on(&first(50), Version(0), &files).expect("all came after the first");
        assert!(all.message.ends_with(": 0001, 0002"), "{}", all.message);
        assert!(all.hint.expect("a hint").ends_with("--to 0000`"));
        let years = [file(2_024), file(2_026)];
        let first = [
            ((Scope::Shared, Version(9)), 10),
            ((Scope::Tenant, Version(2_026)), 20),
        ];
        let finding = built_on(&first.into_iter().collect(), Version(1), &years).expect("it came later");
        assert!(
            finding.hint.expect("a hint").ends_with("--to 2024`"),
            "a version that there is"
        );
    }

    #[test]
    fn an_unknown_version_is_told_with_its_neighbours() {
        let known: BTreeSet<Version> = [Version(41), Version(47)].into_iter().collect();
        let hint = |to| unknown(Scope::Tenant, Version(to), &known, "").map(|it| it.hint);
        assert_eq!(hint(0), None);
        assert_eq!(hint(47), None);
        let both = "the nearest are 0041 and 0047, and 0 takes everything back";
        assert_eq!(hint(44).as_deref(), Some(both));
        let below = "the nearest is 0047, and 0 takes everything back";
        assert_eq!(hint(470).as_deref(), Some(below));
    }

    fn file(version: u64) -> Migration {
        Migration {
            scope: Scope::Tenant,
            version: Version(version),
            name: "m".to_owned(),
            file: "m.sql".to_owned(),
            sql: String::new(),
            statements: Vec::new(),
            checksum: crate::domain::Checksum::of(""),
            transactional: true,
            batch: None,
            direction: crate::domain::Direction::Forward,
            down: None,
        }
    }
}
