//! `on_failure = "rollback"`: what this rollout applied is taken back where it was not to go on.

use std::collections::BTreeMap;

use crate::domain::words::{count, listed};
use crate::domain::{
    Check, Entry, EntryState, Finding, Ledger, Migration, OutcomeState, Tenant, TenantName, Version,
};
use crate::engine::{Engine, Target};
use crate::migrations::{self, Plan, TenantPlan, nothing_ran};
use crate::rollout::{self, Halt, Revert, RolledOut, TenantResult};
use crate::settings::OnFailure;

use super::Gate;
use super::connect::finding;

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
        let set = &self.set().tenant;
        let mut changed = Vec::new();
        let mut reverts = Vec::new();
        for (index, (result, plan)) in rolled_out.results.iter().zip(plan).enumerate() {
            // Who failed may have begun what nothing ran of.
            if result.outcome.state == OutcomeState::Failed || !result.outcome.applied.is_empty() {
                changed.push(index);
                let pending = plan.pending.migrations.iter();
                reverts.push(Revert {
                    target: Target::Tenant(&plan.tenant),
                    versions: pending.map(|index| set[*index].version).collect(),
                    head: result.outcome.head,
                    again: format!("run {}", way_back_of([plan])),
                });
            }
        }
        let (settings, stop, progress) = (&self.settings.rollout, self.stop, self.progress);
        let undone = rollout::revert(engine, self.set(), &reverts, settings, stop, progress).await;
        let mut findings: Vec<Finding> = Vec::new();
        for (index, back) in changed.into_iter().zip(undone) {
            findings.extend(went_back(&mut rolled_out.results[index], &plan[index], back));
        }
        let tenants: Vec<Tenant> = plan.iter().map(|it| it.tenant.clone()).collect();
        let failures = rolled_out.results.iter().filter_map(|it| it.finding.as_ref());
        let unanswered = failures.chain(&findings).all(|finding| finding.operational);
        findings.push(match engine.ledger(&tenants).await {
            Ok(ledger) => stand(set, plan, &rolled_out.results, &ledger).operational(unanswered),
            Err(error) => {
                let mut found = finding(&error);
                found.message = format!("where the tenants stand now is not known: {}", found.message);
                found.hint("`tenantgate status` says it")
            }
        });
        Some(Check::answered(&rollout::UNDONE, findings))
    }
}

/// What became of one: its outcome is brought up to date, and what failed is told.
fn went_back(result: &mut TenantResult, plan: &TenantPlan, back: TenantResult) -> Option<Finding> {
    let outcome = &mut result.outcome;
    if back.outcome.state == OutcomeState::NotReached {
        let finding = Finding::error("was not taken back: the run was told to end").tenant(&plan.tenant.name);
        let hint = format!("run {}", way_back_of([plan]));
        let is_changed = !outcome.applied.is_empty();
        return is_changed.then(|| finding.operational(true).hint(hint));
    }
    outcome.undone = back.outcome.undone;
    outcome.head = back.outcome.head;
    outcome.duration_ms += back.outcome.duration_ms;
    outcome.retries += back.outcome.retries;
    match back.outcome.state {
        // Who failed on the way there stays one that failed.
        OutcomeState::RolledBack if outcome.state == OutcomeState::Migrated => {
            outcome.state = OutcomeState::RolledBack;
        }
        OutcomeState::RolledBack => {
            let now = match outcome.head {
                Some(head) => format!("it is at {head}"),
                None => "nothing is applied any more".to_owned(),
            };
            if let Some(finding) = &mut result.finding {
                finding.message.push_str(&format!("; taken back since: {now}"));
            }
        }
        OutcomeState::Failed if outcome.applied.is_empty() => return None,
        OutcomeState::Failed => {
            outcome.state = OutcomeState::Failed;
            outcome.error = back.outcome.error;
        }
        _ => {}
    }
    back.finding
}

/// ``tenantgate rollback --to 0002 --tenant birch``: to where they stood before this run.
fn way_back_of<'p>(plans: impl IntoIterator<Item = &'p TenantPlan>) -> String {
    let mut tenants: BTreeMap<Version, Vec<&TenantName>> = BTreeMap::new();
    for plan in plans {
        let before = plan.pending.head.unwrap_or(Version(0));
        tenants.entry(before).or_default().push(&plan.tenant.name);
    }
    let command = |(to, names): (Version, Vec<&TenantName>)| {
        let named: String = names.iter().map(|name| format!(" --tenant {name}")).collect();
        if names.len() > NAMED {
            format!(
                "`tenantgate rollback --to {to} --tenant NAME` for each of these {}",
                names.len()
            )
        } else {
            format!("`tenantgate rollback --to {to}{named}`")
        }
    };
    let commands: Vec<String> = tenants.into_iter().map(command).collect();
    commands.join(" and ")
}

/// More in one command are not worth reading.
const NAMED: usize = 5;

/// Where all stand after it, as the ledger has it, and what is to be done about those that are not back.
fn stand(set: &[Migration], plan: &[TenantPlan], results: &[TenantResult], ledger: &Ledger) -> Finding {
    let (mut back, mut before, mut as_they_were) = (0, 0, 0);
    let mut through: Vec<&TenantPlan> = Vec::new();
    let mut half_back: Vec<&TenantPlan> = Vec::new();
    let mut at_head: Vec<&TenantPlan> = Vec::new();
    let mut partly: Vec<&TenantPlan> = Vec::new();
    for (plan, result) in plan.iter().zip(results) {
        let history = ledger.tenant(&plan.tenant.name);
        let outcome = &result.outcome;
        let goes_on = |entry: &&Entry| match entry.state {
            EntryState::Running { .. } => {
                let migration = set.iter().find(|it| it.version == entry.version);
                !migration.is_some_and(|it| nothing_ran(entry, it))
            }
            _ => false,
        };
        let is_back = |entry: &Entry| matches!(entry.state, EntryState::Reverting { .. });
        let has = |version: &Version| history.iter().any(|entry| entry.version == *version);
        if history.iter().any(is_back) {
            half_back.push(plan);
        } else if history.iter().any(|entry| goes_on(&entry)) {
            through.push(plan);
        } else if outcome.applied.iter().any(has) {
            let whole = migrations::pending_after(set, &history).migrations.is_empty();
            if whole { &mut at_head } else { &mut partly }.push(plan);
        } else if !outcome.undone.is_empty() {
            back += 1;
        } else if plan.pending.migrations.is_empty() {
            before += 1;
        } else {
            as_they_were += 1;
        }
    }
    let names = |plans: &[&TenantPlan]| {
        let names: Vec<&TenantName> = plans.iter().map(|it| &it.tenant.name).collect();
        listed(&names, NAMED)
    };
    let parts = [
        (back, "was taken back", "were taken back", String::new()),
        (
            at_head.len(),
            "is still at head",
            "are still at head",
            names(&at_head),
        ),
        (
            partly.len(),
            "still has a part of it",
            "still have a part of it",
            names(&partly),
        ),
        (
            half_back.len(),
            "is half way back",
            "are half way back",
            names(&half_back),
        ),
        (
            through.len(),
            "is half way through",
            "are half way through",
            names(&through),
        ),
        (
            before,
            "was at head before this run",
            "were at head before this run",
            String::new(),
        ),
        (as_they_were, "is as it was", "are as they were", String::new()),
    ];
    let part = |(number, one, many, names): (usize, &str, &str, String)| {
        let verb = if number == 1 { one } else { many };
        let names = if names.is_empty() {
            names
        } else {
            format!(" ({names})")
        };
        format!("{number} {verb}{names}")
    };
    let parts: Vec<String> = parts.into_iter().filter(|it| it.0 > 0).map(part).collect();
    let message = format!("of {}: {}", count(plan.len(), "tenant"), parts.join(", "));
    let not_back: Vec<&TenantPlan> = [at_head, partly, half_back].concat();
    let mut steps = Vec::new();
    if !through.is_empty() {
        steps.push(
            "run `tenantgate migrate` again once what failed is mended: it goes on where they are".to_owned(),
        );
    }
    if !not_back.is_empty() {
        steps.push(format!(
            "once what failed on the way back is mended, run {}",
            way_back_of(not_back)
        ));
    }
    if steps.is_empty() {
        Finding::note(message)
    } else {
        Finding::error(message).hint(steps.join("; "))
    }
}
