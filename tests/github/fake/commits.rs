//! Commit statuses and check runs.

use serde_json::{Value, json};

use super::call::{Call, Reply, invalid, not_found, overlay, refusal};
use super::http::Answer;
use super::state::{CheckRun, CommitStatus};

const DESCRIPTION_LIMIT: usize = 140;

fn commit(call: &Call<'_>, git_ref: &str) -> Result<String, Answer> {
    let found = call.state.resolve(git_ref);
    found.ok_or_else(|| refusal(422, &format!("No commit found for SHA: {git_ref}")))
}

pub fn create_status(call: &mut Call<'_>) -> Reply {
    call.permit("statuses=write")?;
    let sha = call.segment(4).to_owned();
    if !call.state.commits.contains(&sha) {
        return Err(refusal(422, &format!("No commit found for SHA: {sha}")));
    }
    let description = call.limited("description", "Status", DESCRIPTION_LIMIT)?;
    let context = call.text("context").unwrap_or_else(|| "default".to_owned());
    let same = |status: &&CommitStatus| status.sha == sha && status.context == context;
    if call.state.statuses.iter().filter(same).count() >= 1000 {
        let message = "This SHA and context has reached the maximum number of statuses.";
        return Err(invalid("Status", "context", message));
    }
    let state = call.text("state").unwrap_or_default();
    let login = call.login.clone();
    let target_url = call.text("target_url");
    call.state.status(&sha, &context, &state, &login);
    let status = call.state.statuses.last_mut().unwrap();
    status.description = description;
    status.target_url = target_url;
    let status = render_status(call, call.state.statuses.last().unwrap());
    Ok(Answer::json(201, &status))
}

pub fn list_statuses(call: &Call<'_>) -> Reply {
    call.permit("statuses=read")?;
    let sha = commit(call, call.segment(4))?;
    let newest_first = call
        .state
        .statuses
        .iter()
        .rev()
        .filter(|status| status.sha == sha);
    let statuses = newest_first.map(|status| render_status(call, status)).collect();
    Ok(call.page(statuses, None))
}

pub fn combined_status(call: &Call<'_>) -> Reply {
    call.permit("statuses=read")?;
    let sha = commit(call, call.segment(4))?;
    let latest = call.state.latest_statuses(&sha);
    let any = |states: &[&str]| {
        latest
            .iter()
            .any(|status| states.contains(&status.state.as_str()))
    };
    let state = if any(&["error", "failure"]) {
        "failure"
    } else if latest.is_empty() || any(&["pending"]) {
        "pending"
    } else {
        "success"
    };
    let statuses = latest.iter().map(|status| {
        let mut status = render_status(call, status);
        status.as_object_mut().unwrap().remove("creator");
        status
    });
    let statuses: Vec<_> = statuses.collect();
    let over = json!({ "sha": sha, "state": state, "total_count": statuses.len(), "statuses": statuses });
    Ok(Answer::json(200, &call.render("combined_status", over)))
}

fn render_status(call: &Call<'_>, status: &CommitStatus) -> Value {
    call.render(
        "status",
        json!({
            "id": status.id,
            "url": format!("{}/statuses/{}", call.repo_url(), status.sha),
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
            "creator": call.user(&status.creator),
            "created_at": status.created_at.to_string(),
            "updated_at": status.created_at.to_string(),
        }),
    )
}

/// Only Apps write check runs; every GITHUB_TOKEN is an App's.
fn permit_check_run(call: &Call<'_>) -> Result<(), Answer> {
    if !call.login.ends_with("[bot]") {
        return Err(refusal(403, "You must authenticate via a GitHub App."));
    }
    call.permit("checks=write")
}

pub fn create_check_run(call: &mut Call<'_>) -> Reply {
    permit_check_run(call)?;
    let sha = call.text("head_sha").unwrap_or_default();
    if !call.state.commits.contains(&sha) {
        return Err(refusal(422, &format!("No commit found for SHA: {sha}")));
    }
    check_output(call)?;
    call.count_creation()?;
    let run = CheckRun {
        id: call.state.next_id(),
        head_sha: sha,
        creator: call.login.clone(),
        created_at: call.state.now(),
        content: json!({ "status": "queued" }),
        annotations: Vec::new(),
    };
    call.state.check_runs.push(run);
    let last = call.state.check_runs.len() - 1;
    Ok(write_check_run(call, last, 201))
}

pub fn update_check_run(call: &mut Call<'_>) -> Reply {
    permit_check_run(call)?;
    let position = check_run(call)?;
    check_output(call)?;
    Ok(write_check_run(call, position, 200))
}

pub fn get_check_run(call: &Call<'_>) -> Reply {
    call.permit("checks=read")?;
    let position = check_run(call)?;
    Ok(Answer::json(
        200,
        &render_check_run(call, &call.state.check_runs[position]),
    ))
}

pub fn list_check_runs(call: &Call<'_>) -> Reply {
    call.permit("checks=read")?;
    let sha = commit(call, call.segment(4))?;
    let mut runs: Vec<_> = call
        .state
        .check_runs
        .iter()
        .rev()
        .filter(|run| run.head_sha == sha)
        .collect();
    if let Some(name) = call.request.query("check_name") {
        runs.retain(|run| run.content["name"] == name);
    }
    if let Some(status) = call.request.query("status") {
        runs.retain(|run| run.content["status"] == status);
    }
    if call.request.query("filter") != Some("all") {
        let mut seen = std::collections::BTreeSet::new();
        runs.retain(|run| seen.insert(run.content["name"].to_string()));
    }
    let runs = runs.into_iter().map(|run| render_check_run(call, run)).collect();
    Ok(call.page(runs, Some("check_runs")))
}

fn check_run(call: &Call<'_>) -> Result<usize, Answer> {
    let id = call.number(4)?;
    let position = call.state.check_runs.iter().position(|run| run.id == id);
    position.ok_or_else(not_found)
}

/// The description knows the limits of summary, text and the number of annotations; the rest is here.
fn check_output(call: &Call<'_>) -> Result<(), Answer> {
    let body = &call.request.body;
    let output = &body["output"];
    let wrong = |field: &str, limit: usize| {
        Err(invalid(
            "CheckRun",
            field,
            &format!("{field} exceeds the maximum of {limit}"),
        ))
    };
    let longer = |value: &Value, limit| {
        value
            .as_str()
            .is_some_and(|text: &str| text.chars().count() > limit)
    };
    for (name, limit) in [("title", 255), ("summary", 65_535), ("text", 65_535)] {
        if longer(&output[name], limit) {
            return wrong(name, limit);
        }
    }
    let annotations = output["annotations"].as_array().map_or(&[][..], Vec::as_slice);
    if annotations.len() > 50 {
        return wrong("annotations", 50);
    }
    for annotation in annotations {
        let message = annotation["message"].as_str().unwrap_or_default();
        if message.len() > 64 * 1024 || longer(&annotation["title"], 255) {
            return wrong("annotation", 64 * 1024);
        }
        let columns = !annotation["start_column"].is_null() || !annotation["end_column"].is_null();
        if columns && annotation["start_line"] != annotation["end_line"] {
            let message = "start_column and end_column only where start_line is end_line";
            return Err(invalid("CheckRun", "annotations", message));
        }
    }
    if body["status"] == "completed" && body["conclusion"].is_null() {
        return Err(invalid("CheckRun", "conclusion", "conclusion is missing"));
    }
    Ok(())
}

fn write_check_run(call: &mut Call<'_>, position: usize, status: u16) -> Answer {
    let mut sent = call.request.body.clone();
    let run = &mut call.state.check_runs[position];
    if let Some(annotations) = sent["output"]
        .as_object_mut()
        .and_then(|output| output.remove("annotations"))
    {
        run.annotations
            .extend(annotations.as_array().cloned().unwrap_or_default());
    }
    if !sent["conclusion"].is_null() {
        sent["status"] = "completed".into();
    }
    // Reading a member that is absent put a null there.
    sent.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    overlay(&mut run.content, sent);
    Answer::json(status, &render_check_run(call, &call.state.check_runs[position]))
}

fn render_check_run(call: &Call<'_>, run: &CheckRun) -> Value {
    let content = &run.content;
    let output = &content["output"];
    let now = run.created_at.to_string();
    let completed = content["status"] == "completed";
    let completed_at = content["completed_at"].as_str().unwrap_or(&now);
    let (app, name) = match run.creator.strip_suffix("[bot]") {
        Some("github-actions") => ("github-actions", "GitHub Actions"),
        Some(slug) => (slug, slug),
        None => ("person", "person"),
    };
    call.render(
        "check_run",
        json!({
            "id": run.id,
            "head_sha": run.head_sha,
            "url": format!("{}/check-runs/{}", call.repo_url(), run.id),
            "html_url": format!("{}/runs/{}", call.html_url(), run.id),
            "details_url": content["details_url"],
            "external_id": content["external_id"],
            "name": content["name"],
            "status": content["status"],
            "conclusion": content["conclusion"],
            "started_at": content["started_at"].as_str().unwrap_or(&now),
            "completed_at": if completed { json!(completed_at) } else { Value::Null },
            "output": {
                "title": output["title"],
                "summary": output["summary"],
                "text": output["text"],
                "annotations_count": run.annotations.len(),
            },
            "app": { "slug": app, "name": name },
            "pull_requests": [],
        }),
    )
}
