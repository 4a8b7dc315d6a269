//! The parts of the Markdown report, the most important first.

use super::budget::{Item, Section, omission};
use super::escape::{code, fenced, inline};
use super::{capitalised, link, summary_line};
use crate::domain::{Check, CheckStatus, Finding, OutcomeState, PlanSummary, Report, Severity};
use crate::report::clean;
use crate::report::groups::{Group, groups, unexplained};
use crate::report::rows::{self, Row, Table};
use crate::report::summary::{self, Area};
use crate::report::words::{self, Mark, counted, listed};

/// Groups of findings shown of one check.
const GROUPS: usize = 50;
/// Tenants named in a sentence.
const NAMES: usize = 8;
/// A longer table is collapsed.
const OPEN_ROWS: usize = 25;

pub(super) fn all(report: &Report) -> Vec<Section> {
    let with = |status| report.checks.iter().filter(move |check| check.status == status);
    let mut sections: Vec<Section> = with(CheckStatus::Failed)
        .map(|check| problem(Mark::Failed, check))
        .collect();
    sections.extend(silent_failures(report));
    sections.extend(with(CheckStatus::Warned).map(|check| problem(Mark::Warned, check)));
    sections.extend(outcomes(report));
    sections.extend(
        report
            .plan
            .as_ref()
            .filter(|_| summary::shows_plan(report))
            .and_then(|plan| planned(report, plan)),
    );
    sections.extend(report.standings.as_deref().map(|standings| {
        let table = rows::standings(standings);
        let collapsed = table.rows.len() > OPEN_ROWS;
        section_of(
            &table.header,
            &table.rows,
            collapsed.then(|| "📋 where the tenants stand".to_owned()),
        )
    }));
    sections.extend(facts(report));
    sections.extend(passed(report));
    sections.extend(skipped(report));
    sections.extend(notes(report));
    sections.extend(
        report
            .plan
            .as_ref()
            .filter(|_| summary::shows_plan(report))
            .and_then(sql),
    );
    sections
}

fn problem(mark: Mark, check: &Check) -> Section {
    let unanswered = if summary::is_unanswered(check) {
        ": could not find out"
    } else {
        ""
    };
    let title = capitalised(&check.title);
    Section {
        head: format!(
            "### {} {}{unanswered} · {}\n\n",
            mark.emoji(),
            inline(&title),
            code(&check.id)
        ),
        items: findings(mark, &check.findings),
        tail: "\n".to_owned(),
    }
}

fn silent_failures(report: &Report) -> Option<Section> {
    let silent = unexplained(report);
    (!silent.is_empty()).then(|| Section {
        head: format!("### {} Every tenant was migrated\n\n", Mark::Failed.emoji()),
        items: findings(Mark::Failed, &silent),
        tail: "\n".to_owned(),
    })
}

fn findings(mark: Mark, findings: &[Finding]) -> Vec<Item> {
    let groups = groups(findings);
    let item = |group: &Group<'_>| Item::of(group.tenants.len(), finding(mark, group));
    let mut items: Vec<_> = groups.iter().take(GROUPS).map(item).collect();
    if groups.len() > GROUPS {
        let rest: Vec<_> = groups[GROUPS..]
            .iter()
            .map(|group| Item::of(group.tenants.len(), ""))
            .collect();
        let tenants = rest.iter().map(|item| item.tenants).sum();
        let more = counted(rest.len(), "more finding");
        items.push(Item::of(tenants, format!("- {more}: {}", omission(&rest))));
    }
    items
}

/// A list item: the message, its further lines fenced, place and tenants, what to do.
fn finding(mark: Mark, group: &Group<'_>) -> String {
    let finding = group.first;
    let label = match (finding.severity, mark) {
        (Severity::Note, Mark::Failed | Mark::Warned) => "note: ",
        (Severity::Warning, Mark::Failed) => "warning: ",
        _ => "",
    };
    let message = clean::clip(finding.message.trim(), 1_000, 30);
    let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
    let mut lines = vec![format!("- {label}{}", inline(first))];
    let mut details = Vec::new();
    details.extend(words::place(finding).map(|place| format!("at {}", code(&place))));
    details.extend(tenants(group));
    details.extend(finding.hint.as_ref().map(|hint| {
        let others = if group.other_hints {
            " (and likewise for the others)"
        } else {
            ""
        };
        format!("→ {}{others}", inline(&clean::clip(hint, 1_000, 10)))
    }));
    if rest.trim().is_empty() {
        lines.extend(details);
        return lines.join("\\\n  ") + "\n";
    }
    let rest = dedented(rest);
    let is_diff = rest.lines().any(|line| line.starts_with(['+', '-']));
    lines.push(
        fenced(&rest, if is_diff { "diff" } else { "text" }, "  ")
            .trim_end()
            .to_owned(),
    );
    lines.extend((!details.is_empty()).then(|| format!("\n  {}", details.join("\\\n  "))));
    lines.join("\n") + "\n"
}

fn dedented(text: &str) -> String {
    let margin = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let least = lines.map(margin).min().unwrap_or(0);
    let cut = text.lines().map(|line| line.get(least..).unwrap_or_default());
    cut.collect::<Vec<_>>().join("\n")
}

fn tenants(group: &Group<'_>) -> Option<String> {
    let names: Vec<_> = group.tenants.iter().map(|name| code(name.as_str())).collect();
    match (names.as_slice(), group.alike) {
        ([], _) => None,
        ([first, rest @ ..], true) if !rest.is_empty() => {
            Some(format!("in {first}, and alike in {}", listed(rest, NAMES)))
        }
        (all, _) => Some(format!("in {}", listed(all, NAMES))),
    }
}

/// Those that need a person stand open, the migrated ones collapsed.
fn outcomes(report: &Report) -> Vec<Section> {
    let Table { header, rows } = rows::outcomes(report);
    let migrated = words::outcome_state(OutcomeState::Migrated);
    let (done, stuck): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.state == migrated);
    let summary = |rows: &[Row], state: &str| format!("{} {state}", words::thousands(rows.len()));
    let mut sections = Vec::new();
    if !stuck.is_empty() {
        let long = summary_line(Mark::Failed, &summary(&stuck, "not migrated"));
        sections.push(section_of(
            &header,
            &stuck,
            (stuck.len() > OPEN_ROWS).then_some(long),
        ));
    }
    if !done.is_empty() {
        let title = summary_line(Mark::Passed, &summary(&done, migrated));
        sections.push(section_of(&header, &done, Some(title)));
    }
    sections
}

/// A table, within `<details>` where there is a summary.
fn section_of(header: &[&str], rows: &[Row], summary: Option<String>) -> Section {
    let mut section = summary.map_or_else(
        || Section {
            tail: "\n".to_owned(),
            ..Section::default()
        },
        |summary| Section::collapsed(&summary),
    );
    section.head.push_str(&format!(
        "| {} |\n|{}\n",
        header.join(" | "),
        " --- |".repeat(header.len())
    ));
    section.items = rows
        .iter()
        .map(|row| {
            let [tenant, rest @ ..] = &row.cells;
            let rest: Vec<_> = rest.iter().map(|cell| inline_cell(cell)).collect();
            Item::of(
                1,
                format!(
                    "| {} {} | {} |\n",
                    row.mark.emoji(),
                    code(tenant),
                    rest.join(" | ")
                ),
            )
        })
        .collect();
    section
}

fn inline_cell(cell: &str) -> String {
    if cell == "-" { String::new() } else { inline(cell) }
}

fn planned(report: &Report, plan: &PlanSummary) -> Option<Section> {
    let sentence = summary::plan(report)?;
    let mut section = Section {
        head: format!("### 📋 {}\n\n", inline(&capitalised(&sentence))),
        tail: "\n".to_owned(),
        ..Section::default()
    };
    let mut group = |tenants, heading: String, labels: &[String]| {
        if labels.is_empty() {
            return;
        }
        let mut text = format!("- {heading}\n");
        labels
            .iter()
            .for_each(|label| text.push_str(&format!("  - {}\n", code(label))));
        section.items.push(Item::of(tenants, text));
    };
    group(0, "shared schema".to_owned(), &plan.shared);
    match summary::pending_groups(plan) {
        None => group(0, "each tenant will get".to_owned(), &plan.each_tenant),
        Some(groups) => {
            for PlanGroupView {
                number,
                names,
                pending,
            } in groups.into_iter().map(PlanGroupView::of)
            {
                group(
                    number,
                    format!("{}: {}", counted(number, "tenant"), listed(&names, NAMES)),
                    pending,
                );
            }
        }
    }
    Some(section)
}

struct PlanGroupView<'a> {
    number: usize,
    names: Vec<String>,
    pending: &'a [String],
}

impl<'a> PlanGroupView<'a> {
    fn of(group: &'a crate::domain::PlanGroup) -> Self {
        let names = group.tenants.iter().map(|name| code(name.as_str())).collect();
        Self {
            number: group.tenants.len(),
            names,
            pending: &group.pending,
        }
    }
}

fn sql(plan: &PlanSummary) -> Option<Section> {
    let item = |(label, sql): &(String, String)| {
        Item::new(format!("{}\n\n{}\n", code(label), fenced(sql, "sql", "")))
    };
    (!plan.sql.is_empty()).then(|| Section {
        items: plan.sql.iter().map(item).collect(),
        ..Section::collapsed(&format!("📄 SQL of {}", counted(plan.sql.len(), "migration")))
    })
}

fn facts(report: &Report) -> Option<Section> {
    let promotion = summary::promotion(report).map(|sentence| {
        let url = report
            .promotion
            .as_ref()
            .and_then(|promotion| promotion.run_url.as_deref());
        let link = url
            .and_then(|url| link("its run", url))
            .map(|link| format!(" ({link})"));
        format!("- {}{}\n", inline(&sentence), link.unwrap_or_default())
    });
    let schema = summary::schema(report)
        .zip(report.schema.as_ref())
        .map(|(sentence, schema)| {
            let print = crate::domain::Digest(schema.fingerprint.clone());
            format!("- {} ({})\n", inline(&sentence), code(print.short()))
        });
    let evidence = report
        .evidence
        .as_ref()
        .map(|place| format!("- evidence: {}\n", code(place)));
    let items: Vec<_> = [promotion, schema, evidence]
        .into_iter()
        .flatten()
        .map(Item::new)
        .collect();
    (!items.is_empty()).then(|| Section {
        items,
        tail: "\n".to_owned(),
        ..Section::default()
    })
}

fn passed(report: &Report) -> Option<Section> {
    let areas = summary::passed(report);
    let number: usize = areas.iter().map(|area| area.checks.len()).sum();
    let title = summary_line(Mark::Passed, &format!("{} passed", counted(number, "check")));
    (number > 0).then(|| Section {
        items: areas.iter().map(area).collect(),
        ..Section::collapsed(&title)
    })
}

fn area(area: &Area<'_>) -> Item {
    let titles: Vec<_> = area.checks.iter().map(|check| inline(&check.title)).collect();
    Item::new(format!("- **{}**: {}\n", inline(area.name), titles.join("; ")))
}

fn skipped(report: &Report) -> Option<Section> {
    let areas = summary::skipped(report);
    let number: usize = areas.iter().map(|area| area.checks.len()).sum();
    let title = summary_line(Mark::Skipped, &format!("{} not asked", counted(number, "check")));
    let item = |area: &Area<'_>| {
        let checks = counted(area.checks.len(), "check");
        Item::new(format!(
            "- **{}** ({checks}): {}\n",
            inline(area.name),
            inline(&area.reason)
        ))
    };
    (number > 0).then(|| Section {
        items: areas.iter().map(item).collect(),
        ..Section::collapsed(&title)
    })
}

fn notes(report: &Report) -> Option<Section> {
    let notes = summary::notes(report);
    let items = findings(Mark::Note, &notes);
    let title = summary_line(Mark::Note, &counted(items.len(), "note"));
    (!items.is_empty()).then(|| Section {
        items,
        ..Section::collapsed(&title)
    })
}
