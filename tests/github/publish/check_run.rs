//! The check run, with annotations beside the lines.

use jiff::Timestamp;
use tenantgate::github::check_run::{CheckRun, Start, abandon, complete, start};

use super::*;
use crate::github::fake::Fault;

fn begin(scene: &Scene, commit: &str) -> CheckRun {
    let started = Start {
        commit,
        name: "tenantgate/uat",
        run: run(10),
        run_url: Some("https://github.com/acme/shop/actions/runs/10"),
        started_at: "2026-03-01T10:00:00.123456Z".parse().unwrap(),
    };
    scene.block_on(start(&scene.client(), &started)).unwrap()
}

fn finish(scene: &Scene, check_run: &CheckRun, report: &Report) {
    let now: Timestamp = "2026-03-01T10:05:00Z".parse().unwrap();
    scene
        .block_on(complete(&scene.client(), check_run, report, "services/api", now))
        .unwrap();
}

fn findings(count: usize) -> Vec<Finding> {
    let finding = |number: usize| {
        let finding = Finding::error(format!("statement {number} is wrong"));
        finding.file("migrations/tenant/0042_add.sql").at(number, 3)
    };
    (1..=count).map(finding).collect()
}

#[test]
fn a_hundred_and_twenty_annotations_go_in_three_requests() {
    let scene = Scene::new();
    let begun = begin(&scene, &sha("head"));
    assert_eq!(
        scene.github.state().check_runs[0].content["status"],
        "in_progress"
    );
    finish(&scene, &begun, &report_with("uat", 10, findings(120)));
    assert_eq!(scene.github.requests_to("PATCH", "check-runs/*").len(), 3);
    let state = scene.github.state();
    let check_run = &state.check_runs[0];
    assert_eq!(check_run.content["status"], "completed");
    assert_eq!(check_run.content["conclusion"], "failure");
    assert_eq!(check_run.content["started_at"], "2026-03-01T10:00:00Z");
    assert_eq!(check_run.content["completed_at"], "2026-03-01T10:05:00Z");
    let lines: Vec<_> = check_run
        .annotations
        .iter()
        .map(|one| one["start_line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, (1..=120).collect::<Vec<_>>());
    insta::assert_snapshot!(serde_json::to_string_pretty(&check_run.annotations[0]).unwrap());
}

#[test]
fn passed_is_success_and_everything_else_shuts_the_gate() {
    let unanswered = Finding::error("the server is gone").operational(true);
    for (findings, conclusion) in [
        (vec![], "success"),
        (vec![Finding::error("no")], "failure"),
        (vec![unanswered], "failure"),
    ] {
        let scene = Scene::new();
        let begun = begin(&scene, &sha("head"));
        finish(&scene, &begun, &report_with("uat", 10, findings));
        assert_eq!(
            scene.github.state().check_runs[0].content["conclusion"],
            conclusion
        );
    }
    let scene = Scene::new();
    let begun = begin(&scene, &sha("head"));
    scene.block_on(abandon(&scene.client(), &begun)).unwrap();
    assert_eq!(
        scene.github.state().check_runs[0].content["conclusion"],
        "failure"
    );
}

#[test]
fn a_flood_fits_into_what_github_takes() {
    let scene = Scene::new();
    let begun = begin(&scene, &sha("head"));
    let finding = |number: usize| {
        let message = format!("{number} {}", "`|<b>@ann #1 é🚀\n".repeat(150));
        Finding::error(message).file(format!("m/{number}.sql"))
    };
    finish(
        &scene,
        &begun,
        &report_with("uat", 10, (0..3_000).map(finding).collect()),
    );
    let state = scene.github.state();
    assert_eq!(
        state.check_runs[0].annotations.len(),
        500,
        "the rest is in the summary's count"
    );
    let summary = state.check_runs[0].content["output"]["summary"].as_str().unwrap();
    assert!(
        summary.len() <= 65_535 && summary.len() > 1_000,
        "{}",
        summary.len()
    );
}

#[test]
fn a_lost_answer_begins_no_second_one() {
    let scene = Scene::new();
    scene
        .github
        .fault(Fault::status(502).on("POST", "check-runs").after_work());
    let begun = begin(&scene, &sha("head"));
    assert_eq!(scene.github.state().check_runs.len(), 1);
    assert_eq!(scene.github.state().check_runs[0].id, begun.id);
    // One that was not begun is.
    let scene = Scene::new();
    scene.github.fault(Fault::status(502).on("POST", "check-runs"));
    begin(&scene, &sha("head"));
    assert_eq!(scene.github.state().check_runs.len(), 1);
}

#[test]
fn a_refusal_is_told() {
    let scene = Scene::new();
    let fork = scene.client_of(&scene.github.token(Permissions::fork()));
    let head = sha("head");
    let started = Start {
        commit: &head,
        name: "tenantgate/uat",
        run: run(10),
        run_url: None,
        started_at: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(
        scene.block_on(start(&fork, &started)).unwrap_err().status(),
        Some(403)
    );
}
