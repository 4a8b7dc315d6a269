//! The sentences of a report, the same in every format.

use super::rows::Stand;
use super::words::{self, counted};
use crate::domain::{
    Check, CheckStatus, Finding, PlanSummary, Report, Severity, Standing, TenantCounts, Verdict,
};

/// `passed`, `passed with 2 warnings`, `blocked by 2 checks`.
pub(super) fn verdict(report: &Report) -> String {
    let dry = if report.dry_run { " (dry run)" } else { "" };
    let warned = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Warned)
        .count();
    let failed = report.failed_checks().count();
    let unanswered = report
        .failed_checks()
        .filter(|check| is_unanswered(check))
        .count();
    match (report.verdict, failed) {
        (Verdict::Passed, _) if warned > 0 => format!("passed{dry} with {}", counted(warned, "warning")),
        (Verdict::Passed, _) => format!("passed{dry}"),
        (Verdict::Blocked, 0) => format!("blocked{dry}"),
        (Verdict::Blocked, _) if unanswered == failed => {
            format!("blocked{dry}: {} could not be answered", counted(failed, "check"))
        }
        (Verdict::Blocked, _) if unanswered > 0 => {
            format!(
                "blocked{dry} by {}, {unanswered} of them without an answer",
                counted(failed, "check")
            )
        }
        (Verdict::Blocked, _) => format!("blocked{dry} by {}", counted(failed, "check")),
    }
}

/// All errors of the check are failures to find out.
pub(super) fn is_unanswered(check: &Check) -> bool {
    let mut errors = check
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .peekable();
    errors.peek().is_some() && errors.all(|finding| finding.operational)
}

/// `42 migrations`, where the set was read.
pub(super) fn migrations(report: &Report) -> Option<String> {
    let set = report.migration_set.as_ref()?;
    Some(counted(set.shared + set.tenant, "migration"))
}

/// `5 tenants: 3 migrated, 2 up to date`.
pub(super) fn counts(report: &Report) -> Option<String> {
    let tenants = report.tenants.as_ref()?;
    let found = counted(tenants.discovered, "tenant");
    let TenantCounts {
        discovered,
        up_to_date,
        migrated,
        failed,
        skipped,
        not_reached,
    } = *tenants;
    let sum = up_to_date + migrated + failed + skipped + not_reached;
    let unknown = if sum == 0 {
        0
    } else {
        discovered.saturating_sub(sum)
    };
    let states = [
        (failed, "failed"),
        (not_reached, "not reached"),
        (migrated, "migrated"),
        (up_to_date, "up to date"),
        (skipped, "skipped"),
        (unknown, "not accounted for"),
    ];
    Some(with_states(found, &states))
}

fn with_states(found: String, states: &[(usize, &str)]) -> String {
    let states = states.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = states
        .map(|(count, state)| format!("{} {state}", words::thousands(*count)))
        .collect();
    if parts.is_empty() {
        found
    } else {
        format!("{found}: {}", parts.join(", "))
    }
}

/// `6 tenants: 1 unfinished, 2 behind, 3 up to date, 1 of them suspended`.
pub(super) fn standings(standings: &[Standing]) -> String {
    let tenants: Vec<_> = standings
        .iter()
        .filter(|standing| standing.tenant.is_some())
        .collect();
    let count = |stand| {
        tenants
            .iter()
            .filter(|standing| Stand::of(standing) == stand)
            .count()
    };
    let states = Stand::ALL.map(|stand| (count(stand), stand.as_str()));
    let suspended = match tenants.iter().filter(|standing| !standing.active).count() {
        0 => String::new(),
        number => format!("; {number} suspended"),
    };
    format!(
        "{}{suspended}",
        with_states(counted(tenants.len(), "tenant"), &states)
    )
}

/// Said where a command that migrates, or would, found everything at its newest migration.
pub(super) fn nothing_to_do(report: &Report) -> Option<String> {
    let migrates = matches!(report.command.as_str(), "run" | "migrate" | "plan");
    let planned = match &report.plan {
        Some(plan) => plan.shared.is_empty() && pending_groups(plan)?.is_empty(),
        None => true,
    };
    let tenants = report.tenants.as_ref()?;
    let counted_so = tenants.up_to_date == tenants.discovered || report.command == "plan";
    let done = report
        .outcomes
        .iter()
        .all(|outcome| outcome.state == crate::domain::OutcomeState::UpToDate);
    // A blocked run that saw no tenants knows nothing about them.
    let known = tenants.discovered > 0 || report.verdict == Verdict::Passed;
    if !(migrates && planned && counted_so && done && known) {
        return None;
    }
    let doing = if report.verdict == Verdict::Passed {
        "do"
    } else {
        "migrate"
    };
    Some(match tenants.discovered {
        0 => format!(
            "nothing to {doing}: the shared schema is at its newest migration, and there are no tenants"
        ),
        1 => format!("nothing to {doing}: shared schema and the only tenant are at their newest migration"),
        many => format!(
            "nothing to {doing}: shared schema and all {} tenants are at their newest migration",
            words::thousands(many)
        ),
    })
}

/// The plan's groups that have something to run; absent where tenants are not known yet.
pub(super) fn pending_groups(plan: &PlanSummary) -> Option<Vec<&crate::domain::PlanGroup>> {
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
pub(super) fn plan(report: &Report) -> Option<String> {
    let plan = report.plan.as_ref()?;
    let mut parts = Vec::new();
    let mut unit = "migration";
    if !plan.shared.is_empty() {
        parts.push(format!(
            "the shared schema needs {}",
            counted(plan.shared.len(), unit)
        ));
        unit = "";
    }
    let number = |pending: usize, unit: &str| match unit {
        "" => words::thousands(pending),
        unit => counted(pending, unit),
    };
    match pending_groups(plan) {
        None => parts.push(UNKNOWN_TENANTS.to_owned()),
        Some(groups) => {
            let mut needs = Vec::new();
            for group in &groups {
                let who = match needs.is_empty() {
                    true => counted(group.tenants.len(), "tenant"),
                    false => words::thousands(group.tenants.len()),
                };
                let verb = if group.tenants.len() == 1 { "needs" } else { "need" };
                needs.push(format!("{who} {verb} {}", number(group.pending.len(), unit)));
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
    Some(parts.join("; "))
}

pub(super) const UNKNOWN_TENANTS: &str =
    "tenants are not known yet: the registry is made by shared migrations";

fn up_to_date(report: &Report, pending: usize) -> Option<String> {
    match report.tenants.as_ref()?.discovered.checked_sub(pending)? {
        0 => None,
        1 if pending == 0 => Some("1 tenant is up to date".to_owned()),
        1 => Some("1 is up to date".to_owned()),
        rest if pending == 0 => Some(format!("{} are up to date", counted(rest, "tenant"))),
        rest => Some(format!("{} are up to date", words::thousands(rest))),
    }
}

/// Whether the plan is what this report is about: nothing was carried out.
pub(super) fn shows_plan(report: &Report) -> bool {
    report.command == "plan" || report.dry_run || report.outcomes.is_empty()
}

/// `dev passed with this migration set on 2026-03-01 10:00 UTC`.
pub(super) fn promotion(report: &Report) -> Option<String> {
    let promotion = report.promotion.as_ref()?;
    let after = promotion.after.as_str();
    Some(match promotion.passed_at {
        Some(at) => format!(
            "{after} passed with this migration set on {}",
            at.strftime("%Y-%m-%d %H:%M UTC")
        ),
        None => format!("{after} has not passed with this migration set"),
    })
}

/// `all tenants have the same structure`, `3 different structures among the tenants`.
pub(super) fn schema(report: &Report) -> Option<String> {
    let schema = report.schema.as_ref()?;
    Some(match schema.groups {
        0 | 1 => "all tenants have the same structure".to_owned(),
        groups => format!("{groups} different structures among the tenants"),
    })
}

/// Checks of one area (what stands before the dot of their ids) that share a fate.
pub(super) struct Area<'a> {
    pub(super) name: &'a str,
    pub(super) checks: Vec<&'a Check>,
    /// Why they were not asked.
    pub(super) reason: String,
}

pub(super) fn passed(report: &Report) -> Vec<Area<'_>> {
    areas(report, CheckStatus::Passed, |_| String::new())
}

/// A skipped check's first finding is the reason; without one it is the gate's usual one.
pub(super) fn skipped(report: &Report) -> Vec<Area<'_>> {
    let usual = match report.failed_checks().next() {
        Some(_) => "not asked: an earlier check blocked",
        None => "not asked",
    };
    areas(report, CheckStatus::Skipped, |check| {
        match check.findings.first() {
            Some(finding) => format!("not asked: {}", finding.message),
            None => usual.to_owned(),
        }
    })
}

fn areas(report: &Report, status: CheckStatus, reason: impl Fn(&Check) -> String) -> Vec<Area<'_>> {
    let mut areas: Vec<Area<'_>> = Vec::new();
    for check in report.checks.iter().filter(|check| check.status == status) {
        let name = check.id.split('.').next().unwrap_or(&check.id);
        let reason = reason(check);
        match areas
            .iter_mut()
            .find(|area| area.name == name && area.reason == reason)
        {
            Some(area) => area.checks.push(check),
            None => areas.push(Area {
                name,
                checks: vec![check],
                reason,
            }),
        }
    }
    areas
}

/// Notes of checks that passed; those of others stand with the others.
pub(super) fn notes(report: &Report) -> Vec<Finding> {
    let passed = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Passed);
    passed.flat_map(|check| check.findings.iter().cloned()).collect()
}
