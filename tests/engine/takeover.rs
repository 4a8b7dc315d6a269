//! MariaDB: a statement goes on after its client is gone, so a run that takes a migration over ends the
//! connection first, and never somebody else's.

use std::thread;
use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::{Running, Server, Session};

/// Longer than any run takes.
const SLEEP: &str = "SLEEP(40)";

/// A run whose tenant is in the middle of a statement that takes long, with the connection's number.
fn in_the_middle(case: &Case) -> (Running, String) {
    let mut run = case.spawn();
    let sleeping = sleeping(case);
    let mut found = Vec::new();
    run.wait_until("a statement sleeps on the server", || {
        found = case.db.admin().query_column(&sleeping);
        !found.is_empty()
    });
    (run, found.remove(0))
}

fn sleeping(case: &Case) -> String {
    format!(
        "SELECT id FROM information_schema.processlist WHERE info LIKE '%{SLEEP}%' AND db LIKE '{}%' AND id <> connection_id()",
        case.db.name()
    )
}

/// Slow the first time only.
fn slow(case: &Case, statement: &str) {
    case.db.execute("CREATE TABLE patience (slow INT)");
    let shared = case.db.query_value("SELECT database()");
    // Asked for by its name, which locks nothing.
    let wait = format!(
        "(CASE WHEN EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = '{shared}' AND table_name = 'patience') THEN {SLEEP} ELSE 0 END)"
    );
    case.tenant(4, "slow", &statement.replace("{wait}", &wait));
}

const HEAD: [&str; 4] = ["0001_ran", "0002_items", "0003_items_total", "0004_slow"];

fn assert_taken_over(case: &Case) {
    case.db.execute("DROP TABLE patience");
    let begun = Instant::now();
    let run = case.run();
    run.assert_code(0);
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "it waited for the old statement: {run:?}"
    );
    let left = case.db.admin().query_column(&sleeping(case));
    assert!(left.is_empty(), "the old statement still runs");
    case.assert_all_at_head(&HEAD);
}

#[test]
fn a_write_of_a_killed_run_is_ended() {
    let case = Case::new(Server::Mariadb, 1);
    slow(&case, "INSERT INTO items SELECT 5, 'five', {wait};");
    let (run, _) = in_the_middle(&case);
    let _ = run.kill();
    assert_taken_over(&case);
}

#[test]
fn ddl_of_a_killed_run_is_ended() {
    let case = Case::new(Server::Mariadb, 1);
    slow(
        &case,
        "CREATE TABLE copied AS SELECT id, {wait} AS waited FROM items;",
    );
    let (run, _) = in_the_middle(&case);
    let _ = run.kill();
    assert_taken_over(&case);
    let rows = case.db.tenant("t01").query_value("SELECT count(*) FROM copied");
    assert_eq!(rows, "1");
}

/// Stopped, not dead: its lease runs out, and when it wakes up it must not go on.
#[test]
fn a_run_that_wakes_up_again_finds_itself_replaced() {
    let case = Case::new(Server::Mariadb, 2);
    slow(&case, "INSERT INTO items SELECT 5, 'five', {wait};");
    let (mut run, _) = in_the_middle(&case);
    run.signal("STOP");
    assert_taken_over(&case);
    run.signal("CONT");
    let woken = run.wait();
    assert_ne!(woken.code, None, "it ended by itself");
    case.assert_all_at_head(&HEAD);
}

/// A migration that stopped half way, whose owner is said to be a connection of this number that the
/// server has had since so many seconds after it really started.
fn owned_by(case: &Case, other: &mut Session, later: i64) {
    case.tenant(4, "slow", "INSERT INTO nowhere VALUES (1);");
    case.run().assert_code(1);
    let ledger = case.ledger();
    let number = other.query_value("SELECT connection_id()");
    let changed = format!(
        "UPDATE {ledger}.ledger SET owner = concat(substring_index(owner, ' ', 1), ' {number} ',
             substring_index(owner, ' ', -1) + {later}) WHERE state = 'running'"
    );
    case.db.execute(&changed);
    let owner = format!("SELECT owner FROM {ledger}.ledger WHERE state = 'running'");
    let owner = case.db.query_value(&owner);
    assert!(
        owner.contains(&format!(" {number} ")) && owner.len() <= 64,
        "{owner}"
    );
    case.tenant(4, "slow", "INSERT INTO items VALUES (5, 'five', 1);");
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

/// After a restart the numbers begin anew: the application has the one that the ledger names.
#[test]
fn a_number_of_an_earlier_life_of_the_server_is_somebody_elses() {
    let case = Case::new(Server::Mariadb, 1);
    let mut application = case.db.session();
    owned_by(&case, &mut application, -100);
    assert_eq!(application.query_value("SELECT 1"), "1");
}

/// So the test above would see it.
#[test]
fn a_number_of_this_life_is_the_owner() {
    let case = Case::new(Server::Mariadb, 1);
    let mut owner = case.db.session();
    owned_by(&case, &mut owner, 0);
    thread::sleep(Duration::from_millis(100));
    assert!(owner.try_query("SELECT 1").is_err(), "it was ended");
}

/// Statements that make new things are in doubt together; what is there tells how far they came.
#[test]
fn things_made_together_are_told_apart_by_what_is_there() {
    for made in 0..=2 {
        let case = Case::new(Server::Mariadb, 1);
        case.tenant(
            4,
            "slow",
            "CREATE TABLE first (id INT);\nCREATE TABLE second (id INT);\nINSERT INTO later VALUES (1);",
        );
        case.run().assert_code(1);
        let tenant = case.db.tenant("t01");
        for table in ["first", "second"].into_iter().skip(made) {
            tenant.execute(&format!("DROP TABLE {table}"));
        }
        // As it is when the message was sent and nobody read the answer.
        let doubt = format!(
            "UPDATE {}.ledger SET statement = 0, in_doubt = 1, probe = 'made:aa' WHERE state = 'running'",
            case.ledger()
        );
        case.db.execute(&doubt);
        tenant.execute("CREATE TABLE later (id INT)");
        if made > 0 {
            tenant.execute("INSERT INTO first VALUES (7)");
        }
        case.run().assert_code(0);
        case.assert_all_at_head(&HEAD);
        let kept = tenant.query_value("SELECT count(*) FROM first");
        assert_eq!(kept, if made > 0 { "1" } else { "0" });
        assert_eq!(tenant.query_value("SELECT count(*) FROM second"), "0");
    }
}
