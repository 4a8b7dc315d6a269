//! The commit status: a line and a light on the commit, which a branch rule can demand.

use serde_json::{Value, json};

use super::{Client, GithubError};
use crate::domain::words::clip;
use crate::domain::{EnvironmentName, Report};
use crate::exit::Exit;
use crate::report::comment::{RunId, status_description};

/// GitHub refuses a longer description.
const DESCRIPTION: usize = 140;
/// GitHub keeps 255 characters of a context.
const LONGEST_PROJECT: usize = 100;
/// A commit has seldom more contexts than one page holds.
const PAGES: usize = 3;

/// What a status is called: a green plan must never pass for a green run, nor one project of a
/// repository for another. `project`: where the repository may have several.
pub fn context(environment: &EnvironmentName, command: &str, dry_run: bool, project: Option<&str>) -> String {
    let whose = project.map_or_else(String::new, |project| {
        format!(" ({})", clip(project, LONGEST_PROJECT))
    });
    let what = match (command, dry_run) {
        ("run", false) => format!("tenantgate/{environment}"),
        ("run", true) => format!("tenantgate/{environment}/dry-run"),
        (command, false) => format!("tenantgate/{environment}/{command}"),
        (command, true) => format!("tenantgate/{environment}/{command}-dry-run"),
    };
    what + &whose
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub context: String,
    pub state: State,
    pub description: String,
    pub target_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Success,
    /// The gate is blocked.
    Failure,
    /// It could not be found out.
    Error,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

impl Status {
    /// Before anything is known.
    pub fn pending(context: String, run_url: Option<&str>, run: RunId) -> Self {
        Self {
            context,
            state: State::Pending,
            description: "running".to_owned(),
            target_url: run_url.map(|url| target_url(url, run)),
        }
    }

    pub fn of(report: &Report, run: RunId) -> Self {
        let state = match Exit::of(report) {
            Exit::Passed => State::Success,
            Exit::Unanswered => State::Error,
            _ => State::Failure,
        };
        Self {
            context: context(&report.environment, &report.command, report.dry_run, None),
            state,
            description: status_description(report).chars().take(DESCRIPTION).collect(),
            target_url: report.run_url.as_deref().map(|url| target_url(url, run)),
        }
    }

    /// The run ended without a report: interrupted, or by a bug of ours.
    pub fn lost(context: String, run_url: Option<&str>, run: RunId) -> Self {
        Self {
            state: State::Error,
            description: "ended without a verdict".to_owned(),
            ..Self::pending(context, run_url, run)
        }
    }
}

/// GitHub's address of an attempt. It also tells a later reader which run wrote the status.
fn target_url(run_url: &str, run: RunId) -> String {
    format!("{run_url}/attempts/{}", run.attempt)
}

/// The run that a status links to, where it is one.
fn run_of(target_url: &str) -> Option<RunId> {
    let (_, rest) = target_url.rsplit_once("/actions/runs/")?;
    let mut parts = rest.split('/');
    let id = parts.next()?.parse().ok()?;
    let attempt = match parts.next() {
        Some("attempts") => parts.next()?.parse().ok()?,
        _ => 1,
    };
    Some(RunId { id, attempt })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Written,
    /// A newer run has said how this commit stands.
    NewerStands,
}

/// Statuses are only ever added, and the last one counts. So one request asks first whether a newer
/// run's is there: a re-run of an old run would else shut, or open, what that one decided. Where that
/// cannot be asked, the status is written: one too many is better than a pending one for ever.
pub async fn write(
    client: &Client,
    commit: &str,
    status: &Status,
    run: RunId,
) -> Result<Written, GithubError> {
    let route = client.repo(&format!("/commits/{commit}/status"));
    if let Ok((latest, _)) = client.list(&route, Some("statuses"), PAGES).await
        && newer_stands(&latest, &status.context, run)
    {
        return Ok(Written::NewerStands);
    }
    let body = json!({
        "state": status.state.as_str(),
        "context": status.context,
        "description": status.description,
        "target_url": status.target_url,
    });
    let route = client.repo(&format!("/statuses/{commit}"));
    match client.post(&route, &body).await {
        // Twice the same says no more than once.
        Err(error) if error.is_ambiguous() => client.post(&route, &body).await?,
        answer => answer?,
    };
    Ok(Written::Written)
}

fn newer_stands(latest: &[Value], context: &str, run: RunId) -> bool {
    let mut ours = latest.iter().filter(|status| {
        let theirs = status.get("context").and_then(Value::as_str);
        theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(context))
    });
    ours.any(|status| {
        let url = status.get("target_url").and_then(Value::as_str);
        url.and_then(run_of).is_some_and(|theirs| theirs > run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uat() -> EnvironmentName {
        EnvironmentName::parse("uat").expect("a good name")
    }

    #[test]
    fn only_a_real_run_has_the_plain_context() {
        let contexts = [("run", false), ("run", true), ("plan", false), ("migrate", true)];
        let contexts = contexts.map(|(command, dry)| context(&uat(), command, dry, None));
        assert_eq!(
            contexts,
            [
                "tenantgate/uat",
                "tenantgate/uat/dry-run",
                "tenantgate/uat/plan",
                "tenantgate/uat/migrate-dry-run"
            ]
        );
        assert_eq!(
            context(&uat(), "run", false, Some("billing")),
            "tenantgate/uat (billing)"
        );
    }

    #[test]
    fn the_run_is_read_back_from_the_address() {
        let url = "https://ghes.example/meats/central/actions/runs/4711";
        let run = RunId { id: 4711, attempt: 3 };
        assert_eq!(run_of(&target_url(url, run)), Some(run));
        assert_eq!(run_of(url), Some(RunId { id: 4711, attempt: 1 }));
        for odd in [
            "",
            "https://ci.example/4711",
            "https://x/actions/runs/",
            "https://x/actions/runs/x",
        ] {
            assert_eq!(run_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_newer_run_of_the_same_context_stands() {
        let at = |context: &str, id: u64, attempt: u64| {
            let url = target_url(
                &format!("https://github.com/a/b/actions/runs/{id}"),
                RunId { id, attempt },
            );
            [json!({ "context": context, "target_url": url })]
        };
        let run = RunId { id: 7, attempt: 2 };
        assert!(newer_stands(&at("tenantgate/uat", 8, 1), "tenantgate/uat", run));
        assert!(newer_stands(&at("tenantgate/uat", 7, 3), "tenantgate/uat", run));
        assert!(
            !newer_stands(&at("tenantgate/uat", 7, 2), "tenantgate/uat", run),
            "our own"
        );
        assert!(!newer_stands(&at("tenantgate/uat", 7, 1), "tenantgate/uat", run));
        assert!(!newer_stands(
            &at("tenantgate/uat/plan", 8, 1),
            "tenantgate/uat",
            run
        ));
        assert!(!newer_stands(
            &[json!({ "context": "tenantgate/uat", "target_url": null })],
            "tenantgate/uat",
            run
        ));
    }
}
