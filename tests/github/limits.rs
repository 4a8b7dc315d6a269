//! Rate limits are obeyed, and not for ever.

use std::time::Duration;

use serde_json::json;
use tenantgate::github::{Client, GithubError, Patience};

use super::fake::{Fault, Permissions};
use super::{HASTY, run, said, scene, timed};

const COMMENTS: &str = "/repos/acme/shop/issues/7/comments";

#[test]
fn retry_after_is_obeyed() {
    for status in [403, 429] {
        let (github, client) = scene();
        github.fault(Fault::rate_limited(status, Some(1)));
        let (answer, time) = timed(|| run(client.get(COMMENTS)));
        answer.unwrap();
        assert_eq!(github.requests().len(), 2);
        assert!(time >= Duration::from_secs(1), "{status}: {time:?}");
    }
}

/// GitHub refused it, so nothing can have come of it.
#[test]
fn what_a_limit_refused_is_posted_after_it() {
    let (github, client) = scene();
    github.fault(Fault::rate_limited(403, Some(1)));
    run(client.post(COMMENTS, &json!({ "body": "hello" }))).unwrap();
    assert_eq!(github.state().comments.len(), 1);
}

#[test]
fn the_reset_is_waited_for() {
    let (github, client) = scene();
    let token = github.state().tokens.keys().next().unwrap().clone();
    // GitHub's clock is the one that counts.
    github.advance(jiff::SignedDuration::from_hours(-2));
    github.rate_limit(&token, 0, 2);
    let (answer, time) = timed(|| run(client.get(COMMENTS)));
    answer.unwrap();
    assert!(
        time > Duration::from_secs(1) && time < Duration::from_secs(20),
        "{time:?}"
    );
    assert!(github.requests().len() <= 3);
}

#[test]
fn a_limit_that_says_nothing_is_waited_for_longer_and_longer() {
    let (github, client) = scene();
    github.fault(Fault::rate_limited(429, None).times(3));
    let (answer, time) = timed(|| run(client.get(COMMENTS)));
    answer.unwrap();
    assert!(time >= HASTY.limit_pause * 7, "{time:?}");
    assert_eq!(github.requests().len(), 4);
}

#[test]
fn a_zero_is_no_invitation_to_hurry() {
    let (github, client) = scene();
    github.fault(Fault::rate_limited(429, Some(0)).for_ever());
    let error = run(client.get(COMMENTS)).unwrap_err();
    assert!(matches!(error, GithubError::RateLimited { .. }));
    assert!(github.requests().len() < 30, "{}", github.requests().len());
}

#[test]
fn waiting_has_an_end() {
    let (github, client) = scene();
    let token = github.state().tokens.keys().next().unwrap().clone();
    github.rate_limit(&token, 0, 1799);
    let (answer, time) = timed(|| run(client.get(COMMENTS)));
    let error = answer.unwrap_err();
    assert!(time < Duration::from_secs(5), "{time:?}");
    assert_eq!(github.requests().len(), 1);
    assert_eq!(error.status(), Some(403));
    assert!(!error.is_ambiguous());
    let text = regex::Regex::new(r"another \d+ s")
        .unwrap()
        .replace(&said(&error), "another [N] s")
        .into_owned();
    insta::assert_snapshot!(text, @r#"
    GitHub's rate limit refused GET /repos/acme/shop/issues/7/comments (403): API rate limit exceeded for installation ID 4711. (its limit lasts another [N] s; this run waits 6 s for GitHub in all)
      run again later, with fewer jobs at a time, or with an App's token, which has a limit of its own
    "#);
}

#[test]
fn a_lack_of_permission_is_no_limit() {
    let (github, _) = scene();
    let token = github.token(Permissions::default());
    let client = Client::with_patience(&github.settings(&token), HASTY).unwrap();
    let error = run(client.get(COMMENTS)).unwrap_err();
    assert!(
        matches!(error, GithubError::Refused { status: 403, .. }),
        "{error:?}"
    );
    assert_eq!(github.requests().len(), 1);
}

#[test]
fn the_secondary_limit_is_githubs_own() {
    let (github, _) = scene();
    let token = github.token(Permissions::job());
    let patience = Patience {
        waiting: Duration::from_secs(5),
        ..HASTY
    };
    let client = Client::with_patience(&github.settings(&token), patience).unwrap();
    run(async {
        for number in 0..80 {
            client
                .post(COMMENTS, &json!({ "body": number.to_string() }))
                .await
                .unwrap();
        }
        let error = client
            .post(COMMENTS, &json!({ "body": "one more" }))
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("its limit lasts another 60 s; this run waits 5 s"),
            "{error}"
        );
    });
    assert_eq!(github.state().comments.len(), 80);
}
