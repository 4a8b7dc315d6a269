//! The parts of the Markdown report, the most important first.

use super::budget::{Item, Section};
use super::escape::{self, code, fenced, html, in_cell, inline};
use super::{capitalised, findings, link, summary_line};
use crate::domain::{Check, CheckStatus, OutcomeState, PlanSummary, Report};
use crate::report::cause::Conclusion;
use crate::report::groups::unexplained;
use crate::report::plans;
use crate::report::rows::{self, Row, Table};
use crate::report::summary::{self, Area};
use crate::report::words::{self, Mark, counted, listed};

/// Tenants named in a sentence.
const NAMES: usize = 8;
/// Labels shown of one list of migrations.
const LABELS: usize = 10;
/// A longer list is collapsed.
const OPEN_LINES: usize = 12;
/// A longer table is collapsed.
const OPEN_ROWS: usize = 12;

pub(super) fn all(report: &Report) -> Vec<Section> {
    let with = |status| report.checks.iter().filter(move |check| check.status == status);
    let mut sections: Vec<Section> = with(CheckStatus::Failed)
        .map(|check| problem(Mark::Failed, check))
        .collect();
    sections.extend(silent_failures(report));
    sections.extend(with(CheckStatus::Warned).map(|check| problem(Mark::Warned, check)));
    sections.extend(outcomes(report));
    sections.extend(plans::shown(report).and_then(|plan| planned(report, plan)));
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
    sections.extend(plans::shown(report).and_then(sql));
    sections
}

fn problem(mark: Mark, check: &Check) -> Section {
    let title = capitalised(&summary::headline(check));
    Section {
        head: format!(
            "### {} {} <sub>{}</sub>\n\n",
            mark.emoji(),
            inline(&title),
            inline(&check.id)
        ),
        items: findings::list(mark, &check.findings),
        tail: "\n".to_owned(),
    }
}

fn silent_failures(report: &Report) -> Option<Section> {
    let silent = unexplained(report);
    (!silent.is_empty()).then(|| Section {
        head: format!(
            "### {} Not so: every tenant was migrated\n\n",
            Mark::Failed.emoji()
        ),
        items: findings::list(Mark::Failed, &silent),
        tail: "\n".to_owned(),
    })
}

/// Those that need a person stand open, the migrated ones collapsed.
fn outcomes(report: &Report) -> Vec<Section> {
    let Table { header, rows } = rows::outcomes(report);
    let ends = [
        OutcomeState::Migrated,
        OutcomeState::RolledBack,
        OutcomeState::Baselined,
    ];
    let (done, stuck): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|row| ends.iter().any(|end| row.state == words::outcome_state(*end)));
    let mut sections = Vec::new();
    if !stuck.is_empty() {
        let long = summary_line(Mark::Failed, &titled(&stuck, "not migrated"));
        sections.push(section_of(
            &header,
            &stuck,
            (stuck.len() > OPEN_ROWS).then_some(long),
        ));
    }
    let mut done = done;
    for end in ends {
        let state = words::outcome_state(end);
        let these: Vec<_> = done.extract_if(.., |row| row.state == state).collect();
        if !these.is_empty() {
            let title = summary_line(Mark::of_outcome(end), &titled(&these, state));
            sections.push(section_of(&header, &these, Some(title)));
        }
    }
    sections
}

/// `shared schema and 5 tenants migrated`.
fn titled(rows: &[Row], state: &str) -> String {
    let tenants = rows.iter().filter(|row| row.is_tenant).count();
    let shared = (tenants < rows.len()).then(|| "shared schema".to_owned());
    let tenants = (tenants > 0).then(|| counted(tenants, "tenant"));
    let who: Vec<_> = shared.into_iter().chain(tenants).collect();
    format!("{} {state}", words::joined(&who))
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
                usize::from(row.is_tenant),
                format!(
                    "| {} {} | {} |\n",
                    row.mark.emoji(),
                    in_cell(&code(tenant)),
                    rest.join(" | ")
                ),
            )
        })
        .collect();
    section
}

fn inline_cell(cell: &str) -> String {
    if cell == "-" {
        String::new()
    } else {
        escape::cell(cell)
    }
}

fn planned(report: &Report, plan: &PlanSummary) -> Option<Section> {
    let sentence = plans::sentence(report, plan)?;
    let mut items = vec![labels(0, "shared schema", &plan.shared)];
    match plans::pending(plan) {
        None => items.push(labels(0, "each tenant will get", &plan.each_tenant)),
        Some(groups) => items.extend(groups.into_iter().map(|group| {
            let names: Vec<_> = group.tenants.iter().map(|name| code(name.as_str())).collect();
            let server = group.server.as_ref();
            let server = server.map_or_else(String::new, |server| format!(" on {}", code(server.as_str())));
            let number = counted(names.len(), "tenant");
            let heading = format!("{number}{server}: {}", listed(&names, NAMES));
            labels(names.len(), &heading, &group.pending)
        })),
    }
    items.push(labels(0, plans::ORDER, &plans::waves(plan)));
    items.push(labels(0, "over ranges of a key", &plans::ranges(plan)));
    let items: Vec<_> = items.into_iter().flatten().collect();
    let lines: usize = items.iter().map(|item| item.text.lines().count()).sum();
    // The report's headline has said it already.
    let is_headline = matches!(Conclusion::of(report), Conclusion::Planned | Conclusion::DryRun);
    let title = match is_headline {
        true => "📋 what would run".to_owned(),
        false => format!("📋 what would run: {}", html(&sentence)),
    };
    let section = if lines <= OPEN_LINES {
        Section::open(&title)
    } else {
        Section::collapsed(&title)
    };
    Some(Section { items, ..section })
}

fn labels(tenants: usize, heading: &str, labels: &[String]) -> Option<Item> {
    let (shown, rest) = words::first(labels, LABELS);
    let mut text = format!("- {heading}\n");
    for label in shown {
        text.push_str(&format!("  - {}\n", code(label)));
    }
    if !rest.is_empty() {
        text.push_str(&format!("  - and {} more\n", rest.len()));
    }
    (!labels.is_empty()).then(|| Item::of(tenants, text))
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
        format!("{}{}", inline(&sentence), link.unwrap_or_default())
    });
    let schema = summary::schema(report)
        .zip(report.schema.as_ref())
        .map(|(sentence, schema)| {
            let print = crate::domain::Digest(schema.fingerprint.clone());
            format!("{} ({})", inline(&capitalised(&sentence)), code(print.short()))
        });
    let evidence = report
        .evidence
        .as_ref()
        .map(|place| format!("Evidence: {}", code(place)));
    let facts: Vec<_> = [promotion, schema, evidence].into_iter().flatten().collect();
    (!facts.is_empty()).then(|| Section {
        items: vec![Item::new(facts.join("\\\n") + "\n")],
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
    let reasons = summary::skipped(report);
    let number: usize = reasons.iter().map(|reason| reason.checks).sum();
    let title = summary_line(Mark::Skipped, &format!("{} not asked", counted(number, "check")));
    let item = |skipped: &summary::Skipped<'_>| {
        let areas = skipped.areas.join(", ");
        Item::new(format!("- **{}**: {}\n", inline(&areas), inline(&skipped.reason)))
    };
    (number > 0).then(|| Section {
        items: reasons.iter().map(item).collect(),
        ..Section::collapsed(&title)
    })
}

fn notes(report: &Report) -> Option<Section> {
    let notes = summary::notes(report);
    let items = findings::list(Mark::Note, &notes);
    let title = summary_line(Mark::Note, &counted(items.len(), "note"));
    (!items.is_empty()).then(|| Section {
        items,
        ..Section::collapsed(&title)
    })
}
