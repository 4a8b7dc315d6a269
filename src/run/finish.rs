//! Everything gathered becomes the report, and the report becomes evidence.

use crate::database_url::EngineKind;
use crate::domain::{
    Check, CheckDefinition, MigrationSetSummary, OutcomeState, Report, SCHEMA_VERSION, Tool,
};
use crate::settings::Level;
use crate::{baseline, gate, lint, migrations, prove, rollout, snapshot, tenants, validate};

use super::connect::{LABEL, LEDGER, REACHABLE};
use super::{Command, Gate};

/// Keys of the report whose texts are words of ours, names, or times: see [`Redactor::redact_json`].
///
/// [`Redactor::redact_json`]: crate::domain::Redactor::redact_json
const SPARED: &[&str] = &[
    "id",
    "title",
    "status",
    "severity",
    "verdict",
    "state",
    "command",
    "environment",
    "after",
    "tenant",
    "tenants",
    "scope",
    "shard",
    "digest",
    "started_at",
    "passed_at",
];

impl Gate<'_> {
    pub(super) async fn finish(mut self) -> anyhow::Result<Report> {
        if self.request.writes() && self.reached_database {
            let check = self.duration_check(self.started.elapsed());
            let _ = self.add(vec![check], self.started);
        }
        for definition in self.unasked() {
            self.checks.push(Check::skipped(&definition));
        }
        let mut report = self.report();
        // A run that could not find out, and did nothing, shows nothing.
        let shows_nothing = report.outcomes.is_empty() && gate::only_unanswered(&report.checks);
        if self.would_be_evidence() && self.reached_database && !shows_nothing {
            self.record(&mut report).await;
        }
        if let Some(rolled_back) = self.rolled_back.clone() {
            self.record_rollback(&mut report, rolled_back).await;
        }
        self.redacted(&report)
    }

    /// What this command asks and never came to.
    fn unasked(&self) -> Vec<CheckDefinition> {
        let command = self.request.command;
        let mut definitions: Vec<CheckDefinition> = Vec::new();
        if command.asks_database() {
            definitions.extend([REACHABLE, LABEL]);
        }
        if matches!(
            command,
            Command::Run
                | Command::Migrate
                | Command::Plan
                | Command::Validate
                | Command::Rollback
                | Command::Baseline
        ) {
            definitions.extend([
                tenants::REGISTRY,
                tenants::NAME,
                tenants::DUPLICATE,
                tenants::CANARY,
                tenants::LOST,
            ]);
            match command {
                Command::Rollback => {
                    definitions.extend(migrations::ROLLBACK_CHECKS.iter().copied());
                    definitions.extend([migrations::CHANGED, migrations::VANISHED]);
                }
                Command::Baseline => {}
                _ => definitions.extend(migrations::LEDGER_CHECKS.iter().copied()),
            }
            let rolls_out = !matches!(command, Command::Validate | Command::Rollback | Command::Baseline);
            if !self.settings.rollout.waves.is_empty() && rolls_out {
                definitions.push(tenants::WAVES);
            }
            if !matches!(command, Command::Plan | Command::Rollback | Command::Baseline)
                && !self.request.dry_run
            {
                definitions.push(tenants::MINIMUM);
            }
        }
        if command.lints() {
            definitions.extend(lint::CHECKS.iter().copied());
        }
        if self.request.proves {
            definitions.extend_from_slice(prove::CHECKS);
        }
        if command == Command::Snapshot {
            definitions.push(snapshot::MADE);
            definitions.push(if self.request.compares {
                snapshot::CURRENT
            } else {
                snapshot::FILE
            });
        }
        if self.request.writes() && command == Command::Rollback {
            definitions.extend([LEDGER, rollout::LEASE, rollout::UNDONE]);
        } else if command == Command::Baseline {
            definitions.extend([baseline::VERSION, baseline::MADE, baseline::STRUCTURE]);
            definitions.extend(
                [LEDGER, rollout::LEASE]
                    .into_iter()
                    .filter(|_| self.request.writes()),
            );
        } else if self.request.writes() {
            definitions.extend([LEDGER, rollout::LEASE, rollout::SHARED]);
            if self.request.includes(crate::domain::Scope::Tenant) {
                definitions.extend([tenants::ENSURED, rollout::TENANTS]);
                definitions.extend((!self.settings.rollout.canary.is_empty()).then_some(rollout::CANARY));
            }
        }
        let asks_change = matches!(
            command,
            Command::Run | Command::Migrate | Command::Plan | Command::Validate
        );
        if self.settings.tenancy.max_change.is_some() && asks_change {
            definitions.push(tenants::CHANGED);
        }
        if command.validates() && !self.request.dry_run {
            definitions.extend(
                self.settings
                    .tenancy
                    .domains
                    .is_some()
                    .then_some(tenants::DOMAINS),
            );
            match self.settings.tenancy.row {
                Some(_) => definitions.extend(validate::rows::CHECKS.iter().copied()),
                None => definitions.extend([validate::REGISTERED, validate::UNREGISTERED]),
            }
            definitions.push(validate::COMPLETE);
            if self.kind == Some(EngineKind::Postgres) {
                definitions.push(validate::INVALID_INDEXES);
            }
            if self.settings.validation.drift != Level::Off && !self.drift_reached {
                if self.settings.tenancy.row.is_none() {
                    definitions.push(validate::DRIFT_TENANT);
                }
                if !self.set().shared.is_empty() {
                    definitions.push(validate::DRIFT_SHARED);
                }
            }
            if !self.isolation_reached && self.kind.is_some() {
                definitions.extend(self.isolation_checks());
            }
            let expect = &self.settings.expect;
            if !(expect.shared.tables.is_empty() && expect.tenant.tables.is_empty()) {
                let tables = [
                    validate::TABLES,
                    validate::COLUMNS,
                    validate::INDEXES,
                    validate::FOREIGN_KEYS,
                ];
                definitions.extend(tables);
            }
            if expect.shared.names_row_security() || expect.tenant.names_row_security() {
                definitions.push(validate::ROW_SECURITY);
            }
            if !(expect.shared.thresholds.is_empty() && expect.tenant.thresholds.is_empty()) {
                definitions.push(validate::THRESHOLDS);
            }
            if !(expect.shared.assertions.is_empty() && expect.tenant.assertions.is_empty()) {
                definitions.push(validate::ASSERTIONS);
            }
        }
        // A registry that does not exist yet is a fact about an empty database, not a skipped question.
        let asks_them = self.request.writes() && !command.asks_ledger_itself();
        let unknown_tenants = self.reached_database && self.tenants.is_none() && !asks_them;
        definitions.retain(|it| {
            let asked = self.checks.iter().any(|check| check.id == it.id);
            let moot = unknown_tenants && it.id.starts_with("tenants.");
            !asked && !moot
        });
        definitions
    }

    fn report(&mut self) -> Report {
        let set = self.loaded.as_ref().map(|loaded| &loaded.set);
        let outcomes = std::mem::take(&mut self.outcomes);
        let checks = std::mem::take(&mut self.checks);
        Report {
            schema_version: SCHEMA_VERSION,
            tool: Tool {
                name: "tenantgate".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            project: self.settings.name.clone(),
            command: self.request.command.as_str().to_owned(),
            environment: self.settings.environment.name.clone(),
            verdict: gate::verdict(&checks, &outcomes),
            started_at: self.started_at,
            duration_ms: self.started.elapsed().as_millis() as u64,
            commit: self.invocation.commit.clone(),
            run_url: self.invocation.run_url.clone(),
            server: self.server.take(),
            servers: std::mem::take(&mut self.servers),
            dry_run: self.request.dry_run,
            scope: self.request.scope,
            shard: self.request.shard,
            merged: None,
            migration_set: set.map(|set| MigrationSetSummary {
                digest: set.digest(),
                shared: set.shared.len(),
                tenant: set.tenant.len(),
            }),
            checks,
            tenants: self.tenants.take(),
            outcomes,
            plan: self.plan.take(),
            standings: self.standings.take(),
            promotion: self.promotion.take(),
            overridden: self.overridden.take(),
            schema: self.schema.take(),
            evidence: None,
        }
    }

    /// The last line of defence: no secret is in any string of the report.
    fn redacted(&self, report: &Report) -> anyhow::Result<Report> {
        debug_assert!(
            report
                .outcomes
                .iter()
                .all(|it| it.state != OutcomeState::UpToDate)
        );
        let mut value = serde_json::to_value(report)?;
        self.redactor.redact_json(&mut value, SPARED);
        Ok(serde_json::from_value(value)?)
    }
}
