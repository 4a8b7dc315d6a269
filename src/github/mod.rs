//! GitHub: what is asked of its API, and what a run leaves there.

pub mod check_run;
mod client;
pub mod comment;
pub mod event;
mod identity;
pub mod pulls;
pub mod secret_names;
pub mod status;

pub use client::{Client, GithubError, Patience};
