//! tenantgate turns a multi-tenant deployment checklist into a gate.
//!
//! Values move one way, from settings to the exit code; no module imports a later one.

pub mod baseline;
pub mod cli;
pub mod database_url;
pub mod domain;
pub mod engine;
pub mod exit;
pub mod gate;
pub mod github;
pub mod lint;
pub mod merge;
pub mod migrations;
pub mod promotion;
pub mod prove;
pub mod publish;
pub mod report;
pub mod rollout;
pub mod rules;
pub mod run;
pub mod secrets;
pub mod settings;
pub mod snapshot;
pub mod tenants;
pub mod validate;

mod command;
mod init;
mod panic;
mod progress;

pub use command::main;
