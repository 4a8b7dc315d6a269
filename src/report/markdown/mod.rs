//! The report for a step summary or a comment on GitHub.

mod budget;
mod escape;
mod failure;
mod findings;
mod sections;

pub use failure::render_failure;

use self::escape::{code, html, inline};
use super::summary;
use super::words::{self, Mark};
use crate::domain::{Report, Verdict};

/// At most `limit_bytes` bytes: a step summary over 1 MiB is dropped whole, a comment over 65,536
/// characters refused. What does not fit is counted.
pub fn render(report: &Report, limit_bytes: usize) -> String {
    budget::assemble(&opening(report), sections::all(report), limit_bytes)
}

/// The verdict, and what it is about: short whatever the report holds.
fn opening(report: &Report) -> String {
    let mark = match report.verdict {
        Verdict::Passed => Mark::Passed,
        Verdict::Blocked => Mark::Failed,
    };
    let environment = code(report.environment.as_str());
    let mut out = format!(
        "## {} {environment} {}\n\n",
        mark.emoji(),
        summary::verdict(report)
    );
    let project = super::clean::clip(&report.project, 200, 1);
    let set = report.migration_set.as_ref().zip(summary::migrations(report));
    let commit = report
        .commit
        .as_deref()
        .map(|commit| code(commit.get(..12).unwrap_or(commit)));
    let server = report
        .server
        .as_deref()
        .map(|server| inline(&super::clean::clip(server, 200, 1)));
    let facts = [
        Some(format!("**{}**", inline(&project))),
        set.map(|(set, count)| format!("{count} ({})", code(&format!("sha256:{}", set.digest.short())))),
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

fn counts(report: &Report) -> Option<String> {
    match &report.standings {
        Some(standings) => Some(summary::standings(standings)),
        None => summary::counts(report),
    }
}

/// Only what is plainly a web address becomes a link.
fn link(text: &str, url: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$&'*+,;=%".contains(c);
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() <= 500 && url.chars().all(plain)).then(|| format!("[{text}]({url})"))
}

fn capitalised(text: &str) -> String {
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
