//! The summary at the end of a command, for a person at a terminal.

mod page;
mod work;

use self::page::{BOLD, DIM, HINT, PLAIN, Page, ink};
use super::groups::{Group, groups, unexplained};
use super::words::{self, Mark, counted};
use super::{clean, summary};
use crate::domain::{CheckStatus, Finding, Report, Severity, Verdict};

/// How the terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// In columns; below 40 it is taken for 40.
    pub width: usize,
}

/// After so many lines about one check, the rest of its findings is counted.
const LINES: usize = 60;
/// Tenants named in a sentence.
const NAMES: usize = 3;

/// Verdict, then what blocks and what to do about it, then what was done, then what passed.
pub fn render(report: &Report, style: &Style) -> String {
    let mut page = Page::new(style);
    verdict(&mut page, report);
    problems(&mut page, report);
    work::work(&mut page, report);
    facts(&mut page, report);
    checks(&mut page, report);
    page.finish()
}

fn verdict(page: &mut Page, report: &Report) {
    let mark = match report.verdict {
        Verdict::Passed => Mark::Passed,
        Verdict::Blocked => Mark::Failed,
    };
    let whole = |text: &str| text.replace(' ', "\u{a0}");
    let headline = format!("{}\u{a0}{}", mark.sign(), summary::verdict(report));
    let environment = format!("  {}", report.environment.as_str());
    let set = report
        .migration_set
        .as_ref()
        .map(|set| format!("sha256 {}", set.digest.short()));
    let count = summary::migrations(report).map(|count| format!("  {count}"));
    let subject = format!("  {}{}", clean::line(&report.project), count.unwrap_or_default());
    let time = format!(
        "  {}",
        whole(&format!("in {}", words::duration(report.duration_ms)))
    );
    let bracketed = set.as_ref().map(|set| format!(" ({set})")).unwrap_or_default();
    let length = [&headline, &environment, &subject, &bracketed, &time].map(|part| part.chars().count());
    let fits = length.iter().sum::<usize>() <= page.width();
    let subject = if fits { subject + &bracketed } else { subject };
    let parts = [
        (ink(mark).bold(), headline),
        (BOLD, environment),
        (PLAIN, subject),
        (DIM, time),
    ];
    let parts = parts.each_ref().map(|(ink, text)| (*ink, text.as_str()));
    page.line(0, 2, &parts);
    origin(page, report, set.filter(|_| !fits));
    if let Some(overridden) = &report.overridden {
        page.blank();
        let sign = format!("{}\u{a0}", Mark::Warned.sign());
        let sentence = summary::set_aside(overridden);
        page.line(0, 2, &[(ink(Mark::Warned), &sign), (BOLD, &sentence)]);
    }
    if let Some(sentence) = summary::nothing_to_do(report) {
        page.blank();
        page.line(0, 0, &[(PLAIN, &sentence)]);
    }
}

/// What did not fit above, the server, the commit; the URL on a line of its own where it must.
fn origin(page: &mut Page, report: &Report, set: Option<String>) {
    let commit = report.commit.as_ref().map(|commit| {
        let short: String = commit.chars().take(12).collect();
        format!("commit {short}")
    });
    let facts: Vec<_> = [summary::parts(report), set, words::server(report), commit]
        .into_iter()
        .flatten()
        .collect();
    let facts = clean::line(&facts.join(" · "));
    let url = clean::line(report.run_url.as_deref().unwrap_or_default());
    let both = [facts.as_str(), url.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    let joined = both.join(" · ");
    let lines = if joined.chars().count() + 2 <= page.width() {
        vec![joined.as_str()]
    } else {
        both
    };
    for line in lines.into_iter().filter(|line| !line.is_empty()) {
        page.line(2, 0, &[(DIM, line)]);
    }
}

/// Failed checks, failed tenants that no check speaks of, warnings.
fn problems(page: &mut Page, report: &Report) {
    let with = |status| report.checks.iter().filter(move |check| check.status == status);
    for check in with(CheckStatus::Failed) {
        problem(
            page,
            Mark::Failed,
            &summary::headline(check),
            &check.id,
            &check.findings,
        );
    }
    let silent = unexplained(report);
    if !silent.is_empty() {
        problem(
            page,
            Mark::Failed,
            "not so: every tenant was migrated",
            "",
            &silent,
        );
    }
    for check in with(CheckStatus::Warned) {
        let title = summary::headline(check);
        problem(page, Mark::Warned, &title, &check.id, &check.findings);
    }
}

fn problem(page: &mut Page, mark: Mark, title: &str, id: &str, findings: &[Finding]) {
    page.blank();
    let sign = format!("{}\u{a0}", mark.sign());
    page.line(0, 2, &[(ink(mark), &sign), (BOLD, title), (DIM, "  "), (DIM, id)]);
    let groups = groups(findings);
    let before = page.lines();
    let mut shown = 0;
    for one in &groups {
        if shown >= 3 && page.lines() - before > LINES {
            break;
        }
        group(page, mark, one);
        shown += 1;
    }
    if shown < groups.len() {
        let rest = counted(groups.len() - shown, "more finding");
        page.line(
            4,
            0,
            &[(DIM, &format!("and {rest}; the JSON report has them all"))],
        );
    }
}

/// The message, then on lines of their own: the place, the tenants, what to do.
fn group(page: &mut Page, mark: Mark, group: &Group<'_>) {
    let note = group.first.severity == Severity::Note;
    let (body, color) = if note { (DIM, DIM) } else { (PLAIN, HINT) };
    let message = clean::clip(&group.first.message, 1_500, 24);
    page.line(4, 0, &[(body, group.label(mark)), (body, &message)]);
    if let Some(place) = words::place(group.first) {
        page.line(6, 0, &[(body, "at "), (body, &clean::line(&place))]);
    }
    if let Some(tenants) = group.places(NAMES, str::to_owned) {
        page.line(6, 0, &[(body, &tenants)]);
    }
    if let Some((hint, others)) = group.hint() {
        page.line(
            6,
            3,
            &[
                (color, "-> "),
                (color, &clean::clip(hint, 1_500, 24)),
                (color, others),
            ],
        );
    }
    if let Some(sql) = group.sql() {
        page.verbatim(9, DIM, &sql);
    }
}

/// Single facts, each where the run found it out.
fn facts(page: &mut Page, report: &Report) {
    let promotion = summary::promotion(report).map(|sentence| {
        let url = report
            .promotion
            .as_ref()
            .and_then(|promotion| promotion.run_url.as_deref());
        url.map_or_else(|| sentence.clone(), |url| format!("{sentence}: {url}"))
    });
    let schema = summary::schema(report).zip(report.schema.as_ref());
    let facts = [
        ("promotion", promotion),
        (
            "schema",
            schema.map(|(sentence, schema)| format!("{sentence} ({})", fingerprint(&schema.fingerprint))),
        ),
        ("evidence", report.evidence.clone()),
    ];
    page.blank();
    for (name, fact) in facts {
        if let Some(fact) = fact {
            page.line(0, 2, &[(DIM, &format!("{name}: ")), (PLAIN, &clean::line(&fact))]);
        }
    }
}

fn fingerprint(text: &str) -> String {
    crate::domain::Digest(text.to_owned()).short().to_owned()
}

fn checks(page: &mut Page, report: &Report) {
    page.blank();
    for area in summary::passed(report) {
        let count = format!(" ({})", counted(area.checks.len(), "check"));
        let sign = format!("{}\u{a0}", Mark::Passed.sign());
        page.line(
            0,
            2,
            &[(ink(Mark::Passed), &sign), (PLAIN, area.name), (DIM, &count)],
        );
    }
    for skipped in summary::skipped(report) {
        let checks = counted(skipped.checks, "check");
        let line = format!(
            "{} ({checks})  {}",
            skipped.areas.join(", "),
            clean::line(&skipped.reason)
        );
        let sign = format!("{}\u{a0}", Mark::Skipped.sign());
        page.line(0, 2, &[(DIM, &sign), (DIM, &line)]);
    }
    let notes = summary::notes(report);
    if !notes.is_empty() {
        page.blank();
    }
    for note in groups(&notes).iter().take(LINES) {
        let mut text = clean::line(&clean::clip(&note.first.message, 1_500, 24));
        for part in [words::place(note.first), note.places(NAMES, str::to_owned)]
            .into_iter()
            .flatten()
        {
            text.push_str(&format!(" ({part})"));
        }
        page.line(0, 2, &[(DIM, "·\u{a0}"), (DIM, &text)]);
        if let Some((hint, others)) = note.hint() {
            page.line(2, 3, &[(DIM, "-> "), (DIM, hint), (DIM, others)]);
        }
    }
}
