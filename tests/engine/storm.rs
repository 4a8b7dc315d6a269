//! What the tests that break things share: work long enough to be broken in, and what must hold after a rerun.

use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::TestDatabase;
use crate::harness::soak::Tally;

const TENANTS: usize = 20;

const HEAD: [&str; 5] = [
    "0001_ran",
    "0002_items",
    "0003_items_total",
    "0004_wide",
    "0005_rows",
];

/// Five migrations for each of twenty tenants; those that write also write into a table whose key they
/// may use once.
pub fn prepared(db: TestDatabase) -> Case {
    let case = Case::on(db, TENANTS);
    case.tenant(
        4,
        "wide",
        "CREATE TABLE once (name VARCHAR(80) NOT NULL PRIMARY KEY);\nCREATE TABLE wide (a INT, b INT);\nINSERT INTO once VALUES ('0004');\nALTER TABLE wide ADD COLUMN c INT;\nCREATE INDEX wide_c ON wide (c);",
    );
    case.tenant(
        5,
        "rows",
        "INSERT INTO wide VALUES (1, 2, 3);\nINSERT INTO once VALUES ('0005');\nUPDATE wide SET c = c + 1;\nALTER TABLE wide ADD COLUMN d INT;",
    );
    case
}

/// How long a run takes here and now that nobody disturbs.
pub fn undisturbed(case: impl FnOnce() -> Case) -> Duration {
    let case = case();
    let begun = Instant::now();
    case.run().assert_code(0);
    begun.elapsed()
}

impl Case {
    /// The next run brings all tenants to their head, each migration exactly once, and no lease is stuck.
    pub fn assert_converges(&self, whole: Duration, tally: &mut Tally, what: &str) {
        // A lease's expiry is a second away at most; the rest is the work itself, on a busy machine.
        self.assert_converges_within(whole * 3 + Duration::from_secs(8), tally, what);
    }

    pub fn assert_converges_within(&self, limit: Duration, tally: &mut Tally, what: &str) {
        let begun = Instant::now();
        let rerun = self.run();
        let took = begun.elapsed();
        assert_eq!(
            rerun.code,
            Some(0),
            "{:?}, the rerun after {what}\n{}\n{}",
            self.server,
            rerun.stdout,
            rerun.stderr
        );
        assert!(took < limit, "{what}: {took:?}");
        tally.rerun(took);
        self.assert_all_at_head(&HEAD);
        for tenant in &self.tenants {
            let tenant = self.db.tenant(tenant);
            assert_eq!(tenant.query_column("SELECT c FROM wide"), ["4"], "{what}");
            assert_eq!(tenant.query_value("SELECT count(*) FROM once"), "2", "{what}");
        }
        self.assert_no_lease_is_stuck();
        let registered = self.db.query_value("SELECT count(*) FROM tenants");
        assert_eq!(registered, TENANTS.to_string(), "{what}");
    }
}
