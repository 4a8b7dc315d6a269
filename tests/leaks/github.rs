//! What goes to GitHub: comment, status, check run, deployment, annotations, summary, outputs.

use super::scene::{KEY, PASSWORD, Scene};
use crate::github::fake::{Event, Fake, Permissions, sha};
use crate::harness::Server;

const TOKEN_LOGIN: &str = "github-actions[bot]";

/// A marked project as a step of a job; its evidence goes to GitHub, signed.
fn scene(github: &Fake, server: Server) -> Scene {
    github.pull_request(7, &sha("head"));
    let mut scene = Scene::new(server);
    // A workflow's log is no place for a new key.
    scene.desk.remove_env("GITHUB_ACTIONS");
    let signing = scene.desk.tenantgate(&["keygen"]).stdout.trim().to_owned();
    let replaced = ("evidence = \"evidence\"", "store = \"github\"");
    scene.desk.replace("tenantgate.toml", replaced.0, replaced.1);
    let token = github.token_of(TOKEN_LOGIN, Permissions::job());
    github.actions(&mut scene.desk, &token, &Event::pull_request(7));
    scene.desk.env("TENANTGATE_SIGNING_KEY", &signing);
    scene.detector.add("GITHUB_TOKEN", &token);
    // What stands before it is public: what it is, and its id.
    let (_, secret) = signing.rsplit_once(':').unwrap();
    scene.detector.add("TENANTGATE_SIGNING_KEY", secret);
    scene
}

/// Everything that GitHub was sent but the one header that is for it.
fn assert_nothing_told(github: &Fake, scene: &Scene, when: &str) {
    assert!(!github.requests().is_empty(), "{when}: GitHub was told nothing");
    for request in github.requests() {
        let mut told = format!(
            "{} {} {:?}\n{}",
            request.method, request.path, request.query, request.body
        );
        for (name, value) in &request.headers {
            if name != "authorization" {
                told.push_str(&format!("\n{name}: {value}"));
            }
        }
        // A comment's state and evidence are base64 within JSON, so they are searched decoded too.
        for text in request
            .body
            .as_object()
            .into_iter()
            .flat_map(|body| body.values())
        {
            told.push_str(&format!("\n{}", text.as_str().unwrap_or_default()));
        }
        if let Some(leak) = scene.detector.find(told.as_bytes()) {
            panic!("{when}: GitHub was told {leak}:\n{told}");
        }
    }
}

#[test]
fn runs_that_pass_and_runs_that_are_blocked() {
    for server in [Server::Sqlite, Server::Postgres, Server::Mariadb] {
        let github = Fake::start();
        let mut scene = scene(&github, server);
        for (number, command) in ["plan", "run", "validate", "check", "promote", "migrate"]
            .iter()
            .enumerate()
        {
            scene.desk.env("GITHUB_RUN_ID", (number + 1).to_string());
            scene
                .run(&[command, "--check-run", "always", "--format", "github"])
                .assert_code(0);
        }
        assert_eq!(github.state().deployments.len(), 1);
        assert_nothing_told(&github, &scene, "passing");

        // Errors of the server quote the migration, and the migration quotes secrets.
        let quoted = |text: &str| text.replace('\'', "''");
        scene.desk.tenant(
            "0003_broken.sql",
            &format!(
                "CREATE TABLE broken (a int);\nSELECT '{}' '{}' FROM nowhere WHERE {KEY};\n",
                quoted(KEY),
                quoted(PASSWORD)
            ),
        );
        scene.desk.env("GITHUB_RUN_ID", "11");
        let run = scene.run(&["run", "--check-run", "always", "--format", "github"]);
        run.assert_code(1);
        scene.spoil_secrets();
        scene.desk.env("GITHUB_RUN_ID", "12");
        scene
            .run(&["run", "--check-run", "always", "--format", "github"])
            .assert_code(1);
        assert_nothing_told(&github, &scene, "blocked");
        assert_eq!(github.state().comments_of(7).len(), 1);
    }
}

#[test]
fn what_github_answers_is_not_repeated_with_a_token_in_it() {
    let github = Fake::start();
    let mut scene = scene(&github, Server::Sqlite);
    let token = github.token_of(TOKEN_LOGIN, Permissions::job());
    scene.detector.add("GITHUB_TOKEN", &token);
    scene.desk.env("GITHUB_TOKEN", &token);
    let body = serde_json::json!({ "message": format!("bad token {token} and key {KEY}") }).to_string();
    github.fault(crate::github::fake::Fault::body(body.as_bytes()).for_ever());
    let run = scene.run(&["run", "--format", "github"]);
    assert!(matches!(run.code, Some(0)), "{:?}", run.code);
}

/// The test would notice.
#[test]
#[should_panic(expected = "GitHub was told DEV_KEY")]
fn a_leak_to_github_is_noticed() {
    let github = Fake::start();
    let scene = scene(&github, Server::Sqlite);
    scene.desk.tenantgate(&["run"]).assert_code(0);
    let address = github.address();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    use std::io::{Read as _, Write as _};
    let body = serde_json::json!({ "body": format!("oops {KEY}") }).to_string();
    let head = format!(
        "POST /repos/acme/shop/issues/7/comments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    // The first byte of the answer: by then the request is on the list.
    let _ = stream.read(&mut [0; 1]);
    github.violations();
    assert_nothing_told(&github, &scene, "planted");
}
