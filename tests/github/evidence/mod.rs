//! Evidence in GitHub's deployments, by the real program: given what is there, may a change go on?

mod bad;
mod flow;
mod network;
mod overriding;
mod signed;

use serde_json::Value;
use tenantgate::domain::SigningKey;
use tenantgate::promotion::{Envelope, Evidence};

use super::fake::{ACTIONS_BOT, Event, Fake, Permissions, sha};
use crate::harness::{Project, Run};

/// The quickstart as a repository whose evidence is on GitHub.
struct Shop {
    github: Fake,
    project: Project,
}

impl Shop {
    fn new() -> Self {
        let shop = Self::with_permissions(Permissions::job());
        shop.promotion("");
        shop
    }

    fn with_permissions(permissions: Permissions) -> Self {
        let github = Fake::start();
        let mut project = Project::fixture("quickstart");
        let token = github.token(permissions);
        github.state().commit(&sha("dev"));
        github.actions(&mut project, &token, &Event::push("dev", &sha("dev")));
        Self { github, project }
    }

    /// Instead of the fixture's folder.
    fn promotion(&self, lines: &str) {
        let file = "tenantgate.toml";
        let text = self.project.read(file);
        let (before, rest) = text.split_once("[promotion]").unwrap();
        let (_, after) = rest.split_once("[expect").unwrap();
        self.project
            .write(file, &format!("{before}[promotion]\n{lines}\n[expect{after}"));
    }

    /// A demand on uat's predecessor.
    fn demand(&self, line: &str) {
        self.project.replace(
            "tenantgate.toml",
            "after = \"dev\"",
            &format!("after = \"dev\"\n{line}"),
        );
    }

    /// The next runs are of another commit, on the environment's branch.
    fn merge(&mut self, environment: &str) {
        let commit = sha(&format!("merge into {environment}"));
        self.github.state().branch(environment, &commit);
        self.project.env("GITHUB_SHA", commit);
        self.project
            .env("GITHUB_REF", format!("refs/heads/{environment}"));
    }

    fn run(&self, environment: &str) -> Run {
        self.project.tenantgate(&["run", "--environment", environment])
    }

    fn promote(&self, environment: &str) -> Run {
        self.project
            .tenantgate(&["promote", "--environment", environment])
    }

    /// The payload of the newest deployment.
    fn payload(&self) -> Value {
        self.github.state().deployments.last().unwrap().payload.clone()
    }

    /// The newest deployment is gone, and its evidence, changed and signed again, is in one of this
    /// creator with these states.
    fn replace(&self, forge: Forge<'_>) {
        let payload = self.payload();
        self.github.state().deployments.pop();
        self.add(&payload, forge);
    }

    fn add(&self, payload: &Value, forge: Forge<'_>) {
        let payload = match forge.change {
            Some(change) => {
                let mut evidence = Evidence::open(&payload.to_string(), &[]).unwrap().evidence;
                change(&mut evidence);
                serde_json::to_value(evidence.seal(forge.key).unwrap()).unwrap()
            }
            None => payload.clone(),
        };
        self.github.state().deployment(
            forge.environment,
            &sha("dev"),
            forge.creator,
            payload,
            forge.states,
        );
    }
}

struct Forge<'a> {
    environment: &'a str,
    creator: &'a str,
    states: &'a [&'a str],
    change: Option<&'a dyn Fn(&mut Evidence)>,
    key: Option<&'a SigningKey>,
}

impl Default for Forge<'_> {
    fn default() -> Self {
        Self {
            environment: "dev",
            creator: ACTIONS_BOT,
            states: &["in_progress", "success"],
            change: None,
            key: None,
        }
    }
}

/// The first finding of the check, with its hint.
#[track_caller]
fn finding(run: &Run, check: &str) -> String {
    let finding = &run.check(check)["findings"][0];
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    format!("{}\n{}", text("message"), text("hint"))
}

/// Blocked by the evidence alone, and saying so.
#[track_caller]
fn assert_shut(run: &Run, words: &[&str]) {
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["promotion.evidence"]);
    let finding = finding(run, "promotion.evidence");
    for word in words {
        assert!(finding.contains(word), "{word:?} is not in: {finding}");
    }
}

fn envelope(payload: &Value) -> Envelope {
    Envelope::parse(&payload.to_string()).unwrap()
}
