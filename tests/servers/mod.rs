//! Tenants on several servers: one config, one run, one report.

mod bounds;
mod fleet;
mod gone;
mod refusals;
mod urls;

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Server, findings};
use fleet::{Fleet, TENANTS};

const ENGINES: [Server; 2] = [Server::Postgres, Server::Mariadb];

/// Every tenant on its own server, with its rows of the ledger beside it, and nowhere else.
#[track_caller]
fn assert_all_in_place(fleet: &Fleet, tenants: &[(&str, &str)], head: u32) {
    for server in ["", "eu", "us"] {
        let here = tenants.iter().filter(|(_, on)| *on == server);
        let here: Vec<&str> = here.map(|(tenant, _)| *tenant).collect();
        let rows = here
            .iter()
            .flat_map(|tenant| (1..=head).map(move |version| format!("{tenant} {version}")));
        assert_eq!(fleet.ledger(server), rows.collect::<Vec<_>>(), "on {server:?}");
        for tenant in here {
            let orders = fleet
                .tenant_at(server, tenant)
                .query_value("SELECT count(*) FROM orders");
            assert_eq!(orders, "0");
        }
    }
}

#[test]
fn tenants_are_migrated_where_they_are() {
    for server in ENGINES {
        let fleet = Fleet::new(server);
        let first = fleet.tenantgate(&["run"]);
        first.assert_code(0);
        assert_eq!(
            Fleet::outcomes(&first),
            [
                "- - migrated",
                "amber - migrated",
                "birch eu migrated",
                "cedar us migrated",
                "delta eu migrated",
                "elder - migrated",
                "fern us migrated",
            ]
        );
        assert_eq!(first.report()["servers"].as_object().unwrap().len(), 2);
        assert!(first.stdout.contains("birch (eu)"), "{}", first.stdout);
        assert_all_in_place(&fleet, &TENANTS, 2);

        let again = fleet.tenantgate(&["run"]);
        again.assert_code(0);
        assert!(Fleet::outcomes(&again).is_empty());
        assert_eq!(again.report()["tenants"]["up_to_date"], 6);
    }
}

#[test]
fn plan_status_and_validate_see_all_servers() {
    for server in ENGINES {
        let fleet = Fleet::new(server);
        fleet.tenantgate(&["run"]).assert_code(0);
        fleet.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        fleet.tenantgate(&["migrate", "--tenant", "delta"]).assert_code(0);

        let plan = fleet.tenantgate(&["plan"]);
        plan.assert_code(0);
        let groups = plan.report()["plan"]["tenants"].as_array().unwrap();
        let mut groups: Vec<String> = groups
            .iter()
            .map(|group| format!("{} {}", group["server"], group["tenants"]))
            .collect();
        groups.sort();
        assert_eq!(
            groups,
            [
                r#""eu" ["birch"]"#,
                r#""us" ["cedar","fern"]"#,
                r#"null ["amber","elder"]"#
            ]
        );
        assert!(
            plan.stdout.contains("5 tenants need 1 migration"),
            "{}",
            plan.stdout
        );

        let status = fleet.tenantgate(&["status"]);
        status.assert_code(0);
        assert!(status.stdout.contains("delta (eu)"), "{}", status.stdout);
        let standings = status.report()["standings"].as_array().unwrap();
        let heads: Vec<String> = standings
            .iter()
            .map(|it| format!("{} {} {}", it["tenant"], it["server"], it["head"]))
            .collect();
        assert!(heads.contains(&r#""delta" "eu" 3"#.to_owned()), "{heads:?}");
        assert!(heads.contains(&r#""fern" "us" 2"#.to_owned()), "{heads:?}");

        let behind = fleet.tenantgate(&["validate"]);
        behind.assert_code(1);
        assert_eq!(findings(&behind, "schema.complete").len(), 5);
        fleet.tenantgate(&["run"]).assert_code(0);

        // A schema on another server is a stranger there, though a tenant has its name elsewhere.
        let stranger = fleet.location("us", "birch");
        let create = match server {
            Server::Mariadb => format!("CREATE DATABASE `{stranger}`"),
            _ => format!("CREATE SCHEMA {stranger}"),
        };
        fleet.us.execute(&create);
        let validate = fleet.tenantgate(&["validate"]);
        validate.assert_code(1);
        let found = findings(&validate, "schema.unregistered");
        assert!(found[0].contains(&format!("{stranger} (us)")), "{found:?}");
    }
}

#[test]
fn expectations_are_asked_of_every_server() {
    for server in ENGINES {
        let fleet = Fleet::new(server);
        let config = fleet.read("tenantgate.toml");
        let expect = "[expect.tenant.tables.orders]\ncolumns = { total = \"int\" }\n\
                      [[expect.tenant.assertions]]\nname = \"no order is free\"\n\
                      sql = \"SELECT count(*) FROM orders WHERE total = 0\"\nequals = 0\n";
        fleet.write("tenantgate.toml", &format!("{config}{expect}"));
        fleet.tenantgate(&["run"]).assert_code(0);
        fleet
            .tenant_at("us", "cedar")
            .execute("INSERT INTO orders (id, total) VALUES (1, 0)");
        fleet
            .tenant_at("eu", "delta")
            .execute("ALTER TABLE orders DROP COLUMN total");
        let validate = fleet.tenantgate(&["validate"]);
        validate.assert_code(1);
        let columns = findings(&validate, "expect.columns");
        assert!(
            columns.len() == 1 && columns[0].starts_with("delta: "),
            "{columns:?}"
        );
        let assertions = findings(&validate, "expect.assertions");
        let of = |tenant: &str| assertions.iter().filter(|it| it.starts_with(tenant)).count();
        assert_eq!(
            (of("cedar: "), of("delta: "), assertions.len()),
            (1, 1, 2),
            "{assertions:?}"
        );
    }
}

#[test]
fn a_server_that_is_down_stops_everything_before_it_begins() {
    for server in ENGINES {
        let mut fleet = Fleet::new(server);
        let url = fleet.eu.url().to_owned();
        let at = url.rfind('@').unwrap();
        let (user, path) = (&url[..at], url.rsplit_once('/').unwrap().1);
        fleet.env("DEV_EU_URL", format!("{user}@127.0.0.1:9/{path}"));
        let before = fleet.everything();
        for command in ["run", "migrate", "plan", "status", "validate"] {
            let run = fleet.tenantgate(&[command]);
            run.assert_code(3);
            let found = findings(&run, "server.reachable");
            assert!(
                found.len() == 1 && found[0].starts_with("server eu: "),
                "{command} {found:?}"
            );
        }
        assert_eq!(fleet.everything(), before);

        fleet.env("DEV_EU_URL", url);
        fleet.tenantgate(&["run"]).assert_code(0);
        assert_all_in_place(&fleet, &TENANTS, 2);
    }
}

#[test]
fn a_run_that_was_killed_goes_on_on_every_server() {
    for server in ENGINES {
        let tenants: Vec<(String, &str)> = (0..30)
            .map(|n| (format!("t{n:02}"), ["", "eu", "us"][n % 3]))
            .collect();
        let tenants: Vec<(&str, &str)> = tenants.iter().map(|(name, on)| (name.as_str(), *on)).collect();
        let slow = match server {
            Server::Mariadb => "DO SLEEP(0.03);",
            _ => "SELECT pg_sleep(0.03);",
        };
        for moment in [2, 8, 14, 20] {
            let fleet = Fleet::with_tenants(server, &tenants);
            fleet.tenant(
                "0002_total.sql",
                &format!("ALTER TABLE orders ADD COLUMN total int;\n{slow}\n"),
            );
            let mut run = fleet.spawn(&["run"]);
            let done = || {
                ["", "eu", "us"]
                    .iter()
                    .map(|server| reached(&fleet, server))
                    .sum::<usize>()
            };
            run.wait_until("some tenants are done", || done() >= moment);
            let _ = run.kill();
            thread::sleep(Duration::from_millis(100));
            let begun = Instant::now();
            fleet.tenantgate(&["run"]).assert_code(0);
            assert!(begun.elapsed() < Duration::from_secs(30));
            assert_all_in_place(&fleet, &tenants, 2);
        }
    }
}

/// Tenants whose last migration is applied, as far as there is a ledger.
fn reached(fleet: &Fleet, server: &str) -> usize {
    let database = fleet.at(server);
    let ledger = match database.server() {
        Server::Mariadb => format!("`{}_shared_tenantgate`.ledger", database.name()),
        _ => "tenantgate.ledger".to_owned(),
    };
    let rows = database.session().try_query(&format!(
        "SELECT tenant FROM {ledger} WHERE scope = 'tenant' AND version = 2 AND state = 'applied'"
    ));
    rows.map_or(0, |rows| rows.len())
}

#[test]
fn a_restored_copy_is_relabelled_on_all_servers() {
    for server in ENGINES {
        let mut fleet = Fleet::new(server);
        fleet.tenantgate(&["run"]).assert_code(0);
        fleet.replace("tenantgate.toml", "name = \"desk\"", "name = \"shop\"");
        let refused = fleet.tenantgate(&["run"]);
        refused.assert_code(1);
        let found = findings(&refused, "server.environment");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[1].starts_with("server eu is dev of desk"), "{found:?}");

        let would = fleet.tenantgate(&["relabel", "--dry-run"]);
        would.assert_code(0);
        assert_eq!(findings(&would, "server.environment").len(), 3);
        fleet.tenantgate(&["run"]).assert_code(1);

        let relabelled = fleet.tenantgate(&["relabel"]);
        relabelled.assert_code(0);
        assert_eq!(
            findings(&relabelled, "server.environment"),
            [
                "this database was dev of desk, and is dev of shop from now on",
                "server eu was dev of desk, and is dev of shop from now on",
                "server us was dev of desk, and is dev of shop from now on",
            ]
        );
        fleet.tenantgate(&["run"]).assert_code(0);

        // One server that another environment has labelled.
        let url = fleet.us.url().to_owned();
        fleet.env("UAT_DB_URL", url);
        fleet.env("TENANTGATE_ENVIRONMENT", "uat");
        fleet.tenantgate(&["plan"]).assert_code(1);
    }
}
