//! What would run, in words.

use super::words::{self, counted};
use crate::domain::{PlanGroup, PlanSummary, PlannedRanges, Report, WaveSummary};

/// Tenants of a wave that are named.
const NAMES: usize = 5;

/// The plan, where it is what the report is about: nothing was carried out.
pub(super) fn shown(report: &Report) -> Option<&PlanSummary> {
    let planned_only = report.command == "plan" || report.dry_run || report.outcomes.is_empty();
    report.plan.as_ref().filter(|_| planned_only)
}

/// The plan's groups that have something to run; absent where tenants are not known yet.
pub(super) fn pending(plan: &PlanSummary) -> Option<Vec<&PlanGroup>> {
    let groups = plan.tenants.as_ref()?;
    Some(
        groups
            .iter()
            .filter(|group| !group.pending.is_empty() && !group.tenants.is_empty())
            .collect(),
    )
}

/// `the shared schema needs 1 migration; 37 tenants need 2, 3 need 5; 2 are up to date`.
/// Absent where the plan is empty.
pub(super) fn sentence(report: &Report, plan: &PlanSummary) -> Option<String> {
    let mut parts = Vec::new();
    let mut unit = "migration";
    if !plan.shared.is_empty() {
        let needs = verb(report, 1);
        parts.push(format!(
            "the shared schema {needs} {}",
            counted(plan.shared.len(), unit)
        ));
        unit = "";
    }
    let number = |pending: usize, unit: &str| match unit {
        "" => words::thousands(pending),
        unit => counted(pending, unit),
    };
    match pending(plan) {
        None => parts.push(UNKNOWN_TENANTS.to_owned()),
        Some(groups) => {
            let mut needs = Vec::new();
            for (pending, tenants) in alike(&groups) {
                let who = match needs.is_empty() {
                    true => counted(tenants, "tenant"),
                    false => words::thousands(tenants),
                };
                let verb = verb(report, tenants);
                needs.push(format!("{who} {verb} {}", number(pending.len(), unit)));
                unit = "";
            }
            if needs.is_empty() && plan.shared.is_empty() {
                return None;
            }
            parts.extend((!needs.is_empty()).then(|| needs.join(", ")));
            parts.extend(up_to_date(
                report,
                groups.iter().map(|group| group.tenants.len()).sum(),
            ));
        }
    }
    parts.extend(suspended(report));
    Some(parts.join("; "))
}

fn verb(report: &Report, number: usize) -> &'static str {
    match report.command.as_str() {
        "rollback" => "would go back by",
        "baseline" => "would be marked with",
        _ if number == 1 => "needs",
        _ => "need",
    }
}

/// Above the list of [`waves`].
pub(super) const ORDER: &str = "in this order";

/// `canary (1): acme`, `the rest (987): zeta, …, and 982 more`
pub(super) fn waves(plan: &PlanSummary) -> Vec<String> {
    let line = |wave: &WaveSummary| {
        let names: Vec<_> = wave.tenants.iter().map(ToString::to_string).collect();
        let number = words::thousands(names.len());
        format!("{} ({number}): {}", wave.name, words::listed(&names, NAMES))
    };
    plan.waves.iter().map(line).collect()
}

fn suspended(report: &Report) -> Option<String> {
    match report.tenants.as_ref()?.suspended {
        0 => None,
        1 => Some("1 is suspended and left as it is".to_owned()),
        many => Some(format!(
            "{} are suspended and left as they are",
            words::thousands(many)
        )),
    }
}

/// What is pending for how many tenants, on whatever servers.
fn alike<'p>(groups: &[&'p PlanGroup]) -> Vec<(&'p [String], usize)> {
    let mut alike: Vec<(&[String], usize)> = Vec::new();
    for group in groups {
        match alike.iter_mut().find(|(pending, _)| *pending == group.pending) {
            Some((_, tenants)) => *tenants += group.tenants.len(),
            None => alike.push((&group.pending, group.tenants.len())),
        }
    }
    alike
}

/// `tenant/0007_fill.sql runs over ranges of 5,000 rows by `id` of `orders``
pub(super) fn ranges(plan: &PlanSummary) -> Vec<String> {
    let sentence = |it: &PlannedRanges| {
        format!(
            "{} runs over ranges of {} by `{}` of `{}`",
            it.migration,
            counted(usize::try_from(it.size).unwrap_or(usize::MAX), "row"),
            it.key,
            it.table
        )
    };
    plan.ranges.iter().map(sentence).collect()
}

const UNKNOWN_TENANTS: &str = "tenants are not known yet: the registry is made by shared migrations";

fn up_to_date(report: &Report, pending: usize) -> Option<String> {
    if matches!(report.command.as_str(), "rollback" | "baseline") {
        return None;
    }
    let tenants = report.tenants.as_ref()?;
    match tenants
        .discovered
        .checked_sub(pending.saturating_add(tenants.suspended))?
    {
        0 => None,
        1 if pending == 0 => Some("1 tenant is up to date".to_owned()),
        1 => Some("1 is up to date".to_owned()),
        rest if pending == 0 => Some(format!("{} are up to date", counted(rest, "tenant"))),
        rest => Some(format!("{} are up to date", words::thousands(rest))),
    }
}
