//! `on_failure = "rollback"`: what this rollout applied is taken back where it was not to go on.

use crate::domain::{Check, Finding, OutcomeState};
use crate::engine::{Engine, Target};
use crate::migrations::{self, Plan, TenantPlan};
use crate::rollout::{self, Halt, Revert, RolledOut};
use crate::settings::OnFailure;

use super::Gate;

impl Gate<'_> {
    /// Nothing is begun that could not be taken back as promised. Absent where nothing was promised.
    pub(super) fn way_back(&self, plan: &Plan) -> Option<Check> {
        if self.settings.rollout.on_failure != OnFailure::Rollback {
            return None;
        }
        let set = &self.set().tenant;
        let pending: Vec<bool> = match &plan.tenants {
            None => vec![true; set.len()],
            Some(tenants) => {
                let mut pending = vec![false; set.len()];
                let included = tenants
                    .iter()
                    .filter(|it| self.request.includes_tenant(&it.tenant.name));
                for index in included.flat_map(|it| &it.pending.migrations) {
                    pending[*index] = true;
                }
                pending
            }
        };
        let pending = set
            .iter()
            .zip(pending)
            .filter_map(|(it, pending)| pending.then_some(it));
        let findings = migrations::missing_downs(pending)
            .into_iter()
            .map(|mut finding| {
                finding.message.push_str(", and `on_failure` is \"rollback\"");
                finding
            })
            .collect();
        Some(Check::answered(&migrations::ROLLBACK_DOWN, findings))
    }

    /// Takes back what the rollout applied to each tenant, where failures ended it.
    pub(super) async fn take_back(
        &self,
        engine: &dyn Engine,
        plan: &[TenantPlan],
        rolled_out: &mut RolledOut,
    ) -> Option<Check> {
        let failed = matches!(
            rolled_out.halt,
            Some(Halt::Failures { .. } | Halt::Strict { .. } | Halt::Canaries)
        );
        if !failed || self.settings.rollout.on_failure != OnFailure::Rollback || self.stop.requested() {
            return None;
        }
        let mut changed = Vec::new();
        let mut reverts = Vec::new();
        for (index, (result, plan)) in rolled_out.results.iter().zip(plan).enumerate() {
            if !result.outcome.applied.is_empty() {
                changed.push(index);
                reverts.push(Revert {
                    target: Target::Tenant(&plan.tenant),
                    versions: result.outcome.applied.clone(),
                });
            }
        }
        let (settings, stop, progress) = (&self.settings.rollout, self.stop, self.progress);
        let undone = rollout::revert(engine, self.set(), &reverts, settings, stop, progress).await;
        let mut findings: Vec<Finding> = Vec::new();
        for (index, back) in changed.into_iter().zip(undone) {
            let result = &mut rolled_out.results[index];
            findings.extend(back.finding);
            result.outcome.undone = back.outcome.undone;
            result.outcome.head = back.outcome.head;
            result.outcome.duration_ms += back.outcome.duration_ms;
            result.outcome.retries += back.outcome.retries;
            // Who failed on the way there stays one that failed.
            let went = result.outcome.state == OutcomeState::Migrated;
            match back.outcome.state {
                OutcomeState::RolledBack if went => result.outcome.state = OutcomeState::RolledBack,
                OutcomeState::RolledBack => {}
                OutcomeState::NotReached => {
                    let name = &plan[index].tenant.name;
                    let finding = Finding::error("was not taken back: the run was told to end").tenant(name);
                    findings.push(
                        finding
                            .operational(true)
                            .hint("`tenantgate rollback` takes it back"),
                    );
                }
                _ => {
                    result.outcome.state = OutcomeState::Failed;
                    result.outcome.error = back.outcome.error;
                }
            }
        }
        Some(Check::answered(&rollout::UNDONE, findings))
    }
}
