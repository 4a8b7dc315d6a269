//! One [`Report`](crate::domain::Report), one renderer per format: pure, and the same report is
//! the same bytes.
//!
//! A report carries text that a server, a file or a pull request wrote. Each format therefore has
//! one place where such text is made harmless: [`text`] its page, [`markdown`] its escaping,
//! [`github`] its commands, [`json`] its strings.

pub mod annotations;
mod cause;
mod clean;
pub mod comment;
pub mod github;
mod groups;
pub mod json;
pub mod markdown;
mod plans;
mod rows;
pub mod sarif;
pub mod schema;
mod summary;
pub mod text;
mod words;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

/// What `--format` can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    #[default]
    Text,
    /// For programs; `tenantgate schema report` prints its JSON Schema.
    Json,
    /// For a step summary or a comment.
    Markdown,
    /// For an Actions log: annotations, then the text.
    Github,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
}
