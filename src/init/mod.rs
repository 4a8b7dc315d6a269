//! `tenantgate init`: looks at a repository and writes a config and workflows for it.
//!
//! [`look`] reads and guesses, [`Found`] is what it saw, [`config`] and [`pipeline`] are pure text over
//! it, and [`files`] writes. Nothing is asked here, and no value of a secret is ever read.

pub(crate) mod action_ref;
pub(crate) mod config;
mod engine;
pub(crate) mod files;
mod git;
mod layout;
mod look;
mod next;
pub(crate) mod pipeline;
mod registry;
mod secrets;
mod stages;
pub(crate) mod told;
mod tree;
mod yaml;

use std::fmt;

use crate::database_url::EngineKind;

pub(crate) use git::repository_root;
pub(crate) use look::{Told, branches_for, look};
pub(crate) use yaml::refuse_odd;

/// What was seen in a repository, and what was made of it.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What the project is called.
    pub(crate) name: String,
    /// None where there is no Git repository.
    pub(crate) branches: Option<Vec<String>>,
    pub(crate) engine: Guess<EngineKind>,
    pub(crate) layout: Layout,
    pub(crate) registry: Registry,
    pub(crate) stages: Vec<Stage>,
    pub(crate) rules: Vec<Rule>,
    /// Other secrets of the workflows, which the gate might be asked about.
    pub(crate) other_secrets: Vec<String>,
    /// What could not be looked at.
    pub(crate) notes: Vec<String>,
}

/// Something concluded, and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess<T> {
    pub(crate) value: T,
    /// `compose.yaml: image postgres:16`; absent where nothing said so.
    pub(crate) because: Option<String>,
}

/// An environment to be, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) branch: String,
    pub(crate) branch_exists: bool,
    pub(crate) github_environment: String,
    /// An existing workflow names the GitHub environment.
    pub(crate) github_environment_exists: bool,
    /// Names of secrets.
    pub(crate) database_url: String,
    pub(crate) direct_url: Option<String>,
}

/// A rule for a secret that existing workflows use: `{ENV}_SECRET_KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) template: String,
    pub(crate) min_length: Option<usize>,
}

/// The folders of migrations, relative to the config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shared: Option<String>,
    pub(crate) tenant: Option<String>,
    /// The folders do not exist yet.
    pub(crate) to_make: bool,
    /// What was recognised besides.
    pub(crate) others: Vec<Other>,
}

/// Migrations of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    pub(crate) what: &'static str,
    pub(crate) folder: String,
    /// What to do about it.
    pub(crate) advice: &'static str,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = if self.folder.is_empty() { "." } else { &self.folder };
        write!(f, "{} in {folder}: {}", self.what, self.advice)
    }
}

/// The query for the tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registry {
    pub(crate) sql: String,
    /// Absent: nothing was found, the query is an example.
    pub(crate) because: Option<String>,
}
