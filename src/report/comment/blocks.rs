//! What a run has to say about its environment, below the table: rendered now, or kept as another
//! run wrote it.

use super::state::Entry;
use crate::domain::Report;
use crate::report::markdown::budget::{self, Budget, Section};
use crate::report::markdown::{self, Body};

#[derive(Debug, Clone)]
pub(super) enum Block {
    Fresh {
        opening: String,
        sections: Vec<Section>,
    },
    /// Complete lines, or nothing.
    Kept(String),
}

impl Block {
    pub(super) fn fresh(report: &Report) -> Self {
        let Body { opening, sections } = markdown::body(report);
        Self::Fresh { opening, sections }
    }

    /// Empty where the comment has no block of the entry.
    pub(super) fn kept(body: &str, entry: &Entry) -> Self {
        let begin = begin(entry);
        let lines: Vec<_> = body
            .lines()
            .skip_while(|line| *line != begin)
            .skip(1)
            .take_while(|line| *line != END)
            .collect();
        let text = lines.join("\n");
        match text.trim() {
            "" => Self::Kept(String::new()),
            text => Self::Kept(format!("{text}\n")),
        }
    }

    pub(super) fn render(&self, budget: &Budget) -> String {
        match self {
            Self::Fresh { opening, sections } => budget::assemble(opening, sections, budget),
            Self::Kept(text) => budget::cut(text, budget),
        }
    }
}

/// No text of others is a line like this: see [`markdown::escape`].
pub(super) fn begin(entry: &Entry) -> String {
    let command: String = entry
        .command
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("<!-- tenantgate block {} {command} -->", entry.environment)
}

pub(super) const END: &str = "<!-- tenantgate end -->";
