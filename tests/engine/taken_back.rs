//! What is said after a rollout that took back what it had applied.

use crate::harness::{Desk, Run, Server, findings};

/// `amber` comes back, `birch` stumbles on the way back, `cedar` on the way there, `delta` was at head before,
/// and `elder` has no turn.
fn stumbling(server: Server) -> Desk {
    let desk = Desk::migrated(server);
    desk.configure("rollout", "on_failure = \"rollback\"");
    desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    desk.tenant(
        "0003_paid.down.sql",
        "ALTER TABLE orders DROP COLUMN paid;\nALTER TABLE orders DROP COLUMN old;\n",
    );
    for tenant in ["amber", "cedar", "delta", "elder"] {
        desk.database
            .tenant(tenant)
            .execute("ALTER TABLE orders ADD COLUMN old int");
    }
    desk.tenantgate(&["migrate", "--tenant", "delta"]).assert_code(0);
    desk.database
        .tenant("cedar")
        .execute("ALTER TABLE orders ADD COLUMN paid int");
    desk
}

/// The evidence's place has the time in it.
fn without_place(run: &Run) -> String {
    let text = run.snapshot();
    let lines = text.lines().filter(|it| !it.starts_with("evidence: "));
    lines.collect::<Vec<_>>().join("\n")
}

fn command_of(hint: &str) -> Vec<String> {
    let command = hint.split('`').find(|it| it.starts_with("tenantgate "));
    let words = command
        .unwrap_or_else(|| panic!("no command in {hint}"))
        .split(' ');
    words.skip(1).map(str::to_owned).collect()
}

/// What is said is what the ledger has, and who does what is said comes out where all were before.
#[test]
fn a_way_back_that_stumbles_says_who_stands_where_and_what_helps() {
    for server in [Server::Postgres, Server::Mariadb, Server::Sqlite] {
        let desk = stumbling(server);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(1);
        match server {
            Server::Mariadb => insta::assert_snapshot!("taken_back_half_way", without_place(&run)),
            Server::Postgres => insta::assert_snapshot!("taken_back_but_one", without_place(&run)),
            _ => {}
        }
        let told = findings(&run, "rollback.undone");
        let stuck = match server {
            Server::Mariadb => "1 is half way back (birch)",
            _ => "1 is still at head (birch)",
        };
        assert_eq!(
            told[1],
            format!(
                "of 5 tenants: 1 was taken back, {stuck}, 1 was at head before this run, 2 are as they were"
            )
        );
        desk.database
            .tenant("birch")
            .execute("ALTER TABLE orders ADD COLUMN old int");
        let hint = &run.check("rollback.undone")["findings"][1]["hint"];
        let command = command_of(hint.as_str().unwrap());
        assert_eq!(command, ["rollback", "--to", "0002", "--tenant", "birch"]);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        desk.tenantgate(&words).assert_code(0);
        desk.assert_heads([Some(2), Some(2), Some(2), Some(3), Some(2)]);
        assert_eq!(unfinished(&desk), 0);
    }
}

fn unfinished(desk: &Desk) -> usize {
    let status = desk.tenantgate(&["status"]);
    let standings = status.report()["standings"].as_array().unwrap().clone();
    let is = |it: &serde_json::Value, key: &str| it[key] == true;
    let begun = standings
        .iter()
        .filter(|it| is(it, "unfinished") || is(it, "reverting"));
    begun.count()
}

/// One of several migrations stuck where it failed: what went before it went back, and the word of where the
/// tenant stands is the last one.
#[test]
fn who_failed_later_is_taken_back_too_and_said_to_be() {
    let desk = Desk::migrated(Server::Mariadb);
    desk.configure("rollout", "on_failure = \"rollback\"");
    desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
    desk.tenant("0003_paid.down.sql", "ALTER TABLE orders DROP COLUMN paid;\n");
    desk.tenant("0004_due.sql", "ALTER TABLE orders ADD COLUMN due int;\n");
    desk.tenant("0004_due.down.sql", "ALTER TABLE orders DROP COLUMN due;\n");
    desk.database
        .tenant("birch")
        .execute("ALTER TABLE orders ADD COLUMN due int");
    let run = desk.tenantgate(&["migrate"]);
    run.assert_code(1);
    let failed = findings(&run, "rollout.tenants");
    assert!(
        failed[0].ends_with("birch is at 0003, with nothing half done; taken back since: it is at 0002"),
        "{failed:?}"
    );
    assert_eq!(run.check("rollback.undone")["status"], "passed");
    assert_eq!(
        findings(&run, "rollback.undone"),
        ["of 5 tenants: 2 were taken back, 3 are as they were"]
    );
    insta::assert_snapshot!("taken_back_all", run.snapshot());
    desk.assert_heads([Some(2); 5]);
    assert_eq!(unfinished(&desk), 0);
}

/// What is half way through has no way back yet, and is counted as what it is.
#[test]
fn who_is_half_way_through_is_not_said_to_be_behind() {
    let desk = Desk::migrated(Server::Mariadb);
    desk.configure("rollout", "on_failure = \"rollback\"");
    desk.tenant(
        "0003_paid.sql",
        "ALTER TABLE orders ADD COLUMN paid int;\nALTER TABLE orders ADD COLUMN due int;\n",
    );
    desk.tenant(
        "0003_paid.down.sql",
        "ALTER TABLE orders DROP COLUMN paid, DROP COLUMN due;\n",
    );
    desk.database
        .tenant("birch")
        .execute("ALTER TABLE orders ADD COLUMN due int");
    let run = desk.tenantgate(&["migrate"]);
    run.assert_code(1);
    insta::assert_snapshot!("taken_back_half_through", run.snapshot());
    assert_eq!(unfinished(&desk), 1);
}
