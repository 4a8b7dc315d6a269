//! Nothing to be done for anybody.

use crate::Asked;
use crate::facts;
use crate::fleet::Fleet;
use crate::harness::Server;
use crate::measure::{Times, line};
use crate::statements::Count;
use crate::work;

const MIGRATIONS: usize = 50;

pub fn row(server: Server, full: usize, asked: &Asked) {
    let all = asked.size(full);
    let mut fleet = Fleet::new(server, "8");
    facts::server(&fleet);
    for number in 1..=MIGRATIONS {
        let file = format!("{number:04}_item_{number}.sql");
        fleet.project.tenant(&file, &work::one_table(number));
    }
    fleet.register(1);
    fleet.migrate().assert_passed();
    grow(&mut fleet, 10.min(all));
    let few = counted(&fleet);
    grow(&mut fleet, all);
    let many = counted(&fleet);
    let (mut times, mut peak) = (Times::default(), 0.0_f64);
    for _ in 0..asked.rounds() * 3 {
        let run = fleet.migrate().assert_passed();
        peak = peak.max(run.peak);
        times.add(run.wall);
    }
    let what = format!("no-op, {all} tenants x {MIGRATIONS} migrations");
    line(&what, &times.shown(), Some("1 s"));
    let bar = (server == Server::Postgres).then_some("64 MB");
    line("peak memory of the client", &format!("{peak:.1} MB"), bar);
    if let (Some((of, few)), Some((_, many))) = (few, many) {
        let figure = format!("{few} for 10 tenants, {many} for {all}");
        line(of, &figure, Some("the same"));
    }
}

fn grow(fleet: &mut Fleet, total: usize) {
    let before = fleet.tenants.len();
    fleet.register(total);
    // Empty places do: what is at its newest migration is not looked into. SQLite's files are whole.
    fleet.copy_first(before, "");
}

fn counted(fleet: &Fleet) -> Option<(&'static str, u64)> {
    let count = Count::new(fleet)?;
    let run = fleet.migrate().assert_passed();
    assert!(run.output.contains("nothing to do"), "{}", run.output);
    Some((count.what(), count.taken()))
}
