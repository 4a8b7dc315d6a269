//! What was done, would be done, or stands: plan, tables, counts.

use super::NAMES;
use super::page::{BOLD, DIM, PLAIN, Page};
use crate::domain::{PlanSummary, Report};
use crate::report::words::{self, counted, listed};
use crate::report::{clean, plans, rows, summary};

/// Rows shown of a table.
const ROWS: usize = 20;
/// Labels shown of one list of migrations.
const LABELS: usize = 10;

/// What was done, would be done, or stands.
pub(super) fn work(page: &mut Page, report: &Report) {
    if let Some(plan) = plans::shown(report) {
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
    grid.add_row([""].into_iter().chain(table.header));
    for row in &table.rows[..shown] {
        grid.add_row([row.mark.sign().to_string()].iter().chain(&row.cells));
    }
    for (at, column) in grid.column_iter_mut().enumerate() {
        column.set_padding((0, if at == 0 { 1 } else { 2 }));
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
    let Some(sentence) = plans::sentence(report, plan) else {
        return;
    };
    page.blank();
    page.line(0, 2, &[(BOLD, &sentence)]);
    labels(page, "shared schema", &plan.shared);
    match plans::pending(plan) {
        None => labels(page, "each tenant will get", &plan.each_tenant),
        Some(groups) => {
            for group in groups.iter().take(ROWS) {
                let names: Vec<_> = group.tenants.iter().map(ToString::to_string).collect();
                let number = counted(names.len(), "tenant");
                let number = match &group.server {
                    Some(server) => format!("{number} on {server}"),
                    None => number,
                };
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
    labels(page, plans::ORDER, &plans::waves(plan));
    for sentence in plans::ranges(plan) {
        page.line(2, 2, &[(PLAIN, &clean::line(&sentence))]);
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
    let (shown, rest) = words::first(labels, LABELS);
    for label in shown {
        page.line(4, 2, &[(PLAIN, &clean::line(label))]);
    }
    if !rest.is_empty() {
        page.line(4, 0, &[(DIM, &format!("and {} more", rest.len()))]);
    }
}
