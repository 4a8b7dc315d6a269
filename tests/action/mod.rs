//! The GitHub Action and the workflows of this repository.

mod inputs;
mod install;
pub mod lint;
mod mirror;
mod step;
