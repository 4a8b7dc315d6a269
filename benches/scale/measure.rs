//! Times and peaks, and what is in the middle of several.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// One run of a program.
pub struct Measured {
    pub wall: Duration,
    /// Highest resident memory (Linux: VmHWM, looked at every 5 ms), in MB.
    pub peak: f64,
    pub code: Option<i32>,
    pub output: String,
}

impl Measured {
    pub fn assert_passed(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.output);
        self
    }
}

pub fn run(mut command: Command) -> Measured {
    let output = tempfile::NamedTempFile::new().unwrap();
    let file = || Stdio::from(output.as_file().try_clone().unwrap());
    command.stdin(Stdio::null()).stdout(file()).stderr(file());
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let status = format!("/proc/{}/status", child.id());
    let watch = thread::spawn(move || {
        let mut peak = 0.0;
        // The file's line goes when the process ends.
        while let Some(now) = high_water(&status) {
            peak = now;
            thread::sleep(Duration::from_millis(5));
        }
        peak
    });
    let ended = child.wait().unwrap();
    let wall = begun.elapsed();
    Measured {
        wall,
        peak: watch.join().unwrap(),
        code: ended.code(),
        output: fs::read_to_string(output.path()).unwrap_or_default(),
    }
}

fn high_water(status: &str) -> Option<f64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// Several of the same, in seconds.
#[derive(Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn add(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64());
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn median(&self) -> f64 {
        median(&self.0)
    }

    /// `1.234 s (1.200 to 1.300 of 3)`
    pub fn shown(&self) -> String {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(0.0, f64::max);
        format!(
            "{:.3} s ({least:.3} to {most:.3} of {})",
            self.median(),
            self.0.len()
        )
    }

    /// How many times as long as the other, pair by pair: the median of the pairs.
    pub fn over(&self, other: &Self) -> f64 {
        let pairs: Vec<f64> = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(one, other)| one / other)
            .collect();
        median(&pairs)
    }

    pub fn pairs(&self, other: &Self) -> String {
        let pairs = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(one, other)| format!("{:.2}", one / other));
        pairs.collect::<Vec<_>>().join(", ")
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        (values[middle - 1] + values[middle]) / 2.0
    }
}

/// One line: what, how much, and what it may be.
pub fn line(what: &str, figure: &str, bar: Option<&str>) {
    let bar = bar.map_or_else(String::new, |bar| format!("   [bar: {bar}]"));
    println!("{what:<48} {figure}{bar}");
}
