//! One suite for all engines: the guarantees of the README, on each by its own means.

mod baseline;
pub mod case;
mod down;
mod guarantees;
mod honesty;
mod kills;
mod no_transaction;
mod queries;
mod rollout;
