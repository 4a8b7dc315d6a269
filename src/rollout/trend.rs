//! How fast this rollout was next to the ones before it. Pure.

use std::time::Duration;

use crate::domain::Finding;
use crate::domain::words::count;

/// What one rollout did, as the ledger keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed {
    /// Applied, over all tenants.
    pub migrations: u64,
    pub took: Duration,
}

impl Speed {
    fn each(self) -> f64 {
        self.took.as_secs_f64() / self.migrations.max(1) as f64
    }
}

/// So many rollouts before this one are compared with.
pub const COMPARED: usize = 5;
/// Fewer say nothing.
const ENOUGH: usize = 3;
/// Shorter ones are all beginning and end.
const LONG_ENOUGH: Duration = Duration::from_secs(2);
const WORTH_A_WARNING: Duration = Duration::from_secs(10);
/// Times slower than usual.
const NOTED: f64 = 1.5;
const WARNED: f64 = 3.0;

/// `3.2 times slower than the last five: 1200 migrations in 34 s, 28 ms each (usually 9 ms)`
pub fn trend(now: Speed, before: &[Speed]) -> Option<Finding> {
    if before.len() < ENOUGH || now.took < LONG_ENOUGH || now.migrations == 0 {
        return None;
    }
    let mut usual: Vec<f64> = before.iter().take(COMPARED).map(|it| it.each()).collect();
    usual.sort_by(f64::total_cmp);
    let median = usual[usual.len() / 2].max(1e-6);
    let times = now.each() / median;
    if times < NOTED {
        return None;
    }
    let message = format!(
        "{times:.1} times slower than the last {}: {} in {:.0} s, {} each, usually {}",
        usual.len(),
        count(now.migrations as usize, "migration"),
        now.took.as_secs_f64(),
        short(now.each()),
        short(median)
    );
    if times >= WARNED && now.took >= WORTH_A_WARNING {
        let hint = "is there more data, another load on the server, or a migration that rewrites tables?";
        return Some(Finding::warning(message).hint(hint));
    }
    Some(Finding::note(message))
}

fn short(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.1} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    fn speed(migrations: u64, seconds: u64) -> Speed {
        Speed {
            migrations,
            took: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn what_is_as_fast_as_usual_is_not_worth_a_word() {
        let before = [speed(1000, 10); 5];
        assert_eq!(trend(speed(2000, 21), &before), None);
        assert_eq!(trend(speed(100, 1), &[speed(1000, 1); 5]), None, "too short to say");
        assert_eq!(trend(speed(1000, 90), &[speed(1000, 10); 2]), None, "too few to compare with");
    }

    #[test]
    fn a_slow_one_is_told_with_its_figures() {
        let before = [9, 10, 10, 200, 8].map(|seconds| speed(1000, seconds));
        let found = trend(speed(1000, 32), &before).expect("slow");
        assert_eq!(
            (found.severity, found.message.as_str()),
            (
                Severity::Warning,
                "3.2 times slower than the last 5: 1000 migrations in 32 s, 32 ms each, usually 10 ms"
            )
        );
        let found = trend(speed(10, 3), &[speed(10, 1); 3]).expect("slower");
        assert_eq!(found.severity, Severity::Note);
    }
}
