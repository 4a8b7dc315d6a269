//! Parts of the whole: one scope, some tenants, a dry run.

use crate::harness::{Desk, Server, findings};

#[test]
fn one_scope_at_a_time() {
    for desk in Desk::on_all() {
        let tenants_first = desk.tenantgate(&["migrate", "--scope", "tenant"]);
        tenants_first.assert_code(1);
        assert!(
            findings(&tenants_first, "rollout.shared")[0].contains("tenants build on them"),
            "{}",
            tenants_first.stdout
        );
        assert_eq!(desk.tables("amber"), [""; 0]);

        let shared = desk.tenantgate(&["migrate", "--scope", "shared"]);
        shared.assert_code(0);
        assert_eq!(shared.report()["outcomes"].as_array().unwrap().len(), 1);
        assert_eq!(desk.heads()["(shared)"], Some(1));
        desk.assert_heads([None; 5]);
        assert_eq!(desk.tables("amber"), [""; 0]);

        let tenant = desk.tenantgate(&["migrate", "--scope", "tenant"]);
        tenant.assert_code(0);
        desk.assert_heads([Some(2); 5]);
        // A part is no evidence.
        assert!(!desk.path("evidence").exists());
    }
}

#[test]
fn some_tenants_only() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
        let run = desk.tenantgate(&["migrate", "--tenant", "birch", "--tenant", "delta"]);
        run.assert_code(0);
        desk.assert_heads([None, Some(2), None, Some(2), None]);
        assert_eq!(run.report()["tenants"]["migrated"], 2);
        assert_eq!(run.report()["tenants"]["skipped"], 3);
        assert_eq!(desk.tables("amber"), [""; 0]);

        let unknown = desk.tenantgate(&["migrate", "--tenant", "brich"]);
        unknown.assert_code(1);
        assert!(unknown.stdout.contains("no tenant brich"), "{}", unknown.stdout);
        assert!(unknown.stdout.contains("birch"), "{}", unknown.stdout);
        desk.assert_heads([None, Some(2), None, Some(2), None]);
    }
}

#[test]
fn scope_and_tenant_exclude_each_other() {
    let desk = Desk::new(Server::Sqlite);
    desk.tenantgate(&["migrate", "--scope", "tenant", "--tenant", "amber"])
        .assert_code(2);
    desk.tenantgate(&["migrate", "--tenant", "a/b"]).assert_code(2);
}

#[test]
fn migrate_keeps_to_promotion() {
    let mut desk = Desk::new(Server::Sqlite);
    let other = Server::Sqlite.fresh_database();
    desk.database("UAT_DB_URL", &other);
    let early = desk.tenantgate(&["migrate", "--environment", "uat"]);
    early.assert_code(1);
    assert_eq!(early.checks_that("failed"), ["promotion.evidence"]);
    desk.tenantgate(&["run"]).assert_code(0);
    desk.tenantgate(&["migrate", "--environment", "uat"])
        .assert_code(0);
}

#[test]
fn validate_tells_what_is_not_as_it_must_be() {
    for desk in Desk::on_all() {
        let empty = desk.tenantgate(&["validate"]);
        empty.assert_code(1);
        desk.configure_more(
            "[expect.tenant.tables.orders]\ncolumns = { id = { nullable = true }, total = {} }\n\
             [expect.tenant.tables.shipments]\n\
             [[expect.tenant.assertions]]\nname = \"no orders\"\nsql = \"SELECT count(*) FROM orders\"\nequals = 0\n\
             [[expect.shared.assertions]]\nname = \"five clients\"\nsql = \"SELECT count(*) FROM clients\"\nequals = 5\n",
        );
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["expect.tables"]);
        assert_eq!(findings(&run, "expect.tables").len(), 5);
        desk.replace("tenantgate.toml", "[expect.tenant.tables.shipments]\n", "");
        let good = desk.tenantgate(&["validate"]);
        good.assert_code(0);
        for id in [
            "expect.tables",
            "expect.columns",
            "expect.indexes",
            "expect.foreign-keys",
            "expect.assertions",
        ] {
            assert_eq!(good.check(id)["status"], "passed");
        }
        for id in ["schema.registered", "schema.unregistered", "schema.complete"] {
            assert_eq!(good.check(id)["status"], "passed");
        }

        let cedar = desk.database.tenant("cedar");
        cedar.execute("INSERT INTO orders (id) VALUES (1)");
        desk.database
            .tenant("delta")
            .execute("ALTER TABLE orders DROP COLUMN total");
        let broken = desk.tenantgate(&["validate"]);
        broken.assert_code(1);
        assert_eq!(
            broken.checks_that("failed"),
            ["drift.tenant", "expect.columns", "expect.assertions"]
        );
        assert_eq!(
            findings(&broken, "expect.columns"),
            ["delta: column `orders.total` is missing"]
        );
        assert_eq!(
            findings(&broken, "expect.assertions"),
            ["cedar: no orders: found 1, expected 0"]
        );

        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        let behind = desk.tenantgate(&["validate"]);
        behind.assert_code(1);
        // What is pending is no drift, and hides none.
        assert_eq!(behind.checks_that("failed"), ["schema.complete", "drift.tenant"]);
        assert_eq!(findings(&behind, "schema.complete").len(), 5);
        assert_eq!(
            findings(&behind, "drift.tenant"),
            ["delta: column `orders.total` is missing"]
        );
    }
}

#[test]
fn assertions_may_not_write() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.configure_more(
            "[[expect.tenant.assertions]]\nname = \"a deletion\"\nsql = \"DELETE FROM clients\"\nequals = 0\n",
        );
        let before = desk.everything();
        let run = desk.tenantgate(&["validate"]);
        assert_ne!(run.code, Some(0), "{}", run.stdout);
        assert_eq!(run.check("expect.assertions")["status"], "failed");
        assert_eq!(desk.everything(), before);
    }
}

#[test]
fn a_run_may_take_only_so_long() {
    let desk = Desk::new(Server::Sqlite);
    desk.configure("rollout", "warn_after = \"1ms\"");
    let slow = desk.tenantgate(&["run"]);
    slow.assert_code(0);
    assert_eq!(slow.check("rollout.duration")["status"], "warned");
    desk.configure("rollout", "fail_after = \"1ms\"");
    desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let slow = desk.tenantgate(&["run"]);
    slow.assert_code(1);
    assert_eq!(slow.checks_that("failed"), ["rollout.duration"]);
}

#[test]
fn a_lease_of_another_run_is_waited_for_and_named() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.configure("rollout", "lease_wait = \"300ms\"");
        hold_lease(&desk);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(3);
        assert_eq!(run.checks_that("failed"), ["rollout.lease"]);
        assert!(
            findings(&run, "rollout.lease")[0].contains("another machine"),
            "{}",
            run.stdout
        );
        desk.assert_heads([Some(2); 5]);
    }
}

/// As another run would, for an hour.
fn hold_lease(desk: &Desk) {
    let (table, now, end) = match desk.server() {
        Server::Postgres | Server::Pgbouncer => (
            "tenantgate.lease".to_owned(),
            "now()",
            "now() + interval '1 hour'",
        ),
        Server::Mariadb => {
            let ledger = desk.database.location("shared_tenantgate");
            let end = "UTC_TIMESTAMP(6) + INTERVAL 1 HOUR";
            (format!("`{ledger}`.lease"), "UTC_TIMESTAMP(6)", end)
        }
        Server::Sqlite => ("tenantgate_lease".to_owned(), "0", "9999999999999"),
    };
    desk.database.execute(&format!(
        "INSERT INTO {table} (part, holder, whence, acquired_at, heartbeat_at, expires_at) \
         VALUES ('', 'x', 'another machine', {now}, {now}, {end})"
    ));
}
