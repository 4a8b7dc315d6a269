//! PostgreSQL's own dump as the judge: two states of a schema have the same fingerprint exactly where the dump
//! tells the same of them.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use fastrand::Rng;

use super::{Fleet, grammar};
use crate::harness::{Session, soak};

/// Tenants that are changed and dumped at once, and one that never is.
const AT_ONCE: usize = 6;
/// Rounds after which a tenant begins anew.
const LIFE: usize = 8;

#[test]
fn the_dump_differs_exactly_where_the_fingerprint_does() {
    let rounds = std::env::var("TENANTGATE_TEST_ROUNDS").ok();
    let rounds = rounds.map_or(soak::times(72, 2_400), |it| it.parse().unwrap());
    let seed = std::env::var("TENANTGATE_TEST_SEED").ok();
    let seed = seed.map_or_else(|| fastrand::u64(..), |it| it.parse().unwrap());
    let mut tally = soak::Tally::of("schemas against pg_dump");
    let mut oracle = Oracle::new(seed);
    while tally.blows() < rounds {
        oracle.round();
        for _ in 0..AT_ONCE {
            tally.blow();
        }
    }
    assert!(
        oracle.by_dump.len() > rounds / 2,
        "hardly anything was changed: {} changes, {} refused",
        oracle.done,
        oracle.refused
    );
}

struct Oracle {
    /// To be given in TENANTGATE_TEST_SEED, for the same once more.
    seed: u64,
    fleet: Fleet,
    sessions: Vec<Session>,
    rng: Rng,
    /// What was done to each tenant since it was made.
    histories: Vec<Vec<String>>,
    /// Of every state that was seen: its fingerprint, its print's group, and how it came to be.
    by_dump: HashMap<String, (String, Vec<String>)>,
    by_fingerprint: HashMap<String, (String, Vec<String>)>,
    done: usize,
    refused: usize,
}

impl Oracle {
    fn new(seed: u64) -> Self {
        let names: Vec<String> = (0..=AT_ONCE).map(|number| format!("tenant_q{number}")).collect();
        let fleet = Fleet::new(&names);
        let session = |name: &String| {
            let mut session = fleet.db.admin().session();
            session.execute(&format!(
                "SET search_path = \"{name}\"; SET client_min_messages = warning"
            ));
            session
        };
        let sessions = names.iter().map(session).collect();
        Self {
            seed,
            fleet,
            sessions,
            rng: Rng::with_seed(seed),
            histories: vec![Vec::new(); names.len()],
            by_dump: HashMap::new(),
            by_fingerprint: HashMap::new(),
            done: 0,
            refused: 0,
        }
    }

    fn round(&mut self) {
        for tenant in 1..=AT_ONCE {
            self.change(tenant);
        }
        let dumps = self.dumps();
        let structures = self.fleet.structures();
        let prints = self.fleet.prints();
        let gaps = self.with_gaps();
        for tenant in 0..=AT_ONCE {
            let fingerprint = structures[tenant].fingerprint().0;
            self.judge(tenant, &dumps[tenant], &fingerprint);
            for other in 0..tenant {
                let alike = structures[other].fingerprint().0 == fingerprint;
                let printed = prints[other] == prints[tenant];
                let tolerated = gaps.contains(&tenant) || gaps.contains(&other);
                assert!(
                    alike == printed || (alike && tolerated),
                    "seed {}: print and fingerprint disagree (alike: {alike}) on\n{:#?}\n{:#?}",
                    self.seed,
                    self.histories[other],
                    self.histories[tenant]
                );
            }
        }
    }

    fn change(&mut self, tenant: usize) {
        if self.histories[tenant].len() >= LIFE {
            let name = self.fleet.tenants[tenant].location.clone();
            self.fleet.rebuild(&mut self.sessions[tenant], &name);
            self.histories[tenant].clear();
        }
        let wanted = self.rng.usize(1..3);
        let mut done = 0;
        for _ in 0..40 {
            let name = &self.fleet.tenants[tenant].location;
            let sql = self.fleet.of(&grammar::change(&mut self.rng), name);
            match self.sessions[tenant].try_query(&sql) {
                Ok(_) => {
                    self.histories[tenant].push(sql);
                    done += 1;
                }
                Err(_) => self.refused += 1,
            }
            if done == wanted {
                break;
            }
        }
        self.done += done;
    }

    fn judge(&mut self, tenant: usize, dump: &str, fingerprint: &str) {
        let seed = self.seed;
        let history = &self.histories[tenant];
        let (before, how) = self
            .by_dump
            .entry(dump.to_owned())
            .or_insert_with(|| (fingerprint.to_owned(), history.clone()));
        assert!(
            before == fingerprint,
            "seed {seed}: the dump is the same, the fingerprint is not, after\n{how:#?}\nand\n{history:#?}"
        );
        let (before, how) = self
            .by_fingerprint
            .entry(fingerprint.to_owned())
            .or_insert_with(|| (dump.to_owned(), history.clone()));
        assert!(
            before == dump,
            "seed {seed}: the fingerprint is the same, the dump is not, after\n{how:#?}\nand\n{history:#?}\n{}",
            lines_of_one(before, dump)
        );
    }

    /// Tenants whose tables have lost columns, which prints may tell.
    fn with_gaps(&self) -> BTreeSet<usize> {
        let sql = "SELECT DISTINCT relnamespace::regnamespace FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attisdropped";
        let names = self.fleet.db.admin().query_column(sql);
        let tenants = self.fleet.tenants.iter().enumerate();
        let with = tenants.filter(|(_, tenant)| names.contains(&tenant.location));
        with.map(|(index, _)| index).collect()
    }

    fn dumps(&self) -> Vec<String> {
        let url = self.fleet.db.admin().url();
        let names: Vec<&str> = self.fleet.tenants.iter().map(|it| it.location.as_str()).collect();
        let mut dumps: Vec<Option<String>> = vec![None; names.len()];
        thread::scope(|scope| {
            for (names, dumps) in names.chunks(3).zip(dumps.chunks_mut(3)) {
                scope.spawn(move || {
                    for (name, dump) in names.iter().zip(dumps) {
                        *dump = Some(self::dump(url, name));
                    }
                });
            }
        });
        dumps.into_iter().flatten().collect()
    }
}

/// What `pg_dump` says of one schema, without its name. The order of what does not depend on one another goes
/// by the order in which it was made, and so does that of grants: neither says anything, and neither does what the
/// server called a NOT NULL before its table was renamed.
fn dump(url: &str, schema: &str) -> String {
    let output = Command::new(pg_dump())
        .args([
            "--schema-only",
            "--no-password",
            "--schema",
            schema,
            "--dbname",
            url,
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "pg_dump: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)
        .unwrap()
        .replace(schema, "{tenant}");
    let named = regex::Regex::new(r"CONSTRAINT \S+_\S+_not_null\d* NOT NULL").unwrap();
    let text = named.replace_all(&text, "NOT NULL");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('\\')).collect();
    let text = lines.join("\n");
    let mut parts: Vec<String> = text.split("\n--\n-- Name: ").map(sorted_grants).collect();
    parts.sort_unstable();
    parts.join("\n--\n-- Name: ")
}

fn sorted_grants(part: &str) -> String {
    let mut lines: Vec<&str> = part.trim_end().lines().collect();
    let is_right = |line: &&str| line.starts_with("GRANT ") || line.starts_with("REVOKE ");
    if lines.iter().any(is_right) {
        lines.sort_unstable();
    }
    lines.join("\n")
}

/// The first that is there and can read this server.
fn pg_dump() -> PathBuf {
    let own = std::env::var("TENANTGATE_TEST_PG_DUMP").map(PathBuf::from);
    own.unwrap_or_else(|_| {
        let beside = crate::harness::postgres_programs().join("pg_dump");
        if beside.exists() {
            beside
        } else {
            PathBuf::from("pg_dump")
        }
    })
}

fn lines_of_one(one: &str, other: &str) -> String {
    let (ones, others): (BTreeSet<&str>, BTreeSet<&str>) = (one.lines().collect(), other.lines().collect());
    let differing: Vec<&str> = ones.symmetric_difference(&others).copied().collect();
    differing.join("\n")
}
