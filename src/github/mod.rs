//! GitHub: what is asked of its API, and what a run leaves there.

mod client;
pub mod comment;
pub mod event;
mod graphql;
mod identity;
pub mod pulls;

pub use client::{Client, GithubError};
