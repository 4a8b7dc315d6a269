//! The summary at the end of a command, for a person at a terminal.

mod page;

use self::page::{BOLD, DIM, HINT, PLAIN, Page, ink};
use super::groups::{Group, groups, unexplained};
use super::words::{self, Mark, counted, listed};
use super::{clean, rows, summary};
use crate::domain::{CheckStatus, Finding, PlanSummary, Report, Severity, TenantName, Verdict};

/// How the terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// In columns; below 40 it is taken for 40.
    pub width: usize,
}

/// Groups of findings shown of one check.
const GROUPS: usize = 25;
/// Rows shown of a table.
const ROWS: usize = 20;
/// Labels shown of one list of migrations.
const LABELS: usize = 10;
/// Tenants named in a sentence.
const NAMES: usize = 3;

/// Verdict, then what blocks and what to do about it, then what was done, then what passed.
pub fn render(report: &Report, style: &Style) -> String {
    let mut page = Page::new(style);
    verdict(&mut page, report);
    problems(&mut page, report);
    work(&mut page, report);
    facts(&mut page, report);
    checks(&mut page, report);
    page.finish()
}

fn verdict(page: &mut Page, report: &Report) {
    let mark = match report.verdict {
        Verdict::Passed => Mark::Passed,
        Verdict::Blocked => Mark::Failed,
    };
    let whole = |text: String| format!("  {}", text.replace(' ', "\u{a0}"));
    let headline = format!(
        "{}\u{a0}{}",
        mark.sign(),
        summary::verdict(report).replace(' ', "\u{a0}")
    );
    let set = report.migration_set.as_ref().zip(summary::migrations(report));
    let set = set.map(|(set, count)| whole(format!("{count} (sha256 {})", set.digest.short())));
    page.line(
        0,
        2,
        &[
            (ink(mark).bold(), &headline),
            (BOLD, &whole(report.environment.as_str().to_owned())),
            (PLAIN, &whole(clean::line(&report.project))),
            (PLAIN, &set.unwrap_or_default()),
            (DIM, &whole(format!("in {}", words::duration(report.duration_ms)))),
        ],
    );
    let commit = report
        .commit
        .as_ref()
        .map(|commit| format!("commit {}", clean::clip(commit, 12, 1).trim_end_matches('…')));
    let origin = [report.server.clone(), commit, report.run_url.clone()];
    let origin = origin.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if !origin.is_empty() {
        page.line(2, 0, &[(DIM, &clean::line(&origin))]);
    }
    if let Some(sentence) = summary::nothing_to_do(report) {
        page.blank();
        page.line(0, 0, &[(PLAIN, &sentence)]);
    }
}

/// Failed checks, failed tenants that no check speaks of, warnings.
fn problems(page: &mut Page, report: &Report) {
    let with = |status| report.checks.iter().filter(move |check| check.status == status);
    for check in with(CheckStatus::Failed) {
        let unanswered = if summary::is_unanswered(check) {
            ": could not find out"
        } else {
            ""
        };
        problem(
            page,
            Mark::Failed,
            &format!("{}{unanswered}", check.title),
            &check.id,
            &check.findings,
        );
    }
    let silent = unexplained(report);
    if !silent.is_empty() {
        problem(page, Mark::Failed, "every tenant was migrated", "", &silent);
    }
    for check in with(CheckStatus::Warned) {
        problem(page, Mark::Warned, &check.title, &check.id, &check.findings);
    }
}

fn problem(page: &mut Page, mark: Mark, title: &str, id: &str, findings: &[Finding]) {
    page.blank();
    let sign = format!("{}\u{a0}", mark.sign());
    page.line(0, 2, &[(ink(mark), &sign), (BOLD, title), (DIM, "  "), (DIM, id)]);
    let groups = groups(findings);
    for shown in groups.iter().take(GROUPS) {
        group(page, mark, shown);
    }
    if groups.len() > GROUPS {
        let rest = counted(groups.len() - GROUPS, "more finding");
        page.line(4, 0, &[(DIM, &format!("and {rest}, all in the JSON report"))]);
    }
}

/// The message, then on lines of their own: the place, the tenants, what to do.
fn group(page: &mut Page, mark: Mark, group: &Group<'_>) {
    let finding = group.first;
    let note = finding.severity == Severity::Note;
    let body = if note { DIM } else { PLAIN };
    let label = match (finding.severity, mark) {
        (Severity::Note, _) => "note: ",
        (Severity::Warning, Mark::Failed) => "warning: ",
        _ => "",
    };
    page.line(
        4,
        0,
        &[(body, label), (body, &clean::clip(&finding.message, 1_500, 24))],
    );
    if let Some(place) = words::place(finding) {
        page.line(6, 0, &[(body, "at "), (body, &clean::line(&place))]);
    }
    if let Some(tenants) = tenants(group) {
        page.line(6, 0, &[(body, &tenants)]);
    }
    if let Some(hint) = &finding.hint {
        let others = if group.other_hints {
            " (and likewise for the others)"
        } else {
            ""
        };
        let color = if note { DIM } else { HINT };
        page.line(6, 3, &[(color, "-> "), (color, hint), (color, others)]);
    }
}

fn tenants(group: &Group<'_>) -> Option<String> {
    match (group.tenants.as_slice(), group.alike) {
        ([], _) => None,
        ([first, rest @ ..], true) if !rest.is_empty() => Some(format!(
            "in {first}, and alike in {}",
            listed(&strings(rest), NAMES)
        )),
        (all, _) => Some(format!("in {}", listed(&strings(all), NAMES))),
    }
}

fn strings(names: &[&TenantName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// What was done, would be done, or stands.
fn work(page: &mut Page, report: &Report) {
    if let Some(plan) = report.plan.as_ref().filter(|_| summary::shows_plan(report)) {
        planned(page, report, plan);
    }
    table(page, &rows::outcomes(report));
    if let Some(standings) = &report.standings {
        table(page, &rows::standings(standings));
        page.blank();
        page.line(0, 2, &[(BOLD, &summary::standings(standings))]);
    } else if let Some(counts) = summary::counts(report) {
        page.blank();
        page.line(0, 2, &[(BOLD, &counts)]);
    }
}

fn table(page: &mut Page, table: &rows::Table) {
    if table.rows.is_empty() {
        return;
    }
    let shown = table.rows.len().min(ROWS);
    let mut grid = comfy_table::Table::new();
    grid.load_style(comfy_table::presets::NOTHING);
    grid.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    grid.set_width(u16::try_from(page.width()).unwrap_or(u16::MAX));
    let mut header = table.header.map(str::to_owned);
    header[0].insert_str(0, "  ");
    grid.add_row(header);
    for row in &table.rows[..shown] {
        let mut cells = row.cells.clone();
        cells[0].insert_str(0, &format!("{} ", row.mark.sign()));
        grid.add_row(cells);
    }
    for column in grid.column_iter_mut() {
        column.set_padding((0, 2));
    }
    page.blank();
    for (at, line) in grid.trim_fmt().lines().enumerate() {
        match at {
            0 => page.verbatim(0, DIM, line),
            _ => page.table_line(0, line),
        }
    }
    if shown < table.rows.len() {
        page.line(
            2,
            0,
            &[(DIM, &format!("and {}", rows::more(&table.rows[shown..])))],
        );
    }
}

fn planned(page: &mut Page, report: &Report, plan: &PlanSummary) {
    let Some(sentence) = summary::plan(report) else {
        return;
    };
    page.blank();
    page.line(0, 2, &[(BOLD, &sentence)]);
    labels(page, "shared schema", &plan.shared);
    match summary::pending_groups(plan) {
        None => labels(page, "each tenant will get", &plan.each_tenant),
        Some(groups) => {
            for group in groups.iter().take(ROWS) {
                let names: Vec<_> = group.tenants.iter().map(ToString::to_string).collect();
                let number = counted(names.len(), "tenant");
                labels(
                    page,
                    &format!("{number}: {}", listed(&names, NAMES)),
                    &group.pending,
                );
            }
            if groups.len() > ROWS {
                page.line(
                    2,
                    0,
                    &[(
                        DIM,
                        &format!("and {}", counted(groups.len() - ROWS, "more group")),
                    )],
                );
            }
        }
    }
    for (label, sql) in &plan.sql {
        page.blank();
        page.verbatim(0, BOLD, &format!("-- {}", clean::line(label)));
        page.verbatim(0, PLAIN, sql);
    }
}

fn labels(page: &mut Page, heading: &str, labels: &[String]) {
    if labels.is_empty() {
        return;
    }
    page.line(2, 2, &[(PLAIN, heading)]);
    let shown = if labels.len() <= LABELS + 2 {
        labels.len()
    } else {
        LABELS
    };
    for label in &labels[..shown] {
        page.line(4, 2, &[(PLAIN, &clean::line(label))]);
    }
    if shown < labels.len() {
        page.line(4, 0, &[(DIM, &format!("and {} more", labels.len() - shown))]);
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
    for area in summary::skipped(report) {
        let rest = format!(
            " ({})  {}",
            counted(area.checks.len(), "check"),
            clean::line(&area.reason)
        );
        let sign = format!("{}\u{a0}", Mark::Skipped.sign());
        page.line(0, 2, &[(DIM, &sign), (DIM, area.name), (DIM, &rest)]);
    }
    let notes = summary::notes(report);
    if !notes.is_empty() {
        page.blank();
    }
    for shown in groups(&notes).iter().take(GROUPS) {
        let mut text = clean::line(&clean::clip(&shown.first.message, 1_500, 24));
        for part in [words::place(shown.first), tenants(shown)].into_iter().flatten() {
            text.push_str(&format!(" ({part})"));
        }
        page.line(0, 2, &[(DIM, "·\u{a0}"), (DIM, &text)]);
        if let Some(hint) = &shown.first.hint {
            page.line(2, 3, &[(DIM, "-> "), (DIM, hint)]);
        }
    }
}
