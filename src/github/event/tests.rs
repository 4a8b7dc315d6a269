//! Scenarios: given this event and payload, when the run asks what it is about, then this.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};

use super::*;

const HEAD: &str = "1111111111111111111111111111111111111111";
const MERGE: &str = "2222222222222222222222222222222222222222";
const ZERO: &str = "0000000000000000000000000000000000000000";

fn actions(event: &str) -> Actions {
    Actions {
        repository: "meats/central".into(),
        sha: MERGE.into(),
        git_ref: Some("refs/heads/main".into()),
        event_name: event.into(),
        actor: Some("ada".into()),
        ..Actions::default()
    }
}

fn on(event: &str, payload: &Value) -> Occasion {
    occasion(&actions(event), Ok(&payload.to_string()))
}

fn known(sha: &str) -> Commit {
    Commit::Known(sha.to_owned())
}

fn look_up(sha: &str) -> PullRequests {
    PullRequests::LookUp {
        commit: sha.to_owned(),
    }
}

fn pull_request(head: &Value) -> Value {
    json!({
        "action": "synchronize",
        "number": 12,
        "pull_request": {
            "number": 12,
            "head": { "ref": "feature", "sha": HEAD, "repo": head },
            "base": { "ref": "main", "sha": MERGE, "repo": { "full_name": "meats/central", "fork": false } }
        }
    })
}

#[test]
fn a_pull_request_is_about_its_head_not_the_merge() {
    let own = json!({ "full_name": "Meats/Central", "fork": false });
    for event in ["pull_request", "pull_request_target", "pull_request_review"] {
        let occasion = on(event, &pull_request(&own));
        assert_eq!(occasion.commit, known(HEAD), "{event}");
        assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
        assert!(!occasion.from_fork && !occasion.by_hand && occasion.notes.is_empty());
    }
}

#[test]
fn a_fork_is_another_repository_or_one_that_is_gone() {
    for fork in [json!({ "full_name": "bob/central", "fork": true }), Value::Null] {
        let occasion = on("pull_request", &pull_request(&fork));
        assert!(occasion.from_fork, "{fork}");
        assert_eq!(occasion.commit, known(HEAD));
        assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
    }
    // A repository that is itself a fork is not one in its own pull requests.
    let own = json!({ "full_name": "meats/central", "fork": true });
    assert!(!on("pull_request", &pull_request(&own)).from_fork);
}

#[test]
fn a_merge_group_has_a_commit_and_no_pull_request() {
    let payload = json!({
        "action": "checks_requested",
        "merge_group": { "head_sha": HEAD, "head_ref": "refs/heads/gh-readonly-queue/main/pr-12-2222",
            "base_sha": MERGE, "base_ref": "refs/heads/main" }
    });
    let occasion = on("merge_group", &payload);
    assert_eq!(occasion.commit, known(HEAD));
    let PullRequests::None(why) = occasion.pull_requests else {
        panic!()
    };
    assert_eq!(why, "a merge group has no pull request of its own");
}

#[test]
fn a_push_is_about_what_was_pushed() {
    let payload = json!({ "ref": "refs/heads/uat", "before": MERGE, "after": HEAD, "deleted": false,
        "head_commit": { "id": HEAD } });
    let occasion = on("push", &payload);
    assert_eq!(
        (occasion.commit, occasion.pull_requests),
        (known(HEAD), look_up(HEAD))
    );
    // An annotated tag: `after` is the tag's own hash.
    let tag = json!({ "ref": "refs/tags/v1", "after": "3".repeat(40), "head_commit": { "id": HEAD } });
    assert_eq!(on("push", &tag).commit, known(HEAD));
}

#[test]
fn a_deleted_branch_has_no_commit() {
    for payload in [
        json!({ "ref": "refs/heads/main", "before": HEAD, "after": ZERO, "deleted": true, "head_commit": null }),
        json!({ "after": ZERO }),
        json!({ "after": "0".repeat(64) }),
    ] {
        let occasion = on("push", &payload);
        let Commit::None(why) = occasion.commit else {
            panic!()
        };
        assert_eq!(why, "refs/heads/main was deleted: there is no commit");
        assert_eq!(occasion.pull_requests, PullRequests::None(why));
    }
}

#[test]
fn by_hand_by_clock_and_by_call() {
    let occasion = on(
        "workflow_dispatch",
        &json!({ "inputs": { "environment": "prod" }, "ref": "refs/heads/main" }),
    );
    assert!(occasion.by_hand);
    assert_eq!(
        (occasion.commit, occasion.pull_requests),
        (known(MERGE), look_up(MERGE))
    );

    let occasion = on("schedule", &json!({ "schedule": "0 3 * * *" }));
    assert_eq!(occasion.commit, known(MERGE));
    assert!(matches!(occasion.pull_requests, PullRequests::None(why) if why.contains("scheduled")));

    let occasion = on(
        "repository_dispatch",
        &json!({ "action": "refreshed", "client_payload": {} }),
    );
    assert_eq!(
        (occasion.commit, occasion.pull_requests),
        (known(MERGE), look_up(MERGE))
    );

    // A called workflow has its caller's event, payload and GITHUB_WORKFLOW.
    let occasion = on(
        "pull_request",
        &pull_request(&json!({ "full_name": "meats/central" })),
    );
    assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
}

#[test]
fn after_another_workflow_the_commit_is_that_ones() {
    let run = |repository: &str, pulls: Value| {
        json!({ "action": "completed", "workflow_run": {
            "head_sha": HEAD, "head_repository": { "full_name": repository }, "pull_requests": pulls } })
    };
    let pulls = json!([
        { "number": 12, "base": { "repo": { "url": "https://api.github.com/repos/meats/central" } } },
        { "number": 99, "base": { "repo": { "url": "https://api.github.com/repos/bob/central" } } }
    ]);
    let occasion = on("workflow_run", &run("meats/central", pulls));
    assert_eq!(occasion.commit, known(HEAD));
    assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
    assert!(!occasion.from_fork);

    let occasion = on("workflow_run", &run("bob/central", json!([])));
    assert_eq!(occasion.pull_requests, look_up(HEAD));
    assert!(occasion.from_fork);

    let occasion = on(
        "check_suite",
        &json!({ "check_suite": { "head_sha": HEAD, "pull_requests": [] } }),
    );
    assert_eq!(
        (occasion.commit, occasion.pull_requests),
        (known(HEAD), look_up(HEAD))
    );
}

#[test]
fn deployments_and_comments() {
    let payload = json!({ "deployment": { "sha": HEAD, "environment": "uat" } });
    for event in ["deployment", "deployment_status"] {
        let occasion = on(event, &payload);
        assert_eq!(
            (occasion.commit, occasion.pull_requests),
            (known(HEAD), look_up(HEAD))
        );
    }
    let occasion = on(
        "issue_comment",
        &json!({ "issue": { "number": 12, "pull_request": { "url": "…" } } }),
    );
    assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
    assert!(matches!(occasion.commit, Commit::None(_)));
    let occasion = on("issue_comment", &json!({ "issue": { "number": 12 } }));
    assert!(matches!(occasion.pull_requests, PullRequests::None(_)));
}

#[test]
fn a_rerun_is_by_who_began_the_attempt() {
    let mut actions = actions("push");
    let of = |actions: &Actions| occasion(actions, Ok("{}")).triggered_by.unwrap();
    assert_eq!(of(&actions), "ada");
    actions.triggering_actor = Some("bob".into());
    assert_eq!(of(&actions), "bob");
}

#[test]
fn a_payload_that_cannot_be_read_is_said_and_the_rest_is_used() {
    for (payload, note) in [
        (
            Err("GITHUB_EVENT_PATH is not set"),
            "GITHUB_EVENT_PATH is not set",
        ),
        (Ok("<html>"), "the event's payload is not JSON"),
        (Ok("{\"pull_request\": {\"num"), "the event's payload is not JSON"),
        (Ok(""), "the event's payload is not JSON"),
        (Ok("[]"), "the event's payload is not a JSON object"),
    ] {
        let occasion = occasion(&actions("push"), payload);
        assert_eq!(
            (occasion.commit, occasion.pull_requests),
            (known(MERGE), look_up(MERGE))
        );
        assert!(occasion.notes[0].starts_with(note), "{:?}", occasion.notes);

        // The merge commit must not stand for the head, but the ref has the number.
        let mut actions = actions("pull_request");
        actions.git_ref = Some("refs/pull/12/merge".into());
        let occasion = super::occasion(&actions, payload);
        assert!(matches!(occasion.commit, Commit::None(_)));
        assert_eq!(occasion.pull_requests, PullRequests::Known(vec![12]));
    }
    let missing = read(&Actions {
        event_path: Some("/nowhere/event.json".into()),
        ..actions("push")
    });
    assert!(missing.notes[0].starts_with("the event's payload cannot be read: /nowhere/event.json: "));
}

#[test]
fn members_of_other_types_are_as_good_as_missing() {
    for event in [
        "pull_request",
        "push",
        "workflow_run",
        "merge_group",
        "deployment",
        "issue_comment",
        "",
    ] {
        for odd in [
            json!(null),
            json!(7),
            json!("x"),
            json!([1]),
            json!({ "head": 1, "number": "12" }),
        ] {
            let payload = json!({ "pull_request": odd, "after": odd, "workflow_run": odd, "merge_group": odd,
                "deployment": odd, "issue": odd, "head_commit": odd, "deleted": odd });
            let occasion = on(event, &payload);
            assert!(
                !matches!(occasion.pull_requests, PullRequests::Known(_)),
                "{event} {odd}"
            );
        }
    }
    // What is no hash never becomes part of a route.
    let payload = json!({ "merge_group": { "head_sha": "../../../user" } });
    assert_eq!(on("merge_group", &payload).commit, known(MERGE));
    let mut bad = actions("push");
    bad.sha = "main".into();
    assert!(matches!(occasion(&bad, Ok("{}")).commit, Commit::None(_)));
}
