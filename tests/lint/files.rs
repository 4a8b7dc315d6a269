//! `lint`: files, without a database.

use std::process::Command;

use super::{DROP, rules};
use crate::harness::{Desk, Project, Server};

fn git(project: &Project, arguments: &[&str]) {
    let done = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(arguments)
        .current_dir(project.path(""))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn desk() -> Desk {
    let mut desk = Desk::new(Server::Postgres);
    // No database is asked, and none has to be named.
    desk.remove_env("DEV_DB_URL");
    desk.tenant("0003_drop.sql", DROP);
    desk.tenant(
        "0004_rename.sql",
        "ALTER TABLE orders RENAME COLUMN total TO sum;\n",
    );
    desk
}

#[test]
fn files_that_are_named_are_read_after_those_before_them() {
    let desk = desk();
    let all = desk.tenantgate(&["lint"]);
    all.assert_code(0);
    let told = rules(&all, "lint.data");
    assert_eq!(told.len(), 1, "all is new: {told:?}");
    assert!(
        told[0].starts_with("note 2 tables that these migrations make are taken for new and empty"),
        "{told:?}"
    );
    let one = desk.tenantgate(&["lint", "migrations/tenant/0003_drop.sql"]);
    one.assert_code(0);
    assert_eq!(rules(&one, "lint.data"), ["warning ban-drop-column"]);
    assert_eq!(rules(&one, "lint.compatibility"), [""; 0]);
    let wrong = desk.tenantgate(&["lint", "migrations/tenant/0009_none.sql"]);
    wrong.assert_code(2);
    assert!(
        wrong
            .stderr
            .contains("0009_none.sql` is no migration of this set"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn what_git_has_as_new_or_changed_is_read() {
    let desk = desk();
    desk.remove("migrations/tenant/0003_drop.sql");
    desk.remove("migrations/tenant/0004_rename.sql");
    git(&desk, &["init", "--quiet", "--initial-branch", "main"]);
    git(&desk, &["add", "."]);
    git(&desk, &["commit", "--quiet", "-m", "one"]);
    git(&desk, &["checkout", "--quiet", "-b", "change"]);
    desk.tenant("0003_drop.sql", DROP);
    git(&desk, &["add", "."]);
    git(&desk, &["commit", "--quiet", "-m", "two"]);
    // Git does not know it yet.
    desk.tenant(
        "0004_rename.sql",
        "ALTER TABLE orders RENAME COLUMN total TO sum;\n",
    );
    let since = desk.tenantgate(&["lint", "--since", "main"]);
    since.assert_code(0);
    assert_eq!(rules(&since, "lint.data"), ["warning ban-drop-column"]);
    assert_eq!(rules(&since, "lint.compatibility"), ["warning renaming-column"]);
    let since = desk.tenantgate(&["lint", "--since", "change"]);
    since.assert_code(0);
    assert_eq!(rules(&since, "lint.data"), [""; 0]);
    for bad in ["--since=nowhere", "--since=--output=x"] {
        let wrong = desk.tenantgate(&["lint", bad]);
        wrong.assert_code(2);
        assert!(
            wrong.stderr.contains("--since") || wrong.stderr.contains("nowhere"),
            "{}",
            wrong.stderr
        );
    }
}

#[test]
fn the_rules_are_listed_with_their_levels() {
    let desk = desk();
    desk.configure_more("[lint.rules]\nban-drop-column = \"error\"\n");
    let list = desk.tenantgate(&["lint", "--rules"]);
    list.assert_code(0);
    assert!(
        list.stdout.contains("error    ban-drop-column "),
        "{}",
        list.stdout
    );
    assert!(
        list.stdout.contains("off      prefer-text-field "),
        "{}",
        list.stdout
    );
    let list = desk.tenantgate(&["lint", "--rules", "--engine", "sqlite"]);
    assert!(!list.stdout.contains("prefer-text-field"), "{}", list.stdout);
}

/// What the README shows is what the program says.
#[test]
fn the_sample_in_the_readme_is_the_programs() {
    let desk = Desk::new(Server::Sqlite);
    let file = "migrations/tenant/0042_tidy_up.sql";
    desk.write(
        file,
        "-- nothing reads it\n\nALTER TABLE orders DROP COLUMN note;\n",
    );
    let run = desk.tenantgate(&["lint", "--engine", "postgres", file]);
    run.assert_code(0);
    let begin = run
        .stdout
        .find("! not so (a warning): no pending migration loses data")
        .unwrap();
    let sample = &run.stdout[begin..];
    let sample = sample[..sample.find("\n\n").unwrap_or(sample.len())].trim_end();
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&format!("\n{sample}\n```\n")),
        "the README lacks:\n{sample}"
    );
}
