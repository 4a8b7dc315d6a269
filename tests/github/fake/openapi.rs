//! GitHub's published description of its API: what is asked and answered is checked against it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::http::Request;

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../openapi.json")).unwrap());

static VALIDATORS: LazyLock<BTreeMap<String, jsonschema::Validator>> = LazyLock::new(|| {
    let mut validators = BTreeMap::new();
    let mut add = |key: String, schema: &Value, is_request: bool| {
        if schema.is_object() {
            validators.insert(key, compile(schema, is_request));
        }
    };
    for (path, methods) in object(&DESCRIPTION["paths"]) {
        for (method, operation) in object(methods) {
            let key = format!("{} {path}", method.to_uppercase());
            add(format!("{key} request"), &operation["request"], true);
            for (status, schema) in object(&operation["responses"]) {
                add(format!("{key} {status}"), schema, false);
            }
            for (name, schema) in object(&operation["query"]) {
                add(format!("{key} ?{name}"), schema, true);
            }
        }
    }
    validators
});

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// GitHub itself answers with `""` where a URI is described, so formats are asked of requests only.
fn compile(schema: &Value, with_formats: bool) -> jsonschema::Validator {
    let whole = json!({ "allOf": [schema], "schemas": DESCRIPTION["schemas"] });
    jsonschema::options()
        .should_validate_formats(with_formats)
        .build(&whole)
        .unwrap()
}

/// An example answer from the description, to put our own values over.
pub(super) fn template(name: &str) -> Value {
    DESCRIPTION["templates"][name].clone()
}

/// The described path that a path is an instance of.
pub(super) fn described_path(path: &str) -> Option<&'static str> {
    let segments: Vec<_> = path.split('/').collect();
    let paths = object(&DESCRIPTION["paths"]).keys();
    let mut matching = paths.filter(|described| {
        let described: Vec<_> = described.split('/').collect();
        described.len() == segments.len()
            && described.iter().zip(&segments).all(|(described, segment)| {
                described == segment || (described.starts_with('{') && !segment.is_empty())
            })
    });
    // A literal segment is a better match than a parameter.
    let first = matching.next()?;
    let best = matching.fold(first, |best, other| {
        if other.matches('{').count() < best.matches('{').count() {
            other
        } else {
            best
        }
    });
    Some(best)
}

/// What a request says that the description does not allow.
pub(super) fn check_request(path: &str, request: &Request) -> Vec<String> {
    let method = &request.method;
    let operation = &DESCRIPTION["paths"][path][method.to_lowercase()];
    if operation.is_null() {
        return vec![format!("there is no {method} {path}")];
    }
    let mut wrong = Vec::new();
    let key = format!("{method} {path}");
    for (name, value) in &request.query {
        match VALIDATORS.get(&format!("{key} ?{name}")) {
            None => wrong.push(format!("{key} has no query parameter {name}")),
            Some(validator) => {
                // A query has text only: a number or a word is taken as the schema wants it.
                let text = Value::from(value.as_str());
                let parsed = serde_json::from_str(value).unwrap_or(Value::Null);
                if !validator.is_valid(&text) && !validator.is_valid(&parsed) {
                    wrong.push(format!("{key}: {name}={value} is not as described"));
                }
            }
        }
    }
    match VALIDATORS.get(&format!("{key} request")) {
        None if !request.body.is_null() => wrong.push(format!("{key} takes no body")),
        None => {}
        Some(validator) => wrong.extend(errors(&key, validator, &request.body)),
    }
    wrong
}

/// Where an answer of the fake's own is not as described.
pub(super) fn check_answer(path: &str, method: &str, status: u16, body: &Value) -> Vec<String> {
    let key = format!("{method} {path} {status}");
    let validator = VALIDATORS.get(&key);
    let mut wrong = validator.map_or_else(Vec::new, |validator| errors(&key, validator, body));
    // A pull request from a fork that was deleted: real, and not described.
    wrong.retain(|error| !error.ends_with("at \"/head/repo\"") || !body["head"]["repo"].is_null());
    wrong
}

fn errors(key: &str, validator: &jsonschema::Validator, body: &Value) -> Vec<String> {
    let errors = validator.iter_errors(body);
    errors
        .map(|error| format!("{key}: {} at {:?}", error, error.instance_path().as_str()))
        .collect()
}
