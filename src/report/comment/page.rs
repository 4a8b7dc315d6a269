//! The comment's text: the verdict, one table, and what each run has to say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::state::{Entry, State};
use super::{Comment, blocks, marker};
use crate::domain::{EnvironmentName, Verdict};
use crate::report::markdown::budget::{Budget, Measure, within};
use crate::report::markdown::escape::{cell, code, html, in_cell, inline};
use crate::report::markdown::{self, link};
use crate::report::words;

const UNIT: Measure = Measure::Utf16;
/// What is kept for each block that is not the first, should the first be a flood.
const SHARE: usize = 2_000;
/// A block that gets less than this is left out.
const LEAST: usize = 300;

pub(super) fn render(comment: &Comment, limit: usize) -> String {
    let (marker, comment) = remembered(comment, limit / 2);
    let Comment { state, blocks, .. } = comment.as_ref();
    let order = state.by_importance();
    let mut out = marker;
    out.push_str(&verdict(state, order.first().map(|&at| &state.entries[at])));
    out.push_str(&table(state));
    out.push_str(&differences(state).unwrap_or_default());
    let mut left = limit.saturating_sub(UNIT.of(&out));
    for (place, &at) in order.iter().enumerate() {
        let later = order.len() - place - 1;
        let frame = Frame::of(state, &order, place);
        let reserved = later * SHARE.min(left / (2 * order.len()));
        let room = (left - reserved).saturating_sub(UNIT.of(&frame.head) + UNIT.of(&frame.tail));
        if room < LEAST {
            continue;
        }
        let entry = &state.entries[at];
        let rest = entry.run_url.as_deref().and_then(|url| link("the run", url));
        let text = blocks[at].render(&Budget {
            limit: room,
            measure: UNIT,
            rest: rest.map_or_else(
                || "the JSON report has all of it".to_owned(),
                |run| format!("see {run}"),
            ),
        });
        if !text.trim().is_empty() {
            let block = format!("{}{text}{}", frame.head, frame.tail);
            left = left.saturating_sub(UNIT.of(&block));
            out.push_str(&block);
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    within(&out, limit, UNIT).to_owned()
}

/// The hidden line. Where even that is too long, the oldest runs are forgotten: half of it would
/// be nothing.
fn remembered(comment: &Comment, limit: usize) -> (String, Cow<'_, Comment>) {
    let mut comment = Cow::Borrowed(comment);
    loop {
        let marker = marker::render(&comment.project, &comment.state);
        let oldest = comment.state.by_importance().into_iter().skip(1).last();
        match oldest {
            Some(oldest) if marker.len() > limit => {
                let comment = comment.to_mut();
                comment.state.entries.remove(oldest);
                comment.blocks.remove(oldest);
            }
            _ => return (marker, comment),
        }
    }
}

/// What stands around a block: where it begins and ends, and what it folds into.
struct Frame {
    head: String,
    tail: String,
}

impl Frame {
    /// The first is open under the verdict's line; of the others those that block in the same run.
    fn of(state: &State, order: &[usize], place: usize) -> Self {
        let entry = &state.entries[order[place]];
        let newest = state.entries[order[0]].run.id;
        let begin = blocks::begin(entry);
        let end = blocks::END;
        if place == 0 {
            return Self {
                head: format!("{begin}\n\n"),
                tail: format!("\n{end}\n\n"),
            };
        }
        let is_open = entry.verdict == Verdict::Blocked && entry.run.id == newest;
        let open = if is_open { " open" } else { "" };
        let conclusion = entry.conclusion();
        let title = format!(
            "{} <b>{}</b>: {}",
            conclusion.emoji(),
            html(entry.environment.as_str()),
            html(&conclusion.words(&entry.command))
        );
        Self {
            head: format!("<details{open}><summary>{title}</summary>\n\n{begin}\n\n"),
            tail: format!("\n{end}\n\n</details>\n\n"),
        }
    }
}

fn verdict(state: &State, newest: Option<&Entry>) -> String {
    match newest {
        Some(entry) => {
            let conclusion = entry.conclusion();
            let predicate = conclusion.predicate(&entry.command);
            markdown::sentence(conclusion.emoji(), &entry.environment, predicate, &entry.reason)
        }
        None if state.environments.is_empty() => "## tenantgate has nothing to say yet\n\n".to_owned(),
        None => "## Nothing has run yet\n\n".to_owned(),
    }
}

fn table(state: &State) -> String {
    if state.environments.is_empty() {
        return String::new();
    }
    let mut out = "| environment | state | finished (UTC) | migrations | run |\n\
        | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for environment in &state.environments {
        let mut entries: Vec<_> = state
            .by_importance()
            .into_iter()
            .map(|at| &state.entries[at])
            .filter(|entry| entry.environment == *environment)
            .collect();
        entries.sort_by_key(|entry| entry.conclusion());
        out.push_str(&row(environment, &entries));
    }
    out.push('\n');
    out
}

fn row(environment: &EnvironmentName, entries: &[&Entry]) -> String {
    let environment = cell(environment.as_str());
    if entries.is_empty() {
        return format!("| **{environment}** | not yet run | | | |\n");
    }
    let column = |cell: fn(&Entry) -> String| {
        let mut cells: Vec<_> = entries.iter().map(|entry| cell(entry)).collect();
        cells.dedup();
        cells.join("<br>")
    };
    format!(
        "| **{environment}** | {} | {} | {} | {} |\n",
        column(standing),
        column(time),
        column(|entry| entry
            .digest
            .as_deref()
            .map(code)
            .map(|it| in_cell(&it))
            .unwrap_or_default()),
        column(|entry| entry
            .run_url
            .as_deref()
            .and_then(|url| link("run", url))
            .unwrap_or_default()),
    )
}

fn standing(entry: &Entry) -> String {
    let conclusion = entry.conclusion();
    let words = format!(
        "{} {}",
        conclusion.emoji(),
        cell(&conclusion.words(&entry.command))
    );
    match (entry.verdict, &entry.by, &entry.overridden) {
        (Verdict::Blocked, Some(by), _) => format!("{words}: {}", cell(by)),
        (Verdict::Passed, _, Some(overridden)) => {
            format!("{words} of {}", in_cell(&code(&overridden.actor)))
        }
        _ => words,
    }
}

/// Not to be broken, in a narrow table, into three lines.
fn time(entry: &Entry) -> String {
    let time = entry.finished.strftime("%Y-%m-%d %H:%M").to_string();
    time.replace('-', "\u{2011}").replace(' ', "\u{a0}")
}

/// Said where the environments were not asked about one and the same set of migrations.
fn differences(state: &State) -> Option<String> {
    let digests: BTreeSet<_> = state
        .entries
        .iter()
        .filter_map(|entry| entry.digest.as_deref())
        .collect();
    (digests.len() > 1).then(|| {
        let groups = digests.into_iter().map(|digest| {
            let has = |name: &EnvironmentName| {
                let mut entries = state.entries.iter();
                entries.any(|entry| entry.environment == *name && entry.digest.as_deref() == Some(digest))
            };
            let names = state.environments.iter().filter(|name| has(name));
            let names: Vec<_> = names.map(|name| inline(name.as_str())).collect();
            let verb = if names.len() == 1 { "has" } else { "have" };
            format!("{} {verb} {}", words::joined(&names), code(digest))
        });
        let groups: Vec<_> = groups.collect();
        format!(
            "⚠️ **Not the same migrations everywhere:** {}.\n\n",
            groups.join("; ")
        )
    })
}
