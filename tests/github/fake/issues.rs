//! Issue comments, which are a pull request's comments.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Call, Reply, invalid, not_found, refusal};
use super::http::Answer;
use super::state::Comment;

const BODY_LIMIT: usize = 65_536;
const READ: &str = "issues=read; pull_requests=read";
const WRITE: &str = "issues=write; pull_requests=write";

pub fn list(call: &Call<'_>) -> Reply {
    call.permit(READ)?;
    let number = call.number(4)?;
    call.state.pull(number).ok_or_else(not_found)?;
    let since = call
        .request
        .query("since")
        .map(|text| text.parse::<Timestamp>().unwrap());
    let comments =
        call.state.comments.iter().filter(|comment| {
            comment.number == number && since.is_none_or(|since| comment.updated_at >= since)
        });
    let comments = comments.map(|comment| render(call, comment)).collect();
    Ok(call.page(comments, None))
}

pub fn create(call: &mut Call<'_>) -> Reply {
    call.permit(WRITE)?;
    let number = call.number(4)?;
    let pull = call.state.pull(number).ok_or_else(not_found)?;
    if pull.locked {
        return Err(refusal(403, "Unable to create comment because issue is locked."));
    }
    let body = body(call)?;
    call.count_creation()?;
    let login = call.login.clone();
    call.state.comment(number, &login, &body);
    let comment = render(call, call.state.comments.last().unwrap());
    let url = comment["url"].as_str().unwrap().to_owned();
    Ok(Answer::json(201, &comment).with("Location", url))
}

pub fn get(call: &Call<'_>) -> Reply {
    call.permit(READ)?;
    let position = position(call)?;
    Ok(Answer::json(200, &render(call, &call.state.comments[position])))
}

pub fn update(call: &mut Call<'_>) -> Reply {
    call.permit(WRITE)?;
    let position = position(call)?;
    let body = body(call)?;
    let now = call.state.now();
    let comment = &mut call.state.comments[position];
    comment.body = body;
    comment.updated_at = now;
    comment.edits += 1;
    Ok(Answer::json(200, &render(call, &call.state.comments[position])))
}

pub fn delete(call: &mut Call<'_>) -> Reply {
    call.permit(WRITE)?;
    let position = position(call)?;
    call.state.comments.remove(position);
    Ok(Answer::json(204, &Value::Null))
}

fn position(call: &Call<'_>) -> Result<usize, Answer> {
    let id = call.number(5)?;
    let position = call.state.comments.iter().position(|comment| comment.id == id);
    position.ok_or_else(not_found)
}

fn body(call: &Call<'_>) -> Result<String, Answer> {
    let body = call.text("body").unwrap_or_default();
    if body.trim().is_empty() {
        return Err(invalid("IssueComment", "body", "body can't be blank"));
    }
    if body.chars().count() > BODY_LIMIT {
        let message = format!("body is too long (maximum is {BODY_LIMIT} characters)");
        return Err(invalid("IssueComment", "body", &message));
    }
    Ok(body)
}

fn render(call: &Call<'_>, comment: &Comment) -> Value {
    let issue = format!("{}/issues/{}", call.repo_url(), comment.number);
    call.render(
        "comment",
        json!({
            "id": comment.id,
            "url": format!("{}/issues/comments/{}", call.repo_url(), comment.id),
            "html_url": format!("{}/pull/{}#issuecomment-{}", call.html_url(), comment.number, comment.id),
            "issue_url": issue,
            "body": comment.body,
            "user": call.user(&comment.author),
            "created_at": comment.created_at.to_string(),
            "updated_at": comment.updated_at.to_string(),
        }),
    )
}
