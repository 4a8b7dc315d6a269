//! A job that is cancelled while GitHub does not answer: the runner kills ten seconds after it asked.

use std::thread;
use std::time::{Duration, Instant};

use super::fake::{Event, Fake, Fault, Permissions, sha};
use crate::harness::{Desk, Server};

/// The runner's first signal comes 7.5 s before its second, and that 2.5 s before the end.
const ENOUGH: Duration = Duration::from_secs(8);

/// A run on GitHub that never answers what matches, told to end while it is waited for: how long that
/// takes, and what is on stdout.
#[track_caller]
fn assert_ends(arguments: &[&str], evidence: bool, silence: Fault, begun: &str, code: i32) {
    let github = Fake::start();
    github.pull_request(7, &sha("head"));
    let mut desk = Desk::new(Server::Sqlite);
    if evidence {
        desk.replace("tenantgate.toml", "evidence = \"evidence\"\n", "");
    }
    let token = github.token(Permissions::job());
    github.actions(&mut desk, &token, &Event::pull_request(7));
    github.fault(silence.for_ever());
    let mut running = desk.spawn(arguments);
    let (method, route) = begun.split_once(' ').unwrap();
    running.wait_until("the silence", || !github.requests_to(method, route).is_empty());
    thread::sleep(Duration::from_millis(200));
    running.signal("INT");
    let told = Instant::now();
    let run = running.wait();
    let took = told.elapsed();
    assert!(took < ENOUGH, "{arguments:?}, {begun}: {took:?}");
    if let Some(last) = github.state().statuses.last() {
        assert_ne!(last.state, "pending", "{arguments:?}, {begun}");
    }
    run.assert_code(code);
}

#[test]
fn at_the_very_beginning() {
    assert_ends(&["run"], false, Fault::silence(), "GET commits/*/status", 0);
}

#[test]
fn while_evidence_is_asked_for() {
    let silence = Fault::silence().on("GET", "deployments");
    assert_ends(
        &["promote", "--environment", "uat"],
        true,
        silence,
        "GET deployments",
        3,
    );
}

#[test]
fn while_evidence_is_kept() {
    let silence = Fault::silence().on("POST", "deployments");
    assert_ends(&["run"], true, silence, "POST deployments", 0);
}

#[test]
fn while_the_comment_is_written() {
    let silence = Fault::silence().on("GET", "issues/*/comments");
    assert_ends(&["run"], false, silence, "GET issues/*/comments", 0);
}
