//! The one comment of a pull request, for all environments of a project.
//!
//! Its first line, which GitHub does not show, holds what the table needs to know of each run; so
//! a run can say where its environment stands and keep what others said. Everything here is pure:
//! finding the comment and writing it is not.

mod blocks;
mod marker;
mod page;
mod state;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use self::blocks::Block;
use self::state::{Entry, State};
use super::{cause, clean};
use crate::domain::{EnvironmentName, Report};

/// GitHub's own words are "maximum is 65536 characters". As measured by others it counts code points
/// or, for comments, 262,144 bytes; UTF-16 is no less than the first and at most a third of the
/// second. The rest is for what a proxy or a browser may add.
pub const LIMIT_CHARS: usize = 65_000;

/// A workflow's run, as GitHub numbers it: a later one has a larger id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId {
    pub id: u64,
    /// From 1; counts how often the run was started again.
    pub attempt: u64,
}

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    Written,
    /// A newer run has spoken for the environment: nothing was changed.
    OlderRun,
}

#[derive(Debug, Clone)]
pub struct Comment {
    project: String,
    state: State,
    /// What each entry of the state has to say, in the same order.
    blocks: Vec<Block>,
}

impl Comment {
    /// Nothing has run. `environments` in the order of promotion.
    pub fn new(project: &str, environments: &[EnvironmentName]) -> Self {
        Self {
            project: project.to_owned(),
            state: State {
                environments: environments.to_vec(),
                entries: Vec::new(),
            },
            blocks: Vec::new(),
        }
    }

    /// None where the comment is not ours, or another project's. One of ours that cannot be read
    /// any more is empty: it is to be written anew.
    pub fn parse(body: &str, project: &str) -> Option<Self> {
        let body = body.replace("\r\n", "\n");
        let state = marker::find(&body, project)?;
        let mut comment = Self::new(project, &[]);
        if let Some(state) = state {
            comment.blocks = state
                .entries
                .iter()
                .map(|entry| Block::kept(&body, entry))
                .collect();
            comment.state = state;
        }
        Some(comment)
    }

    pub fn is_ours(body: &str, project: &str) -> bool {
        marker::find(body, project).is_some()
    }

    /// Takes over what a duplicate knows that is newer, environment by environment.
    pub fn absorb(&mut self, other: Comment) {
        for environment in &other.state.environments {
            if !self.state.environments.contains(environment) {
                self.state.environments.push(environment.clone());
            }
        }
        for (entry, block) in other.state.entries.into_iter().zip(other.blocks) {
            self.place(entry, block, |old, new| old.finished >= new.finished);
        }
    }

    /// Says where the report's environment stands. `environments` in the order of promotion.
    pub fn update(&mut self, report: &Report, run: RunId, environments: &[EnvironmentName]) -> Update {
        let known = std::mem::replace(&mut self.state.environments, environments.to_vec());
        let others = known.into_iter().filter(|name| {
            !environments.contains(name) && self.state.entries.iter().any(|entry| entry.environment == *name)
        });
        let others: Vec<_> = others.collect();
        self.state.environments.extend(others);
        if !self.state.environments.contains(&report.environment) {
            self.state.environments.push(report.environment.clone());
        }
        self.place(Entry::of(report, run), Block::fresh(report), |_, _| false)
    }

    /// A newer run's word replaces an older one's. What the same run says with another command
    /// stands beside it, unless the command is the whole gate. `stays`: of the same command in the
    /// same run.
    fn place(&mut self, new: Entry, block: Block, stays: impl Fn(&Entry, &Entry) -> bool) -> Update {
        let mut rivals = self
            .state
            .entries
            .iter()
            .filter(|entry| entry.environment == new.environment);
        let outdated = rivals.any(|old| {
            let same = old.run == new.run && old.command == new.command;
            old.run > new.run || (same && stays(old, &new))
        });
        if outdated {
            return Update::OlderRun;
        }
        let gives_way = |old: &Entry| {
            let covered = old.command == new.command || new.is_whole_gate();
            old.environment == new.environment && (old.run.id < new.run.id || covered)
        };
        let keep: Vec<bool> = self.state.entries.iter().map(|old| !gives_way(old)).collect();
        let mut kept = keep.iter();
        self.state.entries.retain(|_| kept.next() == Some(&true));
        let mut kept = keep.iter();
        self.blocks.retain(|_| kept.next() == Some(&true));
        self.state.entries.push(new);
        self.blocks.push(block);
        Update::Written
    }

    /// Our word about the environment, or a newer one, is there.
    pub fn holds(&self, environment: &EnvironmentName, run: RunId) -> bool {
        let mut entries = self.state.entries.iter();
        entries.any(|entry| entry.environment == *environment && entry.run >= run)
    }

    /// At most so many characters, in UTF-16: see [`LIMIT_CHARS`]. What is oldest gives way first.
    pub fn render(&self, limit_chars: usize) -> String {
        page::render(self, limit_chars)
    }
}

/// What GitHub allows in the description of a commit status, in characters.
const DESCRIPTION: usize = 140;

/// `blocked: uat has not passed with this change`, `passed: 41 migrations, 998 tenants up to date`:
/// at most 140 characters, however they are counted but in bytes.
pub fn status_description(report: &Report) -> String {
    let words = cause::Conclusion::of(report).words(&report.command);
    let text = clean::line(&format!("{words}: {}", cause::reason(report)));
    let mut used = 0;
    let mut out = String::new();
    let fits = text.encode_utf16().count() <= DESCRIPTION;
    for c in text.chars() {
        used += c.len_utf16();
        if !fits && used >= DESCRIPTION {
            out.truncate(out.trim_end().len());
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}
