//! The GitHub Action and the workflows of this repository.

pub mod lint;
