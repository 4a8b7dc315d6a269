//! The sentences of a report, the same in every format.

use super::clean;
use super::groups::groups;
use super::plans;
use super::rows::Stand;
use super::words::{self, counted};
use crate::domain::{
    Check, CheckStatus, ExpectedFrom, Finding, OutcomeState, Override, Report, SET_ASIDE, Severity, Standing,
    TenantCounts, Verdict,
};

/// `passed`, `passed with 2 warnings`, `blocked by 2 checks`.
pub(super) fn verdict(report: &Report) -> String {
    let dry = if report.dry_run { " (dry run)" } else { "" };
    let warnings = warnings(report).unwrap_or(0);
    let failed = report.failed_checks().count();
    let unanswered = report
        .failed_checks()
        .filter(|check| is_unanswered(check))
        .count();
    match (report.verdict, failed) {
        (Verdict::Passed, _) if warnings > 0 => format!("passed{dry} with {}", counted(warnings, "warning")),
        (Verdict::Passed, _) => format!("passed{dry}"),
        (Verdict::Blocked, 0) => match report.tenants.as_ref().map_or(0, |tenants| tenants.failed) {
            0 => format!("blocked{dry}"),
            failed => format!("blocked{dry}: {} failed", counted(failed, "tenant")),
        },
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

/// How many warnings stand in checks that did not fail, where there are any.
pub(super) fn warnings(report: &Report) -> Option<usize> {
    let checks = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Warned);
    let count = checks
        .map(|check| {
            groups(&check.findings)
                .iter()
                .filter(|group| group.first.severity == Severity::Warning)
                .count()
        })
        .sum();
    (count > 0).then_some(count)
}

/// A check's title says what holds when it passes; this says what became of it.
pub(super) fn headline(check: &Check) -> String {
    match check.status {
        CheckStatus::Failed if is_unanswered(check) => format!("could not find out: {}", check.title),
        CheckStatus::Failed => format!("not so: {}", check.title),
        CheckStatus::Warned if is_set_aside(check) => format!("set aside: {}", check.title),
        CheckStatus::Warned => format!("not so (a warning): {}", check.title),
        CheckStatus::Passed | CheckStatus::Skipped => check.title.clone(),
    }
}

/// It would block, but for an override.
fn is_set_aside(check: &Check) -> bool {
    let warnings = check
        .findings
        .iter()
        .filter(|it| it.severity == Severity::Warning);
    warnings.clone().next().is_some() && warnings.clone().all(|it| it.message.starts_with(SET_ASIDE))
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
    Some(counted(set.shared.saturating_add(set.tenant), "migration"))
}

const BEHIND: &str = "behind, and so not validated";
const SUSPENDED_BEHIND: &str = "suspended and behind, and so not validated";

/// `5 tenants: 3 migrated, 2 up to date`. Absent where another sentence counts them.
pub(super) fn counts(report: &Report) -> Option<String> {
    let tenants = report.tenants.as_ref()?;
    let TenantCounts {
        discovered,
        up_to_date,
        migrated,
        failed,
        skipped,
        not_reached,
        rolled_back,
        baselined,
        suspended,
    } = *tenants;
    let nothing_happened = [migrated, rolled_back, baselined, failed, not_reached] == [0; 5];
    let sum = tenants.accounted();
    let planned = plans::shown(report)
        .and_then(|plan| plans::sentence(report, plan))
        .is_some();
    if nothing_to_do(report).is_some() || (nothing_happened && planned) {
        return None;
    }
    let unknown = if sum == 0 {
        0
    } else {
        discovered.saturating_sub(sum)
    };
    // Who is behind was not looked at: that it stayed so is another command's word.
    let (left, apart) = match report.command.as_str() {
        "validate" => (BEHIND, SUSPENDED_BEHIND),
        "plan" => ("behind", "suspended and left as they are"),
        _ => ("skipped", "suspended and left as they are"),
    };
    let states = [
        (failed, "failed"),
        (not_reached, "not reached"),
        (migrated, "migrated"),
        (rolled_back, "rolled back"),
        (baselined, "baselined"),
        (up_to_date, "up to date"),
        (skipped, left),
        (suspended, apart),
        (unknown, "not accounted for"),
    ];
    Some(with_states(discovered, &states))
}

/// `shard 3/8`; `8 shards, the longest 12 s, together 80 s, 3 retries`. Absent where one job did it all.
pub(super) fn parts(report: &Report) -> Option<String> {
    let Some(merged) = &report.merged else {
        return report.shard.map(|shard| format!("shard {shard}"));
    };
    let shards = merged.parts.iter().filter(|part| part.shard.is_some()).count();
    let shards = match merged.shards {
        Some(all) if usize::from(all) == shards => counted(shards, "shard"),
        Some(all) => format!(
            "{} of {}",
            words::thousands(shards),
            counted(usize::from(all), "shard")
        ),
        None => "no shard".to_owned(),
    };
    let retries = match merged.retries {
        0 => String::new(),
        1 => ", 1 retry".to_owned(),
        many => format!(", {} retries", words::thousands(many as usize)),
    };
    Some(format!(
        "{shards}, the longest job {}, together {}{retries}",
        words::duration(report.duration_ms),
        words::duration(merged.total_ms)
    ))
}

fn with_states(tenants: usize, states: &[(usize, &str)]) -> String {
    let found = counted(tenants, "tenant");
    let states: Vec<_> = states.iter().filter(|(count, _)| *count > 0).collect();
    match states.as_slice() {
        [] => found,
        [(count, state)] if *count == tenants && tenants > 1 => format!("{found}, all {state}"),
        [(count, state)] if *count == tenants => format!("{found}, {state}"),
        many => {
            let parts: Vec<_> = many
                .iter()
                .map(|(count, state)| format!("{} {state}", words::thousands(*count)))
                .collect();
            format!("{found}: {}", parts.join(", "))
        }
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
    format!("{}{suspended}", with_states(tenants.len(), &states))
}

/// Said where a command that migrates, or would, found everything at its newest migration.
pub(super) fn nothing_to_do(report: &Report) -> Option<String> {
    let migrates = matches!(report.command.as_str(), "run" | "migrate" | "plan");
    let planned = match &report.plan {
        Some(plan) => plan.shared.is_empty() && plans::pending(plan)?.is_empty(),
        None => true,
    };
    let tenants = report.tenants.as_ref()?;
    let counted_so = tenants.up_to_date == tenants.discovered || report.command == "plan";
    let done = report
        .outcomes
        .iter()
        .all(|outcome| outcome.state == OutcomeState::UpToDate);
    // What blocked may be that they are not where the ledger has them.
    let known = report.verdict == Verdict::Passed;
    if !(migrates && planned && counted_so && done && known) {
        return None;
    }
    if let Some(shard) = &report.shard {
        return Some(match tenants.discovered {
            0 => format!("nothing to do: no tenant belongs to shard {shard}"),
            1 => format!("nothing to do: the only tenant of shard {shard} is at its newest migration"),
            many => format!(
                "nothing to do: all {} tenants of shard {shard} are at their newest migration",
                words::thousands(many)
            ),
        });
    }
    Some(match tenants.discovered {
        0 => {
            "nothing to do: the shared schema is at its newest migration, and there are no tenants".to_owned()
        }
        1 => "nothing to do: shared schema and the only tenant are at their newest migration".to_owned(),
        many => format!(
            "nothing to do: shared schema and all {} tenants are at their newest migration",
            words::thousands(many)
        ),
    })
}

/// `dev passed with this migration set on 2026-03-01 10:00 UTC`. Where it did not, a finding says so.
pub(super) fn promotion(report: &Report) -> Option<String> {
    let promotion = report.promotion.as_ref()?;
    let at = promotion.passed_at?.strftime("%Y-%m-%d %H:%M UTC");
    Some(format!(
        "{} passed with this migration set on {at}",
        promotion.after
    ))
}

/// `the promotion rules were set aside by alice: uat's server is down`.
pub(super) fn set_aside(overridden: &Override) -> String {
    let actor = clean::line(&clean::clip(&overridden.actor, 100, 1));
    let reason = clean::line(&clean::clip(&overridden.reason, 1_000, 40));
    format!("the promotion rules were set aside by {actor}: {reason}")
}

/// `5 tenants alike, as the migrations make them`, `998 tenants alike, 2 differ`.
pub(super) fn schema(report: &Report) -> Option<String> {
    let schema = report.schema.as_ref()?;
    let origin = match schema.expected {
        Some(ExpectedFrom::Migrations) => ", as the migrations make them",
        Some(ExpectedFrom::Snapshot) => ", as the snapshot says",
        Some(ExpectedFrom::Largest) | None => "",
    };
    let alike = schema.tenants.saturating_sub(schema.differing);
    Some(match (alike, schema.differing) {
        (0, 0) if schema.shared.is_some() => {
            "the shared structure is known; no tenant was there to compare".to_owned()
        }
        (0, 0) => "no tenant was there to compare".to_owned(),
        (0, differing) => format!("{} not as expected", counted(differing, "tenant")),
        (alike, 0) => format!("{} alike{origin}", counted(alike, "tenant")),
        (alike, 1) => format!("{} alike{origin}; 1 differs", counted(alike, "tenant")),
        (alike, differing) => format!("{} alike{origin}; {differing} differ", counted(alike, "tenant")),
    })
}

/// Passed checks of one area: of what stands before the dot of their ids.
pub(super) struct Area<'a> {
    pub(super) name: &'a str,
    pub(super) checks: Vec<&'a Check>,
}

pub(super) fn passed(report: &Report) -> Vec<Area<'_>> {
    let mut areas: Vec<Area<'_>> = Vec::new();
    for check in report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Passed)
    {
        let name = area(check);
        match areas.iter_mut().find(|area| area.name == name) {
            Some(area) => area.checks.push(check),
            None => areas.push(Area {
                name,
                checks: vec![check],
            }),
        }
    }
    areas
}

/// Checks that were not asked for one and the same reason.
pub(super) struct Skipped<'a> {
    pub(super) reason: String,
    pub(super) areas: Vec<&'a str>,
    pub(super) checks: usize,
}

/// A skipped check's first finding is its reason; without one it is the gate's usual one.
pub(super) fn skipped(report: &Report) -> Vec<Skipped<'_>> {
    let usual = match report.failed_checks().next() {
        Some(_) => "not asked: an earlier check blocked",
        None => "not asked",
    };
    let mut reasons: Vec<Skipped<'_>> = Vec::new();
    for check in report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Skipped)
    {
        let finding = check.findings.first();
        let reason = finding.map_or_else(
            || usual.to_owned(),
            |finding| format!("not asked: {}", finding.message),
        );
        let at = reasons
            .iter()
            .position(|known| known.reason == reason)
            .unwrap_or(reasons.len());
        if at == reasons.len() {
            reasons.push(Skipped {
                reason,
                areas: Vec::new(),
                checks: 0,
            });
        }
        reasons[at].checks += 1;
        if !reasons[at].areas.contains(&area(check)) {
            reasons[at].areas.push(area(check));
        }
    }
    reasons
}

fn area(check: &Check) -> &str {
    check.id.split('.').next().unwrap_or(&check.id)
}

/// Notes of checks that passed; those of others stand with the others.
pub(super) fn notes(report: &Report) -> Vec<Finding> {
    let passed = report
        .checks
        .iter()
        .filter(|check| check.status == CheckStatus::Passed);
    passed.flat_map(|check| check.findings.iter().cloned()).collect()
}
