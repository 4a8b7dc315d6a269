//! A migration that waits for a lock makes others wait behind it: no longer than `lock_timeout`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::Server;

/// As the config of [`Case`] has it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// For a machine that is busy with other tests.
const SLACK: Duration = Duration::from_millis(1500);
/// Longer than both together.
const LONG_SELECT: Duration = Duration::from_secs(5);

fn readers_wait_no_longer_than_the_timeout(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    case.tenant(4, "column", "ALTER TABLE items ADD COLUMN extra INT;");
    // A report of the application, which reads the table and is still at it.
    let mut report = case.db.tenant("t01").session();
    report.execute("BEGIN");
    report.execute("SELECT * FROM items");
    let mut reader = case.db.tenant("t01").session();
    let migrated = AtomicBool::new(false);
    let (longest, run) = thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !migrated.load(Ordering::SeqCst) {
                let begun = Instant::now();
                reader.execute("SELECT count(*) FROM items");
                longest = longest.max(begun.elapsed());
            }
            longest
        });
        scope.spawn(move || {
            thread::sleep(LONG_SELECT);
            report.execute("COMMIT");
        });
        let run = case.run();
        migrated.store(true, Ordering::SeqCst);
        (reading.join().unwrap(), run)
    });
    assert!(
        longest < LOCK_TIMEOUT + SLACK,
        "{server:?}: a reader waited {longest:?}"
    );
    // It did wait: readers queue behind what waits for the table.
    assert!(
        longest > LOCK_TIMEOUT / 2,
        "{server:?}: no reader was in the way: {longest:?}"
    );
    run.assert_code(0);
    let outcomes = run.report()["outcomes"].as_array().unwrap();
    let held = outcomes.iter().find(|it| it["tenant"] == "t01").unwrap();
    assert!(held["retries"].as_u64().unwrap() >= 1, "{held}");
    case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_column"]);
}

#[test]
fn postgres() {
    readers_wait_no_longer_than_the_timeout(Server::Postgres);
}

#[test]
fn pgbouncer() {
    readers_wait_no_longer_than_the_timeout(Server::Pgbouncer);
}

#[test]
fn mariadb() {
    readers_wait_no_longer_than_the_timeout(Server::Mariadb);
}
