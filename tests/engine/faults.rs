//! A server that cannot do what it is asked: said clearly, with nothing half done, and mended by a rerun.

use std::collections::BTreeSet;

use super::case::{Case, on_postgres};
use crate::harness::{PrivateServer, Run, Server, SmallDisk};

const HEAD: [&str; 4] = ["0001_ran", "0002_items", "0003_items_total", "0004_more"];

/// The message and the hint of a check's first finding.
#[track_caller]
fn told(run: &Run, check: &str) -> String {
    let finding = &run.check(check)["findings"][0];
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    format!("{} | {}", text("message"), text("hint"))
}

#[track_caller]
fn assert_told(run: &Run, check: &str, words: &[&str]) {
    let told = told(run, check);
    for word in words {
        assert!(told.contains(word), "it does not say {word:?}: {told}");
    }
}

/// Every tenant has all of the migrations up to some version, and nothing of the next one.
fn assert_nothing_half_done(case: &Case, table: &str) {
    for tenant in &case.tenants {
        let ran: BTreeSet<String> = case.ran(tenant).into_iter().collect();
        let made = case
            .db
            .tenant(tenant)
            .session()
            .try_query(&format!("SELECT 1 FROM {table}"));
        assert_eq!(
            made.is_ok(),
            ran.contains(HEAD[3]),
            "{:?} {tenant}: {ran:?}",
            case.server
        );
    }
}

// --- the disk is full ---

const ROWS: usize = 9000;

/// About nine megabytes of rows.
fn large() -> String {
    let digits = "SELECT 1 AS d UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 \
                  UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9";
    let ten = format!("({digits} UNION ALL SELECT 0)");
    let filler = "0123456789".repeat(100);
    format!(
        "CREATE TABLE more (filler TEXT);\nINSERT INTO more SELECT '{filler}' FROM ({digits}) a, {ten} b, {ten} c, {ten} d;"
    )
}

fn assert_full_then_mended(case: &Case, disk: &SmallDisk, look: impl Fn()) {
    case.run().assert_code(0);
    // MariaDB 10.11 ends itself where the disk fills up while it takes rows back; a table's file is refused.
    let (sql, free) = match case.server {
        Server::Mariadb => ("CREATE TABLE more (id INT);".to_owned(), 32),
        _ => (large(), 4000),
    };
    case.tenant(4, "more", &sql);
    disk.fill_but(free);
    let run = case.run();
    run.assert_code(3);
    let (full, hint) = match case.server {
        Server::Postgres => ("could not extend file", "Check free disk space"),
        Server::Mariadb => ("No more room", "free the resource on the server"),
        _ => ("database or disk is full", "free the resource on the server"),
    };
    assert_told(&run, "rollout.tenants", &[full, hint]);
    let finding = &run.check("rollout.tenants")["findings"][0];
    assert_eq!(finding["file"], "migrations/tenant/0004_more.sql", "{finding}");
    look();
    disk.free();
    case.run().assert_code(0);
}

#[test]
fn postgres_has_no_room() {
    let private = PrivateServer::start_with(Server::Postgres, Some(SmallDisk::new(96)), &[]);
    let case = Case::on(private.fresh_database(), 2);
    assert_full_then_mended(&case, private.disk(), || assert_nothing_half_done(&case, "more"));
    case.assert_all_at_head(&HEAD);
    let rows = "SELECT count(*) FROM more";
    assert_eq!(case.db.tenant("t01").query_value(rows), ROWS.to_string());
}

#[test]
fn mariadb_has_no_room() {
    let private = PrivateServer::start_with(Server::Mariadb, Some(SmallDisk::new(96)), &[]);
    let case = Case::on(private.fresh_database(), 2);
    assert_full_then_mended(&case, private.disk(), || assert_nothing_half_done(&case, "more"));
    case.assert_all_at_head(&HEAD);
}

/// The files are on a disk that only the program sees.
fn on_a_disk_of_its_own(megabytes: usize) -> (Case, SmallDisk) {
    let disk = SmallDisk::new(megabytes);
    let mut case = Case::new(Server::Sqlite, 2);
    let url = format!("sqlite://{}/shared.db", disk.folder().display());
    case.project.env("DEV_DB_URL", url);
    case.project.through(disk.entrance());
    (case, disk)
}

#[test]
fn sqlite_has_no_room() {
    let (case, disk) = on_a_disk_of_its_own(40);
    assert_full_then_mended(&case, &disk, || {
        disk.free();
        disk.copy_to(case.db.folder().path());
        assert_nothing_half_done(&case, "more");
    });
    disk.copy_to(case.db.folder().path());
    case.assert_all_at_head(&HEAD);
}

// --- connections ---

fn fewer_connections_than_workers(server: Server) {
    let mut case = Case::new(server, 6);
    let user = case.db.name().to_owned();
    let allow = |number: i32| {
        case.db.admin().execute(&match server {
            Server::Mariadb => format!(
                "ALTER USER `{user}`@`%` WITH MAX_USER_CONNECTIONS {}",
                number.max(0)
            ),
            _ => format!("ALTER ROLE {user} CONNECTION LIMIT {number}"),
        });
    };
    // One that asks, one that works, and three that find no place: they may be waited for, or said.
    allow(2);
    let run = case.run();
    if run.code != Some(0) {
        run.assert_code(3);
        assert_told(
            &run,
            "rollout.tenants",
            &["connections", "lower `rollout.concurrency`"],
        );
        // The remedy that it names.
        case.rollout("concurrency", "1");
        case.run().assert_code(0);
    }
    allow(-1);
    case.assert_all_at_head(&HEAD[..3]);
    case.tenants.push("t07".to_owned());
    case.db.execute("INSERT INTO tenants VALUES ('t07', 1)");
    // The application has them all.
    let application = case.db.session();
    allow(1);
    let run = case.run();
    run.assert_code(3);
    // MariaDB counts anew when the limit changes, and finds out one connection later.
    let check = run.checks_that("failed")[0].to_owned();
    assert_told(&run, &check, &["connections", "free the resource"]);
    drop(application);
    allow(-1);
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD[..3]);
}

#[test]
fn postgres_has_fewer_connections_than_workers() {
    fewer_connections_than_workers(Server::Postgres);
}

#[test]
fn mariadb_has_fewer_connections_than_workers() {
    fewer_connections_than_workers(Server::Mariadb);
}

// --- read-only ---

#[test]
fn postgres_is_a_standby() {
    let mut private = PrivateServer::start(Server::Postgres);
    let case = Case::on(private.fresh_database(), 2);
    case.run().assert_code(0);
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    private.kill();
    private.stand_by(true);
    private.restart();
    case.project.tenantgate(&["plan"]).assert_code(0);
    let run = case.run();
    run.assert_code(3);
    let check = run.checks_that("failed")[0].to_owned();
    assert_told(&run, &check, &["read-only", "is it a replica"]);
    assert_nothing_half_done(&case, "more");
    private.kill();
    private.stand_by(false);
    private.restart();
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

on_postgres!(a_role_that_may_only_read);

fn a_role_that_may_only_read(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    let (role, database) = (case.db.name(), case.db.name());
    let admin = case.db.admin();
    admin.execute(&format!(
        "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    ));
    let run = case.run();
    run.assert_code(3);
    let check = run.checks_that("failed")[0].to_owned();
    assert_told(&run, &check, &["read-only"]);
    admin.execute(&format!(
        "ALTER ROLE {role} IN DATABASE {database} RESET default_transaction_read_only;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND pid <> pg_backend_pid()"
    ));
    assert_nothing_half_done(&case, "more");
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

#[test]
fn mariadb_is_read_only() {
    let private = PrivateServer::start(Server::Mariadb);
    let case = Case::on(private.fresh_database(), 2);
    case.run().assert_code(0);
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    case.db.admin().execute("SET GLOBAL read_only = 1");
    case.project.tenantgate(&["plan"]).assert_code(0);
    let run = case.run();
    run.assert_code(3);
    let check = run.checks_that("failed")[0].to_owned();
    assert_told(&run, &check, &["read-only", "is it a replica"]);
    assert_nothing_half_done(&case, "more");
    case.db.admin().execute("SET GLOBAL read_only = 0");
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

#[test]
fn sqlite_is_on_a_disk_that_cannot_be_written_to() {
    let (case, disk) = on_a_disk_of_its_own(40);
    case.run().assert_code(0);
    case.tenant(4, "more", "CREATE TABLE more (id INT);");
    disk.read_only(true);
    case.project.tenantgate(&["plan"]).assert_code(0);
    let run = case.run();
    run.assert_code(3);
    let check = run.checks_that("failed")[0].to_owned();
    assert_told(&run, &check, &["readonly", "writable"]);
    disk.read_only(false);
    disk.copy_to(case.db.folder().path());
    assert_nothing_half_done(&case, "more");
    case.run().assert_code(0);
    disk.copy_to(case.db.folder().path());
    case.assert_all_at_head(&HEAD);
}

// --- privileges and limits ---

/// Privileges were taken away after the first tenants were made.
fn no_new_tenant_may_be_made(server: Server) {
    let mut case = Case::new(server, 2);
    case.run().assert_code(0);
    case.db.execute("INSERT INTO tenants VALUES ('t03', 1)");
    let (user, admin) = (case.db.name().to_owned(), case.db.admin());
    let pattern = format!("{user}_").replace('_', "\\_");
    let (take, give) = match server {
        Server::Mariadb => (
            format!("REVOKE CREATE ON `{pattern}%`.* FROM `{user}`@`%`"),
            format!("GRANT CREATE ON `{pattern}%`.* TO `{user}`@`%`"),
        ),
        _ => {
            let owner = admin.query_value("SELECT current_user");
            (
                format!(
                    "ALTER DATABASE {user} OWNER TO \"{owner}\"; REVOKE CREATE ON DATABASE {user} FROM {user}"
                ),
                format!("GRANT CREATE ON DATABASE {user} TO {user}"),
            )
        }
    };
    admin.execute(&take);
    let run = case.run();
    run.assert_code(3);
    assert_told(&run, "rollout.tenants", &["denied", "grant the role"]);
    assert_eq!(run.report()["tenants"]["up_to_date"], 2);
    admin.execute(&give);
    case.tenants.push("t03".to_owned());
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD[..3]);
}

#[test]
fn postgres_lets_no_new_tenant_be_made() {
    no_new_tenant_may_be_made(Server::Postgres);
}

#[test]
fn mariadb_lets_no_new_tenant_be_made() {
    no_new_tenant_may_be_made(Server::Mariadb);
}

fn a_statement_takes_too_long(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    case.rollout("statement_timeout", "\"300ms\"");
    let slow = match server {
        Server::Mariadb => "INSERT INTO more SELECT SLEEP(2);".to_owned(),
        _ => case.slow(2.0),
    };
    case.tenant(4, "more", &format!("CREATE TABLE more (id INT);\n{slow}"));
    let run = case.run();
    run.assert_code(1);
    assert_told(
        &run,
        "rollout.tenants",
        &["time", "raise `rollout.statement_timeout`"],
    );
    let finding = &run.check("rollout.tenants")["findings"][0];
    assert_eq!(finding["line"], 2, "{finding}");
    if server != Server::Mariadb {
        assert_nothing_half_done(&case, "more");
    }
    case.rollout("statement_timeout", "\"1m\"");
    case.run().assert_code(0);
    case.assert_all_at_head(&HEAD);
}

#[test]
fn postgres_ends_a_statement_that_takes_too_long() {
    a_statement_takes_too_long(Server::Postgres);
}

#[test]
fn pgbouncer_ends_a_statement_that_takes_too_long() {
    a_statement_takes_too_long(Server::Pgbouncer);
}

#[test]
fn mariadb_ends_a_statement_that_takes_too_long() {
    a_statement_takes_too_long(Server::Mariadb);
}
