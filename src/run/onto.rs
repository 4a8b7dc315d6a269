//! What is pending, tried out on top of what an environment has.

use std::collections::BTreeMap;

use crate::baseline::told;
use crate::domain::words::{count, listed};
use crate::domain::{
    Change, Difference, EnvironmentName, Finding, Migration, Scope, Structure, Tenant, differences,
};
use crate::engine::Target;
use crate::migrations::Pending;
use crate::promotion::RecordedSchema;
use crate::settings::{Level, Validation};
use crate::validate::drift::{self, Aspects, Deviation};

use super::classes::{Class, classes};
use super::drift::applied;
use super::prove::{Proven, Workbench, found};
use super::survey::Survey;

/// How many structures of tenants are copied; those of most tenants first.
const COPIES: usize = 10;

pub(super) struct Onto<'a> {
    pub(super) survey: &'a Survey,
    pub(super) validation: &'a Validation,
    pub(super) environment: &'a EnvironmentName,
    /// What this environment was when it last passed on such a server, as far as that is known.
    pub(super) recorded: Option<RecordedSchema>,
    /// What the whole set makes of nothing.
    pub(super) whole: BTreeMap<Scope, Structure>,
}

/// What is applied, and what is to come, by scope.
struct Steps<'m> {
    applied: Vec<&'m Migration>,
    pending: Vec<&'m Migration>,
}

impl Onto<'_> {
    /// For tenants that lack the same migrations, those that are most.
    pub(super) async fn prove(&self, bench: &mut Workbench<'_>) -> Proven<Vec<Finding>> {
        let set = bench.set;
        let shared = &self.survey.plan.shared;
        if is_half_done(shared) {
            return Ok(vec![Finding::note(
                "the shared schema is half way through a migration, so nothing was tried on top of it",
            )]);
        }
        let (pending, tenants) = self.class(set.tenant.len());
        let of_shared = steps(&set.shared, &shared.migrations);
        let own = steps(&set.tenant, &pending);
        let applied: Vec<&Migration> = of_shared.applied.iter().chain(&own.applied).copied().collect();
        bench.build(&applied).await?;
        let mut made = BTreeMap::new();
        for scope in Scope::ALL {
            made.insert(scope, bench.structure(scope).await?);
        }
        let to_come: Vec<&Migration> = of_shared.pending.iter().chain(&own.pending).copied().collect();
        let mut findings = self.carry_on(bench, &to_come, None).await?;
        findings.extend(self.on_copies(bench, &made, &of_shared, &own, &tenants).await?);
        Ok(findings)
    }

    /// The largest class of tenants of which nothing is half done: what they lack, and who they are. Where there
    /// are none, as a new one would be.
    fn class(&self, all: usize) -> (Vec<usize>, Vec<(&Tenant, &Pending)>) {
        let mut classes: BTreeMap<&[usize], Vec<(&Tenant, &Pending)>> = BTreeMap::new();
        for plan in self.survey.plan.tenants.iter().flatten() {
            if !is_half_done(&plan.pending) && self.survey.locations.contains(&plan.tenant) {
                let class = classes.entry(&plan.pending.migrations).or_default();
                class.push((&plan.tenant, plan.pending.as_ref()));
            }
        }
        let largest = classes.into_iter().max_by_key(|(_, tenants)| tenants.len());
        match largest {
            Some((pending, tenants)) => (pending.to_vec(), tenants),
            None => ((0..all).collect(), Vec::new()),
        }
    }

    /// Carries out what is pending, and compares with the whole. `known`: what differed before, which is
    /// not its doing.
    async fn carry_on(
        &self,
        bench: &mut Workbench<'_>,
        pending: &[&Migration],
        known: Option<(&Structure, &Structure)>,
    ) -> Proven<Vec<Finding>> {
        for migration in pending {
            if let Err(error) = bench.scratch().await?.carry_out(migration).await {
                return found(migration, error);
            }
        }
        let mut findings = Vec::new();
        for scope in Scope::ALL {
            let mut wrong = differences(&self.whole[&scope], &bench.structure(scope).await?);
            if let (Scope::Tenant, Some((made, live))) = (scope, known) {
                let before = differences(made, live);
                wrong.retain(|it| !before.iter().any(|other| is_same(it, other)));
            }
            if !wrong.is_empty() {
                let labels: Vec<String> = pending.iter().map(|it| it.label()).collect();
                let finding = Finding::error(format!(
                    "after {} the {scope} schema is not what all migrations make of nothing: {}",
                    listed(&labels, 3),
                    told(&wrong)
                ));
                findings.push(finding);
            }
        }
        Ok(findings)
    }

    /// Where tenants are not what the files make, what is pending is tried on a copy of what they are.
    async fn on_copies(
        &self,
        bench: &mut Workbench<'_>,
        made: &BTreeMap<Scope, Structure>,
        shared: &Steps<'_>,
        own: &Steps<'_>,
        tenants: &[(&Tenant, &Pending)],
    ) -> Proven<Vec<Finding>> {
        let classes = classes(bench.engine, tenants, self.aspects()).await?;
        let mut findings: Vec<Finding> = self.since_recorded(&classes).into_iter().collect();
        let base = self.aspects().of(made[&Scope::Tenant].clone());
        let each = classes
            .iter()
            .map(|class| drift::deviations(&base, &class.groups));
        let drifted: Vec<Deviation<'_, '_>> = each.flatten().collect();
        let left_out = drifted.len().saturating_sub(COPIES);
        for deviation in drifted.iter().take(COPIES) {
            let Some(live) = &deviation.group.structure else {
                continue;
            };
            let names = &deviation.group.tenants;
            let words = told(&deviation.differences);
            let message = format!("{} not what the applied migrations make: {words}", who(names));
            findings.push(match self.validation.drift {
                Level::Off => Finding::note(message),
                _ => Finding::warning(message).hint("`tenantgate validate` says more of it"),
            });
            if own.pending.is_empty() {
                continue;
            }
            let all: Vec<&Migration> = shared.applied.iter().chain(&shared.pending).copied().collect();
            bench.build(&all).await?;
            if let Err(why) = self.copy(bench, names[0], live).await? {
                findings.push(Finding::note(format!(
                    "what is pending was not tried on what {}: {why}",
                    who(names)
                )));
                continue;
            }
            let copied = bench.structure(Scope::Tenant).await?;
            let known = Some((&made[&Scope::Tenant], &copied));
            let wrong = self.carry_on(bench, &own.pending, known).await?;
            for finding in wrong {
                findings.push(
                    Finding {
                        message: format!("on a copy of {}: {}", names[0].name, finding.message),
                        ..finding
                    }
                    .tenant(&names[0].name)
                    .hint("mend the tenant first, or the migration so that it sees what is there"),
                );
            }
        }
        if left_out > 0 {
            let more = count(left_out, "other structure");
            findings.push(Finding::note(format!(
                "what is pending was not tried on {more} of tenants"
            )));
        }
        Ok(findings)
    }

    /// Makes a copy of one tenant's structure; else says why there is none.
    async fn copy(
        &self,
        bench: &mut Workbench<'_>,
        tenant: &Tenant,
        live: &Structure,
    ) -> Proven<Result<(), String>> {
        let copied = bench.scratch().await?.copy(Target::Tenant(tenant), live).await;
        match copied {
            Ok(true) => {}
            Ok(false) => return Ok(Err("no copy of it can be made".to_owned())),
            Err(error) if error.kind.is_operational() => return Err(error.into()),
            Err(error) => return Ok(Err(format!("no copy of it could be made: {}", error.message))),
        }
        let made = bench.structure(Scope::Tenant).await?;
        let aspects = self.aspects();
        let wrong = differences(&aspects.of(live.clone()).portable(), &aspects.of(made).portable());
        if wrong.is_empty() {
            return Ok(Ok(()));
        }
        Ok(Err(format!("its copy came out otherwise: {}", told(&wrong))))
    }

    /// The structure at the last evidence is what is there, unless somebody has changed it since.
    fn since_recorded(&self, classes: &[Class<'_>]) -> Option<Finding> {
        let theirs = self.recorded.as_ref()?.tenant.as_ref()?;
        let group = classes.first()?.groups.all.first()?;
        let ours = group.structure.as_ref()?.portable().fingerprint();
        (ours != *theirs).then(|| {
            Finding::note(format!(
                "the tenants' structure is not what it was when {} last passed; what is pending was tried on what it is now",
                self.environment
            ))
            .hint("`tenantgate validate` says what differs from the migrations")
        })
    }

    fn aspects(&self) -> Aspects<'_> {
        Aspects::from(self.validation)
    }
}

fn is_half_done(pending: &Pending) -> bool {
    pending.resume.is_some() || pending.reverting.is_some()
}

fn steps<'m>(all: &'m [Migration], pending: &[usize]) -> Steps<'m> {
    Steps {
        applied: applied(all, pending),
        pending: pending.iter().map(|index| &all[*index]).collect(),
    }
}

/// Both are about one thing: the columns' order, or an enum's labels, are other ones again where something was added.
fn is_same(one: &Difference, other: &Difference) -> bool {
    let same = match (&one.change, &other.change) {
        (
            Change::Altered { attribute, .. },
            Change::Altered {
                attribute: of_other, ..
            },
        ) => attribute == of_other,
        (change, of_other) => change == of_other,
    };
    same && one.object == other.object
}

/// `acme is`, `3 tenants (acme, …) are`.
fn who(tenants: &[&Tenant]) -> String {
    let names: Vec<_> = tenants.iter().map(|it| &it.name).collect();
    match names.as_slice() {
        [one] => format!("{one} is"),
        all => format!("{} are", listed(all, 3)),
    }
}
