//! The status on the commit.

use tenantgate::github::status::{State, Status, Written, context, write};

use super::*;
use crate::github::fake::{Fault, sha};

fn at(scene: &Scene, status: &Status, id: u64) -> Written {
    scene
        .block_on(write(&scene.client(), &sha("head"), status, run(id)))
        .unwrap()
}

fn latest(scene: &Scene) -> Vec<(String, String, String)> {
    let state = scene.github.state();
    let statuses = state.latest_statuses(&sha("head")).into_iter();
    let short = statuses.map(|status| {
        let description = status.description.clone().unwrap_or_default();
        (status.context.clone(), status.state.clone(), description)
    });
    short.collect()
}

#[test]
fn it_is_pending_and_then_what_the_run_found() {
    let scene = Scene::new();
    let uat = context(&name("uat"), "run", false, None);
    at(
        &scene,
        &Status::pending(uat, Some("https://github.com/acme/shop/actions/runs/10"), run(10)),
        10,
    );
    assert_eq!(latest(&scene)[0].1, "pending");
    at(&scene, &Status::of(&report("uat", 10), run(10)), 10);
    let all = latest(&scene);
    assert_eq!(
        (all.len(), all[0].0.as_str(), all[0].1.as_str()),
        (1, "tenantgate/uat", "failure")
    );
    let url = scene.github.state().statuses[1].target_url.clone().unwrap();
    assert_eq!(url, "https://github.com/acme/shop/actions/runs/10/attempts/1");
}

#[test]
fn passed_blocked_and_could_not_find_out_are_three_states() {
    let unanswered = Finding::error("the server is gone").operational(true);
    for (findings, state) in [
        (vec![], State::Success),
        (vec![Finding::warning("slow")], State::Success),
        (vec![Finding::error("no")], State::Failure),
        (vec![unanswered], State::Error),
    ] {
        assert_eq!(Status::of(&report_with("uat", 1, findings), run(1)).state, state);
    }
}

#[test]
fn a_green_plan_is_no_green_run() {
    let scene = Scene::new();
    for (command, dry_run) in [("plan", false), ("run", true)] {
        let report = Report {
            command: command.into(),
            dry_run,
            ..report_with("uat", 10, vec![])
        };
        at(&scene, &Status::of(&report, run(10)), 10);
    }
    let contexts: Vec<_> = latest(&scene)
        .into_iter()
        .map(|(context, _, _)| context)
        .collect();
    assert_eq!(contexts, ["tenantgate/uat/dry-run", "tenantgate/uat/plan"]);
}

#[test]
fn a_long_description_is_cut_where_github_would_refuse_it() {
    let scene = Scene::new();
    let long = format!("🚀{}", "überlang ".repeat(60));
    at(
        &scene,
        &Status::of(&report_with("uat", 10, vec![Finding::error(long)]), run(10)),
        10,
    );
    let description = &latest(&scene)[0].2;
    assert!(description.chars().count() <= 140, "{description}");
}

#[test]
fn an_older_run_leaves_a_newer_ones_status_alone() {
    let scene = Scene::new();
    for round in 0..100 {
        let newer = Status::of(
            &report_with("uat", 1_001 + 2 * round, vec![]),
            run(1_001 + 2 * round),
        );
        assert_eq!(at(&scene, &newer, 1_001 + 2 * round), Written::Written);
        let older = Status::of(&report("uat", 1_000 + 2 * round), run(1_000 + 2 * round));
        assert_eq!(at(&scene, &older, 1_000 + 2 * round), Written::NewerStands);
        assert_eq!(latest(&scene)[0].1, "success");
    }
    // Another environment's is its own affair.
    assert_eq!(
        at(&scene, &Status::of(&report("dev", 1), run(1)), 1),
        Written::Written
    );
}

#[test]
fn where_nobody_says_what_stands_there_it_is_written() {
    let scene = Scene::new();
    scene
        .github
        .fault(Fault::status(403).on("GET", "commits/*/status").for_ever());
    assert_eq!(
        at(&scene, &Status::of(&report("uat", 10), run(10)), 10),
        Written::Written
    );
}

#[test]
fn a_lost_answer_is_asked_for_again_and_a_refusal_is_told() {
    let scene = Scene::new();
    let client = scene.client();
    scene
        .github
        .fault(Fault::status(502).on("POST", "statuses/*").after_work());
    at(&scene, &Status::of(&report("uat", 10), run(10)), 10);
    assert_eq!(latest(&scene)[0].1, "failure");

    let status = Status::of(&report("uat", 11), run(11));
    let wrong = scene.block_on(write(&client, &sha("nowhere"), &status, run(11)));
    assert_eq!(wrong.unwrap_err().status(), Some(422));
    let fork = scene.client_of(&scene.github.token(Permissions::fork()));
    let refused = scene.block_on(write(&fork, &sha("head"), &status, run(11)));
    assert_eq!(refused.unwrap_err().status(), Some(403));
}
