//! Reading the schemas, and comparing them with what they must be.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::database_url::EngineKind;
use crate::domain::words::{count, listed};
use crate::domain::{Check, Finding, Severity, Tenant, TenantName, Tenants};
use crate::engine::{Engine, queries};
use crate::migrations::Plan;
use crate::tenants;
use crate::validate as schema;

use super::compare::Comparison;
use super::survey::Survey;
use super::{Gate, Stage};

impl Gate<'_> {
    /// Tenants that are behind are found by one check; their tables are not compared on top of it.
    pub(super) async fn validate(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        self.invalid_indexes(engine, survey, Severity::Error).await?;
        self.domains(engine, survey).await?;
        let since = Instant::now();
        let tenancy = &self.settings.tenancy;
        let spoken_for = |tenant: &Tenant| {
            self.left_behind.contains(&tenant.name) || survey.suspended.contains(&tenant.name)
        };
        let known: Vec<Tenant> = survey
            .known()
            .iter()
            .filter(|it| !spoken_for(it))
            .cloned()
            .collect();
        let mut plan = survey.plan.clone();
        if let Some(tenants) = &mut plan.tenants {
            tenants.retain(|it| !spoken_for(&it.tenant));
        }
        let mut checks = Vec::new();
        // In shared tables no tenant has a schema.
        if tenancy.row.is_none() {
            checks.extend([
                schema::registered(&known, &survey.locations),
                schema::unregistered(survey.known(), &survey.locations, &tenancy.ignore),
            ]);
        }
        checks.push(self.complete(&plan, survey));
        let open = self.add(checks, since);
        let is_whole = |tenant: &Tenant| survey.locations.contains(tenant);
        let at_head = plan
            .tenants
            .iter()
            .flatten()
            .filter(|it| it.pending.migrations.is_empty());
        let marks = self.read_marks(engine).await?;
        if !matches!(survey.tenants, Tenants::Unknown) {
            // What differs does not keep the other questions from being asked.
            let compared = self.drift(engine, survey).await;
            // Who gave no answer is not asked more, and waited for each time.
            if self.comparison_is_unanswered() {
                return compared;
            }
            let kept_apart = self.isolation(engine, survey).await;
            if self.comparison_is_unanswered() {
                return kept_apart;
            }
        }
        let tenants: Vec<&Tenant> = at_head.map(|it| &it.tenant).filter(|it| is_whole(it)).collect();
        // Where no tenant can be looked at, nothing is said of their tables.
        let somebody = !tenants.is_empty() || survey.known().is_empty();
        if matches!(survey.tenants, Tenants::Unknown) || !somebody {
            return open;
        }
        self.compare_tables(engine, &tenants).await?;
        self.compare_values(engine, &tenants).await?;
        self.compare_numbers(engine, &tenants).await?;
        self.row_isolation(engine, survey).await?;
        self.take_marks(engine, marks).await?;
        open
    }

    /// By which domains tenants are reached. A finding here does not keep the other questions from being asked.
    async fn domains(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let Some(query) = &self.settings.tenancy.domains else {
            return Ok(());
        };
        let rows = queries::registry(engine, query).await.map_err(|mut error| {
            error.message = format!("the query `domains` failed: {}", error.message);
            error
        });
        let rows = self.or_block(&tenants::DOMAINS, since, rows)?;
        let shared = &self.settings.tenancy.shared_schema;
        let check = tenants::domains(&rows, survey.known(), shared, &self.redactor);
        let _ = self.add(vec![check], since);
        Ok(())
    }

    /// What failed builds left. A finding here does not keep the other questions from being asked.
    pub(super) async fn invalid_indexes(
        &mut self,
        engine: &dyn Engine,
        survey: &Survey,
        severity: Severity,
    ) -> Stage<()> {
        let since = Instant::now();
        if engine.kind() != EngineKind::Postgres {
            return Ok(());
        }
        let found = engine.invalid_indexes().await;
        let found = self.or_block(&schema::INVALID_INDEXES, since, found)?;
        let shared = &self.settings.tenancy.shared_schema;
        let check = schema::invalid_indexes(&found, shared, survey.known(), severity);
        let _ = self.add(vec![check], since);
        Ok(())
    }

    /// Those that the rollout left behind are said once more in short: why, it has said itself.
    fn complete(&self, plan: &Plan, survey: &Survey) -> Check {
        let mut check = schema::complete(plan, self.set());
        if self.left_behind.is_empty() {
            return check;
        }
        // What was to be taken back, and is not, is at head.
        let plans = survey.plan.tenants.iter().flatten();
        let all: BTreeSet<&TenantName> = plans
            .filter(|it| it.pending.migrations.is_empty())
            .map(|it| &it.tenant.name)
            .collect();
        let (at_head, behind): (Vec<_>, Vec<_>) = self.left_behind.iter().partition(|it| all.contains(it));
        let unanswered = self.rollout_was_unanswered();
        let told = |many: String, hint| Finding::error(many).hint(hint).operational(unanswered);
        if !behind.is_empty() {
            let many = count(behind.len(), "tenant");
            check.findings.push(told(
                format!("the rollout left {many} behind: {}", listed(&behind, 5)),
                "see rollout.tenants; the other tenants were validated",
            ));
        }
        if !at_head.is_empty() {
            let many = count(at_head.len(), "tenant");
            let told_of = if at_head.len() == 1 {
                "failed and is at head all the same, and was not validated"
            } else {
                "failed and are at head all the same, and were not validated"
            };
            check.findings.push(told(
                format!("{many} {told_of}: {}", listed(&at_head, 5)),
                "see rollback.undone and rollout.tenants",
            ));
        }
        Check::answered(&schema::COMPLETE, check.findings)
    }

    /// What kept tenants from being migrated was a server, the network or a permission.
    fn rollout_was_unanswered(&self) -> bool {
        let rollout = self
            .checks
            .iter()
            .filter(|check| check.id == crate::rollout::TENANTS.id);
        let findings = rollout.flat_map(|check| &check.findings);
        findings
            .filter(|finding| finding.severity == Severity::Error)
            .all(|finding| finding.operational)
    }

    async fn compare_tables(&mut self, engine: &dyn Engine, tenants: &[&Tenant]) -> Stage<()> {
        let since = Instant::now();
        let compared = self.comparison(engine).tables(true, tenants).await;
        let checks = self.or_block(&schema::TABLES, since, compared)?;
        // A failed comparison does not keep the assertions from being asked.
        let _ = self.add(checks, since);
        Ok(())
    }

    async fn compare_values(&mut self, engine: &dyn Engine, tenants: &[&Tenant]) -> Stage<()> {
        let since = Instant::now();
        let expect = &self.settings.expect;
        if expect.shared.assertions.is_empty() && expect.tenant.assertions.is_empty() {
            return Ok(());
        }
        let findings = self.comparison(engine).values(true, tenants).await;
        // They do not keep isolation from being looked at.
        let _ = self.add(vec![Check::answered(&schema::ASSERTIONS, findings)], since);
        Ok(())
    }

    async fn compare_numbers(&mut self, engine: &dyn Engine, tenants: &[&Tenant]) -> Stage<()> {
        let since = Instant::now();
        let expect = &self.settings.expect;
        if expect.shared.thresholds.is_empty() && expect.tenant.thresholds.is_empty() {
            return Ok(());
        }
        let findings = self.comparison(engine).numbers(true, tenants).await;
        // They do not keep isolation from being looked at.
        let _ = self.add(vec![Check::answered(&schema::THRESHOLDS, findings)], since);
        Ok(())
    }

    fn comparison<'a>(&'a self, engine: &'a dyn Engine) -> Comparison<'a> {
        Comparison {
            engine,
            expect: &self.settings.expect,
            kind: self.kind(),
            redactor: &self.redactor,
        }
    }

    pub(super) fn kind(&self) -> EngineKind {
        self.kind.unwrap_or(EngineKind::Postgres)
    }
}
