//! Structures that are not what they must be, found and named whatever the engine.

use super::case::on_all_servers;
use crate::harness::{Desk, Server, findings};

on_all_servers!(
    tenants_that_differ_are_named_with_what_differs,
    pending_migrations_are_no_drift,
    what_every_tenant_lacks_is_found_all_the_same,
    the_shared_schema_is_compared_too,
    what_is_ignored_and_what_only_warns_blocks_nothing,
    the_order_of_columns_can_be_left_out,
    a_run_compares_before_it_passes,
    a_run_with_nothing_to_do_compares_where_it_is_told_to,
    what_blocked_a_run_blocks_the_next_one,
    code_of_live_tenants_is_shown_nowhere,
    the_next_environment_must_be_the_same,
    a_committed_snapshot_is_what_is_expected,
);

/// Two tenants that lack an index and have another type, and one that has a table more.
pub(super) fn drifted(server: Server) -> Desk {
    let desk = Desk::new(server);
    desk.project.tenant(
        "0003_by_total.sql",
        "CREATE INDEX orders_by_total ON orders (total);\n",
    );
    desk.tenantgate(&["run"]).assert_code(0);
    let drop = match server {
        Server::Mariadb => "DROP INDEX orders_by_total ON orders",
        _ => "DROP INDEX orders_by_total",
    };
    desk.database.tenant("birch").execute(drop);
    desk.database.tenant("delta").execute(drop);
    desk.database
        .tenant("elder")
        .execute("CREATE TABLE junk (id int)");
    desk
}

fn tenants_that_differ_are_named_with_what_differs(server: Server) {
    let desk = drifted(server);
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.tenant"]);
    assert_eq!(
        findings(&run, "drift.tenant"),
        [
            "birch: index `orders_by_total` of `orders` is missing",
            "delta: index `orders_by_total` of `orders` is missing",
            "elder: extra table `junk`",
        ]
    );
    let schema = &run.report()["schema"];
    assert_eq!(schema["groups"], 3);
    assert_eq!(schema["tenants"], 5);
    assert_eq!(schema["differing"], 3);
    assert_eq!(schema["expected"], "migrations");
    assert!(run.stdout.contains("2 tenants alike"), "{}", run.stdout);
}

fn pending_migrations_are_no_drift(server: Server) {
    let desk = Desk::migrated(server);
    desk.project
        .tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["schema.complete"]);
    assert_eq!(run.check("drift.tenant")["status"], "passed");
    desk.tenantgate(&["migrate", "--tenant", "cedar"]).assert_code(0);
    // Two kinds of tenants now, and each is what it must be.
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.checks_that("failed"), ["schema.complete"]);
    assert_eq!(run.report()["schema"]["groups"], 2);
    assert_eq!(run.report()["schema"]["differing"], 0);
}

fn what_every_tenant_lacks_is_found_all_the_same(server: Server) {
    let desk = Desk::migrated(server);
    for tenant in crate::harness::TENANTS {
        desk.database
            .tenant(tenant)
            .execute("ALTER TABLE orders DROP COLUMN total");
    }
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "drift.tenant")[4],
        "elder: column `orders.total` is missing"
    );
    assert!(run.stdout.contains("every tenant differs so"), "{}", run.stdout);
    // Among themselves they are alike.
    desk.configure_more("[validate]\nexpected = \"largest\"\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.report()["schema"]["expected"], "largest");
}

fn the_shared_schema_is_compared_too(server: Server) {
    let desk = Desk::migrated(server);
    desk.database.execute("CREATE TABLE of_another_team (id int)");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(
        findings(&run, "drift.shared"),
        ["in no migration: extra table `of_another_team`"]
    );
    desk.database.execute("ALTER TABLE clients ADD COLUMN note int");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.shared"]);
    assert_eq!(findings(&run, "drift.shared")[0], "extra column `clients.note`");
}

fn what_is_ignored_and_what_only_warns_blocks_nothing(server: Server) {
    let desk = drifted(server);
    desk.configure_more("[validate]\nignore = [\"junk\", \"orders.orders_by_*\"]\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.report()["schema"]["groups"], 1);
    desk.project.replace(
        "tenantgate.toml",
        "\"orders.orders_by_*\"]",
        "]\ndrift = \"warning\"",
    );
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.check("drift.tenant")["status"], "warned");
    assert_eq!(findings(&run, "drift.tenant").len(), 2);
    desk.project.replace("tenantgate.toml", "\"warning\"", "\"off\"");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert!(run.report()["schema"].is_null());
}

fn the_order_of_columns_can_be_left_out(server: Server) {
    let desk = Desk::migrated(server);
    desk.database.tenant("birch").execute(
        "CREATE TABLE parts (two int, one int); ALTER TABLE orders ADD COLUMN late int; ALTER TABLE orders DROP COLUMN late",
    );
    desk.project.tenant(
        "0003_parts.sql",
        "CREATE TABLE IF NOT EXISTS parts (one int, two int);\n",
    );
    desk.tenantgate(&["migrate"]).assert_code(0);
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let order = findings(&run, "drift.tenant");
    assert_eq!(order.len(), 1, "{order:?}");
    assert!(
        order[0].starts_with("birch: table `parts` has column order "),
        "{order:?}"
    );
    desk.configure_more("[validate]\ncolumn_order = false\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(0);
    assert_eq!(run.report()["schema"]["groups"], 1);
}

fn a_run_compares_before_it_passes(server: Server) {
    let desk = drifted(server);
    desk.project
        .tenant("0004_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.tenant"]);
    assert_eq!(run.report()["tenants"]["migrated"], 5);
}

fn a_run_with_nothing_to_do_compares_where_it_is_told_to(server: Server) {
    let desk = drifted(server);
    desk.tenantgate(&["run"]).assert_code(1);
    desk.configure_more("[validate]\ncompare = \"migrated\"\n");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    assert!(run.report()["schema"].is_null());
    assert!(
        run.stdout.contains("structures were not compared"),
        "{}",
        run.stdout
    );
    desk.tenantgate(&["validate"]).assert_code(1);
}

/// With nothing pending, but with what an earlier run changed and did not pass.
fn what_blocked_a_run_blocks_the_next_one(server: Server) {
    let desk = drifted(server);
    desk.configure_more("[validate]\ncompare = \"migrated\"\n");
    let blocked = |arguments: &[&str]| {
        let run = desk.tenantgate(arguments);
        run.assert_code(1);
        assert_eq!(run.checks_that("failed"), ["drift.tenant"]);
    };
    desk.project
        .tenant("0004_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    blocked(&["run"]);
    blocked(&["run"]);
    desk.project
        .tenant("0005_sent.sql", "ALTER TABLE orders ADD COLUMN sent int;\n");
    desk.tenantgate(&["migrate"]).assert_code(0);
    blocked(&["run"]);
    desk.project.replace(
        "tenantgate.toml",
        "compare = \"migrated\"",
        "compare = \"migrated\"\ndrift = \"warning\"",
    );
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    assert_eq!(run.check("drift.tenant")["status"], "warned");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    assert!(
        run.stdout.contains("structures were not compared"),
        "{}",
        run.stdout
    );
}

/// It is in no config, so nothing would redact it.
fn code_of_live_tenants_is_shown_nowhere(server: Server) {
    let desk = Desk::migrated(server);
    desk.configure_more("[validate]\nexpected = \"largest\"\n");
    let function = |text: &str| {
        match server {
        Server::Postgres | Server::Pgbouncer => format!(
            "CREATE FUNCTION called() RETURNS trigger LANGUAGE plpgsql SET application_name = '{text}' AS 'BEGIN PERFORM ''{text}''; RETURN NEW; END';
CREATE TRIGGER calling BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION called('{text}');"
        ),
        Server::Mariadb => format!(
            "CREATE FUNCTION called() RETURNS varchar(40) DETERMINISTIC RETURN '{text}';
CREATE TRIGGER calling BEFORE INSERT ON orders FOR EACH ROW SET NEW.note = '{text}';"
        ),
        Server::Sqlite => format!(
            "CREATE TRIGGER calling AFTER INSERT ON orders BEGIN UPDATE orders SET note = '{text}'; END;"
        ),
    }
    };
    let [first, second, rest @ ..] = crate::harness::TENANTS;
    desk.database.tenant(second).execute(&function("another_7731"));
    for tenant in rest {
        desk.database.tenant(tenant).execute(&function("canary_7731"));
    }
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    let found = findings(&run, "drift.tenant");
    for (tenant, said) in [(first, "is missing"), (second, "has another")] {
        let says = |it: &String| it.starts_with(&format!("{tenant}: ")) && it.contains(said);
        assert!(found.iter().any(says), "{found:#?}");
    }
    for text in [&run.stdout, &run.stderr, &run.report().to_string()] {
        assert!(!text.contains("_7731"), "{text}");
    }
    let run = desk.tenantgate(&["snapshot", "--from", "largest"]);
    run.assert_code(0);
    assert!(
        findings(&run, "snapshot.made")[0].contains("the texts of live routines and triggers"),
        "{}",
        run.stdout
    );
}

/// Everybody in uat was changed by hand after dev had passed, in a way that is in nobody's migrations to tell.
fn the_next_environment_must_be_the_same(server: Server) {
    let mut desk = Desk::new(server);
    let uat = server.fresh_database();
    let mut location: fn(&str) -> String = str::to_owned;
    if server == Server::Mariadb {
        // Two environments on one server.
        let line = format!("database = \"{}\"", desk.database.location("{tenant}"));
        desk.project
            .replace("tenantgate.toml", &line, "database = \"{shared}_{tenant}\"");
        location = |tenant| format!("shared_{tenant}");
    }
    desk.tenantgate(&["run"]).assert_code(0);
    desk.project.database("UAT_DB_URL", &uat);
    let run = desk.tenantgate(&["run", "--environment", "uat"]);
    run.assert_code(0);
    assert_eq!(run.check("drift.environment")["status"], "passed");
    for tenant in crate::harness::TENANTS {
        uat.tenant(&location(tenant))
            .execute("ALTER TABLE orders ADD COLUMN extra int");
    }
    desk.configure_more("[validate]\nexpected = \"largest\"\n");
    let run = desk.tenantgate(&["run", "--environment", "uat"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.environment"]);
    let message = findings(&run, "drift.environment").remove(0);
    assert!(message.starts_with("the tenants' structure is "), "{message}");
    assert!(message.ends_with(" in dev when it passed"), "{message}");
}

fn a_committed_snapshot_is_what_is_expected(server: Server) {
    let desk = drifted(server);
    desk.configure_more("[validate]\nexpected = \"snapshot\"\n");
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["snapshot.file"]);
    // Nothing is migrated that could not be compared.
    desk.project
        .tenant("0004_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["snapshot.file"]);
    assert!(run.report()["tenants"].is_null());
    desk.project.remove("migrations/tenant/0004_paid.sql");
    desk.tenantgate(&["snapshot"]).assert_code(0);
    // Nor what the file does not know.
    desk.project
        .tenant("0004_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["snapshot.current"]);
    assert!(
        run.stdout.contains("extra column `orders.paid`"),
        "{}",
        run.stdout
    );
    desk.assert_heads([Some(3); 5]);
    desk.project.remove("migrations/tenant/0004_paid.sql");
    let run = desk.tenantgate(&["validate"]);
    assert_eq!(run.checks_that("failed"), ["drift.tenant"]);
    assert_eq!(run.report()["schema"]["expected"], "snapshot");
    assert_eq!(findings(&run, "drift.tenant").len(), 3);
    // What is right is said by the file.
    desk.tenantgate(&["snapshot", "--tenant", "birch"]).assert_code(0);
    let run = desk.tenantgate(&["validate"]);
    run.assert_code(1);
    assert_eq!(
        findings(&run, "drift.tenant"),
        [
            "amber: extra index `orders_by_total` of `orders`",
            "cedar: extra index `orders_by_total` of `orders`",
            "elder: extra table `junk`; extra index `orders_by_total` of `orders`",
        ]
    );
}
