//! What the fake GitHub knows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Everything, open to tests for setting up and for looking.
#[derive(Debug)]
pub struct State {
    /// `owner/name`
    pub repository: String,
    pub default_branch: String,
    pub private: bool,
    /// GitHub's clock minus ours.
    pub clock: SignedDuration,
    pub tokens: BTreeMap<String, Token>,
    pub commits: BTreeSet<String>,
    pub branches: BTreeMap<String, Branch>,
    pub pulls: Vec<PullRequest>,
    /// All repositories' issue comments, oldest first.
    pub comments: Vec<Comment>,
    /// Oldest first.
    pub statuses: Vec<CommitStatus>,
    pub check_runs: Vec<CheckRun>,
    /// Oldest first.
    pub deployments: Vec<Deployment>,
    /// Of all deployments, oldest first.
    pub deployment_statuses: Vec<DeploymentStatus>,
    /// Environments with the names of their secrets; an environment that is no key does not exist.
    pub environment_secrets: BTreeMap<String, Vec<String>>,
    pub environment_variables: BTreeMap<String, Vec<String>>,
    pub repository_secrets: Vec<String>,
    /// Those that the repository may use.
    pub organization_secrets: Vec<String>,
    pub repository_variables: Vec<String>,
    /// Those that the repository may use.
    pub organization_variables: Vec<String>,
    /// Members by a team's slug.
    pub teams: BTreeMap<String, Vec<String>>,
    /// Content creations that a token may do in a minute and in an hour, as GitHub's secondary limits
    /// say: 80 and 500. A test of many runs raises them.
    pub content_limits: (usize, usize),
    next_id: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Token {
    /// Who acts with it.
    pub login: String,
    pub permissions: Permissions,
    /// Requests in an hour, those that are left, and when they are renewed.
    pub limit: u64,
    pub remaining: u64,
    pub reset: Timestamp,
    pub(super) created: Vec<Timestamp>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    #[default]
    None,
    Read,
    Write,
}

/// What a token may do; reading the repository itself is always allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    pub contents: Level,
    pub issues: Level,
    pub pull_requests: Level,
    pub statuses: Level,
    pub checks: Level,
    pub deployments: Level,
    /// No GITHUB_TOKEN can have this one or those below it.
    pub environments: Level,
    pub secrets: Level,
    pub variables: Level,
    pub members: Level,
}

impl Permissions {
    /// What the documentation tells a job to have.
    pub fn job() -> Self {
        Self {
            contents: Level::Read,
            pull_requests: Level::Write,
            statuses: Level::Write,
            checks: Level::Write,
            deployments: Level::Write,
            ..Self::default()
        }
    }

    /// What a pull request from a fork gets.
    pub fn fork() -> Self {
        Self {
            contents: Level::Read,
            issues: Level::Read,
            pull_requests: Level::Read,
            statuses: Level::Read,
            checks: Level::Read,
            deployments: Level::Read,
            ..Self::default()
        }
    }

    /// An App's or a person's token that may do everything.
    pub fn all() -> Self {
        Self {
            issues: Level::Write,
            environments: Level::Read,
            secrets: Level::Read,
            variables: Level::Read,
            members: Level::Read,
            ..Self::job()
        }
    }

    pub(super) fn level(&self, name: &str) -> Level {
        match name {
            "contents" => self.contents,
            "issues" => self.issues,
            "pull_requests" => self.pull_requests,
            "statuses" => self.statuses,
            "checks" => self.checks,
            "deployments" => self.deployments,
            "environments" => self.environments,
            "secrets" => self.secrets,
            "actions_variables" => self.variables,
            "members" => self.members,
            "metadata" => Level::Read,
            _ => panic!("no permission {name}"),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Branch {
    pub sha: String,
    /// The default branch has commits that it lacks: `auto_merge` of a deployment bites.
    pub behind: bool,
}

#[derive(Debug, Clone)]
pub struct PullRequest {
    pub number: u64,
    pub title: String,
    pub author: String,
    pub head_sha: String,
    pub head_ref: String,
    /// `owner/name`; None: the fork was deleted.
    pub head_repository: Option<String>,
    pub base_ref: String,
    pub base_sha: String,
    /// Its commits, the head among them.
    pub commits: Vec<String>,
    pub closed: bool,
    /// The commit on the base branch.
    pub merged: Option<String>,
    pub locked: bool,
    pub draft: bool,
}

impl PullRequest {
    /// `refs/pull/N/merge` points at it.
    pub fn merge_ref_sha(&self) -> String {
        sha(&format!("merge of {}", self.head_sha))
    }
}

#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    /// Of the pull request or issue.
    pub number: u64,
    pub author: String,
    pub body: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub edits: usize,
}

#[derive(Debug, Clone)]
pub struct CommitStatus {
    pub id: u64,
    pub sha: String,
    pub state: String,
    pub context: String,
    pub description: Option<String>,
    pub target_url: Option<String>,
    pub creator: String,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct CheckRun {
    pub id: u64,
    pub head_sha: String,
    pub creator: String,
    pub created_at: Timestamp,
    /// What was sent, later values over earlier ones; `output` without annotations.
    pub content: Value,
    pub annotations: Vec<Value>,
}

#[derive(Debug, Clone)]
pub struct Deployment {
    pub id: u64,
    pub sha: String,
    pub git_ref: String,
    pub task: String,
    pub environment: String,
    pub payload: Value,
    pub description: Option<String>,
    pub creator: String,
    pub production: bool,
    pub transient: bool,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct DeploymentStatus {
    pub id: u64,
    pub deployment: u64,
    pub state: String,
    pub description: String,
    pub environment: String,
    pub log_url: String,
    pub environment_url: String,
    pub creator: String,
    pub created_at: Timestamp,
}

impl State {
    pub(super) fn new() -> Self {
        let mut state = Self {
            repository: "acme/shop".to_owned(),
            default_branch: "main".to_owned(),
            private: true,
            clock: SignedDuration::ZERO,
            tokens: BTreeMap::new(),
            commits: BTreeSet::new(),
            branches: BTreeMap::new(),
            pulls: Vec::new(),
            comments: Vec::new(),
            statuses: Vec::new(),
            check_runs: Vec::new(),
            deployments: Vec::new(),
            deployment_statuses: Vec::new(),
            environment_secrets: BTreeMap::new(),
            environment_variables: BTreeMap::new(),
            repository_secrets: Vec::new(),
            organization_secrets: Vec::new(),
            repository_variables: Vec::new(),
            organization_variables: Vec::new(),
            teams: BTreeMap::new(),
            content_limits: (80, 500),
            next_id: 1000,
        };
        state.branch("main", &sha("main"));
        state
    }

    pub fn owner(&self) -> &str {
        self.repository.split_once('/').unwrap().0
    }

    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// By GitHub's clock, in whole seconds as its dates are.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now() + self.clock;
        Timestamp::from_second(now.as_second()).unwrap()
    }

    // --- setting up ---

    /// A commit that is pushed; returns it.
    pub fn commit(&mut self, sha: &str) -> String {
        self.commits.insert(sha.to_owned());
        sha.to_owned()
    }

    /// A branch, with its commit.
    pub fn branch(&mut self, name: &str, sha: &str) {
        self.commit(sha);
        let branch = Branch {
            sha: sha.to_owned(),
            behind: false,
        };
        self.branches.insert(name.to_owned(), branch);
    }

    /// An open pull request from a branch of this repository; change what it returns.
    pub fn pull_request(&mut self, number: u64, head_sha: &str) -> &mut PullRequest {
        let head_ref = format!("feature-{number}");
        self.branch(&head_ref, head_sha);
        let pull = PullRequest {
            number,
            title: format!("Change {number}"),
            author: "ann".to_owned(),
            head_sha: head_sha.to_owned(),
            head_ref,
            head_repository: Some(self.repository.clone()),
            base_ref: self.default_branch.clone(),
            base_sha: self.branches[&self.default_branch].sha.clone(),
            commits: vec![head_sha.to_owned()],
            closed: false,
            merged: None,
            locked: false,
            draft: false,
        };
        self.commit(&pull.merge_ref_sha());
        self.pulls.push(pull);
        self.pulls.last_mut().unwrap()
    }

    /// Merges a pull request; returns the new commit of its base branch.
    pub fn merge(&mut self, number: u64) -> String {
        let commit = sha(&format!("pull request {number} on its base"));
        let position = self.pulls.iter().position(|pull| pull.number == number);
        let pull = &mut self.pulls[position.expect("the pull request is known")];
        pull.closed = true;
        pull.merged = Some(commit.clone());
        let base = pull.base_ref.clone();
        self.branch(&base, &commit);
        commit
    }

    pub fn comment(&mut self, number: u64, author: &str, body: &str) -> u64 {
        let comment = Comment {
            id: self.next_id(),
            number,
            author: author.to_owned(),
            body: body.to_owned(),
            created_at: self.now(),
            updated_at: self.now(),
            edits: 0,
        };
        self.comments.push(comment);
        self.next_id
    }

    /// A deployment by anybody, with its states, oldest first; returns its id.
    pub fn deployment(
        &mut self,
        environment: &str,
        sha: &str,
        creator: &str,
        payload: Value,
        states: &[&str],
    ) -> u64 {
        self.commit(sha);
        let id = self.next_id();
        self.deployments.push(Deployment {
            id,
            sha: sha.to_owned(),
            git_ref: sha.to_owned(),
            task: "tenantgate".to_owned(),
            environment: environment.to_owned(),
            payload,
            description: None,
            creator: creator.to_owned(),
            production: environment == "production",
            transient: false,
            created_at: self.now(),
        });
        for state in states {
            self.deployment_status(id, state, creator);
        }
        id
    }

    pub fn deployment_status(&mut self, deployment: u64, state: &str, creator: &str) -> u64 {
        let of = self.deployments.iter().find(|known| known.id == deployment);
        let environment = of.unwrap().environment.clone();
        let status = DeploymentStatus {
            id: self.next_id(),
            deployment,
            state: state.to_owned(),
            description: String::new(),
            environment,
            log_url: String::new(),
            environment_url: String::new(),
            creator: creator.to_owned(),
            created_at: self.now(),
        };
        self.deployment_statuses.push(status);
        self.next_id
    }

    pub fn status(&mut self, sha: &str, context: &str, state: &str, creator: &str) -> u64 {
        self.commit(sha);
        let status = CommitStatus {
            id: self.next_id(),
            sha: sha.to_owned(),
            state: state.to_owned(),
            context: context.to_owned(),
            description: None,
            target_url: None,
            creator: creator.to_owned(),
            created_at: self.now(),
        };
        self.statuses.push(status);
        self.next_id
    }

    // --- looking ---

    pub fn pull(&self, number: u64) -> Option<&PullRequest> {
        self.pulls.iter().find(|pull| pull.number == number)
    }

    pub fn comments_of(&self, number: u64) -> Vec<&Comment> {
        let comments = self.comments.iter();
        comments.filter(|comment| comment.number == number).collect()
    }

    /// The newest status of each context.
    pub fn latest_statuses(&self, sha: &str) -> Vec<&CommitStatus> {
        let mut seen = BTreeSet::new();
        let newest_first = self.statuses.iter().rev().filter(|status| status.sha == sha);
        newest_first
            .filter(|status| seen.insert(&status.context))
            .collect()
    }

    /// Oldest first.
    pub fn statuses_of(&self, deployment: u64) -> Vec<&DeploymentStatus> {
        let statuses = self.deployment_statuses.iter();
        statuses
            .filter(|status| status.deployment == deployment)
            .collect()
    }

    /// The commit of a branch or of its own name, also as `refs/heads/…`.
    pub fn resolve(&self, git_ref: &str) -> Option<String> {
        let name = git_ref.strip_prefix("refs/").unwrap_or(git_ref);
        let name = name.strip_prefix("heads/").unwrap_or(name);
        if let Some(branch) = self.branches.get(name) {
            return Some(branch.sha.clone());
        }
        self.commits.get(git_ref).cloned()
    }
}

/// A commit hash made from a name.
pub fn sha(name: &str) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(name.as_bytes());
    digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

/// The members of `owner` or `creator` that differ from person to person.
pub(super) fn user(login: &str) -> Value {
    let bot = login.ends_with("[bot]");
    let id = if login == "github-actions[bot]" {
        41_898_282
    } else {
        u64::from_str_radix(&sha(login)[..6], 16).unwrap()
    };
    json!({ "login": login, "id": id, "type": if bot { "Bot" } else { "User" } })
}
