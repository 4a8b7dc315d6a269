//! What a rollout costs at scale, beside what its work would cost with nothing around it.
//!
//!     tests/run exec --durable cargo bench --bench scale -- [ROW…] [rounds=N] [percent=N]
//!
//! Rows: start, no-op-postgres, no-op-mariadb, no-op-sqlite, first-postgres, peers, first-mariadb,
//! one-more, curve-postgres, curve-mariadb, drift-postgres,
//! drift-postgres-views, drift-mariadb, drift-sqlite; none named: all. `peers` are dbmate and django-tenants
//! (`benches/peers/install` puts them into target/tools). What is compared is run in turn, as often as
//! `rounds` says, and medians are printed beside the bar. `percent` makes everything smaller, to try it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark talks to whoever started it"
)]
#![allow(dead_code, unreachable_pub, reason = "the tests use the rest")]

mod bare;
mod curve;
mod drift;
mod drift_mariadb;
mod facts;
mod first;
mod fleet;
#[allow(unused_imports, reason = "the tests use the rest")]
#[path = "../../tests/harness/mod.rs"]
mod harness;
mod measure;
mod no_op;
mod one_more;
mod peers;
mod start;
mod statements;
mod work;

use harness::Server;

/// What was asked for.
pub struct Asked {
    rows: Vec<String>,
    rounds: usize,
    percent: usize,
}

impl Asked {
    fn parse(arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self {
            rows: Vec::new(),
            rounds: 3,
            percent: 100,
        };
        for argument in arguments.filter(|argument| !argument.starts_with('-')) {
            let number = |text: &str| {
                text.parse()
                    .unwrap_or_else(|_| panic!("not a number: {argument}"))
            };
            match argument.split_once('=') {
                Some(("rounds", text)) => asked.rounds = number(text),
                Some(("percent", text)) => asked.percent = number(text),
                Some(_) => panic!("there is no such setting: {argument}"),
                None => asked.rows.push(argument),
            }
        }
        asked
    }

    pub fn rounds(&self) -> usize {
        self.rounds.max(1)
    }

    /// So many, or the percentage of it that was asked for.
    pub fn size(&self, full: usize) -> usize {
        (full * self.percent / 100).max(2)
    }
}

type Row = fn(&Asked);

const ROWS: [(&str, Row); 14] = [
    ("start", start::row),
    ("no-op-postgres", |asked| {
        no_op::row(Server::Postgres, 10_000, asked)
    }),
    ("no-op-mariadb", |asked| no_op::row(Server::Mariadb, 2_000, asked)),
    ("no-op-sqlite", |asked| no_op::row(Server::Sqlite, 2_000, asked)),
    ("first-postgres", |asked| {
        first::row(Server::Postgres, 1_000, "1.10", asked)
    }),
    ("peers", peers::row),
    ("first-mariadb", |asked| {
        first::row(Server::Mariadb, 500, "1.25", asked)
    }),
    ("one-more", one_more::row),
    ("curve-postgres", |asked| curve::row(Server::Postgres, 300, asked)),
    ("curve-mariadb", |asked| curve::row(Server::Mariadb, 100, asked)),
    ("drift-mariadb", |asked| {
        drift_mariadb::row(Server::Mariadb, 1_000, "5 s", asked)
    }),
    ("drift-sqlite", |asked| {
        drift_mariadb::row(Server::Sqlite, 2_000, "1 s", asked)
    }),
    ("drift-postgres", drift::tables),
    ("drift-postgres-views", drift::views),
];

fn main() {
    let asked = Asked::parse(std::env::args().skip(1));
    let known = |name: &String| ROWS.iter().any(|(row, _)| row == name);
    if let Some(unknown) = asked.rows.iter().find(|name| !known(name)) {
        let names: Vec<&str> = ROWS.iter().map(|(name, _)| *name).collect();
        panic!("there is no row {unknown}; there are {}", names.join(", "));
    }
    facts::machine(&asked);
    for (name, row) in ROWS {
        if asked.rows.is_empty() || asked.rows.iter().any(|asked| asked == name) {
            println!("\n## {name}");
            row(&asked);
            facts::load();
        }
    }
}
