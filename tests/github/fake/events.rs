//! What the runner gives a step, for each event.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::Project;

use super::Fake;
use super::state::{State, sha};

/// What began a workflow.
#[derive(Debug, Clone)]
pub enum Event {
    /// Of a pull request that the fake knows; from a fork where its head repository is another one.
    PullRequest {
        number: u64,
        action: String,
    },
    Push {
        branch: String,
        sha: String,
    },
    WorkflowDispatch {
        branch: String,
        sha: String,
        inputs: Value,
    },
    MergeGroup {
        head_sha: String,
        base_ref: String,
        number: u64,
    },
    Schedule {
        branch: String,
        sha: String,
    },
}

/// Files that the runner made for a step, inside the project.
pub const STEP_SUMMARY: &str = "runner/step_summary.md";
pub const OUTPUT: &str = "runner/output";
pub const ENV: &str = "runner/env";
pub const PAYLOAD: &str = "runner/event.json";

impl Event {
    pub fn pull_request(number: u64) -> Self {
        let action = "synchronize".to_owned();
        Self::PullRequest { number, action }
    }

    pub fn push(branch: &str, sha: &str) -> Self {
        let (branch, sha) = (branch.to_owned(), sha.to_owned());
        Self::Push { branch, sha }
    }

    pub fn workflow_dispatch(branch: &str, sha: &str) -> Self {
        let (branch, sha) = (branch.to_owned(), sha.to_owned());
        Self::WorkflowDispatch {
            branch,
            sha,
            inputs: json!({}),
        }
    }

    pub fn merge_group(number: u64, head_sha: &str) -> Self {
        let (head_sha, base_ref) = (head_sha.to_owned(), "main".to_owned());
        Self::MergeGroup {
            head_sha,
            base_ref,
            number,
        }
    }

    pub fn schedule(branch: &str, sha: &str) -> Self {
        let (branch, sha) = (branch.to_owned(), sha.to_owned());
        Self::Schedule { branch, sha }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::PullRequest { .. } => "pull_request",
            Self::Push { .. } => "push",
            Self::WorkflowDispatch { .. } => "workflow_dispatch",
            Self::MergeGroup { .. } => "merge_group",
            Self::Schedule { .. } => "schedule",
        }
    }

    /// GITHUB_SHA and GITHUB_REF.
    fn commit(&self, state: &State) -> (String, String) {
        match self {
            Self::PullRequest { number, .. } => {
                let pull = state.pull(*number).expect("the pull request is known");
                (pull.merge_ref_sha(), format!("refs/pull/{number}/merge"))
            }
            Self::Push { branch, sha }
            | Self::WorkflowDispatch { branch, sha, .. }
            | Self::Schedule { branch, sha } => (sha.clone(), format!("refs/heads/{branch}")),
            Self::MergeGroup { head_sha, .. } => (head_sha.clone(), self.queue_ref(state)),
        }
    }

    fn queue_ref(&self, state: &State) -> String {
        let Self::MergeGroup { base_ref, number, .. } = self else {
            return String::new();
        };
        let base = &state.branches[base_ref].sha;
        format!("refs/heads/gh-readonly-queue/{base_ref}/pr-{number}-{base}")
    }

    /// The event's payload, with the members that matter.
    pub fn payload(&self, state: &State, server: &str) -> Value {
        let owner = state.owner();
        let mut payload = json!({
            "repository": {
                "id": 1296269,
                "name": state.repository.split_once('/').unwrap().1,
                "full_name": state.repository,
                "private": state.private,
                "default_branch": state.default_branch,
                "html_url": format!("{server}/{}", state.repository),
                "owner": { "login": owner, "type": "Organization" },
            },
            "sender": { "login": "ann", "type": "User" },
        });
        super::call::overlay(&mut payload, self.own_members(state, server));
        payload
    }

    fn own_members(&self, state: &State, server: &str) -> Value {
        let git_ref = self.commit(state).1;
        match self {
            Self::PullRequest { number, action } => {
                json!({ "action": action, "number": number, "pull_request": pull(state, *number, server) })
            }
            Self::Push { sha: after, .. } => json!({
                "ref": git_ref,
                "before": sha("before"),
                "after": after,
                "created": false,
                "deleted": false,
                "forced": false,
                "head_commit": { "id": after, "message": "Merge", "timestamp": state.now().to_string() },
                "pusher": { "name": "ann" },
            }),
            Self::WorkflowDispatch { inputs, .. } => {
                json!({ "ref": git_ref, "inputs": inputs, "workflow": ".github/workflows/gate.yml" })
            }
            Self::MergeGroup {
                head_sha, base_ref, ..
            } => json!({
                "action": "checks_requested",
                "merge_group": {
                    "head_sha": head_sha,
                    "head_ref": git_ref,
                    "base_ref": format!("refs/heads/{base_ref}"),
                    "base_sha": state.branches[base_ref].sha,
                    "head_commit": { "id": head_sha },
                },
            }),
            Self::Schedule { .. } => {
                json!({ "schedule": "17 3 * * *", "workflow": ".github/workflows/gate.yml" })
            }
        }
    }
}

fn pull(state: &State, number: u64, server: &str) -> Value {
    let pull = state.pull(number).expect("the pull request is known");
    let head = pull.head_repository.as_ref();
    let head = head.map(|name| json!({ "full_name": name, "fork": *name != state.repository }));
    json!({
        "number": number,
        "title": pull.title,
        "state": if pull.closed { "closed" } else { "open" },
        "locked": pull.locked,
        "draft": pull.draft,
        "merged": pull.merged.is_some(),
        "merge_commit_sha": pull.merged.clone().unwrap_or_else(|| pull.merge_ref_sha()),
        "html_url": format!("{server}/{}/pull/{number}", state.repository),
        "user": { "login": pull.author },
        "head": { "sha": pull.head_sha, "ref": pull.head_ref, "repo": head },
        "base": {
            "sha": pull.base_sha,
            "ref": pull.base_ref,
            "repo": { "full_name": state.repository, "fork": false },
        },
    })
}

impl Fake {
    /// Makes a project a step of a job that this event began: its variables, payload and files. Later
    /// runs may not tell the token. Run 1, attempt 1, by ann: set GITHUB_RUN_ID and so on for others.
    pub fn actions(&self, project: &mut Project, token: &str, event: &Event) {
        for (name, value) in self.variables(event) {
            project.env(name, value);
        }
        let payload = event.payload(&self.state(), &self.server_url());
        project.write(PAYLOAD, &payload.to_string());
        for (name, file) in [
            ("GITHUB_EVENT_PATH", PAYLOAD),
            ("GITHUB_STEP_SUMMARY", STEP_SUMMARY),
            ("GITHUB_OUTPUT", OUTPUT),
            ("GITHUB_ENV", ENV),
        ] {
            if file != PAYLOAD {
                project.write(file, "");
            }
            let path = project.path(file);
            project.env(name, path.to_str().unwrap());
        }
        project.secret("GITHUB_TOKEN", token);
        project.hide(&self.server_url(), "[GITHUB]");
    }

    /// GITHUB_… as the runner sets them, without files and token.
    pub fn variables(&self, event: &Event) -> BTreeMap<&'static str, String> {
        let state = self.state();
        let (commit, git_ref) = event.commit(&state);
        if matches!(
            event,
            Event::MergeGroup { .. } | Event::Push { .. } | Event::Schedule { .. }
        ) {
            assert!(
                state.commits.contains(&commit),
                "push the commit first: state().commit(…)"
            );
        }
        let short = git_ref.trim_start_matches("refs/").trim_start_matches("heads/");
        let mut variables = BTreeMap::from([
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", self.url()),
            ("GITHUB_SERVER_URL", self.server_url()),
            ("GITHUB_REPOSITORY", state.repository.clone()),
            ("GITHUB_REPOSITORY_OWNER", state.owner().to_owned()),
            ("GITHUB_REF_NAME", short.trim_start_matches("pull/").to_owned()),
            ("GITHUB_EVENT_NAME", event.name().to_owned()),
            ("GITHUB_RUN_ID", "1".to_owned()),
            ("GITHUB_RUN_NUMBER", "1".to_owned()),
            ("GITHUB_RUN_ATTEMPT", "1".to_owned()),
            ("GITHUB_WORKFLOW", "gate".to_owned()),
            ("GITHUB_JOB", "gate".to_owned()),
            ("GITHUB_ACTOR", "ann".to_owned()),
            ("GITHUB_TRIGGERING_ACTOR", "ann".to_owned()),
        ]);
        if let Event::PullRequest { number, .. } = event {
            let pull = state.pull(*number).unwrap();
            variables.insert("GITHUB_HEAD_REF", pull.head_ref.clone());
            variables.insert("GITHUB_BASE_REF", pull.base_ref.clone());
        }
        variables.insert("GITHUB_SHA", commit);
        variables.insert("GITHUB_REF", git_ref);
        variables
    }
}
