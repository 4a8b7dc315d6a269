//! Tenants from nothing to five migrations with ten tables.

use std::time::Duration;

use crate::Asked;
use crate::bare;
use crate::facts;
use crate::fleet::Fleet;
use crate::harness::Server;
use crate::measure::{Measured, Times, line};
use crate::work::{MIGRATIONS, two_tables};

pub const CONNECTIONS: usize = 8;

pub fn row(server: Server, full: usize, bar: &str, asked: &Asked) {
    let tenants = asked.size(full);
    facts::server(&fresh(server, 1, "8"));
    let (mut ours, mut bare, mut peak) = (Times::default(), Times::default(), 0.0_f64);
    for _ in 0..asked.rounds() {
        let run = tenantgate(server, tenants, &CONNECTIONS.to_string()).assert_passed();
        peak = peak.max(run.peak);
        ours.add(run.wall);
        bare.add(loop_alone(server, tenants, CONNECTIONS));
    }
    println!("{tenants} tenants, {MIGRATIONS} migrations, 10 tables, {CONNECTIONS} connections");
    line("tenantgate", &ours.shown(), None);
    line("bare loop", &bare.shown(), None);
    line(
        "tenantgate over bare loop",
        &format!("{:.3} (pairs {})", ours.over(&bare), ours.pairs(&bare)),
        Some(bar),
    );
    line("peak memory of the client", &format!("{peak:.1} MB"), None);
}

/// A new database with registered tenants and the migrations' files.
pub fn fresh(server: Server, tenants: usize, concurrency: &str) -> Fleet {
    let mut fleet = Fleet::new(server, concurrency);
    for number in 1..=MIGRATIONS {
        let file = format!("{number:04}_things_{number}.sql");
        fleet.project.tenant(&file, &two_tables(server, number));
    }
    fleet.register(tenants);
    fleet.settle();
    fleet
}

pub fn tenantgate(server: Server, tenants: usize, concurrency: &str) -> Measured {
    fresh(server, tenants, concurrency).migrate()
}

pub fn loop_alone(server: Server, tenants: usize, connections: usize) -> Duration {
    let sql: String = (1..=MIGRATIONS)
        .map(|number| two_tables(server, number))
        .collect();
    bare::run(&fresh(server, tenants, "8"), connections, true, &sql)
}
