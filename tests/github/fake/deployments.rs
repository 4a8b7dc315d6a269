//! Deployments and their statuses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::call::{Call, Reply, invalid, not_found, refusal};
use super::http::Answer;
use super::state::{Deployment, DeploymentStatus};

const DESCRIPTION_LIMIT: usize = 140;

pub fn list(call: &Call<'_>) -> Reply {
    call.permit("deployments=read")?;
    let query = |name, value: &str| {
        call.request
            .query(name)
            .is_none_or(|wanted| wanted == "none" || wanted == value)
    };
    let newest_first = call.state.deployments.iter().rev().filter(|deployment| {
        query("environment", &deployment.environment)
            && query("task", &deployment.task)
            && query("sha", &deployment.sha)
            && query("ref", &deployment.git_ref)
    });
    let deployments = newest_first.map(|deployment| render(call, deployment)).collect();
    Ok(call.page(deployments, None))
}

pub fn get(call: &Call<'_>) -> Reply {
    call.permit("deployments=read")?;
    let position = position(call)?;
    Ok(Answer::json(
        200,
        &render(call, &call.state.deployments[position]),
    ))
}

/// One that is the environment's only one, or was made inactive before.
pub fn delete(call: &mut Call<'_>) -> Reply {
    call.permit("deployments=write")?;
    let position = position(call)?;
    let id = call.state.deployments[position].id;
    let active = call
        .state
        .statuses_of(id)
        .last()
        .is_some_and(|status| status.state == "success");
    if active && call.state.deployments.len() > 1 {
        return Err(refusal(
            422,
            "We cannot delete an active deployment unless it is the only deployment.",
        ));
    }
    call.state.deployments.remove(position);
    Ok(Answer::json(204, &Value::Null))
}

pub fn create(call: &mut Call<'_>) -> Reply {
    call.permit("deployments=write")?;
    let git_ref = call.text("ref").unwrap_or_default();
    let Some(sha) = call.state.resolve(&git_ref) else {
        return Err(invalid(
            "Deployment",
            "ref",
            &format!("No ref found for: {git_ref}"),
        ));
    };
    let description = call.limited("description", "Deployment", DESCRIPTION_LIMIT)?;
    let body = call.request.body.clone();
    let behind = call
        .state
        .branches
        .get(&git_ref)
        .is_some_and(|branch| branch.behind);
    if behind && body["auto_merge"] != false {
        let main = &call.state.default_branch;
        let message = format!("Auto-merged {main} into {git_ref} on deployment.");
        return Ok(Answer::json(202, &json!({ "message": message })));
    }
    demand_contexts(call, &sha, &body["required_contexts"])?;
    call.count_creation()?;
    let environment = call
        .text("environment")
        .unwrap_or_else(|| "production".to_owned());
    let deployment = Deployment {
        id: call.state.next_id(),
        sha,
        git_ref,
        task: call.text("task").unwrap_or_else(|| "deploy".to_owned()),
        payload: if body["payload"].is_null() {
            json!({})
        } else {
            body["payload"].clone()
        },
        description,
        creator: call.login.clone(),
        production: body["production_environment"]
            .as_bool()
            .unwrap_or(environment == "production"),
        transient: body["transient_environment"].as_bool().unwrap_or(false),
        created_at: call.state.now(),
        environment,
    };
    let answer = render(call, &deployment);
    call.state.deployments.push(deployment);
    Ok(Answer::json(201, &answer))
}

/// All statuses of the commit must be green, unless the request says which, or none.
fn demand_contexts(call: &Call<'_>, sha: &str, required: &Value) -> Result<(), Answer> {
    let latest = call.state.latest_statuses(sha);
    let names: BTreeSet<&str> = match required.as_array() {
        Some(required) => required.iter().filter_map(Value::as_str).collect(),
        None => latest.iter().map(|status| status.context.as_str()).collect(),
    };
    let green = |name: &str| {
        latest
            .iter()
            .any(|status| status.context == name && status.state == "success")
    };
    let red: Vec<_> = names.into_iter().filter(|name| !green(name)).collect();
    if red.is_empty() {
        return Ok(());
    }
    let contexts: Vec<_> = red
        .iter()
        .map(|name| json!({ "context": name, "state": "pending" }))
        .collect();
    let body = json!({
        "message": format!("Conflict: Commit status checks failed for {sha}."),
        "errors": [{
            "contexts": contexts,
            "resource": "Deployment",
            "field": "required_contexts",
            "code": "invalid",
        }],
        "documentation_url": "https://docs.github.com/rest/deployments/deployments#create-a-deployment",
        "status": "409",
    });
    Err(Answer::json(409, &body))
}

pub fn list_statuses(call: &Call<'_>) -> Reply {
    call.permit("deployments=read")?;
    let id = call.state.deployments[position(call)?].id;
    let statuses = call.state.statuses_of(id);
    let newest_first = statuses.into_iter().rev();
    let statuses = newest_first.map(|status| render_status(call, status)).collect();
    Ok(call.page(statuses, None))
}

pub fn create_status(call: &mut Call<'_>) -> Reply {
    call.permit("deployments=write")?;
    let position = position(call)?;
    let description = call.limited("description", "DeploymentStatus", DESCRIPTION_LIMIT)?;
    let id = call.state.deployments[position].id;
    let state = call.text("state").unwrap_or_default();
    let (environment, log_url) = (call.text("environment"), call.text("log_url"));
    let (target_url, environment_url) = (call.text("target_url"), call.text("environment_url"));
    let login = call.login.clone();
    call.state.deployment_status(id, &state, &login);
    let status = call.state.deployment_statuses.last_mut().unwrap();
    status.description = description.unwrap_or_default();
    status.log_url = log_url.or(target_url).unwrap_or_default();
    status.environment_url = environment_url.unwrap_or_default();
    if let Some(environment) = environment {
        status.environment.clone_from(&environment);
        call.state.deployments[position].environment = environment;
    }
    let answer = render_status(call, call.state.deployment_statuses.last().unwrap());
    if state == "success" && call.request.body["auto_inactive"] != false {
        supersede(call, id);
    }
    Ok(Answer::json(201, &answer))
}

/// `auto_inactive`: earlier successful ones of the environment that are neither transient nor production.
fn supersede(call: &mut Call<'_>, id: u64) {
    let state = &call.state;
    let environment = &state
        .deployments
        .iter()
        .find(|known| known.id == id)
        .unwrap()
        .environment;
    let earlier = state.deployments.iter().filter(|known| {
        known.id < id && known.environment == *environment && !known.transient && !known.production
    });
    let earlier = earlier.filter(|known| {
        state
            .statuses_of(known.id)
            .last()
            .is_some_and(|status| status.state == "success")
    });
    let earlier: Vec<_> = earlier.map(|known| known.id).collect();
    let login = call.login.clone();
    for id in earlier {
        call.state.deployment_status(id, "inactive", &login);
    }
}

fn position(call: &Call<'_>) -> Result<usize, Answer> {
    let id = call.number(4)?;
    let position = call
        .state
        .deployments
        .iter()
        .position(|deployment| deployment.id == id);
    position.ok_or_else(not_found)
}

fn render(call: &Call<'_>, deployment: &Deployment) -> Value {
    let url = format!("{}/deployments/{}", call.repo_url(), deployment.id);
    let mut whole = call.render(
        "deployment",
        json!({
            "id": deployment.id,
            "statuses_url": format!("{url}/statuses"),
            "url": url,
            "sha": deployment.sha,
            "ref": deployment.git_ref,
            "task": deployment.task,
            "environment": deployment.environment,
            "original_environment": deployment.environment,
            "description": deployment.description,
            "creator": call.user(&deployment.creator),
            "production_environment": deployment.production,
            "transient_environment": deployment.transient,
            "created_at": deployment.created_at.to_string(),
            "updated_at": deployment.created_at.to_string(),
            "repository_url": call.repo_url(),
        }),
    );
    whole["payload"] = deployment.payload.clone();
    whole
}

fn render_status(call: &Call<'_>, status: &DeploymentStatus) -> Value {
    let deployment = format!("{}/deployments/{}", call.repo_url(), status.deployment);
    call.render(
        "deployment_status",
        json!({
            "id": status.id,
            "url": format!("{deployment}/statuses/{}", status.id),
            "deployment_url": deployment,
            "repository_url": call.repo_url(),
            "state": status.state,
            "description": status.description,
            "environment": status.environment,
            "log_url": status.log_url,
            "target_url": status.log_url,
            "environment_url": status.environment_url,
            "creator": call.user(&status.creator),
            "created_at": status.created_at.to_string(),
            "updated_at": status.created_at.to_string(),
        }),
    )
}
