//! GitHub is down, slow, broken, or says no: one scenario for each.

use serde_json::{Value, json};
use tenantgate::github::GithubError;

use std::time::Duration;

use super::fake::{Fake, Fault, Permissions, sha};
use super::{run, said, scene, scene_with, timed};

const COMMENTS: &str = "/repos/acme/shop/issues/7/comments";

fn hello() -> Value {
    json!({ "body": "hello" })
}

/// What may happen on the way without harm: `after` says where the work is done nevertheless.
fn accidents() -> Vec<Fault> {
    vec![
        Fault::status(500),
        Fault::status(502),
        Fault::status(502).after_work(),
        Fault::status(503),
        Fault::status(504).after_work(),
        Fault::html(502),
        Fault::reset(),
        Fault::reset().after_work(),
        Fault::broken_off(),
        Fault::silence(),
        Fault::silence().after_work(),
        Fault::slow_loris(),
    ]
}

#[test]
fn reading_is_repeated() {
    for fault in accidents() {
        let (github, client) = scene();
        github.state().comment(7, "ann", "hello");
        github.fault(fault.clone().times(2));
        let answer = run(client.get(COMMENTS)).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(answer[0]["body"], "hello", "{fault:?}");
        assert_eq!(github.requests().len(), 3, "{fault:?}");
    }
}

#[test]
fn reading_is_given_up_in_time() {
    for fault in [
        Fault::status(503),
        Fault::reset(),
        Fault::silence(),
        Fault::slow_loris(),
    ] {
        let (github, client) = scene();
        github.state().comment(7, "ann", "hello");
        github.fault(fault.clone().for_ever());
        let (answer, time) = timed(|| run(client.get(COMMENTS)));
        let error = answer.unwrap_err();
        assert!(time < Duration::from_secs(20), "{fault:?}: {time:?}");
        assert!(github.requests().len() <= 4, "{fault:?}");
        assert!(!error.is_ambiguous(), "{fault:?}");
        assert!(
            said(&error).contains("GET /repos/acme/shop/issues/7/comments"),
            "{error}"
        );
    }
}

/// Its patience is for all requests together, so that a dead GitHub does not hold up a run for each.
#[test]
fn patience_ends() {
    let (github, client) = scene();
    github.fault(Fault::silence().for_ever());
    let (_, time) = timed(|| {
        run(async {
            for _ in 0..12 {
                assert!(client.get(COMMENTS).await.is_err());
            }
        });
    });
    assert!(time < Duration::from_secs(25), "{time:?}");
    // And where GitHub is back, it is noticed.
    github.clear_faults();
    assert!(run(client.get(COMMENTS)).is_ok());
}

#[test]
fn what_was_posted_is_never_posted_twice() {
    for fault in accidents() {
        let done = usize::from(format!("{fault:?}").contains("works: true"));
        let (github, client) = scene();
        github.fault(fault.clone().on("POST", "issues/*/comments"));
        let error = run(client.post(COMMENTS, &hello())).unwrap_err();
        assert!(error.is_ambiguous(), "{fault:?}: {error}");
        assert_eq!(github.state().comments.len(), done, "{fault:?}");
        assert_eq!(github.requests().len(), 1, "{fault:?}");
    }
}

#[test]
fn a_comment_can_be_changed_and_deleted_again() {
    for fault in accidents() {
        let (github, client) = scene();
        let id = github.state().comment(7, "github-actions[bot]", "hello");
        let route = client.repo(&format!("/issues/comments/{id}"));
        github.fault(fault.clone().on("PATCH", ""));
        run(client.patch(&route, &json!({ "body": "new" }))).unwrap();
        assert_eq!(github.state().comments[0].body, "new", "{fault:?}");
        github.fault(fault.clone().on("DELETE", ""));
        run(client.delete(&route)).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert!(github.state().comments.is_empty(), "{fault:?}");
    }
}

#[test]
fn a_comment_that_is_gone() {
    let (_github, client) = scene();
    let route = client.repo("/issues/comments/4711");
    run(client.delete(&route)).unwrap();
    let error = run(client.patch(&route, &hello())).unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert!(!error.is_ambiguous());
}

#[test]
fn an_answer_that_cannot_be_used_is_told() {
    let mut texts = Vec::new();
    for fault in [
        Fault::truncated(),
        Fault::html(200),
        Fault::header("Content-Type", "text/plain"),
        Fault::body(b"[1, 2,, 3]"),
        Fault::body(b""),
        Fault::body(b"\xff\xfe\x00"),
        Fault::body(b"{\"message\": \"not a list\"}"),
    ] {
        let (github, client) = scene();
        github.state().comment(7, "ann", "hello");
        github.fault(fault.clone());
        let error = run(client.list(COMMENTS, None, 3)).unwrap_err();
        assert!(
            matches!(error, GithubError::Unreadable { .. }),
            "{fault:?}: {error:?}"
        );
        texts.push(error.to_string());
        // It said yes: the work is done, or it is not known.
        github.fault(fault);
        match run(client.post(COMMENTS, &hello())) {
            Err(error) => assert!(error.is_ambiguous()),
            Ok(answer) => assert_eq!(answer["message"], "not a list"),
        }
    }
    let text = texts.join("\n");
    let length = regex::Regex::new(r"after \d\d+ bytes").unwrap();
    insta::assert_snapshot!(length.replace(&text, "after [N] bytes"), @r#"
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer's JSON ends in its middle, after [N] bytes
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is not JSON but "text/html; charset=utf-8"
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is not JSON but "text/plain"
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is no JSON: expected value at line 1 column 7
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is empty
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is no JSON: expected value at line 1 column 1
    GitHub's answer to GET /repos/acme/shop/issues/7/comments?per_page=100&page=1 cannot be used: the answer is not a list
    "#);
}

#[test]
fn what_github_refuses_is_told_with_what_to_do() {
    let (github, client) = scene();
    let reader = github.token(Permissions::fork());
    let settings = |token: &str| super::Client::with_patience(&github.settings(token), super::HASTY).unwrap();
    github.state().pull_request(8, &sha("locked")).locked = true;
    let head = sha("head");
    let post = |client: &super::Client, route: &str, body: Value| {
        said(&run(client.post(&client.repo(route), &body)).unwrap_err())
    };
    let long = json!({ "body": "x".repeat(65_537) });
    let status = json!({ "state": "success", "context": "gate" });
    let texts = [
        post(&settings("ghs_expired"), "/issues/7/comments", hello()),
        post(&settings(&reader), "/issues/7/comments", hello()),
        post(&settings(&reader), &format!("/statuses/{head}"), status.clone()),
        post(&client, "/issues/8/comments", hello()),
        post(&client, "/issues/70/comments", hello()),
        post(&client, "/issues/7/comments", long),
        post(&client, &format!("/statuses/{}", sha("never pushed")), status),
        said(&run(client.get(&client.repo("/environments/uat/secrets"))).unwrap_err()),
        said(&run(client.get("/repos/acme/secret")).unwrap_err()),
    ];
    let text = texts
        .join("\n")
        .replace(&head, "[HEAD]")
        .replace(&sha("never pushed"), "[SHA]");
    insta::assert_snapshot!(text, @r#"
    GitHub answered 401 to POST /repos/acme/shop/issues/7/comments: Bad credentials
      the token is wrong, expired or revoked: give the action `github-token: ${{ github.token }}`, or a new one
    GitHub answered 403 to POST /repos/acme/shop/issues/7/comments: Resource not accessible by integration
      give the job `permissions: pull-requests: write`; a pull request from a fork gets a token that can only read
    GitHub answered 403 to POST /repos/acme/shop/statuses/[HEAD]: Resource not accessible by integration
      give the job `permissions: statuses: write`; a pull request from a fork gets a token that can only read
    GitHub answered 403 to POST /repos/acme/shop/issues/8/comments: Unable to create comment because issue is locked.
      the conversation is locked: unlock it, or read the step summary instead
    GitHub answered 404 to POST /repos/acme/shop/issues/70/comments: Not Found
      it does not exist, or the token may not see it: GitHub says the same to both
    GitHub answered 422 to POST /repos/acme/shop/issues/7/comments: Validation Failed: body is too long (maximum is 65536 characters)
      GitHub does not accept what was sent; if its message is no help, please report this
    GitHub answered 422 to POST /repos/acme/shop/statuses/[SHA]: No commit found for SHA: [SHA]
      the commit is not in this repository: push it first, or run where it is checked out
    GitHub answered 403 to GET /repos/acme/shop/environments/uat/secrets: Resource not accessible by integration
      no job's own token can have `environments: read`: use a fine-grained or an App's token that has it
    GitHub answered 404 to GET /repos/acme/secret: Not Found
      it does not exist, or the token may not see it: GitHub says the same to both
    "#);
}

#[test]
fn a_server_that_repeats_the_token_does_not_tell_it() {
    let github = Fake::start();
    let token = github.token(Permissions::job());
    let client = super::Client::with_patience(&github.settings(&token), super::HASTY).unwrap();
    let body = json!({ "message": format!("who is {token}?\n::error::{token}"), "errors": [token] });
    for status in [400, 403, 404, 422, 429, 500] {
        let fault = Fault::status(status).with_body(body.to_string().as_bytes());
        github.fault(fault.for_ever());
        let error = run(client.get(COMMENTS)).unwrap_err();
        github.clear_faults();
        let told = format!("{error} {error:?} {:?} {client:?}", error.hint());
        assert!(told.contains("***") && !told.contains(&token), "{told}");
        assert!(!error.to_string().contains('\n'), "{told}");
    }
}

#[test]
fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let github = Fake::start();
    let mut settings = github.settings("ghs_any");
    settings.api_url = format!("http://{address}");
    let client = super::Client::with_patience(&settings, super::HASTY).unwrap();
    let error = run(client.post(COMMENTS, &hello())).unwrap_err();
    assert!(!error.is_ambiguous(), "nothing was sent");
    let text = said(&error).replace(&address.to_string(), "[HOST]");
    insta::assert_snapshot!(text, @r#"
    GitHub was not reached at [HOST] (POST /repos/acme/shop/issues/7/comments): tcp connect error: Connection refused (os error 111)
      check that this machine reaches the host; from a closed network, name a proxy in HTTPS_PROXY
    "#);
}

#[test]
fn a_long_answer_is_not_read_to_its_end() {
    let (github, _) = scene();
    github.fault(Fault::body(&vec![b' '; 33 * 1024 * 1024]).for_ever());
    let patient = super::Patience {
        request: Duration::from_secs(20),
        ..super::HASTY
    };
    let token = github.token(Permissions::job());
    let client = super::Client::with_patience(&github.settings(&token), patient).unwrap();
    let error = run(client.get(COMMENTS)).unwrap_err();
    assert!(
        error.to_string().contains("longer than 33554432 bytes"),
        "{error}"
    );
}

#[test]
fn every_request_says_who_asks() {
    let (github, client) = scene();
    run(client.post(COMMENTS, &hello())).unwrap();
    let request = &github.requests()[0];
    let agent = concat!("tenantgate/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(agent));
    assert_eq!(request.header("accept"), Some("application/vnd.github+json"));
    assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
}

#[test]
fn an_enterprise_server_has_a_prefix() {
    let (github, client) = scene_with(Fake::enterprise(), Permissions::job());
    assert!(github.url().ends_with("/api/v3"));
    run(client.post(COMMENTS, &hello())).unwrap();
    for number in 0..250 {
        github.state().comment(7, "ann", &number.to_string());
    }
    let (comments, more) = run(client.list(COMMENTS, None, 10)).unwrap();
    assert_eq!((comments.len(), more), (251, false));
}

#[test]
fn all_pages_are_read() {
    let (github, client) = scene();
    for number in 0..300 {
        github.state().comment(7, "ann", &number.to_string());
    }
    for fault in [None, Some(Fault::garbage_link())] {
        fault.into_iter().for_each(|fault| github.fault(fault.for_ever()));
        let (comments, more) = run(client.list(COMMENTS, None, 10)).unwrap();
        assert_eq!((comments.len(), more), (300, false));
        assert_eq!(comments[299]["body"], "299");
        let (comments, more) = run(client.list(COMMENTS, None, 2)).unwrap();
        assert_eq!((comments.len(), more), (200, true));
    }
    github.clear_faults();
    github.state().repository_secrets = (0..120).map(|number| format!("S{number}")).collect();
    let token = github.token(Permissions::all());
    let client = super::Client::with_patience(&github.settings(&token), super::HASTY).unwrap();
    let (secrets, _) = run(client.list("/repos/acme/shop/actions/secrets", Some("secrets"), 10)).unwrap();
    assert_eq!(secrets.len(), 120);
}

#[test]
fn clocks_are_compared() {
    let (github, client) = scene();
    assert_eq!(client.clock_skew(), None);
    github.advance(jiff::SignedDuration::from_mins(-90));
    run(client.get(COMMENTS)).unwrap();
    let skew = client.clock_skew().unwrap().as_secs();
    assert!((-5402..=-5398).contains(&skew), "{skew}");
}
