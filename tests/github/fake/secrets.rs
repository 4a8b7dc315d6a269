//! Names of secrets and variables, and who is in a team.

use serde_json::{Value, json};

use super::call::{Call, Reply, not_found, refusal};
use super::http::Answer;

pub fn environment_secrets(call: &Call<'_>) -> Reply {
    call.permit("environments=read")?;
    let names = call
        .state
        .environment_secrets
        .get(call.segment(4))
        .ok_or_else(not_found)?;
    Ok(secrets(call, names))
}

pub fn environment_variables(call: &Call<'_>) -> Reply {
    call.permit("environments=read")?;
    let environment = call.segment(4);
    call.state
        .environment_secrets
        .get(environment)
        .ok_or_else(not_found)?;
    let names = call.state.environment_variables.get(environment);
    Ok(variables(call, names.map_or(&[], Vec::as_slice)))
}

pub fn repository_secrets(call: &Call<'_>) -> Reply {
    call.permit("secrets=read")?;
    Ok(secrets(call, &call.state.repository_secrets))
}

pub fn organization_secrets(call: &Call<'_>) -> Reply {
    call.permit("secrets=read")?;
    Ok(secrets(call, &call.state.organization_secrets))
}

pub fn repository_variables(call: &Call<'_>) -> Reply {
    call.permit("actions_variables=read")?;
    Ok(variables(call, &call.state.repository_variables))
}

pub fn organization_variables(call: &Call<'_>) -> Reply {
    call.permit("actions_variables=read")?;
    Ok(variables(call, &call.state.organization_variables))
}

fn secrets(call: &Call<'_>, names: &[String]) -> Answer {
    let now = call.state.now().to_string();
    let items = names
        .iter()
        .map(|name| json!({ "name": name, "created_at": now, "updated_at": now }));
    call.page(items.collect(), Some("secrets"))
}

fn variables(call: &Call<'_>, names: &[String]) -> Answer {
    let now = call.state.now().to_string();
    let items = names
        .iter()
        .map(|name| json!({ "name": name, "value": "seen", "created_at": now, "updated_at": now }));
    call.page_of(items.collect(), Some("variables"), 30)
}

pub fn membership(call: &Call<'_>) -> Reply {
    call.permit("members=read")?;
    if call.segment(1) != call.state.owner() {
        return Err(not_found());
    }
    let members = call.state.teams.get(call.segment(3)).ok_or_else(not_found)?;
    let login = call.segment(5);
    if !members.iter().any(|member| member.eq_ignore_ascii_case(login)) {
        return Err(not_found());
    }
    let over = json!({ "role": "member", "state": "active" });
    Ok(Answer::json(200, &call.render("membership", over)))
}

/// An installation's token, as every GITHUB_TOKEN is, is nobody.
pub fn user(call: &Call<'_>) -> Reply {
    if call.login.ends_with("[bot]") {
        return Err(refusal(403, "Resource not accessible by integration"));
    }
    let login: Value = call.user(&call.login);
    Ok(Answer::json(200, &call.render("user", login)))
}
