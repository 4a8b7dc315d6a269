//! What is decided before anything is sent, and what is said after.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::domain::Secret;
use crate::settings::{Actions, ProcessEnvironment, Proxy};

use super::{Client, GithubError, answer, error};

const TOKEN: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

fn actions(api_url: &str) -> Actions {
    Actions {
        api_url: api_url.to_owned(),
        repository: "acme/shop".to_owned(),
        token: Some(Secret::new(TOKEN)),
        ..Actions::default()
    }
}

fn refused(actions: &Actions) -> String {
    match Client::new(actions) {
        Err(error @ GithubError::Misconfigured { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_needed() {
    let mut actions = actions("https://api.github.com");
    actions.token = None;
    let error = Client::new(&actions).unwrap_err();
    assert!(matches!(error, GithubError::NoToken));
    assert!(error.hint().unwrap().contains("github-token"));
}

#[test]
fn the_token_goes_over_https_or_stays_on_this_machine() {
    for good in [
        "https://api.github.com",
        "https://ghes.example.com/api/v3/",
        "http://127.0.0.1:8080/api/v3",
        "http://localhost:8080",
        "http://[::1]:8080",
    ] {
        assert!(Client::new(&actions(good)).is_ok(), "{good}");
    }
    let bad = [
        "http://ghes.example.com/api/v3",
        "http://127.0.0.1.example.com",
        "ftp://ghes.example.com",
        "https://user:hunter22@ghes.example.com",
        "https://ghes.example.com/api/v3?x=1",
        "ghes.example.com",
        "",
    ];
    let said: Vec<_> = bad.iter().map(|url| refused(&actions(url))).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    GITHUB_API_URL is http://ghes.example.com…: the token would be sent unencrypted; only https:// is allowed
    GITHUB_API_URL is http://127.0.0.1.example.com…: the token would be sent unencrypted; only https:// is allowed
    GITHUB_API_URL begins with ftp:; only https:// is allowed
    GITHUB_API_URL holds a user or password; a token is given apart from it
    GITHUB_API_URL has a query or a fragment; it is a base URL
    GITHUB_API_URL is not a URL: relative URL without a base
    GITHUB_API_URL is not a URL: relative URL without a base
    ");
}

#[test]
fn a_repository_is_part_of_a_route() {
    for repository in [
        "",
        "shop",
        "acme/shop/x",
        "acme/..",
        "acme/shop?x",
        "ac me/shop",
        "/shop",
    ] {
        let mut actions = actions("https://api.github.com");
        actions.repository = repository.to_owned();
        assert!(refused(&actions).contains("GITHUB_REPOSITORY"), "{repository}");
    }
}

#[test]
fn a_token_that_cannot_be_a_header_is_not_told() {
    let mut actions = actions("https://api.github.com");
    actions.token = Some(Secret::new("ghs_one\nghs_two"));
    assert!(!refused(&actions).contains("ghs_"));
    // The line break at a secret's end is nobody's intention.
    actions.token = Some(Secret::new("ghs_one\n"));
    assert!(Client::new(&actions).is_ok());
}

#[test]
fn a_client_does_not_show_its_token() {
    let client = Client::new(&actions("https://api.github.com")).unwrap();
    let shown = format!("{client:?}");
    assert!(
        shown.contains("api.github.com") && shown.contains("acme/shop"),
        "{shown}"
    );
    assert!(!shown.contains(TOKEN), "{shown}");
}

fn proxy(variables: &[(&str, &str)]) -> Proxy {
    let mut process = ProcessEnvironment::default();
    for (name, value) in variables {
        process.variables.insert((*name).to_owned(), Secret::new(*value));
    }
    Proxy::from_environment(&process)
}

#[test]
fn a_proxy_is_named_as_curl_wants_it() {
    let name = |variables: &[(&str, &str)]| proxy(variables).url.map(|(name, _)| name);
    assert_eq!(name(&[]), None);
    assert_eq!(name(&[("HTTPS_PROXY", "")]), None);
    assert_eq!(name(&[("HTTP_PROXY", "http://p:1")]), None);
    assert_eq!(
        name(&[("all_proxy", "p:1"), ("https_proxy", "p:2")]),
        Some("https_proxy")
    );
    assert_eq!(
        name(&[("HTTPS_PROXY", " "), ("ALL_PROXY", "p:2")]),
        Some("ALL_PROXY")
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_and_never_left_out() {
    let mut actions = actions("https://api.github.com");
    let mut said = Vec::new();
    for url in [
        "socks5://u:hunter22@proxy:1080",
        "gopher://proxy",
        "http://u:hunter 22@proxy",
    ] {
        actions.proxy = proxy(&[("HTTPS_PROXY", url)]);
        said.push(refused(&actions));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    HTTPS_PROXY names a socks5 proxy; only http:// and https:// work
    HTTPS_PROXY is not the URL of a proxy: http://host:port is
    HTTPS_PROXY is not the URL of a proxy: http://host:port is
    ");
    for good in ["http://u:p%40ss@proxy:3128", "https://proxy", "proxy:3128"] {
        actions.proxy = proxy(&[("HTTPS_PROXY", good)]);
        assert!(Client::new(&actions).is_ok(), "{good}");
    }
}

#[test]
fn a_lack_of_permission_says_what_to_write() {
    let hint = |permissions: Option<&str>, message: &str| {
        let error = GithubError::Refused {
            method: "POST",
            route: "/repos/acme/shop/issues/7/comments".to_owned(),
            status: 403,
            message: message.to_owned(),
            permissions: permissions.map(str::to_owned),
        };
        error.hint().unwrap()
    };
    let said = [
        hint(Some("issues=write; pull_requests=write"), ""),
        hint(Some("statuses=write"), ""),
        hint(Some("deployments=read,contents=read"), ""),
        hint(Some("environments=read"), ""),
        hint(Some("nonsense"), ""),
        hint(None, ""),
        hint(None, "Unable to create comment because issue is locked."),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    give the job `permissions: pull-requests: write`; a pull request from a fork gets a token that can only read
    give the job `permissions: statuses: write`; a pull request from a fork gets a token that can only read
    give the job `permissions: deployments: read, contents: read`
    no job's own token can have `environments: read`: use a fine-grained or an App's token that has it
    the token may not do this: a job's `permissions:`, an organisation's rules or SAML sign-on can be the reason
    the token may not do this: a job's `permissions:`, an organisation's rules or SAML sign-on can be the reason
    the conversation is locked: unlock it, or read the step summary instead
    ");
}

#[test]
fn what_others_say_becomes_one_short_line() {
    assert_eq!(
        answer::one_line(" a\r\n::error::b\u{1b}[31m\tc "),
        "a ::error::b [31m c"
    );
    assert_eq!(answer::one_line(&"é".repeat(5000)).chars().count(), 301);
}

#[test]
fn a_redirect_tells_no_more_than_the_host() {
    let request = super::Request {
        method: "GET",
        route: "/repos/acme/shop",
        body: None,
    };
    let error = error::redirected(request, "https://u:hunter22@evil.example/x?token=abc", false);
    assert_eq!(
        error.to_string(),
        "GitHub sent GET /repos/acme/shop elsewhere: to evil.example, where the token must not go"
    );
}
