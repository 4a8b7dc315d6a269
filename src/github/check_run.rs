//! The check run: the verdict as a page of its own on the commit, with annotations beside the lines.
//!
//! <https://docs.github.com/rest/checks/runs>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Client, GithubError};
use crate::domain::{Report, Severity, Verdict};
use crate::report::annotations::{Annotation, annotations};
use crate::report::comment::{RunId, status_description};
use crate::report::markdown;

/// GitHub refuses more annotations in one request; further requests add to them.
const PER_REQUEST: usize = 50;
/// GitHub refuses a longer summary. In bytes, which are never fewer than characters.
const SUMMARY: usize = 65_535;
/// GitHub refuses a longer title, in characters.
const TITLE: usize = 255;

/// A check run that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    pub id: u64,
    /// For people.
    pub url: String,
}

/// What a check run is about, before anything is known.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub commit: &'a str,
    /// [`super::status::context`]: so that a check, too, of a plan is none of a run.
    pub name: &'a str,
    pub run: RunId,
    pub run_url: Option<&'a str>,
    pub started_at: Timestamp,
}

/// Begins it. Where the answer got lost it is looked for before it is begun again.
pub async fn start(client: &Client, start: &Start<'_>) -> Result<CheckRun, GithubError> {
    let external_id = format!("{}/{}", start.run.id, start.run.attempt);
    let mut body = json!({
        "name": start.name,
        "head_sha": start.commit,
        "status": "in_progress",
        "started_at": start.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "external_id": external_id,
    });
    if let Some(url) = start.run_url {
        body["details_url"] = json!(url);
    }
    let route = client.repo("/check-runs");
    let answer = match client.post(&route, &body).await {
        Err(error) if error.is_ambiguous() => match begun(client, start, &external_id).await? {
            Some(there) => there,
            None => client.post(&route, &body).await?,
        },
        answer => answer?,
    };
    let id = answer.get("id").and_then(Value::as_u64);
    let id = id.ok_or_else(|| GithubError::Unreadable {
        method: "POST",
        route,
        message: "the answer has no id".to_owned(),
    })?;
    let url = answer.get("html_url").and_then(Value::as_str);
    Ok(CheckRun {
        id,
        url: url.unwrap_or_default().to_owned(),
    })
}

async fn begun(client: &Client, start: &Start<'_>, external_id: &str) -> Result<Option<Value>, GithubError> {
    let name: String = url::form_urlencoded::byte_serialize(start.name.as_bytes()).collect();
    let route = format!(
        "/commits/{}/check-runs?check_name={name}&filter=all",
        start.commit
    );
    let (runs, _) = client.list(&client.repo(&route), Some("check_runs"), 5).await?;
    let ours = |run: &Value| run.get("external_id").and_then(Value::as_str) == Some(external_id);
    Ok(runs.into_iter().find(ours))
}

/// Ends it with the report. `folder`: the working directory as the repository knows it (`services/api`,
/// or empty), below which the report's files are. The verdict goes first, with the first annotations.
pub async fn complete(
    client: &Client,
    check_run: &CheckRun,
    report: &Report,
    folder: &str,
    completed_at: Timestamp,
) -> Result<(), GithubError> {
    let annotations = rendered(report, folder);
    let mut parts = annotations.chunks(PER_REQUEST);
    let output = |annotations: &[Value]| {
        json!({
            "title": status_description(report).chars().take(TITLE).collect::<String>(),
            "summary": markdown::render(report, SUMMARY),
            "annotations": annotations,
        })
    };
    let route = client.repo(&format!("/check-runs/{}", check_run.id));
    let body = json!({
        "status": "completed",
        "conclusion": conclusion(report),
        "completed_at": completed_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "output": output(parts.next().unwrap_or_default()),
    });
    client.patch(&route, &body).await?;
    for part in parts {
        client.patch(&route, &json!({ "output": output(part) })).await?;
    }
    Ok(())
}

/// Ends it where there is no report: interrupted, or by a bug of ours.
pub async fn abandon(client: &Client, check_run: &CheckRun) -> Result<(), GithubError> {
    let route = client.repo(&format!("/check-runs/{}", check_run.id));
    let output = json!({ "title": "ended without a verdict", "summary": "The run ended without a verdict." });
    let body = json!({ "status": "completed", "conclusion": "failure", "output": output });
    client.patch(&route, &body).await.map(drop)
}

/// What could not be found out is a failure as well: `neutral` and `skipped` would satisfy a branch rule.
fn conclusion(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Passed => "success",
        Verdict::Blocked => "failure",
    }
}

fn rendered(report: &Report, folder: &str) -> Vec<Value> {
    let all = annotations(report);
    all.iter().filter_map(|one| render(one, folder)).collect()
}

/// None where the file is not one of the repository's.
fn render(annotation: &Annotation, folder: &str) -> Option<Value> {
    let level = match annotation.severity {
        Severity::Error => "failure",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut value = json!({
        "path": in_repository(folder, &annotation.file)?,
        "start_line": annotation.line,
        "end_line": annotation.line,
        "annotation_level": level,
        "title": annotation.title,
        "message": annotation.message,
    });
    if let Some(column) = annotation.column {
        value["start_column"] = json!(column);
        value["end_column"] = json!(column);
    }
    Some(value)
}

/// Relative to the repository's root, without `.` and `..`.
fn in_repository(folder: &str, file: &str) -> Option<String> {
    let file = file.replace('\\', "/");
    if file.starts_with('/') || file.get(1..3) == Some(":/") {
        return None;
    }
    let folder = folder.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(file.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_repositorys() {
        for (folder, file, path) in [
            (
                "",
                "migrations/tenant/0042_add.sql",
                Some("migrations/tenant/0042_add.sql"),
            ),
            (
                "services/api",
                "./migrations/a.sql",
                Some("services/api/migrations/a.sql"),
            ),
            ("services/api/", "../../db/a.sql", Some("db/a.sql")),
            (
                "services\\api",
                "migrations\\a.sql",
                Some("services/api/migrations/a.sql"),
            ),
            ("", "../elsewhere/a.sql", None),
            ("", "/home/runner/a.sql", None),
            ("", "C:\\a.sql", None),
            ("", "", None),
        ] {
            assert_eq!(in_repository(folder, file).as_deref(), path, "{folder} {file}");
        }
    }
}
