//! GitHub that is down, slow or refuses: the work on the database stands.

use super::*;
use crate::github::fake::{Fault, Level};

#[test]
fn an_answer_that_leaves_it_open_makes_no_second_deployment() {
    for fault in [
        Fault::status(502).after_work(),
        Fault::reset().after_work(),
        Fault::status(502),
    ] {
        let shop = Shop::new();
        shop.github.fault(fault.on("POST", "deployments"));
        let run = shop.run("dev");
        run.assert_code(0);
        assert_eq!(shop.github.state().deployments.len(), 1);
        assert_eq!(run.check("promotion.recorded")["status"], "passed");
        shop.promote("uat").assert_code(0);
    }
}

#[test]
fn a_status_that_was_not_taken_is_said_again() {
    let shop = Shop::new();
    shop.github
        .fault(Fault::status(502).on("POST", "deployments/*/statuses").times(2));
    shop.run("dev").assert_code(0);
    shop.promote("uat").assert_code(0);
}

#[test]
fn github_that_does_not_take_evidence_leaves_the_run_passed_and_the_next_stage_shut() {
    let shop = Shop::new();
    shop.github
        .fault(Fault::status(502).on("POST", "deployments/*/statuses").for_ever());
    let run = shop.run("dev");
    run.assert_code(0);
    assert_eq!(run.checks_that("warned"), ["promotion.recorded"]);
    let said = finding(&run, "promotion.recorded");
    for words in [
        "cannot write evidence",
        "uat stays shut",
        "run `tenantgate run --environment dev` again",
    ] {
        assert!(said.contains(words), "{said}");
    }
    shop.github.clear_faults();
    assert_shut(&shop.promote("uat"), &["never completed"]);
    let again = shop.run("dev");
    again.assert_code(0);
    assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
    shop.promote("uat").assert_code(0);
}

#[test]
fn a_token_that_may_not_write_is_told_what_it_needs() {
    let shop = Shop::with_permissions(Permissions {
        deployments: Level::Read,
        ..Permissions::job()
    });
    shop.promotion("");
    let run = shop.run("dev");
    run.assert_code(0);
    assert_eq!(run.checks_that("warned"), ["promotion.recorded"]);
    let said = finding(&run, "promotion.recorded");
    assert!(said.contains("deployments: write"), "{said}");
}

#[test]
fn a_token_that_may_not_read_leaves_the_question_open() {
    let shop = Shop::with_permissions(Permissions {
        deployments: Level::None,
        ..Permissions::job()
    });
    shop.promotion("");
    let promote = shop.promote("uat");
    promote.assert_code(3);
    let said = finding(&promote, "promotion.evidence");
    assert!(said.contains("deployments: read"), "{said}");
}

#[test]
fn without_a_token_or_outside_of_a_workflow_there_is_no_place() {
    let mut shop = Shop::new();
    shop.project.remove_env("GITHUB_TOKEN");
    let run = shop.run("dev");
    run.assert_code(0);
    assert_eq!(
        run.checks_that("warned"),
        ["promotion.recorded", "publish.comment"]
    );
    assert!(finding(&run, "promotion.recorded").contains("uat will stay shut"));
    let promote = shop.promote("uat");
    promote.assert_code(1);
    assert!(finding(&promote, "promotion.evidence").contains("pass this step a token"));

    shop.promotion("store = \"github\"");
    shop.project.remove_env("GITHUB_REPOSITORY");
    let laptop = shop.promote("uat");
    laptop.assert_code(1);
    let said = finding(&laptop, "promotion.evidence");
    assert!(said.contains("a step of a workflow has it on GitHub"), "{said}");
}

#[test]
fn statuses_that_cannot_be_read_leave_the_question_open() {
    let shop = Shop::new();
    shop.run("dev").assert_code(0);
    shop.github.fault(
        Fault::body(b"<html>")
            .on("GET", "deployments/*/statuses")
            .for_ever(),
    );
    shop.promote("uat").assert_code(3);
}
