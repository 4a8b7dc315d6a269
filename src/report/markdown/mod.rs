//! The report for a step summary or a comment on GitHub.

pub(super) mod budget;
pub(super) mod escape;
mod failure;
mod findings;
mod sections;

pub use failure::render_failure;

use self::budget::{Budget, Measure, Section};
use self::escape::{code, html, inline};
use super::cause::{self, Conclusion};
use super::summary;
use super::words::{self, Mark};
use crate::domain::{EnvironmentName, Override, Report, TenantCounts};

/// At most `limit_bytes` bytes: a step summary over 1 MiB is dropped whole. What does not fit is
/// counted.
pub fn render(report: &Report, limit_bytes: usize) -> String {
    let Body { opening, sections } = body(report);
    let budget = Budget {
        limit: limit_bytes,
        measure: Measure::Bytes,
        rest: "the JSON report has all of it".to_owned(),
    };
    budget::assemble(&format!("{}{opening}", heading(report)), &sections, &budget)
}

/// All but the verdict's line.
pub(super) struct Body {
    /// Short whatever the report holds.
    pub(super) opening: String,
    /// The most important first.
    pub(super) sections: Vec<Section>,
}

pub(super) fn body(report: &Report) -> Body {
    Body {
        opening: opening(report),
        sections: sections::all(report),
    }
}

fn heading(report: &Report) -> String {
    let predicate = Conclusion::of(report).predicate(&report.command);
    sentence(
        Conclusion::of(report).emoji(),
        &report.environment,
        predicate,
        &cause::reason(report),
    )
}

/// `## ❌ prod is blocked: uat has not passed with this change`.
pub(super) fn sentence(emoji: &str, environment: &EnvironmentName, predicate: &str, reason: &str) -> String {
    let subject = inline(&format!("{environment} {predicate}"));
    format!("## {emoji} {subject}: {}\n\n", inline(reason))
}

/// What the report is about.
fn opening(report: &Report) -> String {
    let mut out = String::new();
    if let Some(overridden) = &report.overridden {
        out.push_str(&override_alert(overridden));
    }
    let project = super::clean::clip(&report.project, 200, 1);
    let set = report.migration_set.as_ref().zip(summary::migrations(report));
    let commit = report
        .commit
        .as_deref()
        .map(|commit| code(&commit.chars().take(12).collect::<String>()));
    let server = words::server(report).map(|server| inline(&super::clean::clip(&server, 200, 1)));
    let facts = [
        Some(format!("**{}**", inline(&project))),
        set.map(|(set, count)| format!("{count} {}", code(set.digest.short()))),
        summary::parts(report).map(|parts| inline(&parts)),
        server,
        commit.map(|commit| format!("commit {commit}")),
        report.run_url.as_deref().and_then(|url| link("run", url)),
        Some(words::duration(report.duration_ms)),
    ];
    out.push_str(&facts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
    out.push_str("\n\n");
    if let Some(sentence) = summary::nothing_to_do(report) {
        out.push_str(&format!("{}\n\n", inline(&capitalised(&sentence))));
    } else if let Some(counts) = counts(report) {
        out.push_str(&format!("**{}**\n\n", inline(&counts)));
    }
    out
}

/// GitHub shows it as a box that nobody overlooks.
fn override_alert(overridden: &Override) -> String {
    let actor = code(&super::clean::clip(&overridden.actor, 100, 1));
    let reason = inline(&super::clean::clip(&overridden.reason, 1_000, 40));
    format!("> [!WARNING]\n> The promotion rules were set aside by {actor}: {reason}\n\n")
}

/// Absent where the headline has counted them all.
fn counts(report: &Report) -> Option<String> {
    if let Some(standings) = &report.standings {
        return Some(summary::standings(standings));
    }
    let passed = matches!(
        Conclusion::of(report),
        Conclusion::Passed | Conclusion::Overridden | Conclusion::Migrated
    );
    let all = |counts: &TenantCounts| counts.migrated.saturating_add(counts.up_to_date) == counts.discovered;
    let is_headline = passed && report.tenants.as_ref().is_some_and(all);
    summary::counts(report).filter(|_| !is_headline)
}

/// Only what is plainly a web address becomes a link.
pub(super) fn link(text: &str, url: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c);
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() <= 500 && url.chars().all(plain)).then(|| format!("[{text}]({url})"))
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    first + chars.as_str()
}

fn summary_line(mark: Mark, text: &str) -> String {
    format!("{} {}", mark.emoji(), html(text))
}
