//! GitHub: what is asked of its API, and what a run leaves there.

mod client;
mod deployments;
mod teams;

pub use client::{Client, GithubError, Patience};
pub use deployments::DeploymentStore;
pub use teams::is_member;
