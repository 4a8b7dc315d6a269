//! What is there: tenants, ledger, plan.

use std::collections::BTreeSet;
use std::time::Instant;

use globset::GlobMatcher;

use crate::domain::words::listed;
use crate::domain::{
    Check, Finding, Ledger, Locations, MigrationSet, Tenant, TenantCounts, TenantName, Tenants,
};
use crate::engine::{Engine, EngineError, ErrorKind, Target, queries};
use crate::migrations::{self, Pending, Plan, TenantPlan};
use crate::rollout::Listed;
use crate::settings::{Suspended, WaveTenants};
use crate::tenants;

use super::connect::{LABEL, finding};
use super::{Command, Gate, Stage};

/// One look at the database.
pub(super) struct Survey {
    pub(super) tenants: Tenants,
    pub(super) locations: Locations,
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    /// Ensured tenants that the registry lacks.
    pub(super) to_register: Vec<TenantName>,
    /// There is a database, on this server or another, that no run has written to yet.
    pub(super) fresh: bool,
    /// Those that are behind and stay so, because they are suspended.
    pub(super) suspended: BTreeSet<TenantName>,
    /// Canaries of other shards, which guard this one too.
    pub(super) canaries_elsewhere: Vec<TenantPlan>,
    /// Who is in the rollout's groups, where somebody is behind.
    pub(super) listed: Listed,
}

impl Survey {
    /// Nothing to apply, nobody to register.
    pub(super) fn is_settled(&self) -> bool {
        !self.fresh && self.plan.is_empty() && self.plan.tenants.is_some() && self.to_register.is_empty()
    }

    /// No run has written here yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.fresh && self.ledger.shared.is_empty() && self.ledger.tenants.is_empty()
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
        let (tenants, mut locations, ledger) = loop {
            let (tenants, locations, ledger) = self.look(engine, &shared_pending).await?;
            let now = migrations::pending_after(&self.set().shared, &ledger.shared);
            if now.migrations == shared_pending.migrations {
                break (tenants, locations, ledger);
            }
            // Another run is applying the shared migrations, which make the registry: what was read of it
            // belongs to none of the two states. Each round needs one more of them applied, so this ends.
            shared_pending = now;
        };
        let fresh = self.unlabelled(engine, &ledger).await? || fresh;
        let known: &[Tenant] = match &tenants {
            Tenants::Known(tenants) => tenants,
            Tenants::Unknown => &[],
        };
        let to_register = match &tenants {
            Tenants::Known(tenants) => self.to_register(tenants),
            Tenants::Unknown => Vec::new(),
        };
        let mut lost = tenants::lost(known, &ledger, &locations);
        if !lost.findings.is_empty() {
            // The places were read before the ledger: what another run made in between is not lost.
            let now = self.whereabouts(engine).await;
            locations = self.or_block(&tenants::REGISTRY, since, now)?;
            lost = tenants::lost(known, &ledger, &locations);
        }
        let mut plan = migrations::plan(self.set(), &ledger, &tenants);
        let mut canaries_elsewhere = Vec::new();
        if let Some(tenants) = &mut plan.tenants {
            let (part, others) = std::mem::take(tenants)
                .into_iter()
                .partition(|it| self.request.is_in_part(&it.tenant.name));
            *tenants = part;
            canaries_elsewhere = others;
            canaries_elsewhere.retain(|it| self.settings.rollout.canary.contains(&it.tenant.name));
        }
        let asked = self.request.command != Command::Status && !self.request.command.asks_ledger_itself();
        let direct = match asked {
            true => Some(self.direct_url_check(engine, &plan).await),
            false => None,
        };
        let mut checks = std::mem::take(&mut plan.checks);
        if self.request.command.asks_ledger_itself() {
            checks = vec![lost];
        } else {
            checks.push(lost);
            checks.extend(direct);
            checks.extend(self.changed(engine, &tenants, &ledger, &locations));
        }
        if self.request.command == Command::Status {
            // Status says where tenants stand; that it is not well is for the others to block.
            checks.clear();
        }
        let suspended = self.set_apart(&mut plan);
        if matches!(
            self.request.command,
            Command::Run | Command::Migrate | Command::Plan
        ) {
            checks.extend(self.way_back(&plan));
        }
        self.count(&plan, suspended.len());
        let (listed, waves) = self.groups(engine, &tenants, &plan).await;
        checks.extend(waves);
        let survey = Survey {
            tenants,
            locations,
            plan,
            ledger,
            to_register,
            fresh,
            suspended,
            canaries_elsewhere,
            listed,
        };
        self.add(checks, since)?;
        Ok(survey)
    }

    /// Registry, places and ledger, in this order: what the ledger lacks at the end it lacked before.
    async fn look(&mut self, engine: &dyn Engine, shared: &Pending) -> Stage<(Tenants, Locations, Ledger)> {
        let tenants = self.read_tenants(engine, shared).await?;
        let since = Instant::now();
        let locations = self.whereabouts(engine).await;
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

    /// Where tenants are. In shared tables all are in one place, that is there.
    async fn whereabouts(&self, engine: &dyn Engine) -> Result<Locations, EngineError> {
        let tenancy = &self.settings.tenancy;
        match tenancy.row {
            Some(_) => Ok(std::iter::once(tenancy.location.clone()).collect()),
            None => engine.locations().await,
        }
    }

    /// Reads the registry. It may not exist yet where shared migrations are still to make it.
    pub(super) async fn read_tenants(&mut self, engine: &dyn Engine, shared: &Pending) -> Stage<Tenants> {
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
        // Those of another shard are registered by it.
        let to_come = match self.request.shard {
            Some(_) => tenants::missing_ensured(&resolved.tenants, &tenancy.ensure),
            None => self.to_register(&resolved.tenants),
        };
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
        self.admit(engine).await?;
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
        let skipped = |tenant: &&Tenant| {
            let skips = self.settings.rollout.suspended == Suspended::Skip;
            skips && !tenant.active && self.settings.rollout.canary.contains(&tenant.name)
        };
        let suspended = tenants.iter().filter(skipped).map(|tenant| {
            Finding::warning("is a canary, and suspended: it is skipped, and goes before no other")
                .tenant(&tenant.name)
                .hint("name another in `canary` of [rollout]")
        });
        Check::answered(&tenants::CANARY, finding.into_iter().chain(suspended).collect())
    }

    /// Ensured tenants that the registry lacks and that this run is for.
    fn to_register(&self, tenants: &[Tenant]) -> Vec<TenantName> {
        let mut missing = tenants::missing_ensured(tenants, &self.settings.tenancy.ensure);
        missing.retain(|name| self.request.includes_tenant(name));
        missing
    }

    /// How many there are, against how many there were.
    fn changed(
        &self,
        engine: &dyn Engine,
        tenants: &Tenants,
        ledger: &Ledger,
        locations: &Locations,
    ) -> Option<Check> {
        let max = self.settings.tenancy.max_change?;
        let Tenants::Known(known) = tenants else {
            return None;
        };
        // Once a run has gone on the tenants that it migrated are no news.
        let asked = self.checks.iter().any(|it| it.id == tenants::CHANGED.id);
        let location = |name: &str| engine.location(name);
        (!asked).then(|| tenants::changed(known, ledger, locations, location, max))
    }

    pub(super) fn set(&self) -> &MigrationSet {
        static NONE: MigrationSet = MigrationSet {
            shared: Vec::new(),
            tenant: Vec::new(),
        };
        self.loaded.as_ref().map_or(&NONE, |loaded| &loaded.set)
    }

    /// Takes those out of the plan that stay as they are.
    fn set_apart(&self, plan: &mut Plan) -> BTreeSet<TenantName> {
        let mut apart = BTreeSet::new();
        if self.settings.rollout.suspended != Suspended::Skip || self.request.command == Command::Status {
            return apart;
        }
        if let Some(tenants) = &mut plan.tenants {
            tenants.retain(|it| {
                let stays = !it.tenant.active && !it.pending.migrations.is_empty();
                if stays {
                    apart.insert(it.tenant.name.clone());
                }
                !stays
            });
        }
        apart
    }

    /// Who is in the rollout's groups. Asked only where somebody is behind: nothing to do costs nothing.
    async fn groups(&self, engine: &dyn Engine, tenants: &Tenants, plan: &Plan) -> (Listed, Vec<Check>) {
        let mut listed = Listed::new();
        let waves = &self.settings.rollout.waves;
        let Tenants::Known(tenants) = tenants else {
            return (listed, Vec::new());
        };
        let asks = matches!(
            self.request.command,
            Command::Run | Command::Migrate | Command::Plan
        );
        if waves.is_empty() || !asks {
            return (listed, Vec::new());
        }
        let mut findings = Vec::new();
        let somebody_is_behind = plan
            .tenants
            .iter()
            .flatten()
            .any(|it| !it.pending.migrations.is_empty());
        for (group, wave) in waves.iter().enumerate() {
            let names = match &wave.tenants {
                WaveTenants::Matching(globs) => {
                    let known = |glob: &GlobMatcher| tenants.iter().any(|it| glob.is_match(it.name.as_str()));
                    if !globs.iter().any(known) {
                        let message = format!("the wave `{}` has no tenant in this environment", wave.name);
                        let hint = "mend its `tenants` in [[rollout.waves]], or take it out";
                        findings.push(Finding::warning(message).hint(hint));
                    }
                    continue;
                }
                WaveTenants::Query(_) if !somebody_is_behind => continue,
                WaveTenants::Query(query) => queries::registry(engine, query).await,
            };
            match names {
                Ok(rows) => {
                    let ensured = &self.settings.tenancy.ensure;
                    let known = tenants.iter().map(|it| &it.name).chain(ensured).collect();
                    let grouped = tenants::grouped(rows, &known, &self.redactor);
                    findings.extend(grouped.finding(&wave.name));
                    listed.insert(group, grouped.names);
                }
                // The shared migrations that are pending may make what it asks for; it is asked again then.
                Err(error) if error.kind == ErrorKind::Missing && !plan.shared.migrations.is_empty() => {}
                Err(error) => {
                    let mut found = finding(&error);
                    found.message =
                        format!("the query of the wave `{}` failed: {}", wave.name, found.message);
                    if found.hint.is_none() {
                        found = found.hint("mend its `query` in [[rollout.waves]]");
                    }
                    findings.push(found);
                }
            }
        }
        // Once everybody is at head the queries are not asked again: what they gave before still holds.
        let answered = self.checks.iter().any(|it| it.id == tenants::WAVES.id);
        if answered && !somebody_is_behind {
            return (listed, Vec::new());
        }
        (listed, vec![Check::answered(&tenants::WAVES, findings)])
    }

    /// Counts before anything runs: who is behind counts as skipped until it is reached.
    fn count(&mut self, plan: &Plan, suspended: usize) {
        self.tenants = plan.tenants.as_ref().map(|tenants| {
            let up_to_date = tenants
                .iter()
                .filter(|it| it.pending.migrations.is_empty())
                .count();
            TenantCounts {
                discovered: tenants.len() + suspended,
                suspended,
                up_to_date,
                skipped: tenants.len() - up_to_date,
                ..TenantCounts::default()
            }
        });
    }
}
