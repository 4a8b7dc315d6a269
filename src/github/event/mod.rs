//! What set the workflow off, and so: which commit a status belongs on, and which pull request a comment.
//!
//! A called workflow keeps the event and payload of its caller, so it needs no rule of its own.
//! <https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows>

mod payload;
#[cfg(test)]
mod tests;

use crate::settings::Actions;

use payload::Payload;

/// The occasion of this run. Whatever the payload lacks is told as a reason, never guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    pub commit: Commit,
    pub pull_requests: PullRequests,
    /// The change comes from another repository: the token may only read, and there are no secrets.
    pub from_fork: bool,
    /// Who began this attempt: on a re-run another person than the one who began the workflow.
    pub triggered_by: Option<String>,
    /// A person started it at `workflow_dispatch`.
    pub by_hand: bool,
    /// What was wrong with the payload, where anything was.
    pub notes: Vec<String>,
}

/// The commit that a status belongs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    Known(String),
    /// Why there is none.
    None(String),
}

impl Commit {
    pub fn sha(&self) -> Option<&str> {
        match self {
            Self::Known(sha) => Some(sha),
            Self::None(_) => None,
        }
    }
}

/// The pull requests that a comment belongs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PullRequests {
    Known(Vec<u64>),
    /// GitHub knows which pull requests have the commit.
    LookUp {
        commit: String,
    },
    /// Why there is none.
    None(String),
}

/// GitHub delivers none above 25 MB.
const LARGEST_PAYLOAD: u64 = 64 * 1024 * 1024;

/// Reads the payload that the runner left, and understands it.
pub fn read(actions: &Actions) -> Occasion {
    let text = match &actions.event_path {
        None => Err("GITHUB_EVENT_PATH is not set".to_owned()),
        Some(path) => {
            read_payload(path).map_err(|error| format!("the event's payload cannot be read: {path}: {error}"))
        }
    };
    occasion(actions, text.as_deref().map_err(String::as_str))
}

/// A pipe would be waited for, and a device may never end.
fn read_payload(path: &str) -> std::io::Result<String> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    if metadata.len() > LARGEST_PAYLOAD {
        return Err(std::io::Error::other("longer than any payload of GitHub's"));
    }
    std::fs::read_to_string(path)
}

/// `payload`: its text, or why there is none.
pub fn occasion(actions: &Actions, payload: Result<&str, &str>) -> Occasion {
    let mut notes = Vec::new();
    let payload = match payload.map_err(str::to_owned).and_then(Payload::parse) {
        Ok(payload) => payload,
        Err(reason) => {
            notes.push(reason);
            Payload::empty()
        }
    };
    let (commit, pull_requests, from_fork) = match actions.event_name.as_str() {
        "pull_request" | "pull_request_target" | "pull_request_review" | "pull_request_review_comment" => {
            of_pull_request(actions, &payload)
        }
        "merge_group" => of_merge_group(actions, &payload),
        "push" => of_push(actions, &payload),
        "schedule" => (
            checked_out(actions),
            PullRequests::None("a scheduled run belongs to no pull request".to_owned()),
            false,
        ),
        "workflow_run" => of_other_run(actions, &payload, "workflow_run"),
        "check_suite" => of_other_run(actions, &payload, "check_suite"),
        "check_run" => of_other_run(actions, &payload, "check_run"),
        "deployment" | "deployment_status" => {
            let sha = payload.text(&["deployment", "sha"]).and_then(full_sha);
            looked_up(sha.map_or_else(|| checked_out(actions), Commit::Known))
        }
        "issue_comment" | "issues" => of_issue(&payload),
        _ => looked_up(checked_out(actions)),
    };
    Occasion {
        commit,
        pull_requests,
        from_fork,
        triggered_by: actions.triggering_actor.clone().or_else(|| actions.actor.clone()),
        by_hand: actions.event_name == "workflow_dispatch",
        notes,
    }
}

type Found = (Commit, PullRequests, bool);

/// GITHUB_SHA is here a merge of the head into its base, which nobody looks at.
fn of_pull_request(actions: &Actions, payload: &Payload) -> Found {
    let head = payload.text(&["pull_request", "head", "sha"]).and_then(full_sha);
    let commit = head.map(Commit::Known).unwrap_or_else(|| {
        Commit::None("the event's payload does not say the pull request's head commit".to_owned())
    });
    let number = payload
        .number(&["pull_request", "number"])
        .or_else(|| number_in_ref(actions));
    let pull_requests = match number {
        Some(number) => PullRequests::Known(vec![number]),
        None => PullRequests::None("the event's payload does not say the pull request's number".to_owned()),
    };
    let from_fork = payload.has(&["pull_request", "head"]) && {
        let head = payload.text(&["pull_request", "head", "repo", "full_name"]);
        let base = payload.text(&["pull_request", "base", "repo", "full_name"]);
        // A fork that was deleted has no name any more.
        let base = base.unwrap_or(&actions.repository);
        !head.is_some_and(|head| head.eq_ignore_ascii_case(base))
    };
    (commit, pull_requests, from_fork)
}

/// `refs/pull/12/merge`
fn number_in_ref(actions: &Actions) -> Option<u64> {
    let rest = actions.git_ref.as_deref()?.strip_prefix("refs/pull/")?;
    rest.split('/').next()?.parse().ok()
}

fn of_merge_group(actions: &Actions, payload: &Payload) -> Found {
    let head = payload.text(&["merge_group", "head_sha"]).and_then(full_sha);
    (
        head.map_or_else(|| checked_out(actions), Commit::Known),
        PullRequests::None("a merge group has no pull request of its own".to_owned()),
        false,
    )
}

/// The pushed commit; of an annotated tag `after` is the tag, which can have no status.
fn of_push(actions: &Actions, payload: &Payload) -> Found {
    let after = payload.text(&["after"]);
    if payload.is_true(&["deleted"]) || after.is_some_and(is_zero) {
        let git_ref = actions.git_ref.as_deref().unwrap_or("the ref");
        return looked_up(Commit::None(format!("{git_ref} was deleted: there is no commit")));
    }
    let head = payload.text(&["head_commit", "id"]).or(after).and_then(full_sha);
    looked_up(head.map_or_else(|| checked_out(actions), Commit::Known))
}

/// GITHUB_SHA is here the newest commit of the default branch. The pull requests of a fork are not listed.
fn of_other_run(actions: &Actions, payload: &Payload, kind: &str) -> Found {
    let Some(sha) = payload.text(&[kind, "head_sha"]).and_then(full_sha) else {
        return looked_up(Commit::None(format!(
            "the event's payload does not say the head commit of the {kind}"
        )));
    };
    let head = payload.text(&[kind, "head_repository", "full_name"]);
    let from_fork = head.is_some_and(|head| !head.eq_ignore_ascii_case(&actions.repository));
    let numbers = payload.pull_requests_of(kind, &actions.repository);
    let pull_requests = match numbers.as_slice() {
        [] => PullRequests::LookUp { commit: sha.clone() },
        _ => PullRequests::Known(numbers),
    };
    (Commit::Known(sha), pull_requests, from_fork)
}

/// Comments of a pull request are an issue's; GITHUB_SHA is the newest commit of the default branch.
fn of_issue(payload: &Payload) -> Found {
    let number = payload.number(&["issue", "number"]);
    let pull_requests = match number.filter(|_| payload.has(&["issue", "pull_request"])) {
        Some(number) => PullRequests::Known(vec![number]),
        None => PullRequests::None("the event is about an issue, not a pull request".to_owned()),
    };
    let commit = Commit::None("an issue's event does not say a pull request's head commit".to_owned());
    // Nor does it say where the head comes from; what may not be written says so by itself.
    (commit, pull_requests, false)
}

fn looked_up(commit: Commit) -> Found {
    let pull_requests = match &commit {
        Commit::Known(sha) => PullRequests::LookUp { commit: sha.clone() },
        Commit::None(reason) => PullRequests::None(reason.clone()),
    };
    (commit, pull_requests, false)
}

/// GITHUB_SHA
fn checked_out(actions: &Actions) -> Commit {
    match full_sha(&actions.sha) {
        Some(sha) => Commit::Known(sha),
        None if actions.sha.is_empty() => Commit::None("GITHUB_SHA is not set".to_owned()),
        None => Commit::None("GITHUB_SHA is not the hash of a commit".to_owned()),
    }
}

/// SHA-1 or SHA-256. It becomes part of a route, so nothing else will do.
fn full_sha(text: &str) -> Option<String> {
    let fits = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (fits && !is_zero(text)).then(|| text.to_ascii_lowercase())
}

/// What git writes for no commit.
fn is_zero(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'0')
}
