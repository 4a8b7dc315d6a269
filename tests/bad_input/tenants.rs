//! Registry and schemas that do not agree.

use super::{assert_says, untouched};
use crate::harness::{Desk, Server, findings};

#[test]
fn a_schema_that_was_dropped_is_not_made_anew() {
    for server in [Server::Postgres, Server::Mariadb] {
        let desk = Desk::migrated(server);
        let cedar = desk.database.location("cedar");
        desk.database.execute(&match server {
            Server::Postgres => format!("DROP SCHEMA {cedar} CASCADE"),
            _ => format!("DROP DATABASE `{cedar}`"),
        });
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        for command in ["run", "plan", "validate", "migrate"] {
            let run = untouched(&desk, &[command]);
            run.assert_code(1);
            assert!(run.checks_that("failed").contains(&"tenants.lost"), "{command}");
            assert_says(&run, &["cedar", "schema is gone", "restore it from a backup"]);
        }
    }
}

#[test]
fn a_registered_tenant_without_a_schema_and_a_schema_without_a_tenant() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.database
            .execute("INSERT INTO clients (name) VALUES ('fresh')");
        desk.database.create_tenant("stray");
        let validate = untouched(&desk, &["validate"]);
        validate.assert_code(1);
        assert_eq!(
            validate.checks_that("failed"),
            ["schema.registered", "schema.unregistered", "schema.complete"]
        );
        assert!(findings(&validate, "schema.registered")[0].starts_with("fresh: "));
        assert!(findings(&validate, "schema.unregistered")[0].contains("stray"));
        assert_says(
            &validate,
            &["does not exist", "`tenantgate migrate`", "register it, drop it"],
        );

        // A run makes the one, and does not touch the other.
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["schema.unregistered"]);
        assert_eq!(desk.tables("fresh"), ["orders"]);
        assert_eq!(desk.tables("stray"), [""; 0]);

        desk.configure("tenancy", "ignore = [\"*stray*\"]");
        desk.tenantgate(&["run"]).assert_code(0);
    }
}
