//! All tenants' structures compared, on MariaDB and SQLite: `validate` with it and without.

use crate::Asked;
use crate::facts;
use crate::fleet::Fleet;
use crate::harness::Server;
use crate::measure::{self, Measured, Times, line};
use crate::work;

const TABLES: usize = 10;

pub fn row(server: Server, full: usize, bar: &str, asked: &Asked) {
    let all = asked.size(full);
    let mut fleet = Fleet::new(server, "8");
    facts::server(&fleet);
    let tables: String = (1..=TABLES).map(work::one_table).collect();
    fleet.project.tenant("0001_tables.sql", &tables);
    fleet.register(1);
    fleet.migrate().assert_passed();
    fleet.register(all);
    fleet.copy_first(1, &tables);
    let with = fleet.project.read("tenantgate.toml");
    let without = format!("{with}\n[validate]\ndrift = \"off\"\n");
    let (mut whole, mut rest, mut added) = (Times::default(), Times::default(), Times::default());
    let mut peak = 0.0_f64;
    for _ in 0..asked.rounds() {
        fleet.project.write("tenantgate.toml", &with);
        let compared = validate(&fleet);
        fleet.project.write("tenantgate.toml", &without);
        let not_compared = validate(&fleet);
        peak = peak.max(compared.peak);
        whole.add(compared.wall);
        rest.add(not_compared.wall);
        added.add(compared.wall.saturating_sub(not_compared.wall));
    }
    line(
        &format!("validate, {all} tenants x {TABLES} tables"),
        &whole.shown(),
        Some(bar),
    );
    line("the same, structures not compared", &rest.shown(), None);
    line("comparing them", &added.shown(), None);
    line(
        "peak memory of the client",
        &format!("{peak:.1} MB"),
        Some("64 MB"),
    );
}

fn validate(fleet: &Fleet) -> Measured {
    let (command, _) = fleet.project.command(&["validate", "--environment", "dev"]);
    measure::run(command).assert_passed()
}
