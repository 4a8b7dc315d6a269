//! The verdict and what it rests on, in one sentence: what a headline and a commit status say.

use super::groups::{groups, unexplained};
use super::words::{Mark, counted, thousands};
use super::{clean, plans, summary};
use crate::domain::{Finding, Override, Report, Severity, TenantCounts, Verdict};

/// What a run came to. A plan that found nothing wrong is not a run that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Conclusion {
    Blocked,
    /// Only because somebody set the rules aside.
    Overridden,
    Passed,
    /// A part of it, perhaps of the tenants too: nothing looked at what came of it.
    Migrated,
    /// What would be done was shown, nothing was changed.
    DryRun,
    Planned,
    /// The environment before has passed; nothing was run here.
    MayFollow,
    /// A command that only asks has found nothing.
    Asked,
}

impl Conclusion {
    pub(super) fn of(report: &Report) -> Self {
        Self::new(
            report.verdict,
            &report.command,
            report.dry_run,
            report.overridden.as_ref(),
        )
    }

    pub(super) fn new(verdict: Verdict, command: &str, dry_run: bool, overridden: Option<&Override>) -> Self {
        match (verdict, command) {
            (Verdict::Blocked, _) => Self::Blocked,
            _ if dry_run => Self::DryRun,
            (_, "plan") => Self::Planned,
            _ if overridden.is_some() => Self::Overridden,
            (_, "run") => Self::Passed,
            (_, "migrate") => Self::Migrated,
            (_, "promote") => Self::MayFollow,
            _ => Self::Asked,
        }
    }

    pub(super) fn emoji(self) -> &'static str {
        match self {
            Self::Blocked => Mark::Failed.emoji(),
            Self::Overridden => Mark::Warned.emoji(),
            Self::Passed => Mark::Passed.emoji(),
            Self::DryRun | Self::Planned => "📋",
            Self::MayFollow => "🔓",
            Self::Migrated | Self::Asked => "☑️",
        }
    }

    /// After the environment's name: `uat passed`.
    pub(super) fn predicate(self, command: &str) -> &str {
        match self {
            Self::Blocked => "is blocked",
            Self::Overridden => "passed by override",
            Self::Passed => "passed",
            Self::Migrated => "was migrated, not validated",
            Self::DryRun => "dry run",
            Self::Planned => "plan",
            Self::MayFollow => "may follow",
            Self::Asked => command,
        }
    }

    /// On its own, where nothing must pass for more than it is.
    pub(super) fn words(self, command: &str) -> String {
        match self {
            Self::Blocked => "blocked".to_owned(),
            Self::Migrated => "migrated, not validated".to_owned(),
            Self::DryRun => "dry run, nothing changed".to_owned(),
            Self::Planned => "plan only".to_owned(),
            Self::MayFollow => "may follow, not yet run".to_owned(),
            Self::Asked => format!("{command} only"),
            Self::Overridden | Self::Passed => self.predicate(command).to_owned(),
        }
    }
}

/// What a sentence says of all that blocks, before anybody cuts it.
const CAUSE: usize = 240;

/// What the verdict rests on: `uat has not passed with this change`, `41 migrations, 998 tenants up
/// to date`.
pub(super) fn reason(report: &Report) -> String {
    let text = match Conclusion::of(report) {
        Conclusion::Blocked => blocked(report),
        Conclusion::Planned | Conclusion::DryRun => planned(report),
        Conclusion::MayFollow => {
            summary::promotion(report).unwrap_or_else(|| "nothing has to pass before it".to_owned())
        }
        Conclusion::Overridden | Conclusion::Passed | Conclusion::Migrated | Conclusion::Asked => {
            passed(report)
        }
    };
    clean::line(&clean::clip(&text, CAUSE, 1))
}

/// What blocks, in a table's cell: `2 of 40 tenants failed`, or the ids of checks as code.
pub(super) fn by(report: &Report) -> Option<String> {
    let ids: Vec<_> = report.failed_checks().map(|check| check.id.as_str()).collect();
    let failed = report.tenants.as_ref().filter(|counts| counts.failed > 0);
    match (report.verdict, failed, ids.as_slice()) {
        (Verdict::Passed, ..) => None,
        (_, Some(counts), _) => Some(format!(
            "{} of {} failed",
            thousands(counts.failed),
            counted(counts.discovered, "tenant")
        )),
        (_, None, []) => None,
        (_, None, [id]) => Some(format!("`{id}`")),
        (_, None, [id, rest @ ..]) => Some(format!("`{id}` and {}", counted(rest.len(), "more check"))),
    }
}

/// The first problem, and how many there are besides.
fn blocked(report: &Report) -> String {
    let silent = unexplained(report);
    let failed: Vec<_> = report.failed_checks().collect();
    let mut problems = 0;
    let mut first: Option<(String, bool)> = None;
    let lists = failed
        .iter()
        .map(|check| (&check.findings, summary::is_unanswered(check)))
        .chain([(&silent, false)]);
    for (findings, unanswered) in lists {
        for group in groups(findings) {
            if group.first.severity != Severity::Error {
                continue;
            }
            problems += 1;
            first.get_or_insert_with(|| (told(report, group.first, group.tenants.len()), unanswered));
        }
    }
    let Some((first, unanswered)) = first else {
        return failed
            .first()
            .map_or_else(|| summary::verdict(report), |check| summary::headline(check));
    };
    let first = if unanswered {
        format!("could not find out: {first}")
    } else {
        first
    };
    match problems {
        1 => first,
        more => format!("{first} (and {})", counted(more - 1, "more problem")),
    }
}

/// The message, after how many failed where tenants did.
fn told(report: &Report, finding: &Finding, tenants: usize) -> String {
    let message = clean::line(&clean::clip(finding.message.trim_start(), 120, 1));
    let failed = report.tenants.as_ref().filter(|counts| counts.failed > 0);
    match (failed, tenants) {
        (_, 0) => message,
        (Some(counts), _) => format!(
            "{} of {} failed: {message}",
            thousands(counts.failed),
            counted(counts.discovered, "tenant")
        ),
        (None, 1) => message,
        (None, many) => format!("{message} in {}", counted(many, "tenant")),
    }
}

fn planned(report: &Report) -> String {
    let sentence = plans::shown(report).and_then(|plan| plans::sentence(report, plan));
    sentence
        .or_else(|| summary::nothing_to_do(report))
        .unwrap_or_else(|| passed(report))
}

fn passed(report: &Report) -> String {
    let tenants = report.tenants.as_ref().map(tenants);
    let parts: Vec<_> = summary::migrations(report)
        .into_iter()
        .chain(tenants)
        .chain(summary::warnings(report).map(|count| counted(count, "warning")))
        .collect();
    match parts.as_slice() {
        [] => counted(report.checks.len(), "check"),
        parts => parts.join(", "),
    }
}

fn tenants(counts: &TenantCounts) -> String {
    match counts {
        TenantCounts {
            migrated: 0,
            up_to_date: 0,
            discovered,
            ..
        } => counted(*discovered, "tenant"),
        TenantCounts {
            migrated: 0,
            up_to_date,
            ..
        } => {
            format!("{} up to date", counted(*up_to_date, "tenant"))
        }
        TenantCounts {
            migrated,
            up_to_date: 0,
            ..
        } => format!("{} migrated", counted(*migrated, "tenant")),
        TenantCounts {
            migrated, up_to_date, ..
        } => format!(
            "{} migrated, {} up to date",
            counted(*migrated, "tenant"),
            thousands(*up_to_date)
        ),
    }
}
