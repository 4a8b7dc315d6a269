//! What more connections bring, and what `auto` chooses to do.

use crate::Asked;
use crate::facts;
use crate::first::{fresh, tenantgate};
use crate::harness::Server;
use crate::measure::{Times, line};

const STEPS: [&str; 6] = ["1", "2", "4", "8", "16", "\"auto\""];

pub fn row(server: Server, full: usize, asked: &Asked) {
    let tenants = asked.size(full);
    facts::server(&fresh(server, 1, "8"));
    println!("{tenants} tenants, first apply");
    let mut curve: Vec<(&str, Times)> = STEPS.iter().map(|step| (*step, Times::default())).collect();
    for _ in 0..asked.rounds() {
        curve.retain_mut(|(step, times)| {
            let run = match *step {
                "\"auto\"" => automatic(server, tenants),
                _ => Some(tenantgate(server, tenants, step)),
            };
            let known = run.is_some();
            if let Some(run) = run {
                times.add(run.assert_passed().wall);
            }
            known
        });
    }
    let one = curve[0].1.median();
    for (step, times) in &curve {
        let faster = format!(
            "{}, {:.2} times as fast as 1",
            times.shown(),
            one / times.median()
        );
        line(&format!("{step} connections"), &faster, None);
    }
    if curve.len() < STEPS.len() {
        line(
            "\"auto\" connections",
            "NOT MEASURED: this build does not know the word",
            None,
        );
    }
}

/// None: the config does not take the word.
fn automatic(server: Server, tenants: usize) -> Option<crate::measure::Measured> {
    let fleet = fresh(server, tenants, "8");
    fleet.concurrency("\"auto\"");
    let run = fleet.migrate();
    (run.code != Some(2)).then_some(run)
}
