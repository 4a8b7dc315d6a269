//! Large changes over ranges of a key: every row exactly once, whatever happens in between.

use std::thread;
use std::time::{Duration, Instant};

use super::case::{Case, on_all_servers};
use crate::harness::{Run, Server};

on_all_servers!(
    every_row_is_changed_once,
    a_killed_run_goes_on_behind_its_last_range,
    a_failing_range_is_named_and_resumed,
    a_signal_stops_between_two_ranges,
    tables_without_rows_and_rows_without_keys,
    keys_of_other_types,
    an_application_writes_meanwhile,
    a_key_without_an_index_is_told_of,
    a_locked_range_is_tried_again,
    an_edited_batch_is_not_carried_on,
    a_batch_of_which_nothing_ran_may_be_edited,
    an_older_ledger_learns_of_ranges,
    runs_at_once_share_no_range,
    a_plain_migration_that_failed_may_become_a_batch,
);

pub(super) const BATCH: &str = "-- tenantgate: batch key=id size=100\n";
pub(super) const COUNT_UP: &str = "UPDATE numbers SET n = n + 1";
pub(super) const ROWS: usize = 900;

/// Tenants with 900 rows each, whose keys have gaps, and a batch that counts each of them.
pub(super) fn prepared(server: Server, tenants: usize, more: &str) -> Case {
    let mut case = Case::new(server, tenants);
    rollout(&mut case, more);
    case.tenant(
        4,
        "numbers",
        "CREATE TABLE numbers (id INT PRIMARY KEY, n INT NOT NULL, label VARCHAR(40));
INSERT INTO numbers (id, n) WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < 29) SELECT (a.x * 30 + b.x) * 3 + 1, 0 FROM c AS a, c AS b;",
    );
    case.run().assert_code(0);
    case.project
        .tenant("0005_count.sql", &format!("{BATCH}{COUNT_UP};\n"));
    case
}

fn rollout(case: &mut Case, more: &str) {
    let config = case.project.read("tenantgate.toml");
    let config = config.replace("[rollout]\n", &format!("[rollout]\n{more}"));
    case.project.write("tenantgate.toml", &config);
}

/// How often rows were changed: `(times, rows)`.
pub(super) fn counts(case: &Case, tenant: &str) -> Vec<(i64, usize)> {
    let rows = case
        .db
        .tenant(tenant)
        .query_rows("SELECT n, count(*) FROM numbers GROUP BY n ORDER BY n");
    let number = |value: &Option<String>| value.as_deref().unwrap().parse::<i64>().unwrap();
    rows.iter()
        .map(|row| (number(&row[0]), number(&row[1]) as usize))
        .collect()
}

pub(super) fn assert_once(case: &Case) {
    for tenant in &case.tenants {
        assert_eq!(counts(case, tenant), [(1, ROWS)], "{:?} {tenant}", case.server);
        assert_eq!(progress(case, tenant), None, "{tenant}");
    }
    let run = case.run();
    run.assert_code(0);
    assert!(run.stdout.contains("nothing to do"), "{}", run.stdout);
}

/// Ranges that are done of a half-done batch.
pub(super) fn progress(case: &Case, tenant: &str) -> Option<u64> {
    let query = |table: &str| format!("SELECT ranges FROM {table} WHERE tenant = '{tenant}'");
    let rows = match case.server {
        Server::Postgres | Server::Pgbouncer => case.db.query_column(&query("tenantgate.progress")),
        Server::Mariadb => case
            .db
            .query_column(&query(&format!("{}.progress", case.ledger()))),
        Server::Sqlite => {
            let db = case.db.tenant(tenant);
            let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'tenantgate_progress'";
            if db.query_value(there) == "0" {
                return None;
            }
            db.query_column(&query("tenantgate_progress"))
        }
    };
    rows.first().map(|ranges| ranges.parse().unwrap())
}

pub(super) fn finding(run: &Run) -> String {
    run.check("rollout.tenants")["findings"][0]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn every_row_is_changed_once(server: Server) {
    let case = prepared(server, 3, "");
    let plan = case.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert!(
        plan.stdout
            .contains("tenant/0005_count.sql runs over ranges of 100 rows by `id` of `numbers`"),
        "{}",
        plan.stdout
    );
    let run = case.run();
    run.assert_code(0);
    for outcome in run.report()["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["rows"], ROWS, "{outcome}");
    }
    assert!(run.stdout.contains("900 rows"), "{}", run.stdout);
    assert_once(&case);
}

fn a_killed_run_goes_on_behind_its_last_range(server: Server) {
    let case = prepared(server, 2, "batch_pause = \"60ms\"\n");
    let mut before = 0;
    for kill in 0..3 {
        let mut run = case.spawn();
        run.wait_until("another range is done", || {
            progress(&case, "t01").is_some_and(|ranges| ranges > before)
        });
        thread::sleep(Duration::from_millis(fastrand::u64(0..60)));
        let _ = run.kill();
        let now = progress(&case, "t01").expect("it is half done");
        assert!(now > before, "{server:?} {kill}: {now} after {before}");
        assert!(now < 9, "killed in the middle");
        before = now;
    }
    let run = case.run();
    run.assert_code(0);
    assert_once(&case);
}

fn a_failing_range_is_named_and_resumed(server: Server) {
    let case = prepared(server, 1, "");
    let db = case.db.tenant("t01");
    // The statement divides by what is 0 in one row, or puts NULL where it may not be.
    db.execute("UPDATE numbers SET label = 'wrong' WHERE id = 1000");
    let statement =
        "UPDATE numbers SET n = CASE WHEN label = 'wrong' THEN NULL ELSE n + 1 END WHERE n = 0 OR n = 1";
    case.project
        .tenant("0005_count.sql", &format!("{BATCH}{statement};\n"));
    let run = case.run();
    run.assert_code(1);
    let message = finding(&run);
    let (last, upper) = match server {
        Server::Postgres | Server::Pgbouncer => ("'898'", "'1198'"),
        _ => ("898", "1198"),
    };
    assert!(
        message.contains(&format!("(in the range id > {last} AND id <= {upper})")),
        "{message}"
    );
    assert!(
        message.contains("t01 is half way through 0005: 3 ranges are done, up to `id` 898"),
        "{message}"
    );
    assert_eq!(counts(&case, "t01"), [(0, 600), (1, 300)]);
    assert_eq!(progress(&case, "t01"), Some(3));
    db.execute("UPDATE numbers SET label = NULL");
    case.run().assert_code(0);
    assert_once(&case);
}

fn a_signal_stops_between_two_ranges(server: Server) {
    let case = prepared(server, 2, "batch_pause = \"100ms\"\n");
    let mut run = case.spawn();
    run.wait_until("a range is done", || {
        progress(&case, "t01").is_some_and(|it| it > 0)
    });
    let begun = Instant::now();
    run.signal("TERM");
    let run = run.wait();
    assert!(begun.elapsed() < Duration::from_secs(3), "it does not wait");
    run.assert_code(3);
    assert!(
        finding(&run).contains("stopped between two ranges"),
        "{}",
        finding(&run)
    );
    case.run().assert_code(0);
    assert_once(&case);
}

fn tables_without_rows_and_rows_without_keys(server: Server) {
    let case = prepared(server, 1, "");
    let db = case.db.tenant("t01");
    db.execute("CREATE TABLE few (id INT, n INT)");
    case.project.tenant(
        "0006_none.sql",
        "-- tenantgate: batch key=id size=5\nUPDATE few SET n = 1;\n",
    );
    case.run().assert_code(0);
    assert_once(&case);
    db.execute("INSERT INTO few VALUES (1, 0), (2, 0), (NULL, 0)");
    case.project.tenant(
        "0007_some.sql",
        "-- tenantgate: batch key=id size=5\nUPDATE few SET n = 1;\n",
    );
    let run = case.run();
    run.assert_code(1);
    assert!(
        finding(&run).contains("`few` has rows whose `id` is NULL"),
        "{}",
        finding(&run)
    );
    assert_eq!(db.query_column("SELECT n FROM few"), ["0", "0", "0"]);
    db.execute("UPDATE few SET id = 3 WHERE id IS NULL");
    case.run().assert_code(0);
    assert_eq!(db.query_column("SELECT n FROM few"), ["1", "1", "1"]);
}

fn keys_of_other_types(server: Server) {
    let case = prepared(server, 1, "");
    case.run().assert_code(0);
    let db = case.db.tenant("t01");
    let types: &[(&str, &str)] = match server {
        Server::Postgres | Server::Pgbouncer => &[
            ("text", "'it''s \\ ' || id"),
            ("uuid", "md5(id::text)::uuid"),
            (
                "timestamptz",
                "timestamptz '2020-01-01' + id * interval '1.000001 seconds'",
            ),
            ("numeric", "id / 7.0"),
            ("float8", "sqrt(id)"),
            ("bytea", "decode(md5(id::text), 'hex')"),
        ],
        Server::Mariadb => &[
            ("VARCHAR(40)", "CONCAT('it''s Ü ', id)"),
            (
                "UUID",
                "CONCAT(LEFT(MD5(id), 8), '-', SUBSTR(MD5(id), 9, 4), '-4', SUBSTR(MD5(id), 14, 3), '-a', SUBSTR(MD5(id), 18, 3), '-', RIGHT(MD5(id), 12))",
            ),
            ("BINARY(16)", "UNHEX(MD5(id))"),
            (
                "DATETIME(6)",
                "TIMESTAMP('2020-01-01') + INTERVAL id * 1000001 MICROSECOND",
            ),
            ("DECIMAL(20, 6)", "id / 7"),
            ("BIGINT UNSIGNED", "18446744073709551615 - id"),
        ],
        Server::Sqlite => &[
            ("TEXT COLLATE NOCASE", "'it''s ' || id"),
            ("BLOB", "CAST(id || 'x' AS BLOB)"),
            ("REAL", "id / 7.0"),
            ("", "id"),
        ],
    };
    for (index, (column, value)) in types.iter().enumerate() {
        db.execute(&format!(
            "CREATE TABLE keys_{index} (k {column} NOT NULL, n INT NOT NULL)"
        ));
        db.execute(&format!(
            "INSERT INTO keys_{index} SELECT {value}, 0 FROM numbers"
        ));
        let version = index + 10;
        let file = format!("00{version}_keys.sql");
        let sql = format!(
            "-- tenantgate: batch key=o.k size=100\nUPDATE keys_{index} AS o SET n = n + 1 WHERE n = 0 OR n = 1;\n"
        );
        case.project.tenant(&file, &sql);
    }
    let run = case.run();
    run.assert_code(0);
    for (index, (column, _)) in types.iter().enumerate() {
        let rows = db.query_rows(&format!("SELECT n, count(*) FROM keys_{index} GROUP BY n"));
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(rows, [[one("1"), one("900")]], "{server:?} {column}");
    }
    assert_eq!(run.report()["outcomes"][0]["rows"], ROWS * types.len());
    if server == Server::Mariadb {
        db.execute("CREATE TABLE moments (k TIMESTAMP NOT NULL, n INT)");
        case.project.tenant(
            "0030_moments.sql",
            "-- tenantgate: batch key=k size=5\nDELETE FROM moments;\n",
        );
        let run = case.run();
        run.assert_code(1);
        assert!(finding(&run).contains("would not be exact"), "{}", finding(&run));
    }
}

fn a_key_without_an_index_is_told_of(server: Server) {
    let case = prepared(server, 1, "");
    let plan = case.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    assert_eq!(plan.check("ledger.batch-index")["status"], "passed");
    let db = case.db.tenant("t01");
    let table = "CREATE TABLE loose (Id INT NOT NULL, other INT NOT NULL)";
    let index = "CREATE INDEX loose_both ON loose";
    db.execute(&format!("{table};{index} (other, Id)"));
    case.project.tenant(
        "0006_loose.sql",
        "-- tenantgate: batch key=l.ID size=5\nUPDATE loose AS l SET other = 1;\n",
    );
    let plan = case.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    let finding = &plan.check("ledger.batch-index")["findings"][0];
    assert_eq!(
        finding["message"], "no index of `loose` begins with `ID`, so each range reads the whole table",
        "{finding}"
    );
    db.execute("CREATE INDEX loose_id ON loose (Id, other)");
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("ledger.batch-index")["status"], "passed");
}

/// Rows that come behind the end are new code's; those that are changed or go are nobody's loss.
fn an_application_writes_meanwhile(server: Server) {
    let case = prepared(server, 1, "batch_pause = \"20ms\"\n");
    let db = case.db.tenant("t01");
    let mut run = case.spawn();
    run.wait_until("the end of the keys is fixed", || {
        progress(&case, "t01").is_some()
    });
    let mut number = 0;
    let mut application = db.session();
    while run.is_running() {
        number += 1;
        // SQLite has one writer at a time.
        let _ = application.try_query(&format!(
            "INSERT INTO numbers (id, n) VALUES ({}, 100)",
            100_000 + number
        ));
        let _ = application.try_query(&format!(
            "UPDATE numbers SET label = 'seen' WHERE id = {}",
            number * 3 + 1
        ));
        thread::sleep(Duration::from_millis(2));
    }
    run.wait().assert_code(0);
    let counts = counts(&case, "t01");
    assert_eq!(counts[0], (1, ROWS), "{counts:?}");
    assert_eq!(counts[1].0, 100, "new rows are left alone: {counts:?}");
    assert_eq!(counts.len(), 2);
}

fn a_locked_range_is_tried_again(server: Server) {
    let case = prepared(server, 1, "");
    let mut application = case.db.tenant("t01").session();
    application.execute(if server == Server::Sqlite {
        "BEGIN IMMEDIATE"
    } else {
        "BEGIN"
    });
    application.execute("UPDATE numbers SET label = 'held' WHERE id = 1000");
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(2500));
        application.execute("COMMIT");
    });
    let run = case.run();
    release.join().unwrap();
    run.assert_code(0);
    let outcome = &run.report()["outcomes"][0];
    assert!(outcome["retries"].as_u64().unwrap() >= 1, "{outcome}");
    assert_once(&case);
}

fn an_edited_batch_is_not_carried_on(server: Server) {
    let case = prepared(server, 1, "batch_pause = \"80ms\"\n");
    let mut run = case.spawn();
    run.wait_until("a range is done", || {
        progress(&case, "t01").is_some_and(|it| it > 0)
    });
    let _ = run.kill();
    for edited in [
        format!("{BATCH}UPDATE numbers SET n = n + 2;\n"),
        format!("{COUNT_UP};\n"),
    ] {
        case.project.tenant("0005_count.sql", &edited);
        let run = case.run();
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["ledger.changed"]);
        assert!(run.stdout.contains("a part of its ranges ran"), "{}", run.stdout);
    }
    // Another size is the same work.
    case.project.tenant(
        "0005_count.sql",
        &format!("{}{COUNT_UP};\n", BATCH.replace("100", "300")),
    );
    case.run().assert_code(0);
    assert_once(&case);
}

/// A statement that no server takes must not be one that nobody can get rid of.
fn a_batch_of_which_nothing_ran_may_be_edited(server: Server) {
    let case = prepared(server, 1, "");
    let wrong = format!("{BATCH}UPDATE numbers SET n = nothing + 1;\n");
    case.project.tenant("0005_count.sql", &wrong);
    for _ in 0..2 {
        assert!(finding(&case.run()).contains("no range is done"));
    }
    let right = format!("{BATCH}{COUNT_UP};\n");
    case.project.tenant("0005_count.sql", &right);
    case.run().assert_code(0);
    assert_once(&case);
}

/// Also where the table has no rows, as in an environment that is new.
#[test]
fn a_wrong_statement_is_refused_without_rows_too() {
    for server in [Server::Sqlite, Server::Postgres, Server::Mariadb] {
        let case = prepared(server, 1, "");
        case.db.tenant("t01").execute("DELETE FROM numbers");
        let wrong = format!("{BATCH}UPDATE numbers SET n = nothing + 1;\n");
        case.project.tenant("0005_count.sql", &wrong);
        case.run().assert_code(1);
        let right = format!("{BATCH}{COUNT_UP};\n");
        case.project.tenant("0005_count.sql", &right);
        case.run().assert_code(0);
    }
}

#[test]
fn keys_with_a_nul_are_met_too() {
    let case = prepared(Server::Sqlite, 1, "");
    let tenant = case.db.tenant("t01");
    tenant.execute(
        "CREATE TABLE odd (k TEXT, n INT);
INSERT INTO odd VALUES ('a', 0), ('a' || char(0) || 'b', 0), ('a' || char(0) || 'c', 0), ('b' || char(0), 0)",
    );
    case.project.tenant(
        "0005_count.sql",
        "-- tenantgate: batch key=k size=1\nUPDATE odd SET n = n + 1;\n",
    );
    case.run().assert_code(0);
    assert_eq!(tenant.query_column("SELECT n FROM odd"), ["1"; 4]);
}

fn an_older_ledger_learns_of_ranges(server: Server) {
    let case = prepared(server, 1, "");
    match server {
        Server::Postgres | Server::Pgbouncer => case.db.execute("DROP TABLE tenantgate.progress"),
        Server::Mariadb => case.db.execute(&format!("DROP TABLE {}.progress", case.ledger())),
        Server::Sqlite => assert_eq!(progress(&case, "t01"), None),
    }
    case.run().assert_code(0);
    assert_once(&case);
}

fn runs_at_once_share_no_range(server: Server) {
    let case = prepared(server, 2, "batch_pause = \"10ms\"\n");
    let runs: Vec<_> = (0..3).map(|_| case.spawn()).collect();
    for run in runs {
        run.wait().assert_code(0);
    }
    assert_once(&case);
}

/// What failed whole, because it was too much at once, is cut into ranges.
fn a_plain_migration_that_failed_may_become_a_batch(server: Server) {
    let case = prepared(server, 1, "");
    let db = case.db.tenant("t01");
    db.execute("UPDATE numbers SET label = 'wrong' WHERE id = 1000");
    let statement = "UPDATE numbers SET n = CASE WHEN label = 'wrong' THEN NULL ELSE n + 1 END";
    case.project.tenant(
        "0005_count.sql",
        &format!("-- tenantgate: no-transaction\n{statement};\n"),
    );
    case.run().assert_code(1);
    db.execute("UPDATE numbers SET label = NULL");
    case.project
        .tenant("0005_count.sql", &format!("{BATCH}{statement};\n"));
    case.run().assert_code(0);
    assert_once(&case);
}

/// As long as more sessions are at work than allowed, ranges wait.
fn a_busy_server_is_left_alone(server: Server) {
    let case = prepared(server, 1, "max_active_sessions = 2\n");
    let busy: Vec<_> = (0..3)
        .map(|_| {
            let mut session = case.db.session();
            let sleep = case.slow(3.0).replace(';', "");
            thread::spawn(move || session.execute(&sleep))
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let run = case.run();
    run.assert_code(0);
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
    for session in busy {
        session.join().unwrap();
    }
    assert_once(&case);
}

#[test]
fn a_busy_postgres_is_left_alone() {
    a_busy_server_is_left_alone(Server::Postgres);
}
