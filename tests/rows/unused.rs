//! What is seen where no context was ever set, and where one was set before.

use super::{Rows, assert_told, told};
use crate::harness::Server;

const TRY: &str = "isolation.row-try";
const SETTING: &str = "current_setting('app.tenant_id', true)";

/// A policy that spares whoever it says.
fn sparing(rows: &Rows, whom: &str) {
    rows.plant(&format!(
        "DROP POLICY own ON notes; CREATE POLICY own ON notes USING ({whom} OR tenant_id = nullif({SETTING}, '')::uuid)"
    ));
}

/// Such a setting is NULL on a connection until it is set, and empty ever after.
#[test]
fn a_policy_that_spares_new_connections_is_found() {
    for whom in [format!("{SETTING} IS NULL"), format!("{SETTING} = ''")] {
        let rows = Rows::good(Server::Postgres);
        sparing(&rows, &whom);
        let run = rows.validate();
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), [TRY], "{}", run.stdout);
        let found = told(&run, TRY);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("sees rows of notes without any tenant's context"));
    }
}

/// A pooler gives connections that were somebody's: that is said, and with `direct_url` they are new.
#[test]
fn a_pooler_that_has_no_new_connection_is_said() {
    let mut rows = Rows::good(Server::Pgbouncer);
    rows.validate().assert_code(0);
    let run = rows.validate();
    run.assert_code(0);
    assert_told(&run, TRY, &["note", "on connections that had been some tenant's"]);
    sparing(&rows, &format!("{SETTING} IS NULL"));
    rows.project.env("DIRECT_URL", rows.db.direct_url());
    rows.configure(
        "database_url = \"DEV_DB_URL\"",
        "database_url = \"DEV_DB_URL\"\ndirect_url = \"DIRECT_URL\"",
    );
    let run = rows.validate();
    run.assert_code(1);
    assert_told(&run, TRY, &["sees rows of notes without any tenant's context"]);
}
