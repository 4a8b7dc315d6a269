//! One suite for all engines: the guarantees of the README, on each by its own means.

pub mod case;
mod guarantees;
mod honesty;
mod kills;
mod messages;
mod no_transaction;
mod queries;
