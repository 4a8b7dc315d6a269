//! What a run leaves on GitHub: the comment, the status, the check run; and what it asks before.

mod check_run;
mod comment;
mod pulls;
mod races;
mod refusals;
mod secret_names;
mod status;

use std::future::Future;
use std::time::Duration;

use tenantgate::domain::{
    Check, CheckDefinition, Digest, EnvironmentName, Finding, MigrationSetSummary, Report, SCHEMA_VERSION,
    Tool, Verdict,
};
use tenantgate::github::comment::{CommentError, LIMIT, Posted, Posting, upsert_at};
use tenantgate::github::{Client, Patience};
use tenantgate::report::comment::RunId;

use super::fake::{Fake, Permissions, sha};

pub const PULL: u64 = 7;
/// Long enough for two runs to meet, short enough for a hundred of them.
pub const PAUSE: Duration = Duration::from_millis(25);

/// Repetitions follow at once; nothing is timed out for a slow machine.
const HASTY: Patience = Patience {
    request: Duration::from_secs(20),
    pause: Duration::from_millis(5),
    repetitions: 3,
    limit_pause: Duration::from_millis(50),
    waiting: Duration::from_secs(10),
};

pub struct Scene {
    pub github: Fake,
    pub token: String,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    /// A repository with an open pull request, a job that may write, and no limits in the way.
    pub fn new() -> Self {
        Self::on(Fake::start())
    }

    pub fn on(github: Fake) -> Self {
        let token = github.token(Permissions::job());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let scene = Self {
            github,
            token,
            runtime,
        };
        scene.github.pull_request(PULL, &sha("head"));
        scene.github.state().content_limits = (100_000, 100_000);
        scene.unlimit();
        scene
    }

    /// Tokens that were made until now may ask as often as they like.
    pub fn unlimit(&self) {
        for token in self.github.state().tokens.values_mut() {
            (token.limit, token.remaining) = (1_000_000, 1_000_000);
        }
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    pub fn client(&self) -> Client {
        self.client_of(&self.token)
    }

    pub fn client_of(&self, token: &str) -> Client {
        Client::with_patience(&self.github.settings(token), HASTY).unwrap()
    }

    /// One run of an environment brings the comment up to it.
    pub fn post(&self, client: &Client, environment: &str, id: u64) -> Result<Posted, CommentError> {
        self.block_on(post(client, environment, id))
    }

    pub fn bodies(&self) -> Vec<String> {
        let state = self.github.state();
        state
            .comments_of(PULL)
            .iter()
            .map(|comment| comment.body.clone())
            .collect()
    }

    /// Those of the Actions bot.
    pub fn ours(&self) -> Vec<String> {
        let state = self.github.state();
        let comments = state.comments_of(PULL).into_iter();
        let ours = comments.filter(|comment| comment.author == super::fake::ACTIONS_BOT);
        ours.map(|comment| comment.body.clone()).collect()
    }

    pub fn writes(&self) -> usize {
        let writes = ["POST", "PATCH", "DELETE"];
        let requests = self.github.requests();
        let writes = requests
            .iter()
            .filter(|request| writes.contains(&request.method.as_str()));
        writes.filter(|request| request.path != "/graphql").count()
    }
}

pub async fn post(client: &Client, environment: &str, id: u64) -> Result<Posted, CommentError> {
    let report = report(environment, id);
    let environments = environments();
    let posting = Posting {
        report: &report,
        run: run(id),
        environments: &environments,
        limit: LIMIT,
    };
    upsert_at(client, PULL, posting, PAUSE).await
}

pub fn run(id: u64) -> RunId {
    RunId { id, attempt: 1 }
}

pub fn environments() -> Vec<EnvironmentName> {
    ["dev", "uat", "prod"].map(name).to_vec()
}

pub fn name(text: &str) -> EnvironmentName {
    EnvironmentName::parse(text).unwrap()
}

/// A run that found what its number says, so that its text is known from all others.
pub fn report(environment: &str, id: u64) -> Report {
    report_with(
        environment,
        id,
        vec![Finding::error(format!("{environment} failed in run {id}."))],
    )
}

pub fn report_with(environment: &str, id: u64, findings: Vec<Finding>) -> Report {
    let definition = CheckDefinition {
        id: "rollout.tenants",
        title: "every tenant was migrated",
    };
    let check = Check::answered(&definition, findings);
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "tenantgate".into(),
            version: "1.0.0".into(),
        },
        project: "shop".into(),
        command: "run".into(),
        environment: name(environment),
        verdict: if check.blocks() {
            Verdict::Blocked
        } else {
            Verdict::Passed
        },
        started_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        duration_ms: 1_234,
        commit: Some(sha("head")),
        run_url: Some(format!("https://github.com/acme/shop/actions/runs/{id}")),
        server: None,
        servers: Default::default(),
        dry_run: false,
        migration_set: Some(MigrationSetSummary {
            digest: Digest(format!("sha256:{}", "3f".repeat(32))),
            shared: 3,
            tenant: 39,
        }),
        checks: vec![check],
        tenants: None,
        outcomes: Vec::new(),
        plan: None,
        standings: None,
        promotion: None,
        overridden: None,
        schema: None,
        evidence: None,
    }
}
