//! The GitHub Action and the workflows of this repository.

mod executor;
mod inputs;
mod install;
pub mod lint;
mod mirror;
mod step;
mod workflows;
