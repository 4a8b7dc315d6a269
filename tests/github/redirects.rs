//! The token goes nowhere but to GitHub.

use serde_json::json;
use tenantgate::github::GithubError;

use super::fake::{Fake, Fault};
use super::{run, scene};

const COMMENTS: &str = "/repos/acme/shop/issues/7/comments";

#[test]
fn reading_follows_on_the_same_host() {
    for status in [301, 302, 307, 308] {
        for absolute in [true, false] {
            let (github, client) = scene();
            github.state().comment(7, "ann", "hello");
            let base = if absolute { github.url() } else { String::new() };
            github.fault(Fault::redirect(status, &format!("{base}{COMMENTS}")).on("GET", "repos/old/*/*/*"));
            let answer = run(client.get("/repos/old/shop/issues/7")).unwrap();
            assert_eq!(answer[0]["body"], "hello");
            assert_eq!(github.requests().len(), 2);
        }
    }
}

#[test]
fn nothing_follows_to_another_host() {
    let (github, client) = scene();
    let other = Fake::start();
    let targets = [
        format!("{}/take", other.url()),
        format!("//{}/take", other.address()),
        format!("http://127.0.0.1@{}/take", other.address()),
        format!("https://{}/take", github.address()),
        "https://evil.example/take".to_owned(),
        "::not a url::".to_owned(),
    ];
    for target in targets {
        for status in [301, 302, 307, 308] {
            github.fault(Fault::redirect(status, &target));
            let answer = run(client.get(COMMENTS));
            match answer {
                // What is no URL is a path, which GitHub does not know.
                Err(GithubError::Refused { status: 404, .. }) if target.starts_with("::") => {}
                Err(GithubError::Redirected { .. }) => {}
                other => panic!("{target}: {other:?}"),
            }
        }
    }
    assert!(other.requests().is_empty());
    drop(github.violations());
}

#[test]
fn writing_follows_nowhere() {
    for status in [301, 302, 307, 308] {
        let (github, client) = scene();
        github.fault(Fault::redirect(status, &format!("{}{COMMENTS}", github.url())).times(3));
        let body = json!({ "body": "hello" });
        let errors = [
            run(client.post(COMMENTS, &body)).unwrap_err(),
            run(client.patch("/repos/acme/shop/issues/comments/1", &body)).unwrap_err(),
            run(client.delete("/repos/acme/shop/issues/comments/1")).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, GithubError::Redirected { .. }), "{error:?}");
            assert!(!error.is_ambiguous());
        }
        assert!(github.state().comments.is_empty());
        assert_eq!(github.requests().len(), 3);
    }
}

#[test]
fn a_circle_ends() {
    let (github, client) = scene();
    github.fault(Fault::redirect(301, COMMENTS).for_ever());
    let error = run(client.get(COMMENTS)).unwrap_err();
    assert!(
        error.to_string().ends_with("elsewhere: again and again"),
        "{error}"
    );
    assert_eq!(github.requests().len(), 4);
}
