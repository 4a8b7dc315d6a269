//! Every schema compared with what the migrations make, against a dump of each and a diff.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Asked;
use crate::facts;
use crate::fleet::Fleet;
use crate::harness::{Server, postgres_programs};
use crate::measure::{self, Measured, Times, line};
use crate::statements::Count;
use crate::work::{MIGRATIONS, two_tables};

/// Tenants that are dumped one by one: what one takes depends on how many there are, so all are there.
const DUMPED: usize = 5;

/// What a server would write out, lock and keep in memory for each tenant, were it asked to.
const MORE: &str = "CREATE VIEW totals AS SELECT one.id, two.status, one.amount FROM things_1 one JOIN things_2 two ON two.thing_id = one.id;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.created_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON things_1 FOR EACH ROW EXECUTE FUNCTION touched();
";

pub fn tables(asked: &Asked) {
    row(asked, "");
}

pub fn views(asked: &Asked) {
    row(asked, MORE);
}

fn row(asked: &Asked, more: &str) {
    let all = asked.size(10_000);
    let mut fleet = Fleet::new(Server::Postgres, "8");
    facts::server(&fleet);
    let mut texts: Vec<String> = (1..=MIGRATIONS)
        .map(|number| two_tables(Server::Postgres, number))
        .collect();
    if let Some(last) = texts.last_mut() {
        *last += more;
    }
    for (index, text) in texts.iter().enumerate() {
        fleet
            .project
            .tenant(&format!("{:04}_things.sql", index + 1), text);
    }
    fleet.register(1);
    fleet.migrate().assert_passed();
    let content = texts.concat();
    grow(&mut fleet, 10.min(all), &content);
    let few = counted(&fleet);
    grow(&mut fleet, all, &content);
    fleet.settle();
    let many = counted(&fleet);
    let (mut ours, mut theirs) = (Times::default(), Times::default());
    let (mut client, mut backend) = (0.0_f64, 0.0_f64);
    for _ in 0..asked.rounds() {
        let run = validate(&fleet);
        client = client.max(run.peak);
        ours.add(run.wall);
        // Watching takes a part of the machine: it has a run of its own.
        backend = backend.max(watched(&fleet));
        theirs.add(dumps(&fleet) * u32::try_from(all).unwrap() / u32::try_from(DUMPED.min(all)).unwrap());
    }
    line(
        &format!(
            "validate, {all} tenants x 10 tables{}",
            if more.is_empty() {
                ""
            } else {
                ", a view, a function, a trigger"
            }
        ),
        &ours.shown(),
        Some("5 s"),
    );
    line(
        "peak memory of the client",
        &format!("{client:.1} MB"),
        Some("64 MB"),
    );
    line(
        "largest own memory of a backend",
        &format!("{backend:.1} MB"),
        Some("100 MB"),
    );
    let (of, few) = few;
    line(
        of,
        &format!("{few} for 10 tenants, {} for {all}", many.1),
        Some("the same"),
    );
    let each = format!("{} (from {DUMPED} of them)", theirs.shown());
    line("pg_dump -s and diff, each tenant", &each, None);
    let ratio = format!("{:.0} (pairs {})", theirs.over(&ours), theirs.pairs(&ours));
    line("pg_dump over tenantgate", &ratio, Some("at least 50"));
}

fn grow(fleet: &mut Fleet, total: usize, content: &str) {
    let before = fleet.tenants.len();
    fleet.register(total);
    fleet.copy_first(before, content);
}

fn validate(fleet: &Fleet) -> Measured {
    let (command, _) = fleet.project.command(&["validate", "--environment", "dev"]);
    let run = measure::run(command).assert_passed();
    assert!(run.output.contains("tenants alike"), "{}", run.output);
    run
}

fn counted(fleet: &Fleet) -> (&'static str, u64) {
    let count = Count::new(fleet).unwrap();
    validate(fleet);
    (count.what(), count.taken())
}

/// The most memory of its own that a backend had meanwhile (Linux: RssAnon), in MB.
fn watched(fleet: &Fleet) -> f64 {
    let done = AtomicBool::new(false);
    let (admin, done) = (fleet.db.admin().clone(), &done);
    let name = fleet.db.name().to_owned();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let mut session = admin.session();
            let ours = format!("SELECT pid FROM pg_stat_activity WHERE usename = '{name}'");
            let mut most = 0.0_f64;
            while !done.load(Ordering::Relaxed) {
                let pids = session.query_column(&ours);
                most = pids.iter().filter_map(|pid| own_memory(pid)).fold(most, f64::max);
                thread::sleep(Duration::from_millis(20));
            }
            most
        });
        validate(fleet);
        done.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    })
}

fn own_memory(pid: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// What a loop over tenants would do: dump, take the name out, compare with the first.
fn dumps(fleet: &Fleet) -> Duration {
    let dump = |name: &String| {
        let output = Command::new(postgres_programs().join("pg_dump"))
            .args([
                "--schema-only",
                "--no-password",
                "--schema",
                name,
                "--dbname",
                fleet.db.url(),
            ])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .replace(name.as_str(), "{tenant}")
    };
    let without_marks = |text: String| -> Vec<String> {
        text.lines()
            .filter(|line| !line.starts_with('\\'))
            .map(str::to_owned)
            .collect()
    };
    let first = without_marks(dump(&fleet.tenants[0]));
    let begun = Instant::now();
    for name in fleet.tenants.iter().rev().take(DUMPED) {
        assert_eq!(without_marks(dump(name)), first);
    }
    begun.elapsed()
}
