//! Who runs this, where, and for which commit: what the process environment says about the caller.

use std::path::Path;

use crate::domain::here_below;

use super::actions::Actions;
use super::variables::ProcessEnvironment;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    pub commit: Option<String>,
    pub run_url: Option<String>,
    pub actor: Option<String>,
    /// For the lease and the ledger: the run's URL, or machine and process.
    pub whence: String,
    /// Inside GitHub Actions.
    pub in_actions: bool,
    /// The file that the step summary is appended to.
    pub step_summary: Option<String>,
    /// The file that `url --export github` appends to.
    pub github_env: Option<String>,
    pub no_color: bool,
    /// Called by the action, so that the runner reads stderr, and obeys and hides what masks a password.
    pub by_action: bool,
    /// The repository's root, where the runner names it.
    pub workspace: Option<String>,
    /// The working directory below the repository's root, where it is not the root: annotations want
    /// files as seen from there.
    pub folder: Option<String>,
    /// Where the process environment names a repository.
    pub actions: Option<Actions>,
}

impl Invocation {
    /// The variables are GitHub's ("Variables reference"), and NO_COLOR.
    pub fn from_environment(process: &ProcessEnvironment) -> Self {
        let get = |name: &str| {
            let value = process.variables.get(name).map(|value| value.expose().to_owned());
            value.filter(|value| !value.is_empty())
        };
        let run_url = get("GITHUB_SERVER_URL")
            .zip(get("GITHUB_REPOSITORY"))
            .zip(get("GITHUB_RUN_ID"))
            .map(|((server, repository), run)| format!("{server}/{repository}/actions/runs/{run}"));
        let machine = get("HOSTNAME").or_else(|| {
            let name = std::fs::read_to_string("/etc/hostname").ok()?;
            Some(name.trim().to_owned()).filter(|name| !name.is_empty())
        });
        let here = format!(
            "{}, process {}",
            machine.as_deref().unwrap_or("this machine"),
            std::process::id()
        );
        Self {
            commit: get("GITHUB_SHA"),
            actor: get("GITHUB_ACTOR"),
            whence: run_url.clone().unwrap_or(here),
            run_url,
            in_actions: get("GITHUB_ACTIONS").as_deref() == Some("true"),
            step_summary: get("GITHUB_STEP_SUMMARY"),
            github_env: get("GITHUB_ENV"),
            by_action: get("TENANTGATE_ACTION").as_deref() == Some("true"),
            workspace: get("GITHUB_WORKSPACE"),
            folder: get("GITHUB_WORKSPACE").and_then(|root| here_below(Path::new(&root))),
            no_color: get("NO_COLOR").is_some(),
            actions: Actions::from_environment(process),
        }
    }
}
