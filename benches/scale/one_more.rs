//! One more migration for tenants that have some.

use crate::Asked;
use crate::bare;
use crate::facts;
use crate::first::CONNECTIONS;
use crate::fleet::Fleet;
use crate::harness::Server;
use crate::measure::{Times, line};
use crate::work::{add_column, one_table};

const SIZES: [usize; 3] = [1_000, 3_000, 10_000];

pub fn row(asked: &Asked) {
    let mut fleet = Fleet::new(Server::Postgres, &CONNECTIONS.to_string());
    facts::server(&fleet);
    fleet.project.tenant("0001_item.sql", &one_table(1));
    fleet.register(1);
    fleet.migrate().assert_passed();
    let mut added = 1;
    println!("ADD COLUMN, {CONNECTIONS} connections");
    for size in SIZES.map(|size| asked.size(size)) {
        grow(&mut fleet, size, added);
        let (mut ours, mut bare, mut peak) = (Times::default(), Times::default(), 0.0_f64);
        for _ in 0..asked.rounds() {
            added += 1;
            let file = format!("{added:04}_column_{added}.sql");
            fleet.project.tenant(&file, &add_column(&format!("ours_{added}")));
            fleet.settle();
            let run = fleet.migrate().assert_passed();
            peak = peak.max(run.peak);
            ours.add(run.wall);
            fleet.settle();
            let alone = add_column(&format!("bare_{added}"));
            bare.add(bare::run(&fleet, CONNECTIONS, false, &alone));
        }
        line(&format!("{size} tenants, tenantgate"), &ours.shown(), None);
        line(&format!("{size} tenants, bare loop"), &bare.shown(), None);
        let ratio = format!("{:.3} (pairs {})", ours.over(&bare), ours.pairs(&bare));
        line(
            &format!("{size} tenants, tenantgate over bare loop"),
            &ratio,
            Some("1.10"),
        );
        let each = format!(
            "{:.3} ms a tenant, peak memory {peak:.1} MB",
            ours.median() * 1e3 / size as f64
        );
        line("", &each, Some("linear, flat"));
    }
}

/// New tenants with the table and all columns that the first one has by now.
fn grow(fleet: &mut Fleet, size: usize, added: usize) {
    let before = fleet.tenants.len();
    fleet.register(size);
    let columns: String = (2..=added)
        .map(|number| add_column(&format!("ours_{number}")) + &add_column(&format!("bare_{number}")))
        .collect();
    fleet.copy_first(before, &format!("{}{columns}", one_table(1)));
}
