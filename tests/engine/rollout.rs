//! Who goes when, how many may fail, what is tried again, and what is left when time is over.

use std::time::{Duration, Instant};

use super::case::Case;
use crate::harness::{Desk, Server, findings};

const PAID: &str = "ALTER TABLE orders ADD COLUMN paid int;\n";

/// Migrated once, with one more migration, and the config's last part.
fn desk(server: Server, rollout: &str) -> Desk {
    let desk = Desk::migrated(server);
    desk.tenant("0003_paid.sql", PAID);
    desk.configure_more(rollout);
    desk
}

fn servers() -> [Server; 3] {
    [Server::Sqlite, Server::Postgres, Server::Mariadb]
}

/// These have the column already: somebody put it there by hand.
fn stumble(desk: &Desk, tenants: &[&str]) {
    for tenant in tenants {
        let tenant = desk.database.tenant(tenant);
        tenant.execute("ALTER TABLE orders ADD COLUMN paid int");
    }
}

/// Tenants in the order in which the ledger got their third migration.
fn order(desk: &Desk) -> Vec<String> {
    let ledger = match desk.server() {
        Server::Mariadb => format!(
            "{}_tenantgate.ledger",
            desk.database.query_value("SELECT database()")
        ),
        _ => "tenantgate.ledger".to_owned(),
    };
    desk.database.query_column(&format!(
        "SELECT tenant FROM {ledger} WHERE scope = 'tenant' AND version = 3 ORDER BY applied_at"
    ))
}

#[test]
fn canaries_that_come_out_wrong_keep_the_others_untouched() {
    for server in servers() {
        let desk = desk(
            server,
            "[[expect.tenant.assertions]]\nname = \"every order was paid\"\n\
             sql = \"SELECT count(*) FROM orders WHERE paid IS NULL\"\nequals = 0\n",
        );
        desk.configure("rollout", "canary = [\"cedar\"]");
        // Nothing fails: it is the data of the canary that shows what the migration forgot.
        let cedar = desk.database.tenant("cedar");
        cedar.execute("INSERT INTO orders (id) VALUES (1)");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2), Some(2), Some(3), Some(2), Some(2)]);
        assert_eq!(
            findings(&run, "rollout.canary"),
            ["cedar: every order was paid: found 1, expected 0"]
        );
        assert_eq!(
            findings(&run, "rollout.tenants"),
            ["4 tenants were not reached: the canaries did not come out right"]
        );
        assert_eq!(run.report()["tenants"]["migrated"], 1);
        assert_eq!(run.report()["tenants"]["not_reached"], 4);

        // They are at head now, and as wrong as before.
        let again = desk.tenantgate(&["run"]);
        again.assert_code(1);
        assert_eq!(again.check("rollout.canary")["status"], "failed");
        desk.assert_heads([Some(2), Some(2), Some(3), Some(2), Some(2)]);
        // Also where it is ensured, and so goes before the canaries.
        desk.configure("tenancy", "ensure = [\"cedar\"]");
        desk.tenantgate(&["run"]).assert_code(1);
        desk.assert_heads([Some(2), Some(2), Some(3), Some(2), Some(2)]);

        cedar.execute("UPDATE orders SET paid = 1");
        let again = desk.tenantgate(&["run"]);
        again.assert_code(0);
        assert_eq!(again.check("rollout.canary")["status"], "passed");
        desk.assert_heads([Some(3); 5]);
    }
}

#[test]
fn waves_go_one_after_the_other() {
    for server in [Server::Postgres, Server::Mariadb] {
        let desk = desk(
            server,
            "[[rollout.waves]]\nname = \"late letters\"\nquery = \"SELECT name AS tenant FROM clients WHERE \
             name > 'c' ORDER BY name DESC\"\n[[rollout.waves]]\nname = \"b\"\ntenants = [\"b*\"]\nconcurrency = 2\n",
        );
        desk.configure("rollout", "canary = [\"delta\"]");
        let plan = desk.tenantgate(&["plan"]);
        plan.assert_code(0);
        assert_eq!(
            plan.report()["plan"]["waves"],
            serde_json::json!([
                { "name": "canary", "tenants": ["delta"] },
                { "name": "late letters", "tenants": ["elder", "cedar"] },
                { "name": "b", "tenants": ["birch"] },
                { "name": "the rest", "tenants": ["amber"] },
            ])
        );
        desk.tenantgate(&["run"]).assert_code(0);
        assert_eq!(order(&desk), ["delta", "elder", "cedar", "birch", "amber"]);
        // Nobody is behind: the queries are not asked, the names still are.
        let again = desk.tenantgate(&["run"]);
        again.assert_code(0);
        assert_eq!(again.check("tenants.waves")["status"], "passed");
    }
}

#[test]
fn a_wave_that_cannot_be_known_stops_before_anything_is_touched() {
    for server in servers() {
        let desk = desk(
            server,
            "[[rollout.waves]]\nname = \"big\"\nquery = \"SELECT name AS tenant FROM nowhere\"\n\
             [[rollout.waves]]\nname = \"x\"\ntenants = [\"x*\"]\n",
        );
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2); 5]);
        let found = findings(&run, "tenants.waves");
        assert!(
            found[0].starts_with("the query of the wave `big` failed: "),
            "{found:?}"
        );
        assert_eq!(found[1], "the wave `x` has no tenant in this environment");
    }
}

#[test]
fn a_share_of_those_behind_may_fail() {
    for server in servers() {
        let desk = desk(server, "");
        desk.configure("rollout", "max_failures = \"40%\"");
        stumble(&desk, &["amber", "birch", "cedar"]);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        // Two of five are allowed, the third ends it.
        desk.assert_heads([Some(2); 5]);
        assert_eq!(
            findings(&run, "rollout.tenants").last().map(String::as_str),
            Some("2 tenants were not reached: 3 failed, and `max_failures` allows 2")
        );
        stumble(&desk, &[]);
        desk.database
            .tenant("amber")
            .execute("ALTER TABLE orders DROP COLUMN paid");
        let again = desk.tenantgate(&["run"]);
        again.assert_code(1);
        desk.assert_heads([Some(3), Some(2), Some(2), Some(3), Some(3)]);
        assert_eq!(again.report()["tenants"]["not_reached"], 0);
    }
}

#[test]
fn the_others_get_their_turn_where_the_config_says_so() {
    for server in servers() {
        let desk = desk(server, "");
        desk.configure("rollout", "on_failure = \"continue\"");
        stumble(&desk, &["amber", "cedar"]);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2), Some(3), Some(2), Some(3), Some(3)]);
        assert_eq!(findings(&run, "rollout.tenants").len(), 2);

        // Not behind a canary: it is there to keep the others from harm.
        let other = self::desk(server, "");
        other.configure("rollout", "on_failure = \"continue\"\ncanary = [\"amber\"]");
        stumble(&other, &["amber"]);
        other.tenantgate(&["run"]).assert_code(1);
        other.assert_heads([Some(2); 5]);
    }
}

/// Two of the five are suspended.
fn with_suspended(server: Server, rollout: &str) -> Desk {
    let desk = Desk::new(server);
    desk.shared(
        "0002_active.sql",
        "ALTER TABLE clients ADD COLUMN active int;\n\
         UPDATE clients SET active = CASE WHEN name IN ('amber', 'cedar') THEN 0 ELSE 1 END;\n",
    );
    desk.replace(
        "tenantgate.toml",
        "SELECT name AS tenant FROM clients ORDER BY name",
        "SELECT * FROM (SELECT name AS tenant, active FROM clients) AS them ORDER BY tenant",
    );
    desk.tenantgate(&["run"]).assert_code(0);
    desk.configure("rollout", rollout);
    desk.tenant("0003_paid.sql", PAID);
    desk
}

#[test]
fn suspended_tenants_are_skipped_and_nothing_waits_for_them() {
    for server in servers() {
        let desk = with_suspended(server, "suspended = \"skip\"");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        desk.assert_heads([Some(2), Some(3), Some(2), Some(3), Some(3)]);
        let counts = &run.report()["tenants"];
        assert_eq!(
            (&counts["discovered"], &counts["suspended"], &counts["migrated"]),
            (&5.into(), &2.into(), &3.into())
        );
        assert!(
            run.stdout.contains("2 suspended and left as they are"),
            "{}",
            run.stdout
        );
        desk.tenantgate(&["promote", "--environment", "uat"])
            .assert_code(0);
        desk.tenantgate(&["validate"]).assert_code(0);
        // That they are behind is no work: nothing is written.
        let before = desk.everything();
        desk.tenantgate(&["migrate"]).assert_code(0);
        assert_eq!(desk.everything(), before);

        // One that was never migrated is as little lost as the others.
        desk.database
            .execute("INSERT INTO clients (name, active) VALUES ('new', 0)");
        desk.tenant("0004_note.sql", "ALTER TABLE orders ADD COLUMN remark int;\n");
        desk.tenantgate(&["run"]).assert_code(0);
        desk.tenantgate(&["run"]).assert_code(0);
        desk.database.execute("UPDATE clients SET active = 1");
        desk.tenantgate(&["run"]).assert_code(0);
        desk.assert_heads([Some(4); 5]);
        assert_eq!(desk.heads()["new"], Some(4));
    }
}

#[test]
fn suspended_tenants_go_last() {
    for server in [Server::Postgres, Server::Mariadb] {
        let desk = with_suspended(server, "suspended = \"last\"");
        desk.tenantgate(&["run"]).assert_code(0);
        assert_eq!(order(&desk), ["birch", "delta", "elder", "amber", "cedar"]);
    }
}

#[test]
fn a_deadline_leaves_a_report_of_who_was_not_reached() {
    for server in servers() {
        let case = Case::new(server, 12);
        case.run().assert_code(0);
        case.tenant(4, "slow", &case.slow(1.0));
        let begun = Instant::now();
        let run = case.project.tenantgate(&["run", "--deadline", "1500ms"]);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        run.assert_code(3);
        let counts = &run.report()["tenants"];
        let not_reached = counts["not_reached"].as_u64().expect("a number");
        assert!(
            not_reached > 0 && counts["migrated"].as_u64() > Some(0),
            "{counts}"
        );
        assert_eq!(counts["failed"], 0, "{counts}");
        assert_eq!(
            findings(&run, "rollout.tenants"),
            [format!(
                "{not_reached} tenants were not reached: the deadline of 1.5s was over"
            )]
        );
        case.run().assert_code(0);
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_slow"]);
    }
}

/// Somebody else's long run is no reason to be killed by the job's limit.
#[test]
fn a_deadline_ends_the_wait_for_the_lease() {
    let case = Case::new(Server::Postgres, 1);
    case.run().assert_code(0);
    case.tenant(4, "slow", &case.slow(8.0));
    let mut first = case.spawn();
    first.wait_until("the first run has the lease", || case.leases() > 0);
    let begun = Instant::now();
    let run = case.project.tenantgate(&["run", "--deadline", "1s"]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    run.assert_code(3);
    let finding = &run.check("rollout.lease")["findings"][0];
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.starts_with("the deadline was over while another run owned this environment: "),
        "{message}"
    );
    assert_eq!(
        finding["hint"],
        "nothing ran: run again when the other run is done, or with a later deadline"
    );
    first.wait().assert_code(0);
    case.run().assert_code(0);
    assert_eq!(case.leases(), 0);
}

#[test]
fn more_workers_than_the_server_has_connections_for() {
    let case = Case::new(Server::Postgres, 12);
    let config = case.project.read("tenantgate.toml");
    let crowd = config.replace("concurrency = 4", "concurrency = 12");
    case.project.write("tenantgate.toml", &crowd);
    // One for the gate itself, two for tenants.
    let limit = format!("ALTER ROLE {} CONNECTION LIMIT 3", case.db.name());
    case.db.admin().execute(&limit);
    let run = case.run();
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["migrated"], 12);
}

#[test]
fn what_this_run_applied_is_taken_back_where_it_was_not_to_go_on() {
    for server in servers() {
        let desk = desk(server, "");
        desk.configure("rollout", "on_failure = \"rollback\"");
        stumble(&desk, &["cedar"]);
        // Without a way back nothing is begun.
        let before = desk.everything();
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        assert_eq!(
            findings(&run, "rollback.down"),
            ["tenant/0003_paid.sql has no down file, and `on_failure` is \"rollback\""]
        );
        assert_eq!(desk.everything(), before);

        desk.tenant("0003_paid.down.sql", "ALTER TABLE orders DROP COLUMN paid;\n");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2); 5]);
        let counts = &run.report()["tenants"];
        let of = |key: &str| counts[key].as_u64();
        assert_eq!(
            (of("rolled_back"), of("failed"), of("not_reached"), of("migrated")),
            (Some(2), Some(1), Some(2), Some(0)),
            "{counts}"
        );
        assert_eq!(run.check("rollback.undone")["status"], "passed");
        desk.tenantgate(&["promote", "--environment", "uat"])
            .assert_code(1);

        desk.database
            .tenant("cedar")
            .execute("ALTER TABLE orders DROP COLUMN paid");
        desk.tenantgate(&["run"]).assert_code(0);
        desk.assert_heads([Some(3); 5]);
        desk.tenantgate(&["promote", "--environment", "uat"])
            .assert_code(0);
    }
}

#[test]
fn canaries_that_came_out_wrong_are_taken_back_too() {
    for server in servers() {
        let desk = desk(
            server,
            "[[expect.tenant.assertions]]\nname = \"every order was paid\"\n\
             sql = \"SELECT count(*) FROM orders WHERE paid IS NULL\"\nequals = 0\n",
        );
        desk.configure("rollout", "canary = [\"cedar\"]\non_failure = \"rollback\"");
        desk.tenant("0003_paid.down.sql", "ALTER TABLE orders DROP COLUMN paid;\n");
        desk.database
            .tenant("cedar")
            .execute("INSERT INTO orders (id) VALUES (1)");
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        desk.assert_heads([Some(2); 5]);
        assert_eq!(run.report()["tenants"]["rolled_back"], 1);
        let outcomes = run.report()["outcomes"].as_array().unwrap().clone();
        let cedar = outcomes
            .iter()
            .find(|it| it["tenant"] == "cedar")
            .expect("it was migrated");
        assert_eq!(cedar["undone"], serde_json::json!([3]));
    }
}

#[test]
fn a_rollout_that_is_slower_than_usual_says_so() {
    for server in servers() {
        let case = Case::new(server, 2);
        case.run().assert_code(0);
        for version in 4..7 {
            case.tenant(
                version,
                "quick",
                "INSERT INTO items (id) SELECT max(id) + 1 FROM items;",
            );
            let run = case.run();
            run.assert_code(0);
            assert_eq!(run.check("rollout.trend")["findings"], serde_json::json!([]));
        }
        case.tenant(7, "slow", &case.slow(3.0));
        let run = case.run();
        run.assert_code(0);
        let found = findings(&run, "rollout.trend");
        assert!(
            found[0].contains(" times slower than the last 4: 2 migrations in "),
            "{found:?}"
        );
    }
}

/// Small changes of several tenants are one transaction; who fails has an outcome of its own all the same.
#[test]
fn small_changes_go_together_and_fail_alone() {
    for server in [Server::Postgres, Server::Pgbouncer] {
        let mut case = Case::new(server, 60);
        case.config("");
        case.run().assert_code(0);
        case.tenant(4, "note", "ALTER TABLE items ADD COLUMN note text;");
        let odd = case.db.tenant("t30");
        odd.execute("ALTER TABLE items ADD COLUMN note text");
        let config = case.project.read("tenantgate.toml");
        let on = config.replace("[rollout]\n", "[rollout]\non_failure = \"continue\"\n");
        case.project.write(
            "tenantgate.toml",
            &on.replace("concurrency = 4", "concurrency = 1"),
        );
        let run = case.run();
        run.assert_code(1);
        let found = findings(&run, "rollout.tenants");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with("t30: tenant/0004_note.sql failed: "),
            "{found:?}"
        );
        assert_eq!(run.report()["tenants"]["migrated"], 59);
        odd.execute("ALTER TABLE items DROP COLUMN note");
        case.run().assert_code(0);
        case.assert_all_at_head(&["0001_ran", "0002_items", "0003_items_total", "0004_note"]);
        // How many go together follows from how quick they are, and a busy machine is not.
        let together = (5..13).any(|version| {
            case.tenant(version, "more", &format!("ALTER TABLE items ADD COLUMN more_{version} text;"));
            case.run().assert_code(0);
            let transactions = format!(
                "SELECT count(DISTINCT xmin::text) FROM tenantgate.ledger WHERE scope = 'tenant' AND version = {version}"
            );
            case.db.query_value(&transactions).parse::<usize>().expect("a number") < 60
        });
        assert!(together, "every tenant was a transaction of its own, eight times");
    }
}
