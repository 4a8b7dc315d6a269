//! The same work by the neighbours, on fewer tenants: what one takes them does not depend on how many
//! there are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Asked;
use crate::facts;
use crate::first::{CONNECTIONS, fresh, tenantgate};
use crate::fleet::Fleet;
use crate::harness::Server;
use crate::measure::{self, Measured, Times, line};
use crate::work::{MIGRATIONS, two_tables};

const OURS: usize = 1_000;
const THEIRS: usize = 100;

/// Name, the least times that we are to be as fast, and how it is run over new tenants.
type Peer = (&'static str, f64, fn(usize) -> Option<Measured>);
const PEERS: [Peer; 2] = [
    ("dbmate in a shell loop", 2.5, dbmate),
    ("django-tenants", 10.0, django_tenants),
];

pub fn row(asked: &Asked) {
    let (ours, theirs) = (asked.size(OURS), asked.size(THEIRS));
    facts::server(&fresh(Server::Postgres, 1, "8"));
    let mut each_of_ours = Times::default();
    let mut each: Vec<Times> = PEERS.iter().map(|_| Times::default()).collect();
    for _ in 0..asked.rounds() {
        let run = tenantgate(Server::Postgres, ours, &CONNECTIONS.to_string()).assert_passed();
        each_of_ours.add(run.wall / ours as u32);
        for ((_, _, run), times) in PEERS.iter().zip(&mut each) {
            if let Some(run) = run(theirs) {
                times.add(run.wall / theirs as u32);
            }
        }
    }
    println!(
        "{MIGRATIONS} migrations, 10 tables; seconds a tenant, from {ours} of ours and {theirs} of theirs"
    );
    line("tenantgate", &each_of_ours.shown(), None);
    for ((name, least, _), times) in PEERS.iter().zip(&each) {
        if times.is_empty() {
            line(
                name,
                "NOT MEASURED: it is not there; run benches/peers/install",
                None,
            );
            continue;
        }
        line(name, &times.shown(), None);
        let ratio = format!(
            "{:.1} (pairs {})",
            times.over(&each_of_ours),
            times.pairs(&each_of_ours)
        );
        line(
            &format!("{name} over tenantgate"),
            &ratio,
            Some(&format!("at least {least}")),
        );
    }
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/peers")
}

fn dbmate(tenants: usize) -> Option<Measured> {
    let program = tools().join("node_modules/@dbmate/linux-x64/bin/dbmate");
    let fleet = program.exists().then(|| fresh(Server::Postgres, tenants, "8"))?;
    for number in 1..=MIGRATIONS {
        let text = format!(
            "-- migrate:up\n{}-- migrate:down\n",
            two_tables(Server::Postgres, number)
        );
        fleet
            .project
            .write(&format!("dbmate/{number:04}_things.sql"), &text);
    }
    make_schemas(&fleet);
    let list = fleet.tenants.join("\n");
    fleet.project.write("tenants", &format!("{list}\n"));
    // The password is in the environment of the shell, as it is in a workflow.
    let script = r#"set -e
while read -r tenant; do
    DATABASE_URL="$URL?sslmode=disable&search_path=$tenant" "$DBMATE" --no-dump-schema --migrations-dir dbmate migrate
done <tenants"#;
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .current_dir(fleet.project.path("."))
        .env("URL", fleet.db.url())
        .env("DBMATE", program);
    let run = measure::run(command).assert_passed();
    assert_made(&fleet, "things_10");
    Some(run)
}

fn django_tenants(tenants: usize) -> Option<Measured> {
    let python = tools().join("python/bin/python");
    let fleet = python.exists().then(|| fresh(Server::Postgres, tenants, "8"))?;
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/django");
    let manage = |scope: &str| {
        let mut command = Command::new(&python);
        command
            .args(["-m", "django", "migrate_schemas", scope, "--settings", "settings"])
            .current_dir(&project)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONWARNINGS", "ignore")
            .env("DATABASE_URL", fleet.db.url());
        measure::run(command)
    };
    manage("--shared").assert_passed();
    fleet
        .db
        .execute("INSERT INTO customers_client (schema_name, name) SELECT name, name FROM tenants");
    make_schemas(&fleet);
    let run = manage("--tenant").assert_passed();
    assert_made(&fleet, "things_thing10");
    Some(run)
}

/// Before the clock runs, which is in their favour.
fn make_schemas(fleet: &Fleet) {
    let all: String = fleet
        .tenants
        .iter()
        .map(|name| format!("CREATE SCHEMA \"{name}\";"))
        .collect();
    fleet.db.execute(&all);
}

/// Whatever it printed, the last table of everybody is there.
fn assert_made(fleet: &Fleet, table: &str) {
    let made = fleet.db.query_value(&format!(
        "SELECT count(*) FROM pg_tables WHERE tablename = '{table}' AND schemaname LIKE 'tenant\\_%'"
    ));
    assert_eq!(made, fleet.tenants.len().to_string());
}
