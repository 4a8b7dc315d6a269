//! The tables of a report as rows of words, before any format lays them out.

use super::clean;
use super::words::{self, Mark};
use crate::domain::{Outcome, OutcomeState, Report, Standing};

pub(super) struct Row {
    pub(super) mark: Mark,
    /// False for the shared schema.
    pub(super) is_tenant: bool,
    pub(super) state: String,
    pub(super) cells: [String; 5],
}

pub(super) struct Table {
    pub(super) header: [&'static str; 5],
    pub(super) rows: Vec<Row>,
}

/// Outcomes that are not up to date, failures first. Empty for a dry run that has a plan to show,
/// since there every tenant is skipped.
pub(super) fn outcomes(report: &Report) -> Table {
    let rank = |state| match state {
        OutcomeState::Failed => 0,
        OutcomeState::NotReached => 1,
        OutcomeState::RolledBack => 2,
        OutcomeState::Migrated | OutcomeState::Baselined => 3,
        OutcomeState::Skipped => 4,
        OutcomeState::UpToDate => 5,
    };
    let planned_only = report.dry_run && report.plan.is_some();
    let hidden = |state| state == OutcomeState::UpToDate || (planned_only && state == OutcomeState::Skipped);
    let mut outcomes: Vec<_> = report
        .outcomes
        .iter()
        .filter(|outcome| !hidden(outcome.state))
        .collect();
    outcomes.sort_by_key(|outcome| rank(outcome.state));
    Table {
        header: ["tenant", "outcome", "ran", "now at", "time"],
        rows: outcomes.into_iter().map(outcome_row).collect(),
    }
}

fn outcome_row(outcome: &Outcome) -> Row {
    let state = words::outcome_state(outcome.state);
    let tried = matches!(
        outcome.state,
        OutcomeState::Migrated | OutcomeState::Failed | OutcomeState::RolledBack
    );
    let ran = match (outcome.applied.as_slice(), outcome.undone.as_slice()) {
        (applied, []) => words::versions(applied),
        ([], undone) => format!("{} back", words::versions(undone)),
        (applied, undone) if applied.iter().rev().eq(undone) => {
            format!("{} and back", words::versions(applied))
        }
        (applied, undone) => format!("{}; {} back", words::versions(applied), words::versions(undone)),
    };
    let mut shown = match outcome.retries {
        0 => state.to_owned(),
        1 => format!("{state}, 1 retry"),
        retries => format!("{state}, {retries} retries"),
    };
    if let Some(rows) = outcome.rows {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        shown.push_str(&format!(", {}", words::counted(rows, "row")));
    }
    Row {
        mark: Mark::of_outcome(outcome.state),
        is_tenant: outcome.tenant.is_some(),
        state: state.to_owned(),
        cells: [
            words::tenant(outcome.tenant.as_ref(), outcome.server.as_ref()),
            shown,
            dashed(ran),
            dashed(outcome.head.map(|head| head.to_string()).unwrap_or_default()),
            dashed(if tried {
                words::duration(outcome.duration_ms)
            } else {
                String::new()
            }),
        ],
    }
}

/// The shared schema, then tenants, those that need a person before those that do not.
pub(super) fn standings(standings: &[Standing]) -> Table {
    let mut sorted: Vec<_> = standings.iter().collect();
    sorted.sort_by_key(|standing| {
        let is_tenant = standing.tenant.is_some();
        (
            is_tenant,
            is_tenant.then(|| Stand::of(standing)),
            !standing.active,
        )
    });
    Table {
        header: ["tenant", "state", "now at", "applied", "pending"],
        rows: sorted.into_iter().map(standing_row).collect(),
    }
}

/// Where a tenant stands, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    Reverting,
    Unfinished,
    Missing,
    Behind,
    UpToDate,
}

impl Stand {
    pub(super) const ALL: [Stand; 5] = [
        Stand::Reverting,
        Stand::Unfinished,
        Stand::Missing,
        Stand::Behind,
        Stand::UpToDate,
    ];

    pub(super) fn of(standing: &Standing) -> Self {
        match standing {
            Standing { reverting: true, .. } => Stand::Reverting,
            Standing { unfinished: true, .. } => Stand::Unfinished,
            Standing { exists: false, .. } => Stand::Missing,
            Standing { pending: 0, .. } => Stand::UpToDate,
            _ => Stand::Behind,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Stand::Reverting => "half way back",
            Stand::Unfinished => "unfinished",
            Stand::Missing => "missing",
            Stand::Behind => "behind",
            Stand::UpToDate => "up to date",
        }
    }
}

fn standing_row(standing: &Standing) -> Row {
    let stand = Stand::of(standing);
    let suspended = if standing.active { "" } else { ", suspended" };
    Row {
        mark: match stand {
            Stand::Reverting | Stand::Unfinished => Mark::Failed,
            Stand::Missing | Stand::Behind => Mark::Warned,
            Stand::UpToDate => Mark::Passed,
        },
        is_tenant: standing.tenant.is_some(),
        state: stand.as_str().to_owned(),
        cells: [
            words::tenant(standing.tenant.as_ref(), standing.server.as_ref()),
            format!("{}{suspended}{}", stand.as_str(), ranges(standing)),
            dashed(standing.head.map(|head| head.to_string()).unwrap_or_default()),
            standing.applied.to_string(),
            standing.pending.to_string(),
        ],
    }
}

/// `: 0039 is done up to 60000 of 250000 (12 ranges)`
fn ranges(standing: &Standing) -> String {
    let Some(at) = &standing.ranges else {
        return String::new();
    };
    // Some keys are long texts.
    let key = |key: &Option<String>| clean::clip(&clean::line(key.as_deref().unwrap_or("?")), 40, 1);
    let done = match at.ranges {
        0 => "no range is done".to_owned(),
        ranges => format!(
            "done up to {} of {} ({})",
            key(&at.last_key),
            key(&at.end_key),
            words::counted(usize::try_from(ranges).unwrap_or(usize::MAX), "range")
        ),
    };
    format!(": {} {done}", at.version)
}

fn dashed(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// `280 more: 270 failed, 10 not reached`.
pub(super) fn more(rest: &[Row]) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for row in rest {
        match states.iter_mut().find(|(state, _)| *state == row.state) {
            Some((_, count)) => *count += 1,
            None => states.push((&row.state, 1)),
        }
    }
    let number = words::thousands(rest.len());
    match states.as_slice() {
        [(state, _)] => format!("{number} more, {state}"),
        _ => {
            let parts = states
                .iter()
                .map(|(state, count)| format!("{} {state}", words::thousands(*count)));
            format!("{number} more: {}", parts.collect::<Vec<_>>().join(", "))
        }
    }
}
