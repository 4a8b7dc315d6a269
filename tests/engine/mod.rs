//! One suite for all engines: the guarantees of the README, on each by its own means.

mod baseline;
mod batch;
mod batch_keys;
pub mod case;
mod concurrently;
mod crowd;
mod cuts;
mod down;
mod drift;
mod faults;
mod guarantees;
mod honesty;
mod kills;
mod messages;
mod model;
mod no_transaction;
mod progress;
mod queries;
mod readers;
mod refused;
mod rollout;
mod server_kills;
mod statements;
mod storm;
mod taken_back;
mod takeover;
mod waves;
