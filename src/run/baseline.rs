//! Adopting an existing database: what the migrations make is learnt, compared, and written down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::baseline::{adoptable, differences, told};
use crate::domain::words::listed;
use crate::domain::{
    Check, Entry, EntryState, Finding, History, Migration, Outcome, OutcomeState, PlanGroup, PlanSummary,
    Print, Scope, Structure, TenantCounts, TenantName, Tenants, Version,
};
use crate::engine::{Engine, EngineError, Target};
use crate::migrations::nothing_ran;
use crate::rollout::{self, LeaseError};

use super::connect::LEDGER;
use super::made::made;
use super::migrate::no_lease;
use super::survey::Survey;
use super::{Blocked, Gate, Stage};

pub(super) use crate::baseline::{MADE, STRUCTURE, VERSION};

/// How many structures are held at once.
const AT_ONCE: usize = 100;

/// One place that is to be adopted, and what its ledger lacks.
struct Candidate<'a> {
    target: Target<'a>,
    lacks: Vec<&'a Migration>,
    /// Those of them that were begun, and of which nothing ran.
    void: Vec<&'a Migration>,
    /// The newest version that it has when it is adopted.
    head: Option<Version>,
}

/// Whether what matches is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    Dry,
    /// There is no ledger yet, and where all are refused none is made.
    BeforeTheLedger,
    Marking,
}

/// What a pass came to.
#[derive(Debug, PartialEq, Eq)]
enum Adopted {
    Told,
    /// Something is to be marked, and that needs a ledger.
    ToMark,
}

/// What became of one.
struct Judged<'a> {
    candidate: Candidate<'a>,
    /// Why it is refused.
    refused: Option<String>,
}

impl Gate<'_> {
    pub(super) async fn baseline(&mut self, engine: &dyn Engine, survey: Survey) -> Stage<()> {
        let since = Instant::now();
        self.adoptable(&survey)?;
        if self.request.dry_run {
            let made = self.learn(engine, &survey).await?;
            return self.adopt(engine, &survey, &made, Pass::Dry).await.map(|_| ());
        }
        if survey.fresh {
            let made = self.learn(engine, &survey).await?;
            let adopted = self.adopt(engine, &survey, &made, Pass::BeforeTheLedger).await?;
            if adopted == Adopted::Told {
                let nothing = [&LEDGER, &rollout::LEASE].map(|it| Check::answered(it, Vec::new()));
                return self.add(nothing.into(), since);
            }
        }
        let prepared = self.write_label(engine, false).await;
        self.or_block(&LEDGER, since, prepared)?;
        self.add(vec![Check::answered(&LEDGER, Vec::new())], since)?;
        // Two first runs at once: one label won.
        self.label(engine).await?;
        let holder = self.holder();
        let lease = &self.settings.rollout;
        let (stop, progress) = (self.stop, self.progress);
        let (ttl, wait) = (lease.lease_ttl, lease.lease_wait);
        let work = self.baseline_under_lease(engine);
        match rollout::with_lease(engine, &holder, ttl, wait, stop, progress, work).await {
            Ok(result) => result,
            Err(error) => self.without_lease(&error, since),
        }
    }

    fn without_lease(&mut self, error: &LeaseError, since: Instant) -> Stage<()> {
        let check = Check::answered(&rollout::LEASE, vec![no_lease(error)]);
        self.add(vec![check], since)?;
        Err(Blocked)
    }

    async fn baseline_under_lease(&mut self, engine: &dyn Engine) -> Stage<()> {
        let since = Instant::now();
        let survey = self.survey(engine).await?;
        self.adoptable(&survey)?;
        let made = self.learn(engine, &survey).await?;
        let adopted = self.adopt(engine, &survey, &made, Pass::Marking).await;
        self.add(vec![self.kept_the_lease()], since)
            .and(adopted.map(|_| ()))
    }

    fn up_to(&self) -> Version {
        self.request.version.unwrap_or(Version(0))
    }

    fn wanted(&self) -> Vec<&Migration> {
        let all = self.set().of(self.request.one_scope()).iter();
        all.filter(|it| it.version <= self.up_to()).collect()
    }

    /// Whether there is such a version, and something that could be adopted.
    fn adoptable(&mut self, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let scope = self.request.one_scope();
        let versions: Vec<Version> = self.set().of(scope).iter().map(|it| it.version).collect();
        let mut findings = Vec::new();
        if !versions.contains(&self.up_to()) {
            let hint = match versions.last() {
                Some(newest) => format!("the newest of the {} there are is {newest}", versions.len()),
                None => format!("there are no {scope} migrations"),
            };
            findings
                .push(Finding::error(format!("there is no {scope} migration {}", self.up_to())).hint(hint));
        }
        let shared_is_adopted = self.set().shared.is_empty() || !survey.ledger.shared.is_empty();
        if scope == Scope::Tenant && !shared_is_adopted {
            findings.push(
                Finding::error("no shared migration is in the ledger, and tenants build on them")
                    .hint("adopt the shared schema first: `tenantgate baseline --scope shared --version …`"),
            );
        } else if scope == Scope::Tenant && matches!(survey.tenants, Tenants::Unknown) {
            findings.push(
                Finding::error("the registry does not exist, so there is no tenant to adopt")
                    .hint("an empty database needs no baseline: `tenantgate run` makes everything"),
            );
        }
        self.add(vec![Check::answered(&VERSION, findings)], since)
    }

    /// What the migrations make of nothing.
    async fn learn(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<Structure> {
        let since = Instant::now();
        let scope = self.request.one_scope();
        let applied = |migration: &&Migration| {
            let mut entries = survey.ledger.shared.iter();
            scope == Scope::Tenant && entries.any(|entry| entry.version == migration.version)
        };
        let shared: Vec<&Migration> = self.set().shared.iter().filter(applied).collect();
        let own = self.wanted();
        let (structure, findings) = match made(engine, &shared, &own).await {
            Ok(structure) => (structure, Vec::new()),
            Err(unlearnt) => (Structure::default(), unlearnt.findings),
        };
        self.add(vec![Check::answered(&MADE, findings)], since)?;
        Ok(structure)
    }

    async fn adopt(
        &mut self,
        engine: &dyn Engine,
        survey: &Survey,
        made: &Structure,
        pass: Pass,
    ) -> Stage<Adopted> {
        let set = self.loaded.take();
        let result = match &set {
            Some(loaded) => {
                let scope = self.request.one_scope();
                let up_to = self.up_to();
                let wanted: Vec<&Migration> = loaded
                    .set
                    .of(scope)
                    .iter()
                    .filter(|it| it.version <= up_to)
                    .collect();
                self.adopt_all(engine, survey, made, &wanted, pass).await
            }
            None => Err(Blocked),
        };
        self.loaded = set;
        result
    }

    async fn adopt_all(
        &mut self,
        engine: &dyn Engine,
        survey: &Survey,
        made: &Structure,
        wanted: &[&Migration],
        pass: Pass,
    ) -> Stage<Adopted> {
        let since = Instant::now();
        let places = self.places(survey);
        let mut counts = TenantCounts {
            discovered: survey.known().len(),
            ..TenantCounts::default()
        };
        let mut judged: Vec<Judged<'_>> = Vec::new();
        for (target, history) in &places {
            let head = history.iter().map(|it| it.version).max().max(Some(self.up_to()));
            let (lacks, refused) = match lacks(wanted, history) {
                Ok(lacks) if lacks.is_empty() => {
                    counts.up_to_date += usize::from(is_tenant(*target));
                    continue;
                }
                Ok(lacks) => (lacks, None),
                Err(why) => (Vec::new(), Some(why)),
            };
            let void = lacks.iter().copied();
            judged.push(Judged {
                candidate: Candidate {
                    target: *target,
                    void: void.filter(|it| is_void(history, it)).collect(),
                    head: refused.is_none().then_some(head).flatten(),
                    lacks,
                },
                refused,
            });
        }
        let compared = compare(engine, survey, made, &mut judged).await;
        self.or_block(&STRUCTURE, since, compared)?;
        let refused = judged.iter().filter(|it| it.refused.is_some()).count();
        let mark = refused == 0 || !self.request.all_or_nothing;
        match pass {
            Pass::BeforeTheLedger if mark && refused < judged.len() => return Ok(Adopted::ToMark),
            Pass::Marking if mark => self.write_down(engine, &judged, since).await?,
            _ => {}
        }
        self.tell_baseline(judged, counts, mark, since)
            .map(|()| Adopted::Told)
    }

    /// All that this baseline is for, with what their ledgers have.
    fn places<'s>(&self, survey: &'s Survey) -> Vec<(Target<'s>, Arc<History>)> {
        match self.request.one_scope() {
            Scope::Shared => vec![(Target::Shared, survey.ledger.shared.clone())],
            Scope::Tenant => survey
                .known()
                .iter()
                .filter(|tenant| self.request.includes_tenant(&tenant.name))
                .map(|tenant| (Target::Tenant(tenant), survey.ledger.tenant(&tenant.name)))
                .collect(),
        }
    }

    async fn write_down(&mut self, engine: &dyn Engine, judged: &[Judged<'_>], since: Instant) -> Stage<()> {
        let matching: Vec<&Judged<'_>> = judged.iter().filter(|it| it.refused.is_none()).collect();
        for chunk in matching.chunks(AT_ONCE) {
            if self.stop.requested() {
                let finding = Finding::error("the run was told to end before all were marked")
                    .hint("run it again: those that are marked are left alone")
                    .operational(true);
                return self.add(vec![Check::answered(&LEDGER, vec![finding])], since);
            }
            for candidate in chunk.iter().map(|it| &it.candidate) {
                let withdrawn = withdraw(engine, candidate).await;
                self.or_block(&LEDGER, since, withdrawn)?;
            }
            let rows: Vec<_> = chunk
                .iter()
                .map(|it| (it.candidate.target, it.candidate.lacks.clone()))
                .collect();
            let adopted = engine.adopt(&rows).await;
            self.or_block(&LEDGER, since, adopted)?;
            let tenants: Vec<_> = chunk
                .iter()
                .filter_map(|it| match it.candidate.target {
                    Target::Shared => None,
                    Target::Tenant(tenant) => Some(tenant.clone()),
                })
                .collect();
            let remembered = engine.remember(&tenants).await;
            self.or_block(&LEDGER, since, remembered)?;
        }
        Ok(())
    }

    fn tell_baseline(
        &mut self,
        judged: Vec<Judged<'_>>,
        mut counts: TenantCounts,
        mark: bool,
        since: Instant,
    ) -> Stage<()> {
        let mut findings = Vec::new();
        let mut groups: Vec<PlanGroup> = Vec::new();
        let mut shared = Vec::new();
        for Judged { candidate, refused } in judged {
            let name = tenant_name(candidate.target);
            let state = match &refused {
                Some(_) => OutcomeState::Failed,
                None if self.request.dry_run || !mark => OutcomeState::Skipped,
                None => OutcomeState::Baselined,
            };
            if name.is_some() {
                match state {
                    OutcomeState::Failed => counts.failed += 1,
                    OutcomeState::Baselined => counts.baselined += 1,
                    _ => {}
                }
            }
            let applied = candidate.lacks.iter().map(|it| it.version);
            let labels: Vec<String> = candidate.lacks.iter().map(|it| it.label()).collect();
            if let Some(why) = &refused {
                let finding = Finding::error(format!(
                    "is not what the migrations up to {} make: {why}",
                    self.up_to()
                ))
                .hint(
                    "bring it to that structure by hand, or adopt it at the version whose structure it has",
                );
                findings.push(match &name {
                    Some(name) => finding.tenant(name),
                    None => finding,
                });
            } else if let Some(name) = &name {
                let server = candidate.target.server().cloned();
                let same = |group: &&mut PlanGroup| group.pending == labels && group.server == server;
                match groups.iter_mut().find(same) {
                    Some(group) => group.tenants.push(name.clone()),
                    None => groups.push(PlanGroup {
                        server,
                        tenants: vec![name.clone()],
                        pending: labels,
                    }),
                }
            } else {
                shared = labels;
            }
            let is_marked = state == OutcomeState::Baselined;
            self.outcomes.push(Outcome {
                tenant: name,
                server: candidate.target.server().cloned(),
                state,
                applied: applied.filter(|_| is_marked).collect(),
                undone: Vec::new(),
                head: candidate.head.filter(|_| is_marked),
                duration_ms: 0,
                retries: 0,
                rows: None,
                error: refused,
            });
        }
        counts.skipped = counts.discovered - counts.up_to_date - counts.failed - counts.baselined;
        self.outcomes.sort_by_key(|it| it.state != OutcomeState::Failed);
        self.tenants = (self.request.one_scope() == Scope::Tenant).then_some(counts);
        if self.request.dry_run {
            self.plan = Some(PlanSummary {
                shared,
                tenants: Some(groups),
                each_tenant: Vec::new(),
                waves: Vec::new(),
                ranges: Vec::new(),
                sql: Vec::new(),
            });
        }
        self.add(vec![Check::answered(&STRUCTURE, findings)], since)
    }
}

fn is_tenant(target: Target<'_>) -> bool {
    matches!(target, Target::Tenant(_))
}

fn tenant_name(target: Target<'_>) -> Option<TenantName> {
    match target {
        Target::Shared => None,
        Target::Tenant(tenant) => Some(tenant.name.clone()),
    }
}

/// Makes room for the rows that are to say it is applied.
async fn withdraw(engine: &dyn Engine, candidate: &Candidate<'_>) -> Result<(), EngineError> {
    for migration in &candidate.void {
        let direct = !migration.transactional;
        let mut session = engine.session(candidate.target.server(), direct).await?;
        session.withdraw(candidate.target, migration).await?;
    }
    Ok(())
}

fn is_void(history: &History, migration: &Migration) -> bool {
    let mut entries = history.iter().filter(|entry| entry.version == migration.version);
    entries.any(|entry| nothing_ran(entry, migration))
}

/// What a history lacks of the wanted migrations; else why it cannot be added to.
fn lacks<'m>(wanted: &[&'m Migration], history: &History) -> Result<Vec<&'m Migration>, String> {
    let newest = wanted.iter().map(|it| it.version).max();
    let is_void = |entry: &Entry| {
        if Some(entry.version) > newest {
            return entry.state.has_done_nothing();
        }
        let mut same = wanted.iter().filter(|it| it.version == entry.version);
        same.any(|it| nothing_ran(entry, it))
    };
    let mut begun = history.iter().filter(|it| it.state != EntryState::Applied);
    let unfinished = begun.find(|entry| !is_void(entry));
    if let Some(entry) = unfinished {
        return Err(format!("{} is half done there; finish it first", entry.version));
    }
    let mut lacks = Vec::new();
    let mut changed = Vec::new();
    for migration in wanted {
        match history.iter().find(|entry| entry.version == migration.version) {
            None => lacks.push(*migration),
            Some(entry) if entry.state != EntryState::Applied => lacks.push(*migration),
            Some(entry) if entry.checksum != migration.checksum => changed.push(migration.label()),
            Some(_) => {}
        }
    }
    if changed.is_empty() {
        Ok(lacks)
    } else {
        Err(format!("{} ran there with other content", listed(&changed, 3)))
    }
}

/// Says why those are refused that are not what the migrations make. One place of each print is read.
async fn compare(
    engine: &dyn Engine,
    survey: &Survey,
    made: &Structure,
    judged: &mut [Judged<'_>],
) -> Result<(), EngineError> {
    let made = adoptable(made);
    let mut open: Vec<&mut Judged<'_>> = judged.iter_mut().filter(|it| it.refused.is_none()).collect();
    open.retain_mut(|it| match it.candidate.target {
        Target::Tenant(tenant) if !survey.locations.contains(tenant) => {
            it.refused = Some("it does not exist yet; `tenantgate migrate` makes it".to_owned());
            false
        }
        _ => true,
    });
    let targets: Vec<Target<'_>> = open.iter().map(|it| it.candidate.target).collect();
    let prints = engine.prints(&targets, true).await?;
    let mut known: BTreeMap<&Print, Option<String>> = BTreeMap::new();
    let mut unread: BTreeMap<&Print, Target<'_>> = BTreeMap::new();
    for (print, target) in prints.iter().zip(&targets) {
        unread.entry(print).or_insert(*target);
    }
    let unread: Vec<(&Print, Target<'_>)> = unread.into_iter().collect();
    for chunk in unread.chunks(AT_ONCE) {
        let targets: Vec<Target<'_>> = chunk.iter().map(|(_, target)| *target).collect();
        let structures = engine.structures(&targets).await?;
        for ((print, _), found) in chunk.iter().zip(structures) {
            let differences = differences(&made, &adoptable(&found));
            known.insert(print, (!differences.is_empty()).then(|| told(&differences)));
        }
    }
    for (judged, print) in open.into_iter().zip(&prints) {
        judged.refused = known.get(print).cloned().flatten();
    }
    Ok(())
}
