//! What only asks writes nothing: not to the database, not even its own tables, and no file.

use crate::harness::{Desk, Run};

const ASKING: [&[&str]; 11] = [
    &["check"],
    &["url", "--environment", "dev"],
    &["plan"],
    &["plan", "--sql"],
    &["status"],
    &["validate"],
    &["promote"],
    &["run", "--dry-run"],
    &["migrate", "--dry-run"],
    &["rollback", "--to", "0", "--dry-run"],
    &["baseline", "--version", "1", "--dry-run"],
];

/// All of them, and a relabelling that only says what it would do.
fn ask_everything(desk: &Desk) -> Vec<Run> {
    let mut runs: Vec<Run> = ASKING
        .iter()
        .map(|arguments| desk.tenantgate(arguments))
        .collect();
    runs.push(desk.tenantgate(&["relabel", "--dry-run", "--environment", "uat"]));
    runs
}

/// The project's files without the reports that the harness asks for.
fn files(desk: &Desk) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let files = desk.files().into_iter();
    files
        .filter(|(path, _)| !path.to_string_lossy().contains("/report-"))
        .collect()
}

fn assert_nothing_changes(desk: &Desk, state: &str) -> Vec<Run> {
    let before = (desk.everything(), files(desk));
    let runs = ask_everything(desk);
    let server = desk.server();
    assert_eq!(desk.everything(), before.0, "{server:?}, {state}");
    let after = files(desk);
    assert_eq!(after.len(), before.1.len(), "{server:?}, {state}: {after:?}");
    assert!(after == before.1, "{server:?}, {state}: a file changed");
    runs
}

#[test]
fn asking_writes_nothing_on_any_engine() {
    for mut desk in Desk::on_all() {
        let url = desk.database.url().to_owned();
        let runs = assert_nothing_changes(&desk, "empty");
        let codes: Vec<_> = runs.iter().map(|run| run.code).collect();
        // An empty database is not valid, has nothing to adopt, and its label cannot be replaced without a URL
        // for uat.
        assert_eq!(codes[..5], [Some(0); 5], "{:?}", desk.server());
        assert_eq!(codes[5..], [1, 0, 0, 0, 0, 1, 1].map(Some), "{:?}", desk.server());

        desk.tenantgate(&["run"]).assert_code(0);
        desk.env("UAT_DB_URL", url);
        let codes: Vec<_> = assert_nothing_changes(&desk, "at head")
            .iter()
            .map(|run| run.code)
            .collect();
        // Two environments with one URL: that is wrong for all who look at it.
        assert!(codes.contains(&Some(1)), "{codes:?}");
        desk.remove_env("UAT_DB_URL");

        desk.tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        desk.database
            .execute("INSERT INTO clients (name) VALUES ('fresh')");
        let runs = assert_nothing_changes(&desk, "behind");
        runs[7].assert_code(0);
        assert_eq!(runs[7].report()["dry_run"], true);
        assert_eq!(
            runs[7].report()["plan"]["tenants"][0]["pending"][0],
            "tenant/0003_paid.sql"
        );
        assert!(runs[7].report()["evidence"].is_null());
    }
}

#[test]
fn a_report_is_rendered_without_a_config_or_a_database() {
    let desk = Desk::migrated(crate::harness::Server::Sqlite);
    let file = desk.path("kept.json").to_str().unwrap().to_owned();
    let run = desk.tenantgate(&["status", "--report", &file]);
    run.assert_code(0);
    desk.remove("tenantgate.toml");
    let before = files(&desk);
    let text = desk.tenantgate(&["report", &file]);
    text.assert_code(0);
    assert_eq!(text.stdout, run.stdout);
    let markdown = desk.tenantgate(&["report", &file, "--format", "markdown"]);
    assert!(markdown.stdout.contains("`amber`"), "{}", markdown.stdout);
    let json = desk.tenantgate(&["report", &file, "--format", "json"]);
    assert_eq!(json.stdout, desk.read("kept.json"));
    assert!(files(&desk) == before);
}
