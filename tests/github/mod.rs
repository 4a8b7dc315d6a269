//! GitHub: a fake of its API, and what is left there when everything goes wrong.

mod cancelled;
pub mod evidence;
pub mod fake;
mod gate;
mod hostile;
mod limits;
mod network;
mod proxy;
mod publish;
mod redirects;

use std::time::{Duration, Instant};

use tenantgate::github::{Client, GithubError, Patience};

use fake::{Fake, Permissions, sha};

/// For tests: everything is over within seconds.
const HASTY: Patience = Patience {
    request: Duration::from_millis(1200),
    pause: Duration::from_millis(10),
    repetitions: 3,
    limit_pause: Duration::from_millis(300),
    waiting: Duration::from_secs(6),
};

/// Carries out a future as the program does: on one thread, and in one runtime for the whole test,
/// because a client lives in that of its first request.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Pull request 7, and a client that may do what a job may.
fn scene() -> (Fake, Client) {
    scene_with(Fake::start(), Permissions::job())
}

fn scene_with(github: Fake, permissions: Permissions) -> (Fake, Client) {
    let token = github.token(permissions);
    github.pull_request(7, &sha("head"));
    let client = Client::with_patience(&github.settings(&token), HASTY).unwrap();
    (github, client)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (work(), began.elapsed())
}

/// As a person would read it.
fn said(error: &GithubError) -> String {
    format!("{error}\n  {}", error.hint().unwrap_or_default())
}
