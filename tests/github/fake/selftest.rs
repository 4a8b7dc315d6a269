//! The fake itself: that it can say no.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use tenantgate::domain::Secret;
use tenantgate::settings::{Actions, ProcessEnvironment};

use crate::harness::Project;

use super::{Event, Fake, Fault, Permissions, sha};

/// One request on a connection of its own: status, headers in lower case, body.
fn ask(fake: &Fake, token: &str, method: &str, path: &str, body: &Value) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(fake.address()).unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: github\r\nUser-Agent: selftest\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    // It may have answered and closed already.
    drop(stream.shutdown(std::net::Shutdown::Write));
    let mut answer = String::new();
    drop(stream.read_to_string(&mut answer));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    (
        status,
        head.to_ascii_lowercase(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

const REPO: &str = "/repos/acme/shop";

fn scene() -> (Fake, String) {
    let fake = Fake::start();
    let token = fake.token(Permissions::all());
    fake.pull_request(7, &sha("head"));
    (fake, token)
}

#[test]
fn all_routes_answer_as_github_describes() {
    let (fake, token) = scene();
    let person = fake.token_of("ann", Permissions::all());
    let head = sha("head");
    {
        let mut state = fake.state();
        state
            .environment_secrets
            .insert("uat".to_owned(), vec!["UAT_DB_URL".to_owned()]);
        state
            .environment_variables
            .insert("uat".to_owned(), vec!["REGION".to_owned()]);
        state.repository_secrets.push("A".to_owned());
        state.organization_secrets.push("B".to_owned());
        state.repository_variables.push("C".to_owned());
        state.teams.insert("ops".to_owned(), vec!["ann".to_owned()]);
        state.pull_request(8, &sha("fork")).head_repository = None;
    }
    let post = |path: &str, body: Value| {
        let (status, _, answer) = ask(&fake, &token, "POST", &format!("{REPO}{path}"), &body);
        assert_eq!(status, 201, "{path} {answer}");
        answer["id"].as_u64().unwrap()
    };
    let comment = post("/issues/7/comments", json!({ "body": "hello" }));
    post(
        &format!("/statuses/{head}"),
        json!({ "state": "success", "context": "tenantgate/dev" }),
    );
    let output = json!({ "title": "t", "summary": "s", "annotations": [] });
    let run = post(
        "/check-runs",
        json!({ "name": "gate", "head_sha": head, "output": output }),
    );
    let deployment = post(
        "/deployments",
        json!({ "ref": head, "environment": "dev", "task": "tenantgate" }),
    );
    post(
        &format!("/deployments/{deployment}/statuses"),
        json!({ "state": "success" }),
    );
    for (method, path, body) in [
        ("GET", String::new(), Value::Null),
        ("GET", "/issues/7/comments".to_owned(), Value::Null),
        ("GET", format!("/issues/comments/{comment}"), Value::Null),
        (
            "PATCH",
            format!("/issues/comments/{comment}"),
            json!({ "body": "again" }),
        ),
        ("DELETE", format!("/issues/comments/{comment}"), Value::Null),
        (
            "GET",
            "/pulls?state=all&head=acme:feature-7&per_page=100".to_owned(),
            Value::Null,
        ),
        ("GET", "/pulls/7".to_owned(), Value::Null),
        ("GET", "/pulls/8".to_owned(), Value::Null),
        ("GET", format!("/commits/{head}/pulls"), Value::Null),
        ("GET", format!("/commits/{head}/status"), Value::Null),
        ("GET", "/commits/feature-7/statuses".to_owned(), Value::Null),
        (
            "GET",
            format!("/commits/{head}/check-runs?check_name=gate"),
            Value::Null,
        ),
        ("GET", format!("/check-runs/{run}"), Value::Null),
        (
            "PATCH",
            format!("/check-runs/{run}"),
            json!({ "conclusion": "success" }),
        ),
        (
            "GET",
            "/deployments?environment=dev&task=tenantgate".to_owned(),
            Value::Null,
        ),
        ("GET", format!("/deployments/{deployment}"), Value::Null),
        ("GET", format!("/deployments/{deployment}/statuses"), Value::Null),
        ("DELETE", format!("/deployments/{deployment}"), Value::Null),
        ("GET", "/environments/uat/secrets".to_owned(), Value::Null),
        ("GET", "/environments/uat/variables".to_owned(), Value::Null),
        ("GET", "/actions/secrets".to_owned(), Value::Null),
        ("GET", "/actions/variables".to_owned(), Value::Null),
        ("GET", "/actions/organization-secrets".to_owned(), Value::Null),
    ] {
        let (status, _, answer) = ask(&fake, &token, method, &format!("{REPO}{path}"), &body);
        let expected = if method == "DELETE" { 204 } else { 200 };
        assert_eq!(status, expected, "{method} {path} {answer}");
    }
    for path in ["/orgs/acme/teams/ops/memberships/ann", "/user"] {
        assert_eq!(ask(&fake, &person, "GET", path, &Value::Null).0, 200, "{path}");
    }
    assert_eq!(ask(&fake, &token, "GET", "/user", &Value::Null).0, 403);
    assert_eq!(fake.violations(), Vec::<String>::new());
}

#[test]
fn what_is_not_described_is_told() {
    let (fake, token) = scene();
    let post = |path: &str, body: Value| ask(&fake, &token, "POST", &format!("{REPO}{path}"), &body).0;
    assert_eq!(
        post("/issues/7/comments", json!({ "body": "x", "colour": "red" })),
        422
    );
    assert_eq!(post("/issues/7/comments", json!({ "text": "x" })), 422);
    assert_eq!(
        post(&format!("/statuses/{}", sha("head")), json!({ "state": "green" })),
        422
    );
    assert_eq!(post("/issues/7/commends", json!({ "body": "x" })), 404);
    assert_eq!(
        ask(
            &fake,
            &token,
            "GET",
            &format!("{REPO}/pulls?state=any"),
            &Value::Null
        )
        .0,
        422
    );
    assert_eq!(fake.violations().len(), 6, "one has two errors");
    assert!(fake.state().comments.is_empty());
}

#[test]
fn limits_are_githubs() {
    let (fake, token) = scene();
    let head = sha("head");
    let post = |path: &str, body: Value| ask(&fake, &token, "POST", &format!("{REPO}{path}"), &body).0;
    let body = |length| json!({ "body": "é".repeat(length) });
    assert_eq!(post("/issues/7/comments", body(65_536)), 201);
    assert_eq!(post("/issues/7/comments", body(65_537)), 422);
    let status = |length| json!({ "state": "pending", "context": "gate", "description": "x".repeat(length) });
    assert_eq!(post(&format!("/statuses/{head}"), status(140)), 201);
    assert_eq!(post(&format!("/statuses/{head}"), status(141)), 422);
    // The pending status is in the way, unless asked not to look.
    assert_eq!(post("/deployments", json!({ "ref": head })), 409);
    assert_eq!(
        post("/deployments", json!({ "ref": head, "required_contexts": [] })),
        201
    );
    assert_eq!(
        post(
            "/deployments",
            json!({ "ref": "nowhere", "required_contexts": [] })
        ),
        422
    );
    fake.state().branches.get_mut("feature-7").unwrap().behind = true;
    assert_eq!(
        post(
            "/deployments",
            json!({ "ref": "feature-7", "required_contexts": [] })
        ),
        202
    );
    let plain = json!({ "ref": "feature-7", "required_contexts": [], "auto_merge": false });
    assert_eq!(post("/deployments", plain), 201);
    fake.state().pulls[0].locked = true;
    assert_eq!(post("/issues/7/comments", body(1)), 403);
    assert_eq!(post("/issues/70/comments", body(1)), 404);
    fake.state().content_limits = (0, 0);
    fake.state().pulls[0].locked = false;
    assert_eq!(post("/issues/7/comments", body(1)), 403);
}

#[test]
fn doors_are_shut() {
    let (fake, _) = scene();
    let reader = fake.token(Permissions::fork());
    let path = format!("{REPO}/issues/7/comments");
    assert_eq!(ask(&fake, "wrong", "GET", &path, &Value::Null).0, 401);
    let (status, headers, _) = ask(&fake, &reader, "POST", &path, &json!({ "body": "x" }));
    assert_eq!(status, 403);
    assert!(headers.contains("x-accepted-github-permissions: issues=write; pull_requests=write"));
    assert_eq!(
        ask(&fake, &reader, "GET", "/repos/acme/secret", &Value::Null).0,
        404
    );
    fake.rate_limit(&reader, 1, 30);
    assert_eq!(ask(&fake, &reader, "GET", &path, &Value::Null).0, 200);
    let (status, headers, _) = ask(&fake, &reader, "GET", &path, &Value::Null);
    assert_eq!(status, 403);
    assert!(headers.contains("x-ratelimit-remaining: 0"), "{headers}");
    fake.advance(jiff::SignedDuration::from_secs(31));
    assert_eq!(ask(&fake, &reader, "GET", &path, &Value::Null).0, 200);
}

#[test]
fn lists_come_in_pages() {
    let (fake, token) = scene();
    for number in 0..230 {
        fake.state().comment(7, "ann", &format!("{number}"));
    }
    let get = |query: &str| {
        let (_, headers, body) = ask(
            &fake,
            &token,
            "GET",
            &format!("{REPO}/issues/7/comments{query}"),
            &Value::Null,
        );
        (body.as_array().unwrap().len(), headers)
    };
    assert_eq!(get("").0, 30);
    assert_eq!(get("?per_page=1000").0, 100);
    let (length, headers) = get("?per_page=100&page=3");
    assert_eq!(length, 30);
    assert!(
        !headers.contains("rel=\"next\"") && headers.contains("rel=\"prev\""),
        "{headers}"
    );
    assert!(get("?per_page=100&page=2").1.contains("page=3>; rel=\"next\""));
    assert_eq!(get("?page=9").0, 0);
}

#[test]
fn a_success_makes_older_ones_inactive() {
    let (fake, token) = scene();
    let head = sha("head");
    let old = fake
        .state()
        .deployment("dev", &head, "ann", json!({}), &["in_progress", "success"]);
    let production = fake
        .state()
        .deployment("production", &head, "ann", json!({}), &["success"]);
    let new = fake.state().deployment("dev", &head, "ann", json!({}), &[]);
    let states = |id| {
        let state = fake.state();
        let statuses = state.statuses_of(id);
        statuses
            .iter()
            .map(|status| status.state.clone())
            .collect::<Vec<_>>()
    };
    let path = format!("{REPO}/deployments/{new}/statuses");
    let quiet = json!({ "state": "success", "auto_inactive": false });
    assert_eq!(ask(&fake, &token, "POST", &path, &quiet).0, 201);
    assert_eq!(states(old), ["in_progress", "success"]);
    assert_eq!(
        ask(&fake, &token, "POST", &path, &json!({ "state": "success" })).0,
        201
    );
    assert_eq!(states(old), ["in_progress", "success", "inactive"]);
    assert_eq!(states(production), ["success"]);
}

#[test]
fn faults_come_before_or_after_the_work() {
    let (fake, token) = scene();
    let path = format!("{REPO}/issues/7/comments");
    let post = || ask(&fake, &token, "POST", &path, &json!({ "body": "x" }));
    for (fault, status, comments) in [
        (Fault::status(502).on("POST", "issues/*/comments"), 502, 0),
        (
            Fault::status(502).on("POST", "issues/*/comments").after_work(),
            502,
            1,
        ),
        (Fault::reset().on("POST", ""), 0, 1),
        (Fault::reset().after_work().on("POST", ""), 0, 2),
        (Fault::rate_limited(429, Some(3)), 429, 2),
        (Fault::html(200), 200, 2),
        (Fault::truncated(), 201, 3),
        (Fault::broken_off(), 201, 4),
    ] {
        fake.fault(fault.clone());
        let (answered, _, body) = post();
        assert_eq!(answered, status, "{fault:?}");
        assert_eq!(body["body"], Value::Null, "{fault:?}");
        assert_eq!(fake.state().comments.len(), comments, "{fault:?}");
    }
    assert_eq!(post().0, 201);
    assert_eq!(fake.requests_to("POST", "issues/*/comments").len(), 9);
}

#[test]
fn a_project_becomes_a_step_of_a_job() {
    let (fake, token) = scene();
    let queued = fake.state().commit(&sha("queued"));
    let merged = fake.state().merge(7);
    let tried = fake.state().pulls[0].merge_ref_sha();
    for (event, name, commit, member) in [
        (
            Event::pull_request(7),
            "pull_request",
            tried,
            "/pull_request/head/sha",
        ),
        (
            Event::push("main", &merged),
            "push",
            merged.clone(),
            "/head_commit/id",
        ),
        (
            Event::workflow_dispatch("main", &merged),
            "workflow_dispatch",
            merged.clone(),
            "/inputs",
        ),
        (
            Event::merge_group(7, &queued),
            "merge_group",
            queued.clone(),
            "/merge_group/head_sha",
        ),
        (
            Event::schedule("main", &merged),
            "schedule",
            merged.clone(),
            "/schedule",
        ),
    ] {
        let mut project = Project::new();
        fake.actions(&mut project, &token, &event);
        let mut process = ProcessEnvironment::default();
        for (name, value) in project.variables() {
            process.variables.insert(name.clone(), Secret::new(value));
        }
        let actions = Actions::from_environment(&process).unwrap();
        assert_eq!((actions.event_name.as_str(), actions.sha), (name, commit));
        assert_eq!(
            (actions.api_url, actions.repository.as_str()),
            (fake.url(), "acme/shop")
        );
        assert_eq!(actions.token, Some(Secret::new(&token)));
        let payload = std::fs::read_to_string(actions.event_path.unwrap()).unwrap();
        let payload: Value = serde_json::from_str(&payload).unwrap();
        assert!(payload.pointer(member).is_some(), "{payload:#}");
        assert_eq!(payload["repository"]["full_name"], "acme/shop");
    }
}
