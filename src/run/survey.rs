//! What is there: tenants, ledger, plan.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::domain::words::listed;
use crate::domain::{
    Check, Finding, Ledger, Migration, MigrationSet, PlanGroup, PlanSummary, Scope, Standing, Tenant,
    TenantCounts, TenantName, Tenants,
};
use crate::engine::{Engine, ErrorKind, Target, queries};
use crate::migrations::{self, Pending, Plan, TenantPlan};
use crate::tenants;

use super::connect::LABEL;
use super::{Command, Gate, Stage};

/// One look at the database.
pub(super) struct Survey {
    pub(super) tenants: Tenants,
    pub(super) locations: BTreeSet<String>,
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    /// Ensured tenants that the registry lacks.
    pub(super) to_register: Vec<TenantName>,
    /// No run has written to this database yet.
    pub(super) fresh: bool,
}

impl Survey {
    /// Nothing to apply, nobody to register.
    pub(super) fn is_settled(&self) -> bool {
        !self.fresh && self.plan.is_empty() && self.plan.tenants.is_some() && self.to_register.is_empty()
    }

    pub(super) fn known(&self) -> &[Tenant] {
        match &self.tenants {
            Tenants::Known(tenants) => tenants,
            Tenants::Unknown => &[],
        }
    }
}

impl Gate<'_> {
    pub(super) async fn survey(&mut self, engine: &dyn Engine) -> Stage<Survey> {
        let since = Instant::now();
        let shared = engine.history(Target::Shared).await;
        let shared = self.or_block(&migrations::CHANGED, since, shared)?;
        let label = engine.label().await;
        let label = self.or_block(&LABEL, since, label)?;
        // Where nobody ran anything yet the first run that writes will say whose it is.
        let fresh = shared.is_empty() && label.is_none();
        if label.is_none() && !shared.is_empty() {
            let environment = &self.settings.environment.name;
            let finding = Finding::error(
                "migrations were applied here, and the label is gone that says whose database it is",
            )
            .hint(format!(
                "is it the right one? Then `tenantgate relabel --environment {environment}`"
            ));
            self.add(vec![Check::answered(&LABEL, vec![finding])], since)?;
        }
        let mut shared_pending = migrations::pending_after(&self.set().shared, &shared);
        let (tenants, locations, ledger) = loop {
            let (tenants, locations, ledger) = self.look(engine, &shared_pending).await?;
            let now = migrations::pending_after(&self.set().shared, &ledger.shared);
            if now.migrations == shared_pending.migrations {
                break (tenants, locations, ledger);
            }
            // Another run is applying the shared migrations, which make the registry: what was read of it
            // belongs to none of the two states. Each round needs one more of them applied, so this ends.
            shared_pending = now;
        };
        let known: &[Tenant] = match &tenants {
            Tenants::Known(tenants) => tenants,
            Tenants::Unknown => &[],
        };
        let to_register = match &tenants {
            Tenants::Known(tenants) => self.to_register(tenants),
            Tenants::Unknown => Vec::new(),
        };
        let lost = tenants::lost(known, &ledger, &locations);
        let mut plan = migrations::plan(self.set(), &ledger, &tenants);
        let direct = self.direct_url_check(engine, &plan);
        let mut checks = std::mem::take(&mut plan.checks);
        if self.request.command.asks_ledger_itself() {
            checks = vec![lost];
        } else {
            checks.extend([lost, direct]);
        }
        if self.request.command == Command::Status {
            // Status says where tenants stand; that it is not well is for the others to block.
            checks.clear();
        }
        self.count(&plan);
        let survey = Survey {
            tenants,
            locations,
            plan,
            ledger,
            to_register,
            fresh,
        };
        self.add(checks, since)?;
        Ok(survey)
    }

    /// Registry, places and ledger, in this order: what the ledger lacks at the end it lacked before.
    async fn look(
        &mut self,
        engine: &dyn Engine,
        shared: &Pending,
    ) -> Stage<(Tenants, BTreeSet<String>, Ledger)> {
        let tenants = self.read_tenants(engine, shared).await?;
        let since = Instant::now();
        let locations = engine.locations().await;
        let locations = self.or_block(&tenants::REGISTRY, since, locations)?;
        let known: &[Tenant] = match &tenants {
            Tenants::Known(tenants) => tenants,
            Tenants::Unknown => &[],
        };
        let since = Instant::now();
        let ledger = engine.ledger(known).await;
        let ledger = self.or_block(&migrations::CHANGED, since, ledger)?;
        Ok((tenants, locations, ledger))
    }

    /// Reads the registry. It may not exist yet where shared migrations are still to make it.
    async fn read_tenants(&mut self, engine: &dyn Engine, shared: &Pending) -> Stage<Tenants> {
        let since = Instant::now();
        let tenancy = &self.settings.tenancy;
        let rows = queries::registry(engine, &tenancy.registry).await;
        let rows = match rows {
            Err(error) if error.kind == ErrorKind::Missing && !shared.migrations.is_empty() => {
                return Ok(Tenants::Unknown);
            }
            Err(mut error) => {
                error.message = format!("the registry's query failed: {}", error.message);
                if error.hint().is_none() {
                    error.server_hint = Some("mend `registry` in [tenancy]".to_owned());
                }
                self.or_block(&tenants::REGISTRY, since, Err(error))?
            }
            Ok(rows) => rows,
        };
        let resolved = tenants::resolve(rows, tenancy, engine, &self.redactor);
        let mut checks = resolved.checks;
        let to_come = self.to_register(&resolved.tenants);
        if shared.migrations.is_empty() {
            let all = resolved.tenants.len() + to_come.len();
            let min = tenancy.min.saturating_sub(all - resolved.tenants.len());
            checks.push(tenants::minimum(&resolved.tenants, min));
        }
        checks.push(self.canaries(&resolved.tenants));
        let unknown: Vec<&TenantName> = self
            .request
            .only
            .iter()
            .filter(|name| !to_come.contains(name) && !resolved.tenants.iter().any(|it| it.name == **name))
            .collect();
        if !unknown.is_empty() {
            let names: Vec<&TenantName> = resolved.tenants.iter().map(|tenant| &tenant.name).collect();
            let finding = Finding::error(format!("the registry has no tenant {}", listed(&unknown, 5)))
                .hint(format!("it has {}", listed(&names, 10)));
            checks.push(Check::answered(&tenants::SELECTED, vec![finding]));
        }
        self.add(checks, since)?;
        Ok(Tenants::Known(resolved.tenants))
    }

    /// A canary that nobody registered guards nothing. One config serves all environments, and not every
    /// one has every tenant, so it is no error.
    fn canaries(&self, tenants: &[Tenant]) -> Check {
        let registered = |name: &TenantName| {
            tenants.iter().any(|tenant| tenant.name == *name) || self.settings.tenancy.ensure.contains(name)
        };
        let missing: Vec<&TenantName> = self
            .settings
            .rollout
            .canary
            .iter()
            .filter(|name| !registered(name))
            .collect();
        let finding = (!missing.is_empty()).then(|| {
            Finding::warning(format!(
                "no tenant is called {}, so it goes before no other",
                listed(&missing, 5)
            ))
            .hint("mend the name in `canary` of [rollout], or take it out")
        });
        Check::answered(&tenants::CANARY, finding.into_iter().collect())
    }

    /// Ensured tenants that the registry lacks and that this run is for.
    fn to_register(&self, tenants: &[Tenant]) -> Vec<TenantName> {
        let mut missing = tenants::missing_ensured(tenants, &self.settings.tenancy.ensure);
        missing.retain(|name| self.request.includes_tenant(name));
        missing
    }

    /// A no-transaction migration behind a pooler is refused before anything runs.
    fn direct_url_check(&self, engine: &dyn Engine, plan: &Plan) -> Check {
        let check = &migrations::DIRECT_URL;
        if !engine.needs_direct_url() {
            return Check::answered(check, Vec::new());
        }
        let set = self.set();
        let tenants = plan.tenants.iter().flatten().map(|it| it.pending.as_ref());
        let pending: BTreeSet<usize> = match plan.tenants {
            Some(_) => tenants
                .flat_map(|pending| pending.migrations.iter().copied())
                .collect(),
            None => (0..set.tenant.len()).collect(),
        };
        let shared = plan.shared.migrations.iter().map(|index| &set.shared[*index]);
        let tenant = pending.iter().map(|index| &set.tenant[*index]);
        let finding = |migration: &Migration| {
            Finding::error(format!(
                "{} runs outside a transaction, which a pooler cannot carry",
                migration.label()
            ))
            .hint("name a secret with the server's own URL as `direct_url` of the environment")
            .file(&migration.file)
            .at(1, 1)
        };
        let refused = shared.chain(tenant).filter(|migration| !migration.transactional);
        Check::answered(check, refused.map(finding).collect())
    }

    pub(super) fn set(&self) -> &MigrationSet {
        static NONE: MigrationSet = MigrationSet {
            shared: Vec::new(),
            tenant: Vec::new(),
        };
        self.loaded.as_ref().map_or(&NONE, |loaded| &loaded.set)
    }

    /// Counts before anything runs: who is behind counts as skipped until it is reached.
    fn count(&mut self, plan: &Plan) {
        self.tenants = plan.tenants.as_ref().map(|tenants| {
            let up_to_date = tenants
                .iter()
                .filter(|it| it.pending.migrations.is_empty())
                .count();
            TenantCounts {
                discovered: tenants.len(),
                up_to_date,
                skipped: tenants.len() - up_to_date,
                ..TenantCounts::default()
            }
        });
    }

    /// Puts plan and standings into the report where they were asked for.
    pub(super) fn show(&mut self, survey: &Survey) {
        if self.request.command.asks_ledger_itself() {
            return;
        }
        if self.request.command == Command::Plan || self.request.dry_run {
            self.plan = Some(self.summarise(&survey.plan));
        }
        if self.request.command == Command::Status {
            self.standings = Some(standings(survey));
        }
    }

    fn summarise(&self, plan: &Plan) -> PlanSummary {
        let set = self.set();
        let labels = |scope: Scope, indexes: &[usize]| -> Vec<String> {
            indexes
                .iter()
                .map(|index| set.of(scope)[*index].label())
                .collect()
        };
        let all: Vec<usize> = (0..set.tenant.len()).collect();
        let mut groups: BTreeMap<&[usize], Vec<TenantName>> = BTreeMap::new();
        for TenantPlan { tenant, pending } in plan.tenants.iter().flatten() {
            if !pending.migrations.is_empty() {
                groups
                    .entry(&pending.migrations)
                    .or_default()
                    .push(tenant.name.clone());
            }
        }
        let shown = |scope: Scope, index: &usize| {
            let migration = &set.of(scope)[*index];
            (migration.label(), migration.sql.clone())
        };
        let tenant: BTreeSet<usize> = match plan.tenants {
            Some(_) => groups
                .keys()
                .flat_map(|indexes| indexes.iter().copied())
                .collect(),
            None => all.iter().copied().collect(),
        };
        let shared = plan
            .shared
            .migrations
            .iter()
            .map(|index| shown(Scope::Shared, index));
        let sql = shared.chain(tenant.iter().map(|index| shown(Scope::Tenant, index)));
        let sql = if self.request.show_sql {
            sql.collect()
        } else {
            Vec::new()
        };
        let mut pending: Vec<PlanGroup> = groups
            .into_iter()
            .map(|(indexes, tenants)| PlanGroup {
                tenants,
                pending: labels(Scope::Tenant, indexes),
            })
            .collect();
        pending.sort_by_key(|group| std::cmp::Reverse(group.tenants.len()));
        PlanSummary {
            shared: labels(Scope::Shared, &plan.shared.migrations),
            each_tenant: if plan.tenants.is_none() {
                labels(Scope::Tenant, &all)
            } else {
                Vec::new()
            },
            tenants: plan.tenants.is_some().then_some(pending),
            sql,
        }
    }
}

fn standings(survey: &Survey) -> Vec<Standing> {
    let standing = |tenant: Option<&Tenant>, pending: &Pending| Standing {
        tenant: tenant.map(|tenant| tenant.name.clone()),
        head: pending.head,
        applied: pending.applied,
        pending: pending.migrations.len(),
        unfinished: pending.resume.is_some(),
        reverting: pending.reverting.is_some(),
        active: tenant.is_none_or(|tenant| tenant.active),
        exists: tenant.is_none_or(|tenant| survey.locations.contains(&tenant.location)),
    };
    let shared = standing(None, &survey.plan.shared);
    let tenants = survey.plan.tenants.iter().flatten();
    std::iter::once(shared)
        .chain(tenants.map(|it| standing(Some(&it.tenant), &it.pending)))
        .collect()
}
