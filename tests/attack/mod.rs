//! What a hostile or unlucky user found, so that nobody finds it again.

use std::thread;
use std::time::Duration;

use crate::engine::case::Case;
use crate::harness::{Project, Server};

const SERVERS: [Server; 3] = [Server::Postgres, Server::Mariadb, Server::Sqlite];

// --- secrets that are also words ---

#[test]
fn a_secret_that_is_also_a_name_or_a_word_of_the_report_is_no_bug() {
    let mut case = Case::new(Server::Sqlite, 2);
    case.config("\n[secrets.\"{ENV}_STAGE\"]\n\n[secrets.OTHER]\n\n[secrets.THIRD]\n");
    case.tenants = vec!["acme".to_owned(), "t02".to_owned()];
    case.project
        .replace("migrations/shared/0001_registry.sql", "t01", "acme");
    case.project
        .replace("tenantgate.toml", "environments.dev", "environments.prod");
    case.project.env("PROD_STAGE", "prod");
    case.project.env("OTHER", "acme");
    case.project.env("THIRD", "passed");
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["environment"], "prod");
    assert_eq!(run.report()["verdict"], "passed");
    assert!(run.report()["outcomes"].to_string().contains("\"acme\""));
}

// --- statements that hide ---

#[test]
fn a_table_called_event_hides_no_statement() {
    for server in SERVERS {
        let case = Case::new(server, 2);
        case.tenant(
            4,
            "event",
            "CREATE TABLE event (id INT, begin VARCHAR(9), finish VARCHAR(9));\nCREATE TABLE more (id INT);\nSELECT nope;",
        );
        let run = case.run();
        run.assert_code(1);
        let finding = &run.check("rollout.tenants")["findings"][0];
        assert!(finding["message"].as_str().unwrap().contains("nope"), "{finding}");
        assert_eq!(finding["line"], 3, "{server:?}");
        // A rerun does not take it for done.
        case.run().assert_code(1);
        case.project
            .replace("migrations/tenant/0004_event.sql", "SELECT nope;", "SELECT 1;");
        case.run().assert_code(0);
        assert_eq!(case.ran("t01").len(), 4, "{server:?}");
    }
}

#[test]
fn a_commit_behind_a_table_called_event_is_seen() {
    for server in SERVERS {
        let case = Case::new(server, 1);
        case.tenant(
            4,
            "event",
            "CREATE TABLE event (id INT, begin VARCHAR(9));\nCOMMIT;",
        );
        let run = case.run();
        run.assert_code(1);
        let findings = &run.check("migrations.transaction")["findings"];
        assert_eq!(findings[0]["line"], 2, "{server:?}");
    }
}

#[test]
fn a_commit_in_a_file_that_cannot_be_split_is_refused() {
    let case = Case::new(Server::Postgres, 1);
    // Good PostgreSQL, and too much for the tokenizer.
    case.tenant(4, "surrogates", "SELECT U&'\\D83D\\DE00';");
    case.run().assert_code(0);
    case.tenant(5, "hidden", "SELECT U&'\\D83D\\DE00';\nCOMMIT;");
    let run = case.run();
    run.assert_code(1);
    assert_eq!(run.check("migrations.syntax")["status"], "failed");
}

#[test]
fn several_statements_up_to_one_delimiter_are_not_one() {
    let case = Case::new(Server::Mariadb, 1);
    case.tenant(
        4,
        "hidden",
        "DELIMITER //\nCREATE TABLE x1 (id INT);\nSELECT nope;\n//\nDELIMITER ;",
    );
    let run = case.run();
    run.assert_code(1);
    assert_eq!(run.check("migrations.syntax")["status"], "failed");
}

#[test]
fn versioned_comments_of_a_dump_run() {
    let case = Case::new(Server::Mariadb, 1);
    case.tenant(
        4,
        "dump",
        "/*!40101 SET NAMES utf8mb4 */;\n/*!40014 SET FOREIGN_KEY_CHECKS=0 */;\n/*M!100100 CREATE TABLE only_here (id INT) */;\n  /*!40000 ALTER TABLE items DISABLE KEYS */;",
    );
    case.run().assert_code(0);
    assert_eq!(
        case.db
            .tenant("t01")
            .query_value("SELECT count(*) FROM only_here"),
        "0"
    );
    case.tenant(5, "elsewhere", "/*!50000 USE mysql */;");
    assert_eq!(case.run().check("migrations.transaction")["status"], "failed");
}

#[test]
fn copy_from_stdin_is_refused_instead_of_waited_for() {
    let mut case = Case::new(Server::Postgres, 1);
    case.project.timeout(Duration::from_secs(20));
    case.tenant(4, "data", "COPY items (id, label) FROM stdin;");
    let run = case.run();
    run.assert_code(1);
    assert_eq!(run.check("migrations.transaction")["findings"][0]["line"], 1);
}

// --- what one tenant leaves to the next ---

#[test]
fn temporary_tables_and_settings_do_not_reach_the_next_tenant() {
    for server in [Server::Postgres, Server::Pgbouncer] {
        let mut case = Case::new(server, 4);
        case.config("");
        case.project
            .replace("tenantgate.toml", "concurrency = 4", "concurrency = 1");
        case.tenant(4, "stage", "CREATE TEMP TABLE stage AS SELECT 1 AS x;");
        case.tenant(5, "setting", "DO $$ BEGIN SET statement_timeout = '77s'; END $$;");
        case.tenant(
            6,
            "look",
            "DO $$ BEGIN IF current_setting('statement_timeout') = '77s' THEN RAISE 'left over'; END IF; END $$;",
        );
        case.run().assert_code(0);
    }
}

// --- a run that sleeps longer than its lease ---

#[test]
fn a_run_that_slept_through_its_lease_runs_no_statement_again() {
    let case = Case::new(Server::Postgres, 1);
    case.run().assert_code(0);
    case.project.tenant(
        "0004_apart.sql",
        "-- tenantgate: no-transaction\nSELECT pg_sleep(1);\nINSERT INTO ran VALUES ('0004_apart');\nCREATE TABLE z (i INT);\n",
    );
    let mut sleeper = case.spawn();
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid() AND datname = current_database()";
    sleeper.wait_until("it is in the first statement", || {
        case.db.query_value(busy) != "0"
    });
    sleeper.signal("STOP");
    thread::sleep(Duration::from_millis(2500));
    case.run().assert_code(0);
    sleeper.signal("CONT");
    sleeper.wait();
    let ran = case.ran("t01");
    assert_eq!(ran.iter().filter(|it| *it == "0004_apart").count(), 1, "{ran:?}");
    let state = "SELECT state || statement FROM tenantgate.ledger WHERE scope = 'tenant' AND version = 4";
    assert_eq!(case.db.query_value(state), "applied3");
    case.run().assert_code(0);
}

// --- signals while the server keeps us waiting ---

#[test]
fn a_signal_ends_a_command_that_waits_for_a_lock() {
    let case = Case::new(Server::Postgres, 1);
    case.run().assert_code(0);
    let mut holder = case.db.session();
    holder.execute("BEGIN; LOCK TABLE tenants");
    for command in ["plan", "run"] {
        let mut running = case.project.spawn(&[command]);
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        running.wait_until("it waits", || case.db.query_value(waiting) != "0");
        running.signal("TERM");
        thread::sleep(Duration::from_millis(200));
        if command == "run" {
            running.signal("TERM");
        }
        let begun = std::time::Instant::now();
        running.wait().assert_code(3);
        assert!(begun.elapsed() < Duration::from_secs(4), "{command}");
        // What the server does for it goes on while the lock is held, and is not the next command's.
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        case.db.query_value(end);
        while begun.elapsed() < Duration::from_secs(10) && case.db.query_value(waiting) != "0" {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

// --- queries of the config ---

#[test]
fn an_assertion_is_one_query_of_one_value_and_cannot_write() {
    for server in SERVERS {
        let mut case = Case::new(server, 2);
        let write = match server {
            Server::Sqlite => "PRAGMA query_only = OFF; CREATE TABLE hacked (i INT); SELECT 1",
            Server::Mariadb => {
                "SELECT 1; SET SESSION TRANSACTION READ WRITE; CREATE TABLE hacked (i INT); SELECT 1"
            }
            _ => "SELECT 1; COMMIT; CREATE TABLE hacked (i INT); BEGIN; SELECT 1",
        };
        let mut more = String::new();
        for (index, sql) in [write, "SELECT 1 UNION ALL SELECT 2", "SELECT 1, 1"]
            .into_iter()
            .enumerate()
        {
            more +=
                &format!("\n[[expect.tenant.assertions]]\nname = \"{index}\"\nsql = \"{sql}\"\nequals = 1\n");
        }
        case.config(&more);
        let run = case.run();
        run.assert_code(1);
        let findings = run.check("expect.assertions")["findings"].to_string();
        for part in [
            "statements, and must be one",
            "2 rows of 1 column",
            "1 row of 2 columns",
        ] {
            assert!(findings.contains(part), "{server:?}: {findings}");
        }
        let mut session = case.db.tenant("t01").session();
        assert!(session.try_query("SELECT * FROM hacked").is_err(), "{server:?}");
    }
}

// --- evidence ---

fn promotable() -> (Case, String) {
    let mut case = Case::new(Server::Sqlite, 1);
    case.config("\n[promotion]\nevidence = \"evidence\"\n[environments.prod]\nafter = \"dev\"\ndatabase_url = \"PROD_DB_URL\"\n");
    let run = case.project.tenantgate(&["run", "--environment", "dev"]);
    run.assert_code(0);
    let file = run.report()["evidence"].as_str().unwrap().to_owned();
    (case, file)
}

fn promote(project: &Project) -> crate::harness::Run {
    project.tenantgate(&["promote", "--environment", "prod"])
}

#[test]
fn an_unreadable_record_of_this_set_is_not_passed_over() {
    let (case, file) = promotable();
    promote(&case.project).assert_code(0);
    let digest = file.rsplit_once('-').unwrap().1;
    // It may have said that dev was blocked since.
    case.project.write(
        &format!("evidence/dev/20990101T000000.000000Z-{digest}"),
        "{\"payl",
    );
    promote(&case.project).assert_code(1);
    case.project
        .remove(&format!("evidence/dev/20990101T000000.000000Z-{digest}"));
    case.project.write("evidence/dev/notes.json", "{}");
    promote(&case.project).assert_code(0);
}

#[test]
fn evidence_from_the_future_does_not_count() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let (case, file) = promotable();
    let mut envelope: serde_json::Value = serde_json::from_str(&case.project.read(&file)).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let mut statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    statement["predicate"]["finished_at"] = "2999-01-01T00:00:00Z".into();
    envelope["payload"] = STANDARD.encode(statement.to_string()).into();
    case.project
        .write("evidence/dev/later.json", &envelope.to_string());
    let run = promote(&case.project);
    run.assert_code(1);
    assert!(run.stdout.contains("from the future"), "{}", run.stdout);
}

// --- the rest ---

#[test]
fn a_tenant_called_public_is_one_where_the_template_keeps_it_apart() {
    let mut case = Case::new(Server::Postgres, 1);
    case.config("");
    case.project.replace(
        "tenantgate.toml",
        "schema = \"{tenant}\"",
        "schema = \"c_{tenant}\"",
    );
    case.project
        .replace("migrations/shared/0001_registry.sql", "t01", "public");
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["migrated"], 1);
}

#[test]
fn a_database_whose_label_is_gone_is_not_taken_for_ours() {
    let case = Case::new(Server::Postgres, 1);
    case.run().assert_code(0);
    case.db.execute("DELETE FROM tenantgate.environment");
    for command in ["run", "validate", "plan"] {
        let run = case.project.tenantgate(&[command]);
        run.assert_code(1);
        assert_eq!(run.check("server.environment")["status"], "failed");
    }
    case.project.tenantgate(&["relabel"]).assert_code(0);
    case.run().assert_code(0);
}

#[test]
fn a_report_that_cannot_be_written_does_not_swallow_the_verdict() {
    let case = Case::new(Server::Sqlite, 1);
    let run = case
        .project
        .tenantgate(&["run", "--report", "/proc/nowhere/report.json"]);
    run.assert_code(3);
    assert!(run.stdout.contains("passed"), "{}", run.stdout);
    assert!(run.stderr.contains("cannot write the report"), "{}", run.stderr);
}

#[test]
fn a_tenants_file_that_is_no_database_is_named() {
    let case = Case::new(Server::Sqlite, 2);
    case.run().assert_code(0);
    let path = case.db.folder().path().join(case.db.location("t02"));
    std::fs::write(&path, "rubbish ".repeat(100)).unwrap();
    let run = case.run();
    run.assert_code(3);
    assert!(run.stdout.contains("t02"), "{}", run.stdout);
}
