//! A runner's variables and files that are absent, empty or garbage: the verdict stays what it is.

use super::fake::{Event, Fake, Permissions, sha};
use crate::harness::{Desk, Server};

fn desk(github: &Fake) -> Desk {
    github.pull_request(7, &sha("head"));
    let mut desk = Desk::new(Server::Sqlite);
    let token = github.token(Permissions::job());
    github.actions(&mut desk, &token, &Event::pull_request(7));
    desk
}

#[test]
fn garbage_in_the_runners_variables_changes_no_verdict() {
    let github = Fake::start();
    let mut desk = desk(&github);
    let good = desk.variables().clone();
    let long = "x".repeat(100_000);
    for (name, values) in [
        (
            "GITHUB_RUN_ID",
            &["", "abc", "-1", "99999999999999999999999", "1\n2"][..],
        ),
        ("GITHUB_RUN_ATTEMPT", &["", "0", "abc"]),
        (
            "GITHUB_REPOSITORY",
            &["", "a/b/c", "a/..", "../..", "a", "a/b?x=1", "a/b\n", &long],
        ),
        (
            "GITHUB_API_URL",
            &[
                "http://evil.example",
                "ftp://x",
                "https://user:pw@127.0.0.1:1",
                "nonsense",
            ],
        ),
        (
            "GITHUB_SERVER_URL",
            &[
                "",
                "javascript:alert(1)",
                "https://x/](http://evil) @everyone <img src=x>\n::error::x",
                &long,
            ],
        ),
        (
            "GITHUB_SHA",
            &[
                "",
                "../../secret",
                "0000000000000000000000000000000000000000",
                "x\ny",
            ],
        ),
        (
            "GITHUB_REF",
            &["", "refs/pull/x/merge", "refs/heads/<!-- -->\n::stop-commands::x"],
        ),
        (
            "GITHUB_EVENT_NAME",
            &[
                "",
                "nonsense",
                "workflow_run",
                "issue_comment",
                "merge_group",
                "push",
                "check_run",
            ],
        ),
        (
            "GITHUB_EVENT_PATH",
            &["", "/nonexistent", "/dev/zero", "/", "/dev/null"],
        ),
        ("GITHUB_ACTOR", &["", "@everyone <!-- -->\n::error::x", &long]),
        ("GITHUB_TRIGGERING_ACTOR", &["", "@everyone"]),
        ("GITHUB_STEP_SUMMARY", &[""]),
        ("GITHUB_OUTPUT", &[""]),
        ("GITHUB_WORKSPACE", &["", "/", "/nonexistent", "..", "\u{fffd}"]),
        ("GITHUB_TOKEN", &["", "   ", "with\nnewline", "pässwörd"]),
        (
            "HTTPS_PROXY",
            &["", "nonsense::", "socks5://x", "http://user:pa$$word@"],
        ),
    ] {
        for value in values {
            desk.env(name, *value);
            let run = desk.tenantgate(&["run", "--format", "github"]);
            let shown: String = value.chars().take(50).collect();
            for line in run.stdout.lines().filter(|line| line.starts_with("::")) {
                assert!(!line.starts_with("::error"), "{name}={shown:?}: {line}");
            }
            run.assert_code(0);
            match good.get(name) {
                Some(before) => desk.env(name, before.clone()),
                None => desk.remove_env(name),
            }
        }
    }
    for body in github.state().comments_of(7).iter().map(|it| it.body.clone()) {
        assert!(
            !body.contains("(http://evil)") && !body.contains("<img") && !body.contains("javascript:"),
            "{body}"
        );
    }
}

#[test]
fn an_event_that_is_a_pipe_is_not_waited_for() {
    let github = Fake::start();
    let mut desk = desk(&github);
    let pipe = desk.path("runner/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    desk.env("GITHUB_EVENT_PATH", pipe.to_str().unwrap());
    desk.tenantgate(&["run"]).assert_code(0);
}

#[test]
fn payloads_of_odd_shapes() {
    let github = Fake::start();
    let desk = desk(&github);
    for payload in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{}",
        "\u{feff}{}",
        "{\"pull_request\":null}",
        "{\"pull_request\":{\"number\":\"7\",\"head\":null}}",
        "{\"pull_request\":{\"number\":-7,\"head\":{\"sha\":\"../../x\"}}}",
        "{\"pull_request\":{\"number\":18446744073709551615,\"head\":{\"sha\":7}}}",
        "{\"pull_request\":[1,2]}",
        "{\"number\":1e400}",
        &format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        &format!("{{\"a\":\"{}\"}}", "x".repeat(50_000_000)),
    ] {
        desk.write("runner/event.json", payload);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
    }
}

/// The one that passes does not open what the other one shuts.
#[test]
fn two_projects_of_one_commit_have_a_status_and_a_comment_each() {
    let github = Fake::start();
    let mut one = desk(&github);
    let root = one.path(".").to_str().unwrap().to_owned();
    one.env("GITHUB_WORKSPACE", root);
    one.tenant("0003_broken.sql", "CREATE TABLE broken (oops oops, );\n");
    one.tenantgate(&["run", "--check-run", "always"]).assert_code(1);

    let mut other = desk(&github);
    other.replace("tenantgate.toml", "name = \"desk\"", "name = \"billing\"");
    let root = other.path(".").parent().unwrap().to_str().unwrap().to_owned();
    other.env("GITHUB_WORKSPACE", root);
    other.env("GITHUB_RUN_ID", "2");
    other.tenantgate(&["run", "--check-run", "always"]).assert_code(0);

    let state = github.state();
    let last = |context: &str| {
        let mut ours = state.statuses.iter().filter(|it| it.context == context);
        ours.next_back().map(|it| it.state.clone()).unwrap_or_default()
    };
    assert_eq!(last("tenantgate/dev"), "failure");
    assert_eq!(last("tenantgate/dev (billing)"), "success");
    let names: Vec<_> = state
        .check_runs
        .iter()
        .map(|it| it.content["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["tenantgate/dev", "tenantgate/dev (billing)"]);
    assert_eq!(state.comments_of(7).len(), 2);
}
