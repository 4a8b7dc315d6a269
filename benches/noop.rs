//! How long a whole no-op run of the quickstart takes, process start to exit.
//!
//!     cargo bench --bench noop
//!
//! Prints minimum, median and maximum over the runs. The bar is 100 ms for the median.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark talks to whoever started it"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 40;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = || {
        let begun = Instant::now();
        let status = Command::new(env!("CARGO_BIN_EXE_tenantgate"))
            .args([
                "run",
                "--config",
                "fixtures/quickstart/tenantgate.toml",
                "--environment",
                "dev",
            ])
            .current_dir(root)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
        begun.elapsed()
    };
    // The first may have work to do.
    run();
    let mut took: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    took.sort();
    let size = std::fs::metadata(env!("CARGO_BIN_EXE_tenantgate")).unwrap().len() as f64 / 1e6;
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    println!(
        "no-op run, {RUNS} times: min {:.1} ms, median {:.1} ms, max {:.1} ms; binary {size:.1} MB",
        ms(took[0]),
        ms(took[RUNS / 2]),
        ms(took[RUNS - 1])
    );
}
