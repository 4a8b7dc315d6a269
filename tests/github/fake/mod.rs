//! A fake of GitHub's REST API that keeps state and enforces GitHub's limits.
//!
//! It is a real HTTP server on a free port of 127.0.0.1 with threads of its own, so that tests may
//! block. It knows one repository, `acme/shop`. What it enforces: authentication, the permissions of
//! each token (a 403 with `X-Accepted-GitHub-Permissions`), primary and secondary rate limits,
//! pagination, the lengths of bodies and descriptions, locked pull requests, `required_contexts`,
//! `auto_merge` and `auto_inactive` of deployments. Every request, and every answer of its own, is
//! checked against GitHub's published description; a request that is not as described gets a 422,
//! and when the [`Fake`] is dropped the test fails with it (see [`Fake::violations`]).
//!
//! ```ignore
//! let github = Fake::start();
//! let token = github.token(Permissions::job());            // acts as github-actions[bot]
//! github.state().pull_request(7, &sha("head")).locked = true;
//! github.state().comment(7, "mallory", "<!-- a marker that is not ours -->");
//! github.fault(Fault::status(502).on("POST", "issues/*/comments").after_work());
//!
//! let mut project = Project::new();
//! github.actions(&mut project, &token, &Event::pull_request(7));
//! project.tenantgate(&["run", "--environment", "dev"]).assert_code(0);
//!
//! assert_eq!(github.state().comments_of(7).len(), 2);
//! assert_eq!(github.requests_to("POST", "issues/*/comments").len(), 1);
//! ```
//!
//! [`Fake::state`] is a lock: let go of it (end of the statement) before the next request.

#![allow(dead_code, reason = "not every part has a user at every commit")]

mod call;
mod commits;
mod deployments;
mod events;
mod faults;
mod graphql;
mod http;
mod issues;
mod openapi;
mod pulls;
mod routes;
mod secrets;
mod selftest;
mod server;
mod state;

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tenantgate::domain::Secret;
use tenantgate::settings::Actions;

#[allow(unused_imports, reason = "as above")]
pub use self::{
    events::Event,
    faults::Fault,
    http::Request,
    state::{
        Branch, CheckRun, Comment, CommitStatus, Deployment, DeploymentStatus, Level, Permissions,
        PullRequest, State, Token, sha,
    },
};

use self::server::Shared;

/// The login of every GITHUB_TOKEN.
pub const ACTIONS_BOT: &str = "github-actions[bot]";

/// Dropped, it ends, and panics where a request was not as GitHub describes.
pub struct Fake {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Fake {
    /// As `api.github.com`: the API is at the root.
    pub fn start() -> Self {
        Self::with_prefix("")
    }

    /// As a GitHub Enterprise Server: the API is below `/api/v3`.
    pub fn enterprise() -> Self {
        Self::with_prefix("/api/v3")
    }

    fn with_prefix(prefix: &'static str) -> Self {
        let (shared, address) = server::start(prefix);
        Self { shared, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The API's base URL, as in GITHUB_API_URL.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.prefix)
    }

    /// As in GITHUB_SERVER_URL.
    pub fn server_url(&self) -> String {
        format!("http://{}", self.address)
    }

    // --- who may ---

    /// A new GITHUB_TOKEN with these permissions: 1,000 requests an hour.
    pub fn token(&self, permissions: Permissions) -> String {
        self.token_of(ACTIONS_BOT, permissions)
    }

    /// A new token of a person, or of an App (`name[bot]`).
    pub fn token_of(&self, login: &str, permissions: Permissions) -> String {
        let mut state = self.state();
        let number = state.tokens.len();
        let name = format!("ghs_{}{number}", &sha(&format!("{login} {number}"))[..35]);
        let token = Token {
            login: login.to_owned(),
            permissions,
            limit: 1000,
            remaining: 1000,
            reset: state.now() + SignedDuration::from_secs(3600),
            ..Token::default()
        };
        state.tokens.insert(name.clone(), token);
        name
    }

    /// Leaves a token so many requests, until so many seconds from now.
    pub fn rate_limit(&self, token: &str, remaining: u64, reset_in: i64) {
        let mut state = self.state();
        let reset = state.now() + SignedDuration::from_secs(reset_in);
        let token = state.tokens.get_mut(token).unwrap();
        (token.remaining, token.reset) = (remaining, reset);
    }

    // --- what there is ---

    /// Locked until it is dropped: the server waits. A test that holds it twice is told so.
    #[track_caller]
    pub fn state(&self) -> MutexGuard<'_, State> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match self.shared.state.try_lock() {
                Ok(state) => return state,
                Err(TryLockError::Poisoned(state)) => return state.into_inner(),
                Err(TryLockError::WouldBlock) if Instant::now() > end => {
                    panic!("another state() of this test is still held");
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// An open pull request from a branch of the repository itself.
    pub fn pull_request(&self, number: u64, head_sha: &str) {
        self.state().pull_request(number, head_sha);
    }

    /// Moves GitHub's clock against ours.
    pub fn advance(&self, by: SignedDuration) {
        self.state().clock += by;
    }

    pub fn now(&self) -> Timestamp {
        self.state().now()
    }

    // --- what goes wrong ---

    /// Queued: of several that match, the one added first.
    pub fn fault(&self, fault: Fault) {
        self.shared.faults.lock().unwrap().push(fault);
    }

    pub fn clear_faults(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    // --- what was asked ---

    /// All requests that came, refused and broken ones too; paths without the base URL's prefix.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Those of a method to paths with this end, where `*` is one segment.
    pub fn requests_to(&self, method: &str, route: &str) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| {
            request.method == method && faults::path_ends(&request.path, route.trim_matches('/'))
        });
        requests
    }

    /// `POST /repos/acme/shop/issues/7/comments` and so on: for snapshots.
    pub fn trace(&self) -> Vec<String> {
        let line = |request: &Request| format!("{} {}", request.method, request.path);
        self.requests().iter().map(line).collect()
    }

    pub fn forget_requests(&self) {
        self.shared.requests.lock().unwrap().clear();
    }

    /// What was asked or answered against GitHub's description; taken: the test does not fail for it.
    pub fn violations(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.violations.lock().unwrap())
    }

    // --- the program's side ---

    /// What a job's step would know, for tests that call the library.
    pub fn settings(&self, token: &str) -> Actions {
        Actions {
            api_url: self.url(),
            server_url: self.server_url(),
            repository: self.state().repository.clone(),
            token: Some(Secret::new(token)),
            run_id: 1,
            run_attempt: 1,
            ..Actions::default()
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        drop(TcpStream::connect(self.address));
        let violations = self.violations();
        if !violations.is_empty() && !thread::panicking() {
            panic!("not as GitHub describes its API:\n{}", violations.join("\n"));
        }
    }
}
