//! Behind PgBouncer in transaction mode.

use super::{assert_says, untouched};
use crate::harness::{Desk, Server};

const INDEX: &str =
    "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY orders_total ON orders (total);\n";

fn behind_a_pooler() -> Desk {
    let mut desk = Desk::new(Server::Pgbouncer);
    let url = format!("{}?pgbouncer=true", desk.database.url());
    desk.env("DEV_DB_URL", url);
    desk
}

#[test]
fn a_whole_run_goes_through() {
    let desk = behind_a_pooler();
    desk.tenantgate(&["run"]).assert_code(0);
    desk.assert_heads([Some(2); 5]);
    let again = desk.tenantgate(&["run"]);
    again.assert_code(0);
    assert_eq!(again.check("ledger.direct-url")["status"], "passed");
}

#[test]
fn what_needs_a_session_is_refused_before_anything_ran() {
    let mut desk = behind_a_pooler();
    desk.tenant("0003_index.sql", INDEX);
    // Neither on an empty database, nor where only this one is pending.
    for _ in 0..2 {
        for command in ["plan", "run"] {
            let run = untouched(&desk, &[command]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["ledger.direct-url"], "{command}");
            assert_says(&run, &["0003_index.sql", "outside a transaction", "direct_url"]);
        }
        desk.remove("migrations/tenant/0003_index.sql");
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_index.sql", INDEX);
    }
    desk.configure("environments.dev", "direct_url = \"DEV_DIRECT_URL\"");
    let direct = desk.database.direct_url().to_owned();
    desk.env("DEV_DIRECT_URL", direct);
    desk.tenantgate(&["run"]).assert_code(0);
    desk.assert_heads([Some(3); 5]);
    let valid = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = indexrelid \
                 WHERE relname = 'orders_total' AND indisvalid";
    assert_eq!(desk.database.query_value(valid), "5");
}

/// Statements would find another tenant's schema on the search path.
#[test]
fn a_pooler_that_the_url_does_not_speak_of_is_found() {
    let desk = Desk::new(Server::Pgbouncer);
    assert!(!desk.database.url().contains("pgbouncer=true"));
    desk.tenantgate(&["run"]).assert_code(0);
    desk.tenant("0003_index.sql", INDEX);
    let run = untouched(&desk, &["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["ledger.direct-url"]);
    let direct = Desk::migrated(Server::Postgres);
    direct.tenant("0003_index.sql", INDEX);
    direct.tenantgate(&["run"]).assert_code(0);
}

#[test]
fn an_index_that_cannot_be_built_leaves_none_behind() {
    let desk = Desk::new(Server::Postgres);
    desk.tenantgate(&["run"]).assert_code(0);
    desk.database
        .tenant("cedar")
        .execute("INSERT INTO orders (id) VALUES (1), (1)");
    desk.tenant(
        "0003_index.sql",
        "-- tenantgate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY orders_id ON orders (id);\n",
    );
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    assert_says(&run, &["cedar", "0003_index.sql:2:1"]);
    desk.assert_heads([Some(3), Some(3), Some(2), Some(2), Some(2)]);
    desk.database.tenant("cedar").execute("DELETE FROM orders");
    desk.tenantgate(&["run"]).assert_code(0);
    desk.assert_heads([Some(3); 5]);
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    assert_eq!(desk.database.query_value(invalid), "0");
}
