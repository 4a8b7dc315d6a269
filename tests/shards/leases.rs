//! Who may work at the same time, asked of the servers themselves.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tenantgate::database_url;
use tenantgate::domain::{Redactor, Shard};
use tenantgate::engine::{self, Engine, EngineOptions, Holder, LeaseAnswer};

use crate::engine::case::{Case, on_all_servers};
use crate::harness::{Server, TestDatabase};

on_all_servers!(
    shards_of_one_partition_go_together_and_nothing_else_does,
    a_lease_is_lost_to_whoever_took_its_place,
    the_lease_of_an_older_version_is_heeded_and_its_table_widened,
);

const TTL: Duration = Duration::from_secs(20);

fn open(database: &TestDatabase) -> Box<dyn Engine> {
    let url = database_url::parse(database.url()).unwrap();
    let options = EngineOptions {
        shared_schema: "public".to_owned(),
        ledger: None,
        location: database.location("{tenant}"),
        lock_timeout: Duration::from_secs(10),
        statement_timeout: None,
        connect_timeout: Duration::from_secs(10),
        run: "a test".to_owned(),
        redactor: Redactor::default(),
    };
    engine::open(url, None, options)
}

fn holder(id: &str, part: &str) -> Holder {
    Holder {
        id: id.to_owned(),
        whence: format!("run {id}"),
        shard: (!part.is_empty()).then(|| part.parse().unwrap()),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn may_go_together(one: Option<Shard>, other: Option<Shard>) -> bool {
    one.zip(other)
        .is_some_and(|(one, other)| one.number() == other.number() && one != other)
}

/// All begin at the same instant, twenty times; each works for a moment where it may, and asks again where
/// it may not.
fn shards_of_one_partition_go_together_and_nothing_else_does(server: Server) {
    let database = server.fresh_database();
    let parts = ["", "", "1/2", "2/2", "2/2", "1/3"];
    let engines: Vec<_> = parts.iter().map(|_| open(&database)).collect();
    let inside: RefCell<Vec<Option<Shard>>> = RefCell::default();
    let most = RefCell::new(0);
    runtime().block_on(async {
        engines[0].prepare().await.unwrap();
        for round in 0..20 {
            let work = engines
                .iter()
                .zip(parts)
                .enumerate()
                .map(|(index, (engine, part))| {
                    let holder = holder(&format!("{round}-{index}"), part);
                    let (inside, most) = (&inside, &most);
                    async move {
                        while engine.try_lease(&holder, TTL).await.unwrap() != LeaseAnswer::Acquired {
                            tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await;
                        }
                        for other in inside.borrow().iter() {
                            assert!(
                                may_go_together(holder.shard, *other),
                                "{server:?}: {:?} beside {other:?}",
                                holder.shard
                            );
                        }
                        inside.borrow_mut().push(holder.shard);
                        let now = inside.borrow().len();
                        let before = *most.borrow();
                        *most.borrow_mut() = now.max(before);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        assert!(engine.renew_lease(&holder, TTL).await.unwrap());
                        inside.borrow_mut().retain(|it| *it != holder.shard);
                        engine.release_lease(&holder).await.unwrap();
                    }
                });
            tokio::time::timeout(Duration::from_secs(30), join_all(work))
                .await
                .expect("they do not block each other for ever");
        }
    });
    assert_eq!(*most.borrow(), 2, "{server:?}: 1/2 and 2/2 went together");
}

/// A process that slept longer than its lease cannot prolong it any more, whoever came after it.
fn a_lease_is_lost_to_whoever_took_its_place(server: Server) {
    let database = server.fresh_database();
    let engine = open(&database);
    let short = Duration::from_millis(50);
    runtime().block_on(async {
        engine.prepare().await.unwrap();
        for (sleeper, other) in [("", "1/2"), ("1/2", ""), ("1/2", "2/3"), ("1/2", "1/2"), ("", "")] {
            let (sleeper, other) = (holder("sleeper", sleeper), holder("other", other));
            assert_eq!(
                engine.try_lease(&sleeper, short).await.unwrap(),
                LeaseAnswer::Acquired
            );
            tokio::time::sleep(2 * short).await;
            assert_eq!(
                engine.try_lease(&other, TTL).await.unwrap(),
                LeaseAnswer::Acquired
            );
            assert!(
                !engine.renew_lease(&sleeper, TTL).await.unwrap(),
                "{sleeper:?} {other:?}"
            );
            let answer = engine.try_lease(&sleeper, TTL).await.unwrap();
            let shard = other.shard.map(|it| format!(" (shard {it})")).unwrap_or_default();
            let LeaseAnswer::Held { whence, expires_in } = answer else {
                panic!("{sleeper:?} beside {other:?}");
            };
            assert_eq!(whence, format!("run other{shard}"));
            assert!(expires_in > TTL / 2 && expires_in <= TTL, "{expires_in:?}");
            // What it wrote it has given back.
            engine.release_lease(&other).await.unwrap();
            assert_eq!(
                engine.try_lease(&other, short).await.unwrap(),
                LeaseAnswer::Acquired
            );
            engine.release_lease(&other).await.unwrap();
        }
        // Nobody came: the sleeper goes on.
        let sleeper = holder("sleeper", "1/2");
        engine.try_lease(&sleeper, short).await.unwrap();
        tokio::time::sleep(2 * short).await;
        let beside = holder("beside", "2/2");
        assert_eq!(
            engine.try_lease(&beside, TTL).await.unwrap(),
            LeaseAnswer::Acquired
        );
        assert!(engine.renew_lease(&sleeper, TTL).await.unwrap());
    });
}

/// The table as it was before there were shards, with one row, which lives for three more seconds.
fn the_lease_of_an_older_version_is_heeded_and_its_table_widened(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    let ledger = case.ledger_prefix();
    let (columns, now) = match server {
        Server::Postgres | Server::Pgbouncer => (
            "singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton), holder text NOT NULL, whence text NOT NULL,
             acquired_at timestamptz NOT NULL, heartbeat_at timestamptz NOT NULL, expires_at timestamptz NOT NULL",
            "VALUES (true, 'old', 'the run before', now(), now(), now() + interval '3 seconds')",
        ),
        Server::Mariadb => (
            "singleton tinyint NOT NULL PRIMARY KEY, holder varchar(255) NOT NULL, whence varchar(1024) NOT NULL,
             acquired_at datetime(6) NOT NULL, heartbeat_at datetime(6) NOT NULL, expires_at datetime(6) NOT NULL",
            "VALUES (1, 'old', 'the run before', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 3 SECOND)",
        ),
        Server::Sqlite => (
            "singleton INTEGER PRIMARY KEY CHECK (singleton = 1), holder TEXT NOT NULL, whence TEXT NOT NULL,
             acquired_at INTEGER NOT NULL, heartbeat_at INTEGER NOT NULL, expires_at INTEGER NOT NULL",
            "VALUES (1, 'old', 'the run before', 0, 0, unixepoch('subsec') * 1000 + 3000)",
        ),
    };
    case.db.execute(&format!("DROP TABLE {ledger}lease"));
    case.db
        .execute(&format!("CREATE TABLE {ledger}lease ({columns})"));
    case.db.execute(&format!("INSERT INTO {ledger}lease {now}"));
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    let config = case.project.read("tenantgate.toml");
    let impatient = config.replace("lease_ttl", "lease_wait = \"100ms\"\nlease_ttl");
    case.project.write("tenantgate.toml", &impatient);
    let begun = Instant::now();
    // It had the whole environment: no shard goes beside it either.
    for arguments in [&["run"] as &[&str], &["migrate", "--shard", "2/2"]] {
        let held = case.project.tenantgate(arguments);
        held.assert_code(3);
        assert!(held.stdout.contains("the run before"), "{}", held.stdout);
    }
    case.project.write("tenantgate.toml", &config);
    // Two at once find it old, or just widened.
    let both = [case.spawn(), case.spawn()];
    for run in both {
        run.wait().assert_code(0);
    }
    assert!(
        begun.elapsed() > Duration::from_millis(2500),
        "{:?}",
        begun.elapsed()
    );
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_more"]);
    let row = format!("SELECT count(part) FROM {ledger}lease");
    assert_eq!(case.db.query_value(&row), "0");
}
