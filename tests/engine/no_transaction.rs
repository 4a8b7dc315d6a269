//! What cannot run in a transaction: the ledger keeps up statement by statement.

use super::case::{Case, on_postgres};
use crate::harness::Server;

const INDEX: &str =
    "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY items_label ON items (label);\n";

fn indexes(case: &Case, tenant: &str) -> Vec<String> {
    case.db.query_column(&format!(
        "SELECT c.relname || ' ' || i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relname = 'items_label' AND c.relnamespace = '{tenant}'::regnamespace"
    ))
}

// Through a pooler all this goes over the direct URL.
on_postgres!(
    an_index_is_built_concurrently_on_all_tenants,
    what_a_failed_build_leaves_is_removed_and_built_again,
    statements_before_the_failed_one_are_not_repeated,
);

fn an_index_is_built_concurrently_on_all_tenants(server: Server) {
    let case = Case::new(server, 4);
    case.project.tenant("0004_index.sql", INDEX);
    case.run().assert_code(0);
    for tenant in &case.tenants {
        assert_eq!(indexes(&case, tenant), ["items_label true"]);
    }
    let run = case.run();
    run.assert_code(0);
    assert!(run.stdout.contains("nothing to do"));
}

/// A unique index over duplicates fails; what PostgreSQL leaves of it would refuse the application's rows.
fn what_a_failed_build_leaves_is_removed_and_built_again(server: Server) {
    let case = Case::new(server, 2);
    case.run().assert_code(0);
    let tenant = case.db.tenant("t01");
    tenant.execute("INSERT INTO items VALUES (2, 'one', 2)");
    case.project.tenant(
        "0004_index.sql",
        &INDEX.replace("CREATE INDEX", "CREATE UNIQUE INDEX"),
    );
    let run = case.run();
    run.assert_code(1);
    let finding = &run.check("rollout.tenants")["findings"][0];
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .ends_with("t01 is at 0003, with nothing half done"),
        "{finding}"
    );
    assert_eq!(finding["line"], 2);
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("Key (label)=(one) is duplicated"),
        "the data is named: {message}"
    );
    assert_eq!(indexes(&case, "t01"), [""; 0]);
    tenant.execute("UPDATE items SET label = 'two' WHERE id = 2");
    case.run().assert_code(0);
    for tenant in &case.tenants {
        assert_eq!(indexes(&case, tenant), ["items_label true"]);
    }
}

/// Other statements of such a file run once as well.
fn statements_before_the_failed_one_are_not_repeated(server: Server) {
    let case = Case::new(server, 1);
    case.run().assert_code(0);
    let file = "-- tenantgate: no-transaction\nINSERT INTO ran VALUES ('0004_first');\nCREATE INDEX CONCURRENTLY broken ON items (nosuch);\nINSERT INTO ran VALUES ('0004_last');\n";
    case.project.tenant("0004_index.sql", file);
    case.run().assert_code(1);
    // What failed may be mended, what ran may not.
    case.project
        .tenant("0004_index.sql", &file.replace("0004_first", "0004_other"));
    let edited = case.run();
    edited.assert_code(1);
    assert_eq!(edited.checks_that("failed"), ["ledger.changed"]);
    case.project
        .tenant("0004_index.sql", &file.replace("nosuch", "label"));
    case.run().assert_code(0);
    assert_eq!(
        case.ran("t01"),
        [
            "0001_ran",
            "0002_items",
            "0003_items_total",
            "0004_first",
            "0004_last"
        ]
    );
}

#[test]
fn a_vacuum_runs_on_sqlite() {
    let case = Case::new(Server::Sqlite, 2);
    case.project.tenant(
        "0004_vacuum.sql",
        "-- tenantgate: no-transaction\nVACUUM;\nINSERT INTO ran VALUES ('0004');\n",
    );
    case.run().assert_code(0);
    case.run().assert_code(0);
    assert_eq!(case.ran("t02").len(), 4);
}
