//! Keys over which no range may go, and how far a batch is that is half done.

use insta::assert_snapshot;

use super::batch::{BATCH, COUNT_UP, ROWS, assert_once, counts, finding, prepared, progress};
use super::case::{Case, on_all_servers};
use crate::harness::{Run, Server};

on_all_servers!(
    a_key_that_moves_is_refused,
    a_key_that_is_not_there_is_refused,
    what_comes_before_may_make_the_key,
    status_shows_how_far_a_batch_is,
);

/// At head, with nothing pending.
fn settled(server: Server) -> Case {
    let case = prepared(server, 2, "");
    case.run().assert_code(0);
    case
}

/// Blocked by the key before anything runs.
fn assert_refused(case: &Case, message: &str) {
    for command in ["plan", "run"] {
        let run = case.project.tenantgate(&[command]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["ledger.batch-key"], "{command}");
        let finding = &run.check("ledger.batch-key")["findings"][0];
        assert_eq!(finding["message"], message, "{command}");
        assert_eq!(finding["tenant"], "t01", "{finding}");
        assert!(
            finding["hint"].as_str().unwrap().contains("primary key"),
            "{finding}"
        );
    }
    assert_eq!(progress(case, "t01"), None);
}

/// Columns of a table `moving` whose values the server itself changes.
fn moving(server: Server) -> &'static [&'static str] {
    match server {
        Server::Postgres | Server::Pgbouncer => &["k INT GENERATED ALWAYS AS (n * 10) STORED"],
        Server::Mariadb => &[
            "k INT GENERATED ALWAYS AS (n * 10) STORED",
            "k INT AS (n * 10) VIRTUAL",
            "k DATETIME(6) NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP(6)",
        ],
        Server::Sqlite => &["k INT GENERATED ALWAYS AS (n * 10) STORED", "k INT AS (n * 10)"],
    }
}

const INCREASE: &str = "-- tenantgate: batch key=k size=1\nUPDATE moving SET n = n + 1;\n";

fn a_key_that_moves_is_refused(server: Server) {
    let case = settled(server);
    case.project.tenant("0006_increase.sql", INCREASE);
    for column in moving(server) {
        for tenant in &case.tenants {
            let db = case.db.tenant(tenant);
            db.execute(&format!(
                "CREATE TABLE moving (id INT PRIMARY KEY, n INT NOT NULL, {column})"
            ));
            db.execute("INSERT INTO moving (id, n) VALUES (1, 1), (2, 2), (3, 3)");
        }
        assert_refused(
            &case,
            "`k` of `moving` gets its value from the server whenever its row is changed",
        );
        for tenant in &case.tenants {
            let db = case.db.tenant(tenant);
            assert_eq!(
                db.query_column("SELECT n FROM moving ORDER BY id"),
                ["1", "2", "3"]
            );
            db.execute("DROP TABLE moving");
        }
    }
}

fn a_key_that_is_not_there_is_refused(server: Server) {
    let case = settled(server);
    let (no_key, quoted) = match server {
        // To SQLite a quoted name that is no column is a text, and each row has the same.
        Server::Mariadb => ("`nokey`", "`nokey`"),
        _ => ("\"nokey\"", "\"nokey\""),
    };
    for (key, named) in [("nokey", "nokey"), (no_key, quoted)] {
        let sql = format!("-- tenantgate: batch key={key} size=100\n{COUNT_UP};\n");
        case.project.tenant("0006_again.sql", &sql);
        let message = format!("`numbers` has no column `{named}` that the ranges could go over");
        assert_refused(&case, &message);
    }
    case.project
        .tenant("0006_again.sql", &format!("{BATCH}UPDATE nothing SET n = 1;\n"));
    for command in ["plan", "run"] {
        let run = case.project.tenantgate(&[command]);
        run.assert_code(1);
        let finding = &run.check("ledger.batch-key")["findings"][0];
        assert_eq!(
            finding["message"],
            "there is no table `nothing` whose `id` the ranges could go over"
        );
    }
    assert_eq!(counts(&case, "t01"), [(1, ROWS)]);
    // Nothing was recorded, so the file may still be mended.
    let row = if server == Server::Sqlite { "rowid" } else { "id" };
    case.project.tenant(
        "0006_again.sql",
        &format!("-- tenantgate: batch key={row} size=100\nUPDATE numbers SET n = 1;\n"),
    );
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.check("ledger.batch-key")["status"], "passed");
    assert_once(&case);
}

/// Passed over in silence, the whole table would change in one transaction.
#[test]
fn a_directive_of_another_form_is_refused() {
    for server in [Server::Sqlite, Server::Postgres, Server::Mariadb] {
        let case = settled(server);
        for (number, first) in [
            "/* tenantgate: batch key=id size=100 */",
            "# tenantgate: batch key=id size=100",
            "-- Tenantgate : batch key=id size=100",
            "-- tenantgate batch key=id size=100",
        ]
        .into_iter()
        .enumerate()
        {
            let file = format!("{number:04}_again.sql").replace("000", "001");
            case.project.tenant(&file, &format!("{first}\n{COUNT_UP};\n"));
            for command in ["plan", "run"] {
                let run = case.project.tenantgate(&[command]);
                run.assert_code(1);
                assert_eq!(
                    run.check("migrations.directive")["findings"][0]["message"],
                    "a directive is written `-- tenantgate: …`, in small letters and a line of its own, the file's first (`allow`: before its statement)",
                    "{first}"
                );
            }
            case.project.remove(&format!("migrations/tenant/{file}"));
        }
        assert_eq!(counts(&case, "t01"), [(1, ROWS)]);
    }
}

/// What a plan cannot know the batch itself says, before its first range.
fn what_comes_before_may_make_the_key(server: Server) {
    let case = settled(server);
    let table = format!(
        "CREATE TABLE moving (id INT PRIMARY KEY, n INT NOT NULL, {});\nINSERT INTO moving (id, n) VALUES (1, 1), (2, 2);\n",
        moving(server)[0]
    );
    case.project.tenant("0006_moving.sql", &table);
    let refused = |file: &str, message: &str| {
        case.project.tenant("0007_increase.sql", file);
        case.project.tenantgate(&["plan"]).assert_code(0);
        // Once with both, then with this one alone.
        let run = case.run();
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["rollout.tenants", "schema.complete"]);
        assert!(finding(&run).contains(message), "{}", finding(&run));
        let db = case.db.tenant("t01");
        assert_eq!(db.query_column("SELECT n FROM moving ORDER BY id"), ["1", "2"]);
        assert_eq!(progress(&case, "t01"), None, "no range was opened");
    };
    refused(
        INCREASE,
        "`k` of `moving` gets its value from the server whenever its row is changed",
    );
    let run = case.run();
    assert_eq!(run.checks_that("failed"), ["ledger.batch-key"], "now it is plain");
    case.project
        .tenant("0007_increase.sql", &INCREASE.replace("=k", "=id"));
    case.run().assert_code(0);
    let db = case.db.tenant("t02");
    assert_eq!(db.query_column("SELECT n FROM moving ORDER BY id"), ["2", "3"]);
    for (version, file, message) in [
        (8, "UPDATE nothing SET n = 1;", "there is no table `nothing`"),
        (9, "UPDATE moving SET n = 1;", "`moving` has no column `nokey`"),
    ] {
        let before = format!("{:04}_before.sql", version * 10);
        case.project.tenant(&before, "SELECT 1;\n");
        let batch = format!("{:04}_batch.sql", version * 10 + 1);
        case.project.tenant(
            &batch,
            &format!("-- tenantgate: batch key=nokey size=1\n{file}\n"),
        );
        case.project.tenantgate(&["plan"]).assert_code(0);
        let run = case.run();
        run.assert_code(1);
        assert!(finding(&run).contains(message), "{}", finding(&run));
        case.project.tenant(&batch, "SELECT 1;\n");
        case.run().assert_code(0);
    }
}

fn standing<'a>(report: &'a serde_json::Value, tenant: &str) -> &'a serde_json::Value {
    let standings = report["standings"].as_array().unwrap();
    standings.iter().find(|it| it["tenant"] == tenant).unwrap()
}

fn status_shows_how_far_a_batch_is(server: Server) {
    let case = prepared(server, 2, "max_failures = 5\n");
    let status = || -> Run {
        let run = case.project.tenantgate(&["status"]);
        run.assert_code(0);
        run
    };
    assert_eq!(
        standing(status().report(), "t01")["ranges"],
        serde_json::Value::Null
    );
    let db = case.db.tenant("t01");
    db.execute("UPDATE numbers SET label = 'wrong' WHERE id = 1000");
    let statement = "UPDATE numbers SET n = CASE WHEN label = 'wrong' THEN NULL ELSE n + 1 END";
    case.project
        .tenant("0005_count.sql", &format!("{BATCH}{statement};\n"));
    case.run().assert_code(1);
    let run = status();
    let at = &standing(run.report(), "t01")["ranges"].clone();
    assert_eq!(
        *at,
        serde_json::json!({"version": 5, "ranges": 3, "rows": 300, "last_key": "898", "end_key": "2698"})
    );
    assert_eq!(
        standing(run.report(), "t02")["unfinished"],
        serde_json::Value::Null
    );
    if server == Server::Sqlite {
        let table: Vec<&str> = run.stdout.lines().skip(3).take(4).collect();
        assert_snapshot!(table.join("\n"), @r"
          tenant    state                                               now at  applied  pending
        ✔ (shared)  up to date                                          0001    1        0
        ✘ t01       unfinished: 0005 done up to 898 of 2698 (3 ranges)  0004    4        1
        ✔ t02       up to date                                          0005    5        0
        ");
    }
    assert!(
        run.stdout
            .contains("unfinished: 0005 done up to 898 of 2698 (3 ranges)"),
        "{}",
        run.stdout
    );
    db.execute("UPDATE numbers SET label = NULL");
    case.run().assert_code(0);
    assert_eq!(
        standing(status().report(), "t01")["ranges"],
        serde_json::Value::Null
    );
    // One that was refused before its first range.
    let wrong = "UPDATE numbers SET n = nothing + 1";
    case.project
        .tenant("0006_wrong.sql", &format!("{BATCH}{wrong};\n"));
    case.run().assert_code(1);
    let run = status();
    assert!(
        run.stdout.contains("unfinished: 0006 no range is done"),
        "{}",
        run.stdout
    );
    assert_eq!(standing(run.report(), "t02")["ranges"]["ranges"], 0);
}
