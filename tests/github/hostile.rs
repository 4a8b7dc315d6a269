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
                "",
                "http://evil.example",
                "ftp://x",
                "https://user:pw@127.0.0.1:1",
                "nonsense",
                "https://127.0.0.1:1",
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
            eprintln!(
                "{name}={shown:?} -> {:?} warned {:?}",
                run.code,
                run.checks_that("warned")
            );
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
        eprintln!(
            "{:?} -> {:?} {:?}",
            payload.chars().take(60).collect::<String>(),
            run.code,
            run.checks_that("warned")
        );
        run.assert_code(0);
    }
}

#[test]
fn outputs_that_cannot_be_written() {
    let github = Fake::start();
    let mut desk = desk(&github);
    let folder = desk.path("runner").to_str().unwrap().to_owned();
    for name in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
        let before = desk.variables()[name].clone();
        for value in [folder.as_str(), "/nonexistent/x", "/dev/full"] {
            desk.env(name, value);
            let run = desk.tenantgate(&["run"]);
            eprintln!("{name}={value}: {:?} {}", run.code, run.stderr);
        }
        desk.env(name, before);
    }
}

#[test]
fn two_projects_of_one_commit() {
    let github = Fake::start();
    let one = desk(&github);
    let mut other = desk(&github);
    other.replace("tenantgate.toml", "name = \"desk\"", "name = \"other\"");
    other.env("GITHUB_RUN_ID", "2");
    one.tenant("0003_broken.sql", "CREATE TABLE broken (oops oops, );\n");
    one.tenantgate(&["run"]).assert_code(1);
    other.tenantgate(&["run"]).assert_code(0);
    let state = github.state();
    let statuses: Vec<_> = state
        .statuses
        .iter()
        .map(|it| (it.context.clone(), it.state.clone(), it.description.clone()))
        .collect();
    eprintln!("{statuses:#?} {}", state.comments_of(7).len());
    panic!();
}

#[test]
fn a_comment_that_claims_the_future() {
    use base64::Engine as _;
    let github = Fake::start();
    let desk = desk(&github);
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let prefix = format!("<!-- tenantgate {} ", encode("desk"));
    let max = u64::MAX;
    let forged = format!(
        "{{\"environments\":[\"dev\"],\"entries\":[{{\"environment\":\"dev\",\"command\":\"run\",\"run\":{{\"id\":{max},\"attempt\":{max}}},\"verdict\":\"passed\",\"finished\":\"9999-12-30T22:00:00Z\",\"reason\":\"] <b>x</b> @all\",\"run_url\":\"javascript:alert(1)\"}}]}}"
    );
    for body in [
        format!("{prefix}v1 !!!! -->\n"),
        format!("{prefix}v9 e30= -->\n"),
        prefix.clone(),
        format!("{}{prefix}v1 e30= -->\n", "x".repeat(60_000)),
        format!("{prefix}v1 {} -->\nhello", encode(&forged)),
    ] {
        github.state().comments.clear();
        github.state().comment(7, super::fake::ACTIONS_BOT, &body);
        let run = desk.tenantgate(&["run"]);
        let bodies: Vec<String> = github
            .state()
            .comments_of(7)
            .iter()
            .map(|it| it.body.chars().take(400).collect())
            .collect();
        eprintln!(
            "{} {bodies:#?} {:?}",
            run.code.unwrap(),
            run.check("publish.comment")
        );
    }
    panic!();
}
