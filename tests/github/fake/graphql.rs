//! As much of GraphQL as is asked: who the token is.

use serde_json::json;

use super::call::{Reply, refusal};
use super::http::{Answer, Request};
use super::state::{State, user};

/// Every token may ask, also an installation's, which REST's `/user` refuses.
pub fn answer(state: &State, request: &Request, token: &str) -> Reply {
    let query = request.body["query"].as_str().unwrap_or_default();
    if request.method != "POST" || query.is_empty() {
        return Err(refusal(
            400,
            "A query attribute must be specified and must be a string.",
        ));
    }
    let words: Vec<_> = query.split_whitespace().collect();
    let body = if words.join(" ") == "query { viewer { login databaseId } }" {
        let user = user(&state.tokens[token].login);
        json!({ "data": { "viewer": { "login": user["login"], "databaseId": user["id"] } } })
    } else {
        json!({ "errors": [{ "message": format!("not built: {query}"), "type": "NOT_BUILT" }] })
    };
    Ok(Answer::json(200, &body))
}
