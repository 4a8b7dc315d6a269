//! `report merge` as a command: what it takes, what it leaves, what it refuses.

use crate::engine::case::Case;
use crate::harness::{Run, Server};

/// Reports of a shared job and two shards.
fn reported() -> Case {
    let mut case = Case::new(Server::Sqlite, 4);
    case.project.env("GITHUB_ACTIONS", "true");
    for (part, file) in [
        (["--scope", "shared"], "reports/a/shared.json"),
        (["--shard", "1/2"], "reports/b/1.json"),
        (["--shard", "2/2"], "reports/c/2.json"),
    ] {
        let arguments = ["migrate", part[0], part[1], "--report", file];
        case.project.tenantgate(&arguments).assert_code(0);
    }
    case.project.remove_env("GITHUB_ACTIONS");
    case
}

fn merge(case: &Case, files: &[&str]) -> Run {
    case.project.tenantgate(&[&["report", "merge"], files].concat())
}

#[test]
fn reports_are_joined_and_told_where_reports_are_told() {
    let mut case = reported();
    for (variable, file) in [("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "output")] {
        let path = case.project.path(file);
        case.project.env(variable, path.to_str().unwrap());
    }
    case.project.env("GITHUB_REPOSITORY", "acme/suite");
    let joined = merge(&case, &["reports", "--report", "all.json"]);
    joined.assert_code(0);
    assert!(
        joined.stdout.contains("2 shards, the longest job"),
        "{}",
        joined.stdout
    );
    assert!(
        joined.stdout.contains("4 tenants, all migrated"),
        "{}",
        joined.stdout
    );
    let summary = case.project.read("summary.md");
    assert!(summary.contains("was migrated, not validated"), "{summary}");
    assert!(summary.contains("2 shards, the longest job"), "{summary}");
    let output = case.project.read("output");
    assert!(
        output.contains("verdict=passed\n") && output.contains("tenants-migrated=4\n"),
        "{output}"
    );
    assert!(output.contains("all.json"), "{output}");
    // Any order, with the files named; another format; joined again it is no part.
    let files = ["reports/c/2.json", "reports/a/shared.json", "reports/b/1.json"];
    let json = merge(&case, &[&files[..], &["--format", "json"]].concat());
    assert_eq!(json.stdout, case.project.read("all.json"));
    let again = case.project.tenantgate(&["report", "all.json"]);
    again.assert_code(0);
    assert_eq!(again.stdout, joined.stdout);
    let twice = merge(&case, &["all.json"]);
    twice.assert_code(2);
    assert!(twice.stderr.contains("is of `report merge`"), "{}", twice.stderr);
}

#[test]
fn a_missing_job_blocks_by_name() {
    let case = reported();
    let joined = merge(&case, &["reports/a", "reports/c"]);
    joined.assert_code(1);
    assert!(
        joined.stdout.contains("shard 1/2 left no report"),
        "{}",
        joined.stdout
    );
    assert!(joined.stdout.contains("1 of 2 shards"), "{}", joined.stdout);
    let joined = merge(&case, &["reports/b", "reports/c"]);
    joined.assert_code(1);
    assert!(
        joined.stdout.contains("the shared job left no report"),
        "{}",
        joined.stdout
    );
}

#[test]
fn what_is_no_part_of_it_is_refused() {
    let case = reported();
    let refused = |files: &[&str], what: &str| {
        let run = merge(&case, files);
        run.assert_code(2);
        assert_eq!(run.stdout, "", "{what}");
        assert!(
            run.stderr.contains(what) && run.stderr.contains("hint: "),
            "{what}: {}",
            run.stderr
        );
    };
    refused(&["reports", "nowhere.json"], "cannot read `nowhere.json`");
    case.project.write("notes.json", "{\n  \"a\": 1\n}");
    refused(&["notes.json"], "`notes.json` is not a report (line 3");
    case.project.write("empty/notes.txt", "");
    refused(&["empty"], "there is no report to join");
    refused(&["reports", "reports/b/1.json"], "shard 1/2 has two reports");
    case.project
        .tenantgate(&["run", "--report", "run.json"])
        .assert_code(0);
    refused(&["reports", "run.json"], "`run.json` is of `run`");
    case.project.write(
        "other.json",
        &case
            .project
            .read("reports/b/1.json")
            .replace("\"suite\"", "\"other\""),
    );
    refused(&["reports/a", "other.json"], "differ in project: suite and other");
    let before = case
        .project
        .tenantgate(&["report", "run.json", "merge", "reports"]);
    before.assert_code(2);
    assert!(
        before.stderr.contains("stands before `merge`"),
        "{}",
        before.stderr
    );
    let none = case.project.tenantgate(&["report", "merge"]);
    none.assert_code(2);
    assert!(none.stderr.contains("Usage"), "{}", none.stderr);
}

#[test]
fn jobs_of_two_workflow_runs_are_not_joined() {
    let mut case = Case::new(Server::Sqlite, 4);
    case.project.env("GITHUB_ACTIONS", "true");
    case.project.env("GITHUB_SERVER_URL", "https://github.com");
    case.project.env("GITHUB_REPOSITORY", "acme/suite");
    for (run, part, file) in [
        ("1", ["--scope", "shared"], "reports/shared.json"),
        ("1", ["--shard", "1/2"], "reports/1.json"),
        ("2", ["--shard", "2/2"], "reports/2.json"),
    ] {
        case.project.env("GITHUB_RUN_ID", run);
        let arguments = ["migrate", part[0], part[1], "--report", file];
        case.project.tenantgate(&arguments).assert_code(0);
    }
    let refused = merge(&case, &["reports"]);
    refused.assert_code(2);
    let told = "differ in workflow run: https://github.com/acme/suite/actions/runs/1 and https://github.com/acme/suite/actions/runs/2";
    assert!(
        refused.stderr.contains(told) && refused.stderr.contains("hint: "),
        "{}",
        refused.stderr
    );
}

/// What a file says is not believed, however it says it, and breaks nothing where it is told.
#[test]
fn numbers_that_were_edited_block() {
    let case = reported();
    let text = case.project.read("reports/b/1.json");
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let counts = report["tenants"].as_object_mut().unwrap();
    counts.insert("rolled_back".to_owned(), 0.into());
    for (_, count) in counts.iter_mut() {
        *count = u64::MAX.into();
    }
    report["duration_ms"] = u64::MAX.into();
    report["migration_set"]["shared"] = u64::MAX.into();
    case.project.write("reports/b/1.json", &report.to_string());
    for format in ["text", "markdown", "json", "github"] {
        let joined = merge(&case, &["reports", "--format", format]);
        joined.assert_code(1);
        assert!(
            joined
                .stdout
                .contains("shard 1/2 says passed, and what it reports does not"),
            "{format}: {}",
            joined.stdout
        );
        case.project
            .tenantgate(&["report", "reports/b/1.json", "--format", format])
            .assert_code(0);
    }
    let text = text.replace("\"migrated\":", "\"migrated\": 9999999999999999999999");
    case.project.write("reports/b/1.json", &text);
    let refused = merge(&case, &["reports"]);
    refused.assert_code(2);
    assert!(
        refused.stderr.contains("`reports/b/1.json` is not a report"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_folder_is_searched_as_far_as_reports_lie() {
    let case = reported();
    // By links it would meet what is no report, and one of them twice.
    case.project.write("elsewhere/notes.json", "{}");
    for (target, link) in [
        ("../elsewhere", "reports/folder"),
        ("a/shared.json", "reports/file.json"),
    ] {
        std::os::unix::fs::symlink(target, case.project.path(link)).unwrap();
    }
    merge(&case, &["reports"]).assert_code(0);
    let refused = |folder: &str, what: &str| {
        let run = merge(&case, &[folder]);
        run.assert_code(2);
        assert!(
            run.stderr.contains(what)
                && run
                    .stderr
                    .contains("name the folder that the artifacts were downloaded into"),
            "{}",
            run.stderr
        );
    };
    case.project.write("deep/1/2/3/4/5/report.json", "{}");
    let deep = merge(&case, &["deep"]);
    assert!(
        deep.stderr.contains("is not a report"),
        "it is read: {}",
        deep.stderr
    );
    case.project.write("deep/1/2/3/4/5/6/report.json", "{}");
    refused(
        "deep",
        "`deep/1/2/3/4/5/6` lies deeper than any report: 5 folders below `deep`",
    );
    for number in 0..=10_000 {
        case.project.write(&format!("many/{number}.txt"), "");
    }
    refused("many", "`many` has more than 10000 files and folders");
}

#[test]
fn shards_are_written_as_the_help_says() {
    let case = Case::new(Server::Sqlite, 1);
    let tenantgate = |arguments: &[&str]| case.project.tenantgate(arguments);
    for (arguments, what) in [
        (
            &["migrate", "--shard", "9/8"] as &[&str],
            "there is no shard 9 of 8",
        ),
        (&["migrate", "--shard", "3"], "a shard is written as INDEX/NUMBER"),
        (
            &["migrate", "--shard", "1/2", "--scope", "tenant"],
            "cannot be used with",
        ),
        (
            &["migrate", "--shard", "1/2", "--tenant", "t01"],
            "cannot be used with",
        ),
        (&["matrix", "--shards", "0"], "shards are counted from 1"),
        (&["matrix", "--shards", "257"], "more than 256 shards"),
        (&["matrix"], "--shards"),
    ] {
        let run = tenantgate(arguments);
        run.assert_code(2);
        assert!(run.stderr.contains(what), "{arguments:?}: {}", run.stderr);
    }
    let run = tenantgate(&["matrix", "--shards", "3"]);
    run.assert_code(0);
    assert_eq!(run.stdout, "{\"shard\":[\"1/3\",\"2/3\",\"3/3\"]}\n");
    let help = tenantgate(&["report", "merge", "--help"]);
    help.assert_code(0);
    assert!(help.stdout.contains("Exit status:"), "{}", help.stdout);
}
