//! The registry: who is a tenant is data, and data can be wrong.

use super::{assert_says, untouched};
use crate::harness::{Desk, Server, findings};

#[test]
fn no_tenants() {
    for desk in Desk::on_all() {
        let desk = desk.with_tenants(&[]);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["tenants.minimum"]);
        assert_says(&run, &["found no tenants", "min = 0"]);
        let again = untouched(&desk, &["run"]);
        again.assert_code(1);
        assert_eq!(again.checks_that("failed"), ["tenants.minimum"]);

        desk.configure("tenancy", "min = 0");
        let allowed = desk.tenantgate(&["run"]);
        allowed.assert_code(0);
        assert_eq!(allowed.check("tenants.minimum")["status"], "passed");
    }
}

#[test]
fn a_query_that_fails() {
    for desk in Desk::on_all() {
        let registry = "SELECT name AS tenant FROM clients ORDER BY name";
        // Its error cannot be cured by what the shared migrations make: nothing is begun.
        desk.replace("tenantgate.toml", registry, "SELEC name AS tenant");
        // (Only SQLite cannot tell before there is a file.)
        let syntax = match desk.server() {
            Server::Sqlite => desk.tenantgate(&["run"]),
            _ => untouched(&desk, &["run"]),
        };
        syntax.assert_code(1);
        assert_eq!(syntax.checks_that("failed"), ["tenants.registry"]);
        assert_says(
            &syntax,
            &["the registry's query failed", "syntax", "`registry` in [tenancy]"],
        );

        desk.replace(
            "tenantgate.toml",
            "SELEC name AS tenant",
            "SELECT nobody AS tenant FROM clients",
        );
        let column = desk.tenantgate(&["run"]);
        column.assert_code(1);
        assert_eq!(column.checks_that("failed"), ["tenants.registry"]);
        assert_says(&column, &["the registry's query failed", "nobody"]);
        assert_eq!(desk.tables("amber"), [""; 0]);

        desk.replace("tenantgate.toml", "SELECT nobody AS tenant", "SELECT name");
        let unnamed = untouched(&desk, &["run"]);
        unnamed.assert_code(1);
        assert_eq!(unnamed.checks_that("failed"), ["tenants.registry"]);
        assert_says(&unnamed, &["no column named `tenant`"]);

        desk.replace(
            "tenantgate.toml",
            "SELECT name FROM clients",
            "DELETE FROM clients",
        );
        let writes = untouched(&desk, &["run"]);
        assert_ne!(writes.code, Some(0));
        assert_eq!(writes.checks_that("failed"), ["tenants.registry"]);

        desk.replace("tenantgate.toml", "DELETE FROM clients", registry);
        let mended = desk.tenantgate(&["run"]);
        mended.assert_code(0);
        desk.assert_heads([Some(2); 5]);
    }
}

#[test]
fn names_that_cannot_be_tenants() {
    let long = "x".repeat(200);
    for desk in Desk::on_all() {
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        for (value, check, words) in [
            (
                "NULL",
                "tenants.name",
                &["NULL for a tenant", "mend the row"] as &[&str],
            ),
            (
                "'amber'",
                "tenants.duplicate",
                &["amber", "names this tenant twice"],
            ),
            (
                "'Amber'",
                "tenants.duplicate",
                &["differs from tenant", "only in case"],
            ),
            (
                &format!("'{long}'"),
                "tenants.name",
                &["longer than 63 bytes", "xxxx\"…"],
            ),
            (
                "'\"; drop schema public; --'",
                "tenants.name",
                &["drop schema public", "a character other than letters"],
            ),
            (
                "'rocket🚀'",
                "tenants.name",
                &["rocket🚀", "a character other than letters"],
            ),
            ("''", "tenants.name", &["the name is empty"]),
            ("'../amber'", "tenants.name", &["begins with `.`"]),
        ] {
            desk.database
                .execute(&format!("INSERT INTO clients (name) VALUES ({value})"));
            for command in ["run", "plan", "validate"] {
                let run = untouched(&desk, &[command]);
                run.assert_code(1);
                assert_eq!(run.checks_that("failed"), [check], "{value}");
                assert_says(&run, words);
            }
            // MariaDB's usual comparison finds `Amber` too.
            let binary = if desk.server() == Server::Mariadb {
                "BINARY "
            } else {
                ""
            };
            desk.database.execute(&format!(
                "DELETE FROM clients WHERE name IS NULL OR {binary}name = {value}"
            ));
            if value == "'amber'" {
                desk.database
                    .execute("INSERT INTO clients (name) VALUES ('amber')");
            }
        }
        desk.assert_heads([Some(2); 5]);
        desk.tenantgate(&["run"]).assert_code(0);
        desk.assert_heads([Some(3); 5]);
    }
}

#[test]
fn odd_names_that_are_allowed_are_quoted() {
    for desk in Desk::on_all() {
        let mut names = vec!["select", "1st", "dash-ed"];
        // MariaDB's grants in these tests are by pattern, and a dot in a file's name is no matter.
        if desk.server() != Server::Mariadb {
            names.extend(["dot.ted", "münchen"]);
        }
        let desk = desk.with_tenants(&names);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        for name in names {
            assert_eq!(desk.tables(name), ["orders"], "{name}");
        }
        desk.tenantgate(&["validate"]).assert_code(0);
    }
}

#[test]
fn a_place_that_belongs_to_others() {
    for (server, name, words) in [
        (Server::Postgres, "pg_other", "belongs to PostgreSQL"),
        (Server::Postgres, "tenantgate", "is the ledger"),
        (Server::Mariadb, "shared", "is the shared database"),
        (Server::Mariadb, "shared_tenantgate", "is the ledger"),
    ] {
        let desk = Desk::new(server).with_tenants(&["amber", name]);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["tenants.name"]);
        assert_eq!(findings(&run, "tenants.name").len(), 1);
        assert_says(&run, &[name, words, "rename the tenant"]);
        assert_eq!(desk.tables("amber"), [""; 0]);
    }
    let shared = Desk::new(Server::Postgres).with_tenants(&["public", "amber"]);
    let run = shared.tenantgate(&["run"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["discovered"], 1);
}

#[test]
fn a_tenant_that_must_exist_and_cannot_be_made() {
    for desk in Desk::on_all() {
        desk.configure("tenancy", "ensure = [\"super\"]");
        let without = desk.tenantgate(&["run"]);
        without.assert_code(1);
        assert_eq!(without.checks_that("failed"), ["tenants.ensured"]);
        assert_says(&without, &["super", "the registry has no row", "ensure_sql"]);
        assert_eq!(desk.tables("amber"), [""; 0]);

        desk.configure(
            "tenancy",
            "ensure_sql = \"INSERT INTO nowhere (name) VALUES ({tenant})\"",
        );
        let failing = desk.tenantgate(&["run"]);
        failing.assert_code(1);
        assert_eq!(failing.checks_that("failed"), ["tenants.ensured"]);
        assert_says(&failing, &["`ensure_sql` failed", "nowhere"]);

        desk.replace(
            "tenantgate.toml",
            "INTO nowhere (name) VALUES ({tenant})",
            "INTO clients (name) SELECT 'no' WHERE {tenant} = ''",
        );
        let elsewhere = desk.tenantgate(&["run"]);
        elsewhere.assert_code(1);
        assert_eq!(elsewhere.checks_that("failed"), ["tenants.ensured"]);
        assert_says(&elsewhere, &["still does not show the tenant"]);

        desk.replace(
            "tenantgate.toml",
            "SELECT 'no' WHERE {tenant} = ''",
            "VALUES ({tenant})",
        );
        let made = desk.tenantgate(&["run"]);
        made.assert_code(0);
        assert_eq!(made.report()["tenants"]["migrated"], 6);
        assert_eq!(desk.tables("super"), ["orders"]);
    }
}
