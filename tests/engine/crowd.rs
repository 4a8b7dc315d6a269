//! Eight runs started at once on one database: everything is applied once, and none errors.

use std::time::Instant;

use super::case::{Case, on_all_servers};
use crate::harness::Server;
use crate::harness::soak::{Tally, times};

const RUNS: usize = 8;
const TENANTS: usize = 4;

on_all_servers!(eight_at_once);

fn eight_at_once(server: Server) {
    let mut tally = Tally::of(format!("{server:?}: eight runs at once"));
    for round in 0..times(2, 50) {
        let case = Case::new(server, TENANTS);
        let begun = Instant::now();
        let runs: Vec<_> = (0..RUNS).map(|_| case.spawn()).collect();
        let migrated: Vec<u64> = runs
            .into_iter()
            .map(|run| {
                let run = run.wait();
                run.assert_code(0);
                run.report()["tenants"]["migrated"].as_u64().unwrap()
            })
            .collect();
        tally.blow();
        tally.rerun(begun.elapsed());
        assert_eq!(
            migrated.iter().sum::<u64>(),
            TENANTS as u64,
            "round {round}: {migrated:?}"
        );
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total"]);
        assert_eq!(case.leases(), 0, "round {round}");
    }
}
