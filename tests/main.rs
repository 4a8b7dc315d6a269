//! The integration tests: one crate, so that they are linked once. Each area is a folder.
//!
//! They need servers, which `tests/run` starts; without them they fail, none is skipped.

#![allow(clippy::unwrap_used, reason = "a test that is surprised should panic")]
#![allow(unreachable_pub, reason = "nothing outside this crate reads it")]

mod action;
mod attack;
mod bad_input;
mod cli;
mod database_url;
mod docs;
mod engine;
mod github;
mod harness;
mod init;
mod leaks;
mod lint;
mod rows;
mod servers;
mod shards;
