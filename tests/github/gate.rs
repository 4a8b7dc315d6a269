//! The whole program as a step of a job: comment, status, check run, outputs, and GitHub being away.

use super::fake::{Event, Fake, Fault, Permissions, sha};
use crate::harness::{Desk, Server, findings};

/// A desk whose runs are steps of jobs of pull request 7.
fn desk(github: &Fake, permissions: Permissions) -> Desk {
    github.pull_request(7, &sha("head"));
    let mut desk = Desk::new(Server::Sqlite);
    let token = github.token(permissions);
    github.actions(&mut desk, &token, &Event::pull_request(7));
    desk
}

fn comments(github: &Fake) -> Vec<String> {
    let state = github.state();
    state.comments_of(7).iter().map(|it| it.body.clone()).collect()
}

fn states(github: &Fake, context: &str) -> Vec<String> {
    let state = github.state();
    let ours = state
        .statuses
        .iter()
        .filter(|it| it.sha == sha("head") && it.context == context);
    ours.map(|it| it.state.clone()).collect()
}

/// One light for many jobs would have the last one's colour.
#[test]
fn a_shard_tells_github_nothing() {
    let github = Fake::start();
    let desk = desk(&github, Permissions::job());
    desk.tenantgate(&[
        "migrate",
        "--scope",
        "shared",
        "--comment",
        "never",
        "--status",
        "never",
    ])
    .assert_code(0);
    let run = desk.tenantgate(&["migrate", "--shard", "1/1", "--check-run", "always"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["migrated"], 5);
    assert!(comments(&github).is_empty());
    assert!(states(&github, "tenantgate/dev/migrate").is_empty());
    assert!(github.requests_to("POST", "check-runs").is_empty());
    assert!(desk.read("runner/output").contains("tenants-migrated=5"));
}

#[test]
fn a_run_is_told_once_and_brought_up_to_date() {
    let github = Fake::start();
    let mut desk = desk(&github, Permissions::job());
    let run = desk.tenantgate(&["run", "--check-run", "always"]);
    run.assert_code(0);
    assert_eq!(states(&github, "tenantgate/dev"), ["pending", "success"]);
    let first = comments(&github);
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("dev passed"), "{}", first[0]);
    for check in ["publish.comment", "publish.status", "publish.check-run"] {
        assert_eq!(run.check(check)["status"], "passed", "{check}");
        assert!(findings(&run, check).is_empty(), "{:?}", findings(&run, check));
    }
    let output = desk.read("runner/output");
    assert!(output.contains("/pull/7#issuecomment-"), "{output}");

    desk.tenant(
        "0003_broken.sql",
        "CREATE TABLE broken (\n  id int,\n  oops oops, );\n",
    );
    desk.env("GITHUB_RUN_ID", "2");
    let run = desk.tenantgate(&["run", "--check-run", "always"]);
    run.assert_code(1);
    let second = comments(&github);
    assert_eq!(second.len(), 1);
    assert!(second[0].contains("0003_broken.sql"), "{}", second[0]);
    assert_eq!(states(&github, "tenantgate/dev").last().unwrap(), "failure");
    let patched = github.requests_to("PATCH", "check-runs/*");
    let annotation = &patched.last().unwrap().body["output"]["annotations"][0];
    assert_eq!(annotation["path"], "migrations/tenant/0003_broken.sql");
}

#[test]
fn a_green_plan_is_not_a_green_run() {
    let github = Fake::start();
    let desk = desk(&github, Permissions::job());
    desk.tenantgate(&["plan"]).assert_code(0);
    desk.tenantgate(&["run", "--dry-run"]).assert_code(0);
    assert!(states(&github, "tenantgate/dev").is_empty());
    assert_eq!(states(&github, "tenantgate/dev/plan"), ["pending", "success"]);
    assert_eq!(states(&github, "tenantgate/dev/dry-run"), ["pending", "success"]);
    assert!(
        !comments(&github)[0].contains("dev passed"),
        "{:?}",
        comments(&github)
    );
}

/// Nor is one of a part of the tenants, which nothing was validated after.
#[test]
fn a_green_migrate_is_not_a_green_run() {
    let github = Fake::start();
    let mut desk = desk(&github, Permissions::job());
    desk.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
    desk.env("GITHUB_RUN_ID", "2");
    desk.tenantgate(&["migrate", "--tenant", "amber"]).assert_code(0);
    assert!(states(&github, "tenantgate/dev").is_empty());
    let comments = comments(&github);
    assert!(
        comments[0].contains("| **dev** | ☑️ migrated, not validated |"),
        "{comments:?}"
    );
    assert!(!comments[0].contains("dev passed"), "{comments:?}");
}

/// GitHub being down never changes what the database's answer was.
#[test]
fn github_being_down_is_a_warning() {
    let github = Fake::start();
    let desk = desk(&github, Permissions::job());
    github.fault(Fault::status(500).for_ever());
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    assert_eq!(run.report()["verdict"], "passed");
    for check in ["publish.comment", "publish.status"] {
        assert_eq!(run.check(check)["status"], "warned", "{check}");
    }
    let summary = desk.read("runner/step_summary.md");
    assert!(summary.contains("500"), "{summary}");
}

#[test]
fn without_a_token_or_a_right_it_is_said_once_and_nothing_else_changes() {
    let github = Fake::start();
    let mut desk = desk(&github, Permissions::fork());
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    let hint = run.check("publish.comment")["findings"][0]["hint"].to_string();
    assert!(hint.contains("pull-requests: write"), "{hint}");
    desk.remove_env("GITHUB_TOKEN");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    assert!(findings(&run, "publish.comment").concat().contains("no token"));
    let warned = run.checks_that("warned");
    let publish: Vec<_> = warned.iter().filter(|it| it.starts_with("publish.")).collect();
    assert_eq!(publish, [&"publish.comment"], "said once");
}

#[test]
fn what_is_not_wanted_is_not_done() {
    let github = Fake::start();
    let desk = desk(&github, Permissions::job());
    desk.configure_more("[github]\ncomment = false\nstatus = false\n");
    desk.tenantgate(&["run"]).assert_code(0);
    // Evidence is no telling: the next environment wants to see it.
    let told: Vec<_> = github
        .trace()
        .into_iter()
        .filter(|it| !it.contains("/deployments"))
        .collect();
    assert!(told.is_empty(), "{told:?}");
    desk.tenantgate(&["run", "--status", "always"]).assert_code(0);
    assert_eq!(states(&github, "tenantgate/dev"), ["pending", "success"]);
    assert!(comments(&github).is_empty());
    desk.tenantgate(&["status"]).assert_code(0);
    assert_eq!(states(&github, "tenantgate/dev").len(), 2);
}

/// A usage error begins nothing; one that shows only when the work has begun leaves no yellow light.
#[test]
fn a_run_without_a_report_leaves_no_pending_status() {
    let github = Fake::start();
    let desk = desk(&github, Permissions::job());
    desk.replace("tenantgate.toml", "migrations/tenant", "migrations/nowhere");
    desk.tenantgate(&["run"]).assert_code(2);
    assert_ne!(
        states(&github, "tenantgate/dev").last().map(String::as_str),
        Some("pending")
    );
}
