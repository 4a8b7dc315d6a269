//! A full disk, or a folder that cannot be written to.

use super::assert_says;
use crate::harness::{Desk, Server};

#[test]
fn a_report_that_cannot_be_written_does_not_silence_the_rest() {
    let mut desk = Desk::new(Server::Sqlite);
    desk.write("a-file", "");
    let full = desk.tenantgate(&["run", "--report", "a-file/report.json"]);
    full.assert_code(3);
    assert_says(
        &full,
        &["cannot write the report", "a-file/report.json", "passed"],
    );
    desk.assert_heads([Some(2); 5]);

    desk.env("GITHUB_STEP_SUMMARY", "/dev/full");
    let summary = desk.tenantgate(&["run"]);
    summary.assert_code(3);
    assert_says(
        &summary,
        &["cannot write the step summary", "/dev/full", "nothing to do"],
    );
    assert_eq!(summary.report()["verdict"], "passed");
    desk.remove_env("GITHUB_STEP_SUMMARY");

    let (mut command, report) = desk.command(&["run"]);
    let file = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(file).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write to stdout"), "{stderr}");
    assert!(report.unwrap().exists());
}

#[test]
fn a_report_on_a_full_disk() {
    let desk = Desk::new(Server::Sqlite);
    std::os::unix::fs::symlink("/dev/full", desk.path("report.json")).unwrap();
    let (mut command, _) = desk.command(&["run", "--report", "report.json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("No space left"), "{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("passed"), "{stdout}");
}

#[test]
fn evidence_that_cannot_be_written_blocks_the_run_and_the_next_one_writes_it() {
    let desk = Desk::new(Server::Sqlite);
    desk.write("evidence", "this is a file");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(3);
    assert_eq!(run.checks_that("failed"), ["promotion.recorded"]);
    assert_eq!(run.report()["verdict"], "blocked");
    assert_says(&run, &["cannot write evidence", "evidence", "run again"]);
    desk.assert_heads([Some(2); 5]);

    let unreadable = desk.tenantgate(&["promote", "--environment", "uat"]);
    unreadable.assert_code(3);
    assert_eq!(unreadable.checks_that("failed"), ["promotion.evidence"]);

    desk.remove("evidence");
    let again = desk.tenantgate(&["run"]);
    again.assert_code(0);
    assert_eq!(again.check("promotion.recorded")["status"], "passed");
    desk.tenantgate(&["promote", "--environment", "uat"])
        .assert_code(0);
}

#[test]
fn without_a_folder_of_evidence_nothing_is_promoted() {
    let desk = Desk::new(Server::Sqlite);
    desk.replace("tenantgate.toml", "[promotion]\nevidence = \"evidence\"\n", "");
    desk.tenantgate(&["run"]).assert_code(0);
    let uat = desk.tenantgate(&["promote", "--environment", "uat"]);
    uat.assert_code(1);
    assert_says(&uat, &["no place where evidence", "--evidence"]);
}
