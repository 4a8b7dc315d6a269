//! How long the action takes before the gate begins, with the program in the tool cache.
//!
//!     cargo bench --bench action
//!
//! A step whose program does nothing but print a schema, from the start of the shell to its end: an
//! upper bound of what comes before. Prints minimum, median and maximum over the runs. The bar is 1 s
//! for the median.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark talks to whoever started it"
)]
#![allow(dead_code, unreachable_pub, reason = "the tests use the rest")]

#[path = "../tests/action/mirror.rs"]
mod mirror;
#[path = "../tests/action/step.rs"]
mod step;

use std::time::{Duration, Instant};

use mirror::Release;
use step::Step;

const RUNS: usize = 20;

fn main() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_tenantgate")).unwrap();
    let release = Release::of(&program);
    let mut step = Step::new(&release);
    step.with("command", "schema")
        .with("args", "config")
        .with("format", "json");
    // The first one downloads.
    let first = timed(&step);
    assert_eq!(release.requests().len(), 1);
    let mut took: Vec<Duration> = (0..RUNS).map(|_| timed(&step)).collect();
    assert!(release.requests().is_empty());
    took.sort();
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "cached start, {RUNS} times: min {:.0} ms, median {:.0} ms, max {:.0} ms; with the download from this \
         machine {:.0} ms; program {:.1} MB",
        ms(took[0]),
        ms(took[RUNS / 2]),
        ms(took[RUNS - 1]),
        ms(first),
        program.len() as f64 / 1e6
    );
}

fn timed(step: &Step<'_>) -> Duration {
    let begun = Instant::now();
    let ended = step.run();
    let took = begun.elapsed();
    ended.assert_code(0);
    took
}
