//! Short in the usual suite, long in `tests/run --soak`, and the figures that the long form prints.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

/// The file that figures are added to; set where the tests are to take their time.
const VARIABLE: &str = "TENANTGATE_TEST_SOAK";

/// How often: in the usual suite, and in the long one.
pub fn times(short: usize, long: usize) -> usize {
    if env::var_os(VARIABLE).is_some() {
        long
    } else {
        short
    }
}

/// Counts what one test did of a scenario, and tells it when it is dropped.
pub struct Tally {
    scenario: String,
    begun: Instant,
    blows: usize,
    reruns: usize,
    slowest: Duration,
}

impl Tally {
    pub fn of(scenario: impl Into<String>) -> Self {
        Self {
            scenario: scenario.into(),
            begun: Instant::now(),
            blows: 0,
            reruns: 0,
            slowest: Duration::ZERO,
        }
    }

    /// A kill, a cut, a round.
    pub fn blow(&mut self) {
        self.blows += 1;
    }

    pub fn blows(&self) -> usize {
        self.blows
    }

    /// A rerun that put things right, and how long it took.
    pub fn rerun(&mut self, took: Duration) {
        self.reruns += 1;
        self.slowest = self.slowest.max(took);
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Some(file) = env::var_os(VARIABLE) else {
            return;
        };
        let line = format!(
            "{}\t{}\t{}\t{:.1}\t{:.1}\n",
            self.scenario,
            self.blows,
            self.reruns,
            self.slowest.as_secs_f64(),
            self.begun.elapsed().as_secs_f64()
        );
        let file = OpenOptions::new().create(true).append(true).open(file);
        // One write, so that tests at once do not mix their lines.
        drop(file.and_then(|mut file| file.write_all(line.as_bytes())));
    }
}
