//! Servers that only the registry names, by URLs with passwords in them.

use crate::harness::{Server, findings};

use super::fleet::{Fleet, TENANTS};
use super::{ENGINES, assert_all_in_place};

/// What the run calls the server.
fn name(fleet: &Fleet, server: &str) -> String {
    let url = fleet.at(server).url();
    url.rsplit_once('@').unwrap().1.to_owned()
}

#[test]
fn a_url_in_the_registry_is_a_server_and_a_secret() {
    for server in ENGINES {
        let mut fleet = Fleet::by_url(server);
        // Nothing but the registry knows them now; the harness watches every output for them.
        fleet.remove_env("DEV_EU_URL");
        fleet.remove_env("US_URL");
        let plan = fleet.tenantgate(&["plan"]);
        plan.assert_code(0);
        let run = fleet.tenantgate(&["run"]);
        run.assert_code(0);
        let (eu, us) = (name(&fleet, "eu"), name(&fleet, "us"));
        assert!(
            Fleet::outcomes(&run).contains(&format!("birch {eu} migrated")),
            "{}",
            run.stdout
        );
        assert!(run.report()["servers"].get(&us).is_some());
        assert_all_in_place(&fleet, &TENANTS, 2);
        for command in ["run", "status", "validate"] {
            fleet.tenantgate(&[command]).assert_code(0);
        }

        // A failing migration quotes what it can; a server that is gone says where it was.
        fleet.tenant("0003_bad.sql", "ALTER TABLE nowhere ADD COLUMN paid int;\n");
        let failed = fleet.tenantgate(&["migrate"]);
        failed.assert_code(1);
        assert!(!findings(&failed, "rollout.tenants").is_empty());
    }
}

#[test]
fn the_registry_may_come_into_being_in_the_same_run() {
    // Its URLs are known only after the shared migrations, when the lease is held already.
    let mut fleet = Fleet::with_tenants(Server::Postgres, &TENANTS);
    let config = fleet.read("tenantgate.toml");
    let begin = config.find("[environments.dev.servers.eu]").unwrap();
    let end = config.find("[environments.uat]").unwrap();
    let config = format!("{}{}", &config[..begin], &config[end..]);
    fleet.write(
        "tenantgate.toml",
        &config.replace("server FROM", "server AS database_url FROM"),
    );
    let rows: Vec<String> = TENANTS
        .iter()
        .map(|(tenant, server)| match *server {
            "" => format!("('{tenant}', NULL)"),
            server => format!("('{tenant}', '{}')", fleet.at(server).url()),
        })
        .collect();
    // The migration's file itself is the test's, and told by nobody.
    fleet.shared(
        "0001_clients.sql",
        &format!(
            "CREATE TABLE clients (name text, server text);\nINSERT INTO clients VALUES {};\n",
            rows.join(", ")
        ),
    );
    fleet.remove_env("DEV_EU_URL");
    fleet.remove_env("US_URL");
    fleet.tenantgate(&["run"]).assert_code(0);
    assert_all_in_place(&fleet, &TENANTS, 2);
    let label = fleet.eu.query_value("SELECT name FROM tenantgate.environment");
    assert_eq!(label, "dev");
}

#[test]
fn bad_urls_are_findings_that_do_not_show_them() {
    for server in ENGINES {
        let mut fleet = Fleet::by_url(server);
        fleet.guard("c4narypassw0rd");
        let before = fleet.everything();
        let place = fleet.eu.url().rsplit_once('@').unwrap().1.to_owned();
        let scheme = fleet.eu.url().split_once(':').unwrap().0.to_owned();
        for (url, code, check, expected) in [
            (
                format!("{scheme}://app:c4narypassw0rd@one@{place}"),
                1,
                "tenants.server",
                "`database_url` of birch: ",
            ),
            (
                "sqlite:///tmp/c4narypassw0rd.db".to_owned(),
                1,
                "tenants.server",
                "is for another engine",
            ),
            (
                format!("{scheme}://app:c4narypassw0rd@127.0.0.1:9/app"),
                3,
                "server.reachable",
                "server 127.0.0.1:9/app: ",
            ),
            (
                format!("{scheme}://{}:c4narypassw0rd@{place}", fleet.eu.name()),
                1,
                "tenants.server",
                "with another user, password or TLS mode",
            ),
            (
                format!("{scheme}://app:c4narypassw0rd@{}", name(&fleet, "")),
                1,
                "tenants.server",
                "names the database of the environment's own server",
            ),
        ] {
            fleet.own.execute(&format!(
                "UPDATE clients SET database_url = '{url}' WHERE name = 'birch'"
            ));
            for command in ["run", "plan", "validate"] {
                let run = fleet.tenantgate(&[command]);
                run.assert_code(code);
                let found = findings(&run, check).join("\n");
                assert!(found.contains(expected), "{command} {expected}: {found}");
            }
        }
        // A password that the server refuses.
        fleet.own.execute(&format!(
            "UPDATE clients SET database_url = '{scheme}://app:c4narypassw0rd@{place}' WHERE database_url LIKE '%{place}'"
        ));
        fleet.own.execute(&format!(
            "UPDATE clients SET database_url = '{scheme}://app:c4narypassw0rd@{place}' WHERE name = 'birch'"
        ));
        fleet.tenantgate(&["run"]).assert_code(3);
        let _ = before;
        assert!(fleet.eu.session().try_query("SELECT 1 FROM orders").is_err());
    }
}

#[test]
fn a_value_that_the_registrys_own_query_chokes_on_is_not_shown() {
    let mut fleet = Fleet::by_url(Server::Postgres);
    fleet.guard("c4narypassw0rd");
    fleet.own.execute(
        "UPDATE clients SET database_url = 'postgres://app:c4narypassw0rd@h/d' WHERE name = 'birch'",
    );
    fleet.replace(
        "tenantgate.toml",
        ", database_url FROM",
        ", database_url::int AS server FROM",
    );
    let run = fleet.tenantgate(&["run"]);
    run.assert_code(1);
    let found = findings(&run, "tenants.registry");
    assert!(found[0].contains("postgres://***@"), "{found:?}");
}

#[test]
fn a_copied_registry_cannot_reach_the_servers_of_where_it_came_from() {
    // dev ran with its servers; then its registry is copied to uat, URLs and all.
    let mut fleet = Fleet::by_url(Server::Postgres);
    fleet.tenantgate(&["run"]).assert_code(0);
    let uat = Server::Postgres.fresh_database();
    fleet.database("UAT_DB_URL", &uat);
    fleet.env("TENANTGATE_ENVIRONMENT", "uat");
    fleet.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
    for row in fleet
        .own
        .query_rows("SELECT name, database_url FROM clients WHERE database_url IS NOT NULL")
    {
        let [Some(name), Some(url)] = &row[..] else {
            panic!()
        };
        uat.execute(&format!("INSERT INTO clients VALUES ('{name}', '{url}')"));
    }
    let before = fleet.everything();
    for command in ["run", "plan", "relabel"] {
        let run = fleet.tenantgate(&[command]);
        if command == "relabel" {
            run.assert_code(0);
        } else {
            run.assert_code(1);
            let found = findings(&run, "server.environment").join("\n");
            assert!(found.contains("is dev of desk"), "{found}");
        }
    }
    let labels: Vec<String> = [&fleet.eu, &fleet.us]
        .map(|it| it.query_value("SELECT name FROM tenantgate.environment"))
        .to_vec();
    assert_eq!(labels, ["dev", "dev"]);
    drop(before);
}
