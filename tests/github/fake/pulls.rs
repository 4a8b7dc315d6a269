//! The repository and its pull requests.

use serde_json::{Value, json};

use super::call::{Call, Reply, not_found, refusal};
use super::http::Answer;
use super::state::PullRequest;

pub fn repository(call: &Call<'_>) -> Reply {
    let state = &call.state;
    let over = json!({
        "full_name": state.repository,
        "name": state.repository.split_once('/').unwrap().1,
        "owner": call.user(state.owner()),
        "default_branch": state.default_branch,
        "private": state.private,
        "fork": false,
        "language": "Rust",
    });
    let mut whole = call.render("repository", over);
    for of_forks in ["parent", "source", "template_repository"] {
        whole.as_object_mut().unwrap().remove(of_forks);
    }
    Ok(Answer::json(200, &whole))
}

pub fn get(call: &Call<'_>) -> Reply {
    call.permit("pull_requests=read")?;
    let number = call.number(4)?;
    let pull = call.state.pull(number).ok_or_else(not_found)?;
    let mut whole = render(call, "pull", pull);
    whole["merged"] = pull.merged.is_some().into();
    Ok(Answer::json(200, &whole))
}

pub fn list(call: &Call<'_>) -> Reply {
    call.permit("pull_requests=read")?;
    let query = |name| call.request.query(name);
    let state = query("state").unwrap_or("open");
    let mut pulls: Vec<_> = call.state.pulls.iter().collect();
    pulls.retain(|pull| {
        let head = format!("{}:{}", pull.head_owner(), pull.head_ref);
        (state == "all" || (state == "closed") == pull.closed)
            && query("head").is_none_or(|wanted| !wanted.contains(':') || wanted == head)
            && query("base").is_none_or(|wanted| wanted == pull.base_ref)
    });
    pulls.sort_by_key(|pull| pull.number);
    if query("direction") != Some("asc") {
        pulls.reverse();
    }
    let pulls = pulls
        .into_iter()
        .map(|pull| render(call, "pulls", pull))
        .collect();
    Ok(call.page(pulls, None))
}

/// The merged one that brought the commit to the default branch; where it is not there, the open and
/// merged ones that have it.
pub fn of_commit(call: &Call<'_>) -> Reply {
    call.permit("pull_requests=read")?;
    let sha = call.segment(4);
    if !call.state.commits.contains(sha) {
        return Err(refusal(422, &format!("No commit found for SHA: {sha}")));
    }
    let has = |pull: &&PullRequest| {
        pull.merged.as_deref() == Some(sha) || pull.commits.iter().any(|commit| commit == sha)
    };
    let having: Vec<_> = call.state.pulls.iter().filter(has).collect();
    let into_default =
        |pull: &&&PullRequest| pull.merged.is_some() && pull.base_ref == call.state.default_branch;
    let merged: Vec<_> = having.iter().filter(into_default).copied().collect();
    let found = if merged.is_empty() { having } else { merged };
    let found = found
        .into_iter()
        .filter(|pull| !pull.closed || pull.merged.is_some());
    let found = found.map(|pull| render(call, "pulls", pull)).collect();
    Ok(call.page(found, None))
}

impl PullRequest {
    fn head_owner(&self) -> &str {
        let repository = self.head_repository.as_deref().unwrap_or("ghost/gone");
        repository.split_once('/').unwrap().0
    }
}

fn render(call: &Call<'_>, template: &str, pull: &PullRequest) -> Value {
    let date = |set: bool| {
        if set {
            json!(call.state.now().to_string())
        } else {
            Value::Null
        }
    };
    let own = call.state.repository.as_str();
    let over = json!({
        "id": pull.number * 10,
        "number": pull.number,
        "title": pull.title,
        "user": call.user(&pull.author),
        "url": format!("{}/pulls/{}", call.repo_url(), pull.number),
        "html_url": format!("{}/pull/{}", call.html_url(), pull.number),
        "state": if pull.closed { "closed" } else { "open" },
        "locked": pull.locked,
        "draft": pull.draft,
        "requested_reviewers": [],
        "requested_teams": [],
        "merged_at": date(pull.merged.is_some()),
        "closed_at": date(pull.closed),
        "merge_commit_sha": pull.merged.clone().unwrap_or_else(|| pull.merge_ref_sha()),
        "head": {
            "sha": pull.head_sha,
            "ref": pull.head_ref,
            "label": format!("{}:{}", pull.head_owner(), pull.head_ref),
            "user": call.user(pull.head_owner()),
            "repo": {
                "full_name": pull.head_repository,
                "fork": pull.head_repository.as_deref() != Some(own),
            },
        },
        "base": {
            "sha": pull.base_sha,
            "ref": pull.base_ref,
            "label": format!("{}:{}", call.state.owner(), pull.base_ref),
            "user": call.user(call.state.owner()),
            "repo": { "full_name": own, "default_branch": call.state.default_branch, "fork": false },
        },
    });
    let mut whole = call.render(template, over);
    if pull.head_repository.is_none() {
        whole["head"]["repo"] = Value::Null;
    }
    whole
}
