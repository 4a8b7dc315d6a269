//! GitHub: what is asked of its API, and what a run leaves there.

pub mod check_run;
mod client;
pub mod comment;
mod deployments;
pub mod event;
mod identity;
pub mod pulls;
pub mod secret_names;
pub mod status;
mod teams;

pub use client::{Client, GithubError, Patience};
pub use deployments::DeploymentStore;
pub use teams::is_member;
