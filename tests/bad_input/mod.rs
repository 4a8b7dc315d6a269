//! Bad input: a clear message (what, where, what to do), the right exit code, nothing half done.

mod config;
mod failing;
mod migrations;
mod output;
mod pooler;
mod registry;
mod server;
mod tenants;

use crate::harness::{Desk, Run};

/// Runs, and asserts that everything in the databases is as before.
#[track_caller]
fn untouched(desk: &Desk, arguments: &[&str]) -> Run {
    let before = desk.everything();
    let run = desk.tenantgate(arguments);
    assert_eq!(desk.everything(), before, "{:?}: {}", desk.server(), run.stdout);
    run
}

/// Asserts that the text for people has all of these.
#[track_caller]
fn assert_says(run: &Run, words: &[&str]) {
    let told = format!("{}{}", run.stdout, run.stderr);
    // Lines are broken where they are long.
    let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "it does not say {word:?}:\n{told}");
    }
}
