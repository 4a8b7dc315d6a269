//! A migration that fails on the third of five tenants.

use super::assert_says;
use crate::harness::{Desk, Server, findings};

/// `cedar` has the column already: somebody put it there by hand.
fn desk_with_a_stumbling_block(desk: &Desk) {
    desk.tenantgate(&["run"]).assert_code(0);
    desk.database
        .tenant("cedar")
        .execute("ALTER TABLE orders ADD COLUMN paid int");
    desk.tenant(
        "0003_paid.sql",
        "-- what was paid\nCREATE TABLE payments (id int);\nALTER TABLE orders\n  ADD COLUMN paid int;\n",
    );
}

#[test]
fn the_others_outcome_is_said_and_a_rerun_converges() {
    for desk in Desk::on_all() {
        desk_with_a_stumbling_block(&desk);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(3), Some(3), Some(2), Some(2), Some(2)]);
        let counts = &run.report()["tenants"];
        assert_eq!(counts["migrated"], 2);
        assert_eq!(counts["failed"], 1);
        assert_eq!(counts["not_reached"], 2);
        let outcomes = run.report()["outcomes"].as_array().unwrap();
        assert_eq!(outcomes[0]["tenant"], "cedar");
        assert_eq!(outcomes[0]["state"], "failed");
        assert_eq!(outcomes[0]["head"], 2);

        let finding = &run.check("rollout.tenants")["findings"][0];
        assert_eq!(finding["tenant"], "cedar");
        assert_eq!(finding["file"], "migrations/tenant/0003_paid.sql");
        assert_eq!((&finding["line"], &finding["column"]), (&3.into(), &1.into()));
        let state = match desk.server() {
            Server::Mariadb => {
                "half way through 0003: 1 statement of 2 done, the next run goes on with statement 2"
            }
            _ => "cedar is at 0002, with nothing half done",
        };
        assert_says(
            &run,
            &[
                "cedar",
                "0003_paid.sql:3:1",
                "paid",
                state,
                "2 tenants were not reached",
            ],
        );
        let payments = desk.tables("cedar").contains(&"payments".to_owned());
        assert_eq!(payments, desk.server() == Server::Mariadb);

        // The evidence says that it failed.
        let uat = desk.tenantgate(&["promote", "--environment", "uat"]);
        uat.assert_code(1);
        assert_says(&uat, &["dev was blocked with this change"]);

        // Again without mending anything: the same, and no harm.
        let again = desk.tenantgate(&["run"]);
        again.assert_code(1);
        assert_eq!(again.report()["tenants"]["failed"], 1);
        desk.assert_heads([Some(3), Some(3), Some(2), Some(2), Some(2)]);

        desk.database
            .tenant("cedar")
            .execute("ALTER TABLE orders DROP COLUMN paid");
        let mended = desk.tenantgate(&["run"]);
        mended.assert_code(0);
        assert_eq!(mended.report()["tenants"]["migrated"], 3);
        assert_eq!(mended.report()["tenants"]["up_to_date"], 2);
        desk.assert_heads([Some(3); 5]);
        for tenant in ["amber", "cedar", "elder"] {
            assert_eq!(desk.tables(tenant), ["orders", "payments"]);
        }
        desk.tenantgate(&["promote", "--environment", "uat"])
            .assert_code(0);
    }
}

#[test]
fn as_many_may_fail_as_the_budget_says() {
    for desk in Desk::on_all() {
        desk_with_a_stumbling_block(&desk);
        desk.configure("rollout", "max_failures = 1");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(3), Some(3), Some(2), Some(3), Some(3)]);
        assert_eq!(findings(&run, "rollout.tenants").len(), 1);
        assert_eq!(run.report()["tenants"]["not_reached"], 0);
    }
}

#[test]
fn a_canary_that_fails_keeps_the_others_untouched() {
    for desk in Desk::on_all() {
        desk_with_a_stumbling_block(&desk);
        desk.configure("rollout", "max_failures = 4\ncanary = [\"cedar\"]");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2); 5]);
        assert_eq!(run.report()["tenants"]["not_reached"], 4);
    }
}

#[test]
fn a_shared_migration_that_fails_keeps_the_tenants_untouched() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.shared(
            "0002_regions.sql",
            "CREATE TABLE regions (id int);\n\nINSERT INTO regions (nothing) VALUES (1);\n",
        );
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["rollout.shared"]);
        assert_says(&run, &["0002_regions.sql:3:", "nothing", "the shared schema is"]);
        desk.assert_heads([Some(2); 5]);
        assert_eq!(desk.heads()["(shared)"], Some(1));

        // What failed may be mended: on MariaDB what ran before it stays as it is.
        desk.replace("migrations/shared/0002_regions.sql", "nothing", "id");
        desk.tenantgate(&["run"]).assert_code(0);
        assert_eq!(desk.heads()["(shared)"], Some(2));
        desk.assert_heads([Some(3); 5]);
        assert_eq!(desk.database.query_value("SELECT count(*) FROM regions"), "1");
    }
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    for desk in Desk::on_all() {
        desk.tenant(
            "0003_paid.sql",
            "-- first\nSELECT 1;\n\n  CREATE TABL payments (id int);\n",
        );
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        let finding = &run.check("rollout.tenants")["findings"][0];
        assert_eq!(finding["line"], 4, "{finding}");
        assert_says(&run, &["TABL"]);
        // Batches are whole: the tenant has none of them, or all before the one that failed.
        let expected = if desk.server() == Server::Mariadb {
            Some(2)
        } else {
            None
        };
        desk.assert_heads([expected, None, None, None, None]);
    }
}
