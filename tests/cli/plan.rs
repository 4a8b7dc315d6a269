//! `plan` and `status`: who needs what.

use crate::harness::{Desk, TENANTS};

#[test]
fn an_empty_database_has_no_tenants_yet() {
    for desk in Desk::on_all() {
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert!(plan.stdout.contains("not known yet"), "{}", plan.stdout);
        let summary = &plan.report()["plan"];
        assert_eq!(summary["tenants"], serde_json::Value::Null);
        assert_eq!(summary["shared"], serde_json::json!(["shared/0001_clients.sql"]));
        assert_eq!(
            summary["each_tenant"],
            serde_json::json!(["tenant/0001_orders.sql", "tenant/0002_total.sql"])
        );
        let status = desk.tenantgate(&["status"]);
        status.assert_code(0);
    }
}

#[test]
fn tenants_that_need_the_same_are_one_group() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.tenantgate(&["migrate", "--tenant", "amber", "--tenant", "birch"])
            .assert_code(0);
        desk.tenant(
            "0004_sent.sql",
            "-- when it left\nALTER TABLE orders ADD COLUMN sent int;\n",
        );
        desk.database
            .execute("INSERT INTO clients (name) VALUES ('fresh')");

        let plan = desk.tenantgate(&["plan", "--sql"]);
        plan.assert_code(0);
        let labels = |from: usize| {
            ["0001_orders", "0002_total", "0003_paid", "0004_sent"][from..]
                .iter()
                .map(|name| format!("tenant/{name}.sql"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            plan.report()["plan"]["tenants"],
            serde_json::json!([
                {"tenants": ["cedar", "delta", "elder"], "pending": labels(2)},
                {"tenants": ["amber", "birch"], "pending": labels(3)},
                {"tenants": ["fresh"], "pending": labels(0)},
            ])
        );
        for text in [
            "3 tenants need 2",
            "-- when it left",
            "ALTER TABLE orders ADD COLUMN paid int",
        ] {
            assert!(plan.stdout.contains(text), "{text}: {}", plan.stdout);
        }
        let silent = desk.tenantgate(&["plan"]);
        assert!(!silent.stdout.contains("when it left"), "{}", silent.stdout);

        let status = desk.tenantgate(&["status"]);
        status.assert_code(0);
        let standings = status.report()["standings"].as_array().unwrap();
        let pending: Vec<_> = standings
            .iter()
            .map(|it| it["pending"].as_u64().unwrap())
            .collect();
        assert_eq!(pending, [0, 1, 1, 2, 2, 2, 4]);
        assert_eq!(standings[6]["exists"], false);

        // The new tenant is made from nothing, the others go on.
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(run.report()["tenants"]["migrated"], 6);
        assert_eq!(desk.tables("fresh"), ["orders"]);
        desk.assert_heads([Some(4); 5]);
    }
}

#[test]
fn nothing_pending_is_said() {
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert_eq!(plan.report()["plan"]["tenants"], serde_json::json!([]));
        assert_eq!(plan.report()["tenants"]["up_to_date"], TENANTS.len());
    }
}
