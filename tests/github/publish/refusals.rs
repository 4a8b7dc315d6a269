//! What GitHub will not do becomes a reason that a person can act on.

use super::*;
use crate::github::fake::Fault;

fn reason(error: &CommentError) -> String {
    format!("{error}\n-> {}", error.hint().unwrap_or_default())
}

#[test]
fn a_locked_pull_request() {
    let scene = Scene::new();
    scene.github.state().pulls[0].locked = true;
    let error = scene.post(&scene.client(), "dev", 10).unwrap_err();
    assert!(
        matches!(error, CommentError::Locked { number: PULL }),
        "{error:?}"
    );
    insta::assert_snapshot!(reason(&error));
}

#[test]
fn a_forks_token() {
    let scene = Scene::new();
    let token = scene.github.token(Permissions::fork());
    let error = scene.post(&scene.client_of(&token), "dev", 10).unwrap_err();
    assert!(
        matches!(error, CommentError::MayNotWrite { number: PULL, .. }),
        "{error:?}"
    );
    assert!(
        reason(&error).contains("pull-requests: write") || reason(&error).contains("pull_requests=write")
    );
    assert!(scene.bodies().is_empty());
}

#[test]
fn a_pull_request_that_is_not_there() {
    let scene = Scene::new();
    scene.github.state().pulls.clear();
    let error = scene.post(&scene.client(), "dev", 10).unwrap_err();
    assert!(
        matches!(error, CommentError::NotFound { number: PULL }),
        "{error:?}"
    );
    insta::assert_snapshot!(reason(&error));
}

#[test]
fn a_closed_pull_request_is_fine() {
    let scene = Scene::new();
    scene.github.state().pulls[0].closed = true;
    scene.post(&scene.client(), "dev", 10).unwrap();
    assert_eq!(scene.bodies().len(), 1);
}

#[test]
fn what_else_github_answers_is_told_as_it_is() {
    for status in [422, 500] {
        let scene = Scene::new();
        scene
            .github
            .fault(Fault::status(status).on("POST", "issues/*/comments").for_ever());
        let error = scene.post(&scene.client(), "dev", 10).unwrap_err();
        let CommentError::Github(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.status(), Some(status));
        assert!(scene.bodies().is_empty());
    }
}

#[test]
fn a_rate_limit_is_no_missing_permission() {
    for status in [403, 429] {
        let scene = Scene::new();
        scene.github.fault(
            Fault::rate_limited(status, Some(100_000))
                .on("POST", "issues/*/comments")
                .for_ever(),
        );
        let error = scene.post(&scene.client(), "dev", 10).unwrap_err();
        assert!(matches!(error, CommentError::Github(_)), "{error:?}");
    }
}

#[test]
fn a_token_that_is_no_good_is_asked_once() {
    let scene = Scene::new();
    let client = scene.client();
    scene.github.state().tokens.clear();
    let error = scene.post(&client, "dev", 10).unwrap_err();
    let CommentError::Github(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.status(), Some(401));
    assert_eq!(scene.github.requests().len(), 1);
}

#[test]
fn no_error_tells_the_token() {
    for fault in [
        Fault::status(403),
        Fault::status(500),
        Fault::html(502),
        Fault::truncated(),
        Fault::reset(),
    ] {
        let scene = Scene::new();
        scene
            .github
            .fault(fault.on("POST", "issues/*/comments").for_ever());
        let text = match scene.post(&scene.client(), "dev", 10) {
            Ok(posted) => format!("{posted:?}"),
            Err(error) => format!("{error:?} {}", reason(&error)),
        };
        assert!(!text.contains(&scene.token), "{text}");
    }
}
