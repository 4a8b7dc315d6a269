//! GitHub: what is asked of its API, and what a run leaves there.

mod client;

pub use client::{Client, GithubError, Patience};
