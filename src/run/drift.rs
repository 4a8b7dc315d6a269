//! Structures of all schemas, compared with what is expected of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::domain::words::count;
use crate::domain::{
    Check, ExpectedFrom, Finding, Fingerprint, Migration, SchemaSummary, Severity, Structure, Tenant,
    TenantName,
};
use crate::engine::{Engine, EngineError, Target};
use crate::migrations::Pending;
use crate::rollout::Event;
use crate::settings::{self, Compare, Level};
use crate::snapshot::{self, Snapshot};
use crate::validate::drift::{self, Aspects, Told};
use crate::validate::{COMPLETE, DRIFT_ENVIRONMENT, DRIFT_SHARED, DRIFT_TENANT};

use super::classes::{Class, classes, most, unseen};
use super::made::made;
use super::survey::Survey;
use super::{Blocked, Command, Gate, Stage};

/// So many tenants are compared by every run; more of them where something was migrated.
const FEW: usize = 1_000;
/// What places are compared with.
struct Expected {
    from: ExpectedFrom,
    /// Absent: what most are.
    structure: Option<Structure>,
    /// Why it is not what was wished for.
    note: Option<Finding>,
}

impl Gate<'_> {
    /// Tenants that lack migrations are compared with what theirs make: pending ones are no drift.
    pub(super) async fn drift(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        if self.settings.validation.drift == Level::Off {
            return Ok(());
        }
        let tenants = self.comparable(survey);
        self.drift_reached = true;
        if !self.compares(tenants.len()) {
            self.say_not_compared(tenants.len());
            return Ok(());
        }
        self.ask_predecessor().await?;
        let since = Instant::now();
        self.progress.tell(&Event::Comparing {
            tenants: tenants.len(),
        });
        let snapshot = self.committed(engine)?;
        let shared = self.shared_drift(engine, survey, snapshot.as_ref()).await?;
        if self.settings.tenancy.row.is_some() {
            self.schema = shared.map(|shared| one_for_all(&shared, survey.known().len()));
            return self.environment_drift(since);
        }
        let aspects = Aspects::from(&self.settings.validation);
        let opened = open_to_us(engine, &tenants).await;
        let (tenants, closed) = self.or_block(&DRIFT_TENANT, since, opened)?;
        let classes = classes(engine, &tenants, aspects).await;
        let classes = self.or_block(&DRIFT_TENANT, since, classes)?;
        self.alike = classes.iter().flat_map(Class::alike).collect();
        let shared_pending = &survey.plan.shared.migrations;
        let committed = snapshot.map(|it| it.tenant);
        let compared = self
            .tenant_drift(
                engine,
                &classes,
                closed,
                shared_pending,
                committed.as_ref(),
                since,
            )
            .await;
        let tenant = classes.first().and_then(|class| class.groups.all.first());
        let portable = tenant
            .and_then(|it| it.structure.as_ref())
            .map(|it| it.portable().fingerprint());
        let (from, differing, open) = compared;
        // Without tenants there is still what they will share.
        let fingerprint = portable.or_else(|| shared.clone());
        self.schema = fingerprint.map(|fingerprint| SchemaSummary {
            fingerprint: fingerprint.0,
            groups: classes.iter().map(|it| it.groups.all.len()).sum(),
            tenants: tenants.len(),
            differing,
            shared: shared.map(|it| it.0),
            expected: from,
        });
        self.environment_drift(since).and(open)
    }

    /// A server, the network or a permission kept it from being known.
    pub(super) fn comparison_is_unanswered(&self) -> bool {
        let of_schemas = |id: &str| id.starts_with("drift.") || id.starts_with("isolation.");
        let mut checks = self.checks.iter().filter(|it| of_schemas(&it.id));
        // Of one tenant alone the others are still told.
        let unanswered =
            |it: &Finding| it.severity == Severity::Error && it.operational && it.tenant.is_none();
        checks.any(|check| check.blocks() && check.findings.iter().any(unanswered))
    }

    /// `run` has asked for the evidence already.
    async fn ask_predecessor(&mut self) -> Stage<()> {
        let wished = self.settings.validation.expected == settings::ExpectedFrom::Predecessor;
        if !wished || self.request.command != Command::Validate {
            return Ok(());
        }
        let since = Instant::now();
        let asked = self.promotion_checks().await;
        self.promotion = None;
        // Whether the change may enter is another question; that nobody could tell is an answer to this one.
        let checks = asked.unwrap_or_default();
        let findings = checks.into_iter().flat_map(|check| check.findings);
        let unanswered: Vec<Finding> = findings.filter(|it| it.operational).collect();
        match unanswered.is_empty() {
            true => Ok(()),
            false => self.add(vec![Check::answered(&DRIFT_ENVIRONMENT, unanswered)], since),
        }
    }

    /// Those that exist, and of which nothing is half done.
    fn comparable<'s>(&self, survey: &'s Survey) -> Vec<(&'s Tenant, &'s Pending)> {
        let plans = survey.plan.tenants.iter().flatten();
        let whole = plans.filter(|it| {
            let spoken_for = self.left_behind.contains(&it.tenant.name);
            let half_done = it.pending.resume.is_some() || it.pending.reverting.is_some();
            !spoken_for && !half_done && survey.locations.contains(&it.tenant)
        });
        whole.map(|it| (&it.tenant, it.pending.as_ref())).collect()
    }

    /// Nothing to do costs nothing, as far as that can be had.
    pub(super) fn compares(&self, tenants: usize) -> bool {
        if self.request.command == Command::Validate {
            return true;
        }
        match self.settings.validation.compare {
            Compare::Always => true,
            Compare::Auto => self.uncompared || tenants <= FEW,
            Compare::Migrated => self.uncompared,
        }
    }

    /// A question that is not asked is none that passed: it stands with another one that was.
    fn say_not_compared(&mut self, tenants: usize) {
        let note = Finding::note(format!(
            "structures were not compared: no run has changed any of {} since they last were",
            count(tenants, "tenant")
        ));
        let note = note.hint("`tenantgate validate` compares them");
        if let Some(check) = self.checks.iter_mut().find(|it| it.id == COMPLETE.id) {
            check.findings.push(note);
        }
    }

    /// The snapshot, where it is what schemas are compared with.
    fn committed(&mut self, engine: &dyn Engine) -> Stage<Option<Snapshot>> {
        if self.settings.validation.expected != settings::ExpectedFrom::Snapshot {
            return Ok(None);
        }
        let since = Instant::now();
        let file = &self.settings.validation.snapshot;
        let snapshot = self.read_snapshot(file)?;
        if snapshot.kind == engine.kind() {
            return Ok(Some(snapshot));
        }
        let shown = file.display();
        let finding = Finding::error(format!("`{shown}` is of another engine"))
            .hint("write it anew by `tenantgate snapshot`, and commit it");
        let _ = self.add(vec![Check::answered(&snapshot::FILE, vec![finding])], since);
        Err(Blocked)
    }

    /// The shared schema's fingerprint. A finding does not keep the tenants from being compared.
    async fn shared_drift(
        &mut self,
        engine: &dyn Engine,
        survey: &Survey,
        committed: Option<&Snapshot>,
    ) -> Stage<Option<Fingerprint>> {
        let since = Instant::now();
        let pending = &survey.plan.shared;
        if self.set().shared.is_empty() || pending.resume.is_some() || pending.reverting.is_some() {
            return Ok(None);
        }
        let aspects = Aspects::from(&self.settings.validation);
        let found = engine.structures(&[Target::Shared]).await;
        let found = self.or_block(&DRIFT_SHARED, since, found)?;
        let found = aspects.of(found.into_iter().next().unwrap_or_default());
        let applied = applied(&self.set().shared, &pending.migrations);
        let committed = committed.filter(|_| pending.migrations.is_empty());
        let committed = committed.map(|it| &it.shared);
        let expected = self.expected(engine, &[], &applied, committed).await;
        if let Some(note) = expected.note.as_ref().filter(|it| it.operational) {
            let check = Check::answered(&DRIFT_SHARED, vec![note.clone()]);
            return self.add(vec![check], since).map(|()| None);
        }
        // There is one only, so without the migrations there is nothing to compare it with.
        if let Some(base) = expected.structure {
            let base = aspects.of(base);
            let (wrong, extra) = drift::shared_differences(&base, &found);
            let target = drift::expectation(&base, &found, &found);
            let sql = engine.mend(Target::Shared, &target, &wrong);
            let check = drift::shared_findings(self.told(expected.from), &wrong, &extra, &sql);
            let _ = self.add(vec![check], since);
        } else if self.settings.tenancy.row.is_some() || survey.known().is_empty() {
            // Elsewhere the tenants' check says why.
            let note = uncompared(expected.note);
            let _ = self.add(vec![Check::answered(&DRIFT_SHARED, vec![note])], since);
        }
        Ok(Some(found.portable().fingerprint()))
    }

    /// What tenants were compared with, and how many are otherwise.
    async fn tenant_drift(
        &mut self,
        engine: &dyn Engine,
        classes: &[Class<'_>],
        closed: Vec<Finding>,
        shared_pending: &[usize],
        committed: Option<&Structure>,
        since: Instant,
    ) -> (Option<ExpectedFrom>, usize, Stage<()>) {
        let aspects = Aspects::from(&self.settings.validation);
        let shared = applied(&self.set().shared, shared_pending);
        let mut findings = closed;
        let mut from = None;
        // On several servers the same is expected, and learnt once.
        let mut bases: BTreeMap<&[usize], (ExpectedFrom, Structure)> = BTreeMap::new();
        for class in classes {
            if !bases.contains_key(class.pending.as_slice()) {
                let own = applied(&self.set().tenant, &class.pending);
                let committed = committed.filter(|_| class.pending.is_empty());
                let expected = self.expected(engine, &shared, &own, committed).await;
                let base = match expected.structure {
                    Some(base) => aspects.of(base),
                    None => most(classes, &class.pending),
                };
                bases.insert(&class.pending, (expected.from, base));
                findings.extend(expected.note);
            }
            let (expected_from, base) = &bases[class.pending.as_slice()];
            from.get_or_insert(*expected_from);
            let deviations = drift::deviations(base, &class.groups);
            let told = self.told(*expected_from);
            let several = class.groups.tenants() > 1;
            let everybody = several && deviations.len() == class.groups.all.len();
            for deviation in deviations {
                let (expected, mendable) = match expected_from {
                    ExpectedFrom::Largest => drift::without_code(&deviation.expected, &deviation.differences),
                    _ => (deviation.expected, deviation.differences.clone()),
                };
                let sql = |tenant: &Tenant| engine.mend(Target::Tenant(tenant), &expected, &mendable);
                let (tenants, differences) = (&deviation.group.tenants, &deviation.differences);
                findings.extend(drift::tenant_findings(told, tenants, everybody, differences, sql));
            }
            findings.extend(drift::unread_findings(told, &class.groups));
        }
        findings.extend(unseen(engine, classes).await);
        let differing: BTreeSet<&TenantName> = findings.iter().filter_map(|it| it.tenant.as_ref()).collect();
        let differing = differing.len();
        let check = Check::answered(&DRIFT_TENANT, findings);
        let open = self.add(vec![check], since);
        (from, differing, open)
    }

    fn told(&self, expected: ExpectedFrom) -> Told {
        Told {
            severity: self.drift_severity(),
            expected,
        }
    }

    fn drift_severity(&self) -> Severity {
        match self.settings.validation.drift {
            Level::Warning | Level::Off => Severity::Warning,
            Level::Error => Severity::Error,
        }
    }

    /// What migrations make; where that cannot be learnt and need not, what most are.
    async fn expected(
        &self,
        engine: &dyn Engine,
        shared: &[&Migration],
        own: &[&Migration],
        committed: Option<&Structure>,
    ) -> Expected {
        if let Some(structure) = committed {
            return Expected {
                from: ExpectedFrom::Snapshot,
                structure: Some(structure.clone()),
                note: None,
            };
        }
        let wished = self.settings.validation.expected;
        let most = |note| Expected {
            from: ExpectedFrom::Largest,
            structure: None,
            note,
        };
        if wished == settings::ExpectedFrom::Largest {
            return most(None);
        }
        let unlearnt = match made(engine, shared, own).await {
            Ok(structure) => {
                return Expected {
                    from: ExpectedFrom::Migrations,
                    structure: Some(structure),
                    note: None,
                };
            }
            Err(unlearnt) => unlearnt,
        };
        let Some(first) = unlearnt.findings.into_iter().next() else {
            return most(None);
        };
        let mut note = first.clone();
        note.message = format!("what the migrations make could not be learnt: {}", first.message);
        let known_to_fail = !first.operational || unlearnt.not_allowed;
        if wished != settings::ExpectedFrom::Migrations && known_to_fail {
            note.severity = Severity::Note;
            note.operational = false;
            note.hint = Some(
                "so tenants were compared with what most of them are; `expected` in [validate] says what is wished for"
                    .to_owned(),
            );
        }
        most(Some(note))
    }

    /// The environment before had the same migrations when it passed: has it the same structure?
    fn environment_drift(&mut self, since: Instant) -> Stage<()> {
        let demanded = self.settings.validation.expected == settings::ExpectedFrom::Predecessor;
        let Some(after) = &self.settings.environment.after else {
            return Ok(());
        };
        let (Some(theirs), Some(ours)) = (&self.predecessor, &self.schema) else {
            let check = demanded.then(|| drift::nothing_recorded(self.drift_severity(), after));
            return self.add(check.into_iter().collect(), since);
        };
        let own_schemas = self.settings.tenancy.row.is_none() && ours.tenants > 0;
        let ours_tenant = own_schemas.then(|| Fingerprint(ours.fingerprint.clone()));
        let ours_shared = ours.shared.clone().map(Fingerprint);
        let pairs = [
            (
                "the shared schema is",
                theirs.shared.as_ref(),
                ours_shared.as_ref(),
            ),
            (
                "the tenants' structure is",
                theirs.tenant.as_ref(),
                ours_tenant.as_ref(),
            ),
        ];
        let same_server = theirs.server.is_some() && theirs.server == self.server.as_deref().map(series);
        let check = drift::environment(self.drift_severity(), after, &pairs, same_server);
        self.add(vec![check], since)
    }
}

type Comparable<'t> = Vec<(&'t Tenant, &'t Pending)>;

/// Those that the role may look into, and what is said of the others.
async fn open_to_us<'t>(
    engine: &dyn Engine,
    tenants: &[(&'t Tenant, &'t Pending)],
) -> Result<(Comparable<'t>, Vec<Finding>), EngineError> {
    let targets: Vec<Target<'_>> = tenants.iter().map(|(tenant, _)| Target::Tenant(tenant)).collect();
    let closed = engine.closed(&targets).await?;
    let (mut open, mut findings) = (Vec::new(), Vec::new());
    for (comparable, role) in tenants.iter().zip(closed) {
        let tenant = comparable.0;
        match role {
            None => open.push(*comparable),
            Some(role) => findings.push(drift::closed_finding(
                tenant,
                &role,
                [&tenant.location, &role].map(|name| engine.quoted(name)),
            )),
        }
    }
    Ok((open, findings))
}

/// Why the shared schema was compared with nothing, which blocks where the migrations were to say what it is.
fn uncompared(why: Option<Finding>) -> Finding {
    let why = match why {
        Some(why) if why.severity == Severity::Error => return why,
        Some(why) => format!(": {}", why.message),
        None => ", as there is one only and `expected` is \"largest\"".to_owned(),
    };
    Finding::warning(format!("the shared schema was compared with nothing{why}"))
        .hint("`expected` in [validate] says what it is compared with")
}

/// `PostgreSQL 15`, `MariaDB 10.11`: within it, the same is written the same.
pub(super) fn series(server: &str) -> String {
    let numbers = if server.starts_with("PostgreSQL") { 1 } else { 2 };
    let kept: Vec<&str> = server.split('.').take(numbers).collect();
    kept.join(".")
}

/// Where tenants share their tables, the shared structure is everybody's.
fn one_for_all(shared: &Fingerprint, tenants: usize) -> SchemaSummary {
    SchemaSummary {
        fingerprint: shared.0.clone(),
        groups: 1,
        tenants,
        differing: 0,
        shared: Some(shared.0.clone()),
        expected: None,
    }
}

/// All but those that are pending.
pub(super) fn applied<'m>(all: &'m [Migration], pending: &[usize]) -> Vec<&'m Migration> {
    let applied = all
        .iter()
        .enumerate()
        .filter(|(index, _)| !pending.contains(index));
    applied.map(|(_, migration)| migration).collect()
}
