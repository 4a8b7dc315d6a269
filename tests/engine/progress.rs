//! What a person sees while it runs: on a terminal, and in the log of GitHub Actions.

use super::case::Case;
use crate::harness::Server;

/// Three tenants, of which the second takes long, also on its way back.
fn slow() -> Case {
    let case = Case::new(Server::Postgres, 3);
    case.run().assert_code(0);
    let slow = "SELECT pg_sleep(CASE WHEN current_schema() = 't02' THEN 4.5 ELSE 0.1 END);\n";
    case.project.tenant(
        "0004_slow.sql",
        &format!("{slow}ALTER TABLE items ADD COLUMN a INT;\n"),
    );
    case.project.tenant(
        "0004_slow.down.sql",
        &format!("{slow}ALTER TABLE items DROP COLUMN a;\n"),
    );
    case
}

/// The program sees a terminal: `script` (of util-linux, which every Linux has) makes one.
fn on_a_terminal(case: &mut Case) {
    case.project.env("TERM", "xterm");
    let through = ["sh", "-c", "exec script -qec \"$*\" /dev/null", "sh"];
    case.project.through(through.map(str::to_owned).to_vec());
}

#[test]
fn a_terminal_has_one_bar_that_names_the_slowest() {
    let mut case = slow();
    on_a_terminal(&mut case);
    for arguments in [&["migrate"] as &[&str], &["rollback", "--to", "3"]] {
        let run = case.project.tenantgate(arguments);
        run.assert_code(0);
        let seen = &run.stdout;
        assert!(seen.contains(" 0 of 3 tenants done"), "{seen}");
        assert!(seen.contains(" 2 of 3 tenants done, "), "{seen}");
        assert!(seen.contains("; longest at it: t02 3 s"), "{seen}");
        // Nobody knows how long the last one takes.
        let last = seen.split("longest at it: t02 4 s").next().unwrap();
        let last = last.rsplit("tenants done").next().unwrap();
        assert!(!last.contains("left"), "{last}");
    }
}

#[test]
fn actions_have_a_group_with_one_last_line() {
    let mut case = slow();
    case.project.env("GITHUB_ACTIONS", "true");
    let run = case.project.tenantgate(&["migrate"]);
    run.assert_code(0);
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines[0], "::group::3 tenants, 3 to migrate", "{lines:?}");
    assert!(lines[1].starts_with("3 of 3 tenants done, "), "{lines:?}");
    assert_eq!(lines[2..], ["::endgroup::"], "{lines:?}");
}

#[test]
fn actions_have_a_line_each_ten_seconds_and_the_rows_of_a_batch() {
    let mut case = Case::new(Server::Postgres, 2);
    case.run().assert_code(0);
    for (tenant, rows) in [("t01", 3_000), ("t02", 2)] {
        case.db.tenant(tenant).execute(&format!(
            "INSERT INTO items SELECT n, 'x', 0 FROM generate_series(2, {rows}) n; ANALYZE items"
        ));
    }
    case.project.tenant(
        "0004_fill.sql",
        "-- tenantgate: batch key=id size=1000\nUPDATE items SET total = total + length(pg_sleep(0.0036)::text);\n",
    );
    case.project.env("GITHUB_ACTIONS", "true");
    let run = case.project.tenantgate(&["migrate"]);
    run.assert_code(0);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let line = lines[1];
    assert!(line.starts_with("1 of 2 tenants done, "), "{lines:?}");
    assert!(line.contains("; longest at it: t01 1"), "{lines:?}");
    assert!(line.ends_with(",000 of about 3,000 rows)"), "{lines:?}");
    let last: Vec<_> = lines.iter().filter(|line| line.starts_with("2 of 2 ")).collect();
    assert_eq!(last.len(), 1, "{lines:?}");
}
