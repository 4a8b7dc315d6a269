//! The writing part: lease, shared migrations, registered tenants, rollout.

use std::time::{Duration, Instant};

use crate::domain::{Check, Finding, Outcome, OutcomeState, Scope};
use crate::engine::{Engine, Holder, Target, queries};
use crate::rollout::{self, Event, LeaseError, StopReason};
use crate::tenants;

use super::connect::{LEDGER, finding};
use super::survey::Survey;
use super::{Blocked, Gate, Stage};

impl Gate<'_> {
    /// Brings everything to head that this request includes. What is settled already costs nothing:
    /// no lease, no write.
    pub(super) async fn migrate(&mut self, engine: &dyn Engine, survey: Survey) -> Stage<Survey> {
        if survey.is_settled() {
            let mut answers = vec![
                &rollout::LEASE,
                &rollout::SHARED,
                &rollout::TENANTS,
                &tenants::ENSURED,
                &LEDGER,
            ];
            answers.extend((!self.settings.rollout.canary.is_empty()).then_some(&rollout::CANARY));
            let checks = answers
                .into_iter()
                .map(|check| Check::answered(check, Vec::new()));
            self.add(checks.collect(), Instant::now())?;
            return Ok(survey);
        }
        self.snapshot_knows(engine, &survey).await?;
        let since = Instant::now();
        if !self.request.includes(Scope::Shared) {
            self.refuse_without_shared(&survey)?;
        }
        let prepared = self.write_label(engine, false).await;
        self.or_block(&LEDGER, since, prepared)?;
        self.add(vec![Check::answered(&LEDGER, Vec::new())], since)?;
        // Two first runs at once: one label won.
        self.label(engine).await?;
        let holder = self.holder();
        let lease = &self.settings.rollout;
        let (stop, progress) = (self.stop, self.progress);
        let work = self.under_lease(engine);
        let done = rollout::with_lease(
            engine,
            &holder,
            lease.lease_ttl,
            lease.lease_wait,
            stop,
            progress,
            work,
        );
        match done.await {
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

    /// Who this run is to others that want the lease.
    pub(super) fn holder(&self) -> Holder {
        Holder {
            id: format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)),
            whence: self.invocation.whence.clone(),
            shard: self.request.shard,
        }
    }

    /// Tenants build on the shared schema.
    fn refuse_without_shared(&mut self, survey: &Survey) -> Stage<()> {
        if survey.plan.shared.migrations.is_empty() {
            return Ok(());
        }
        let finding = Finding::error("shared migrations are pending, and tenants build on them").hint(
            "run `tenantgate migrate --scope shared` first, or leave `--scope`, `--tenant` and `--shard` out",
        );
        self.add(
            vec![Check::answered(&rollout::SHARED, vec![finding])],
            Instant::now(),
        )
    }

    async fn under_lease(&mut self, engine: &dyn Engine) -> Stage<Survey> {
        let since = Instant::now();
        // What was seen before the lease may be another run's work by now.
        let mut survey = self.survey(engine).await?;
        if !survey.is_settled() {
            self.leave_mark(engine).await?;
        }
        if !survey.plan.shared.migrations.is_empty() {
            if self.request.includes(Scope::Shared) {
                self.migrate_shared(engine, &survey).await?;
                survey = self.survey(engine).await?;
            } else {
                self.refuse_without_shared(&survey)?;
            }
        }
        self.add(vec![Check::answered(&rollout::SHARED, Vec::new())], since)?;
        self.label_newcomers(engine, &mut survey).await?;
        if self.request.includes(Scope::Tenant) {
            if !survey.to_register.is_empty() {
                self.register(engine, &survey).await?;
                survey = self.survey(engine).await?;
            }
            self.add(vec![Check::answered(&tenants::ENSURED, Vec::new())], since)?;
            self.migrate_tenants(engine, &mut survey).await?;
        }
        self.add(vec![self.kept_the_lease()], since)?;
        Ok(survey)
    }

    pub(super) fn kept_the_lease(&self) -> Check {
        let lost = self.stop.reason() == Some(StopReason::LeaseLost);
        let finding = lost.then(|| {
            Finding::error("another run took the environment over while this one was at work")
                .hint("was this machine asleep or cut off? Run again; raise `rollout.lease_ttl` if it recurs")
                .operational(true)
        });
        Check::answered(&rollout::LEASE, finding.into_iter().collect())
    }

    async fn migrate_shared(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let pending = &survey.plan.shared;
        self.progress.tell(&Event::Shared {
            pending: pending.migrations.len(),
        });
        let work = rollout::migrate(
            engine,
            Target::Shared,
            false,
            &self.set().shared,
            pending,
            &self.settings.rollout,
            self.stop,
            self.progress,
        );
        let done = tokio::select! {
            done = work => done,
            () = self.stop.aborted() => Err(rollout::Failure {
                migrated: rollout::Migrated { head: pending.head, ..Default::default() },
                finding: Finding::error("the shared migrations were cut off in the middle")
                    .hint("run again: it goes on from there")
                    .operational(true),
                kind: None,
                crowded: false,
            }),
        };
        let (state, migrated, finding) = match done {
            Ok(migrated) => (OutcomeState::Migrated, migrated, None),
            Err(failure) => (OutcomeState::Failed, failure.migrated, Some(failure.finding)),
        };
        self.outcomes.push(Outcome {
            tenant: None,
            server: None,
            state,
            applied: migrated.applied,
            undone: Vec::new(),
            head: migrated.head,
            duration_ms: since.elapsed().as_millis() as u64,
            retries: migrated.retries,
            rows: migrated.rows,
            error: finding.as_ref().map(|finding| finding.message.clone()),
        });
        self.add(
            vec![Check::answered(&rollout::SHARED, finding.into_iter().collect())],
            since,
        )
    }

    /// Adds the registry's rows of ensured tenants.
    async fn register(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let mut findings = Vec::new();
        for tenant in &survey.to_register {
            match &self.settings.tenancy.ensure_sql {
                None => findings.push(
                    Finding::error("must exist, and the registry has no row for it")
                        .tenant(tenant)
                        .hint("insert it, or say how as `ensure_sql` in [tenancy]"),
                ),
                Some(sql) => {
                    if let Err(error) = engine.register(sql, tenant.as_str()).await {
                        let mut found = finding(&error).tenant(tenant);
                        found.message = format!("`ensure_sql` failed: {}", found.message);
                        findings.push(found);
                    }
                }
            }
        }
        self.add(vec![Check::answered(&tenants::ENSURED, findings)], since)?;
        let after = queries::registry(engine, &self.settings.tenancy.registry).await;
        let rows = self.or_block(&tenants::ENSURED, since, after)?;
        let has = |name: &str| rows.iter().any(|row| row.tenant.as_deref() == Some(name));
        let still = survey.to_register.iter().filter(|name| !has(name.as_str()));
        let still = still.map(|tenant| {
            Finding::error("`ensure_sql` ran, and the registry's query still does not show the tenant")
                .tenant(tenant)
                .hint("do both speak of the same table, and of the same name?")
        });
        let still = still.collect();
        self.add(vec![Check::answered(&tenants::ENSURED, still)], since)
    }

    /// How long the run may take.
    pub(super) fn duration_check(&self, took: Duration) -> Check {
        let over = |limit: Option<Duration>| limit.filter(|limit| took > *limit);
        let rollout = &self.settings.rollout;
        let seconds = took.as_secs();
        let finding = match (over(rollout.fail_after), over(rollout.warn_after)) {
            (Some(limit), _) => Some(Finding::error(format!(
                "the run took {seconds} s, and `fail_after` is {limit:?}"
            ))),
            (None, Some(limit)) => Some(Finding::warning(format!(
                "the run took {seconds} s, and `warn_after` is {limit:?}"
            ))),
            (None, None) => None,
        };
        Check::answered(&rollout::DURATION, finding.into_iter().collect())
    }
}

/// Why the lease was not to be had.
pub(super) fn no_lease(error: &LeaseError) -> Finding {
    match error {
        LeaseError::Engine(error) => finding(error),
        LeaseError::Held { .. } => Finding::error(error.to_string())
            .operational(true)
            .hint("let the other run finish, or raise `rollout.lease_wait`"),
        LeaseError::Stopped { reason, .. } => {
            let hint = match reason {
                Some(StopReason::Deadline) => {
                    "nothing ran: run again when the other run is done, or with a later deadline"
                }
                _ => "nothing ran: run again when the other run is done",
            };
            Finding::error(error.to_string()).operational(true).hint(hint)
        }
    }
}
