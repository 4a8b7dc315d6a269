//! From a request to its answer.

use std::net::SocketAddr;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::call::{Call, Reply, authenticate, count_request, dress, not_found, refusal};
use super::http::{Answer, Request};
use super::state::State;
use super::{commits, deployments, graphql, issues, openapi, pulls, secrets};

/// The answer, and what was not as described.
pub fn answer(
    state: &mut State,
    request: &Request,
    address: &SocketAddr,
    prefix: &str,
) -> (Answer, Vec<String>) {
    let mut violations = Vec::new();
    let token = authenticate(state, request);
    let name = token.as_ref().ok().cloned();
    let answer = token
        .and_then(|token| count_request(state, &token).map(|()| token))
        .and_then(|token| {
            let server = format!("http://{address}");
            carry_out(
                state,
                request,
                token,
                format!("{server}{prefix}"),
                server,
                &mut violations,
            )
        })
        .unwrap_or_else(|refusal| refusal);
    (dress(answer, state, name.as_deref()), violations)
}

fn carry_out(
    state: &mut State,
    request: &Request,
    token: String,
    api: String,
    server: String,
    violations: &mut Vec<String>,
) -> Reply {
    if request.path == "/graphql" {
        return graphql::answer(state, request, &token);
    }
    let Some(path) = openapi::described_path(&request.path) else {
        violations.push(format!("there is no {} {}", request.method, request.path));
        return Err(not_found());
    };
    let wrong = openapi::check_request(path, request);
    if !wrong.is_empty() {
        violations.extend(wrong);
        return Err(refusal(422, "Invalid request."));
    }
    let decoded = request.path.trim_start_matches('/').split('/');
    let decoded = decoded.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned());
    let segments: Vec<String> = decoded.collect();
    if segments[0] == "repos" && format!("{}/{}", segments[1], segments[2]) != state.repository {
        return Err(not_found());
    }
    let login = state.tokens[&token].login.clone();
    let mut call = Call {
        state,
        request,
        api,
        server,
        token,
        login,
        segments,
    };
    let answer = dispatch(&mut call, path);
    let (Ok(sent) | Err(sent)) = &answer;
    let body = serde_json::from_slice(&sent.body).unwrap_or(Value::Null);
    violations.extend(openapi::check_answer(path, &request.method, sent.status, &body));
    answer
}

fn dispatch(call: &mut Call<'_>, path: &str) -> Reply {
    let rest = path.strip_prefix("/repos/{owner}/{repo}").unwrap_or(path);
    match (call.request.method.as_str(), rest) {
        ("GET", "") => pulls::repository(call),
        ("GET", "/issues/{issue_number}/comments") => issues::list(call),
        ("POST", "/issues/{issue_number}/comments") => issues::create(call),
        ("GET", "/issues/comments/{comment_id}") => issues::get(call),
        ("PATCH", "/issues/comments/{comment_id}") => issues::update(call),
        ("DELETE", "/issues/comments/{comment_id}") => issues::delete(call),
        ("GET", "/pulls") => pulls::list(call),
        ("GET", "/pulls/{pull_number}") => pulls::get(call),
        ("GET", "/commits/{commit_sha}/pulls") => pulls::of_commit(call),
        ("POST", "/statuses/{sha}") => commits::create_status(call),
        ("GET", "/commits/{ref}/status") => commits::combined_status(call),
        ("GET", "/commits/{ref}/statuses") => commits::list_statuses(call),
        ("GET", "/commits/{ref}/check-runs") => commits::list_check_runs(call),
        ("POST", "/check-runs") => commits::create_check_run(call),
        ("GET", "/check-runs/{check_run_id}") => commits::get_check_run(call),
        ("PATCH", "/check-runs/{check_run_id}") => commits::update_check_run(call),
        ("GET", "/deployments") => deployments::list(call),
        ("POST", "/deployments") => deployments::create(call),
        ("GET", "/deployments/{deployment_id}") => deployments::get(call),
        ("DELETE", "/deployments/{deployment_id}") => deployments::delete(call),
        ("GET", "/deployments/{deployment_id}/statuses") => deployments::list_statuses(call),
        ("POST", "/deployments/{deployment_id}/statuses") => deployments::create_status(call),
        ("GET", "/environments/{environment_name}/secrets") => secrets::environment_secrets(call),
        ("GET", "/environments/{environment_name}/variables") => secrets::environment_variables(call),
        ("GET", "/actions/secrets") => secrets::repository_secrets(call),
        ("GET", "/actions/variables") => secrets::repository_variables(call),
        ("GET", "/actions/organization-variables") => secrets::organization_variables(call),
        ("GET", "/actions/organization-secrets") => secrets::organization_secrets(call),
        ("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}") => secrets::membership(call),
        ("GET", "/user") => secrets::user(call),
        other => panic!("{other:?} is described, and not built"),
    }
}
