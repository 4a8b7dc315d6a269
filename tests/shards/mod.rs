//! One environment's tenants, spread over several jobs.

mod jobs;
mod leases;
mod merge;
mod workflow;
