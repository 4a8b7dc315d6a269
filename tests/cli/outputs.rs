//! What a run leaves: stdout in four formats, the report, the step summary.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Desk, Project, Server};

#[test]
fn every_format_says_the_verdict() {
    let desk = Desk::new(Server::Sqlite);
    for format in ["text", "json", "markdown", "github"] {
        let run = desk.tenantgate(&["run", "--format", format]);
        run.assert_code(0);
        assert!(run.stdout.contains("passed"), "{format}: {}", run.stdout);
        assert_eq!(run.stderr, "", "{format}");
    }
    desk.tenant(
        "0003_broken.sql",
        "CREATE TABLE broken (\n  id int,\n  oops oops, );\n",
    );
    for format in ["text", "json", "markdown", "github"] {
        let run = desk.tenantgate(&["run", "--format", format]);
        run.assert_code(1);
        assert!(run.stdout.contains("blocked"), "{format}: {}", run.stdout);
        assert!(run.stdout.contains("0003_broken.sql"), "{format}: {}", run.stdout);
    }
    let json = desk.tenantgate(&["run", "--format", "json"]);
    let stdout: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(&stdout, json.report());
    let github = desk.tenantgate(&["run", "--format", "github"]);
    assert!(
        github
            .stdout
            .contains("::error file=migrations/tenant/0003_broken.sql,line="),
        "{}",
        github.stdout
    );
}

#[test]
fn the_report_is_written_also_when_the_gate_is_shut() {
    let desk = Desk::new(Server::Sqlite);
    desk.tenant("0002_again.sql", "SELECT 1;\n");
    let run = desk.tenantgate(&["run", "--report", "out/deep/report.json"]);
    run.assert_code(1);
    assert_eq!(run.report()["verdict"], "blocked");
    assert!(desk.path("out/deep/report.json").exists());
    let names: Vec<_> = std::fs::read_dir(desk.path("out/deep")).unwrap().collect();
    assert_eq!(names.len(), 1, "no draft is left: {names:?}");
}

#[test]
fn the_report_keeps_to_its_schema() {
    let schema: Value =
        serde_json::from_str(&Project::new().tenantgate(&["schema", "report"]).stdout).unwrap();
    let desk = Desk::new(Server::Sqlite);
    let mut reports = Vec::new();
    for arguments in [
        &["check"] as &[&str],
        &["plan", "--sql"],
        &["run"],
        &["status"],
        &["validate"],
        &["promote"],
        &["migrate"],
        &["run", "--dry-run"],
        &["relabel", "--dry-run"],
    ] {
        reports.push(desk.tenantgate(arguments).report().clone());
    }
    desk.tenant("0003_broken.sql", "oops;\n");
    reports.push(desk.tenantgate(&["run"]).report().clone());
    for report in &reports {
        assert_fits(report, &schema, &schema, "report");
    }
    let mut wrong = reports.remove(0);
    wrong.as_object_mut().unwrap().remove("verdict");
    assert!(std::panic::catch_unwind(|| assert_fits(&wrong, &schema, &schema, "report")).is_err());
}

/// As much of JSON Schema as ours uses: types, required keys, known keys, references, choices.
fn assert_fits(value: &Value, schema: &Value, root: &Value, at: &str) {
    if let Err(why) = fits(value, schema, root, at) {
        panic!("{why}");
    }
}

fn fits(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap();
        return fits(value, target, root, at);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[key].as_array() {
            return choices
                .iter()
                .find_map(|choice| fits(value, choice, root, at).ok())
                .ok_or_else(|| format!("{at}: {value} is none of the choices"));
        }
    }
    if let Some(only) = schema.get("const") {
        return (only == value)
            .then_some(())
            .ok_or_else(|| format!("{at}: {value} is not {only}"));
    }
    if let Some(known) = schema["enum"].as_array() {
        return known
            .contains(value)
            .then_some(())
            .ok_or_else(|| format!("{at}: {value} is unknown"));
    }
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.is_empty() && !types.contains(&is) {
        return Err(format!("{at}: {is} instead of {types:?}"));
    }
    match value {
        Value::Object(map) => {
            for key in schema["required"].as_array().into_iter().flatten() {
                let key = key.as_str().unwrap();
                if !map.contains_key(key) {
                    return Err(format!("{at}: {key} is missing"));
                }
            }
            for (key, item) in map {
                let inner = &schema["properties"][key];
                if inner.is_null() {
                    return Err(format!("{at}: {key} is not in the schema"));
                }
                fits(item, inner, root, &format!("{at}.{key}"))?;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let inner = match schema["prefixItems"].get(index) {
                    Some(inner) => inner,
                    None => &schema["items"],
                };
                fits(item, inner, root, &format!("{at}[{index}]"))?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[test]
fn the_step_summary_is_appended_to() {
    let mut desk = Desk::new(Server::Sqlite);
    desk.write("summary.md", "## Before\n");
    let file = desk.path("summary.md").to_str().unwrap().to_owned();
    desk.env("GITHUB_STEP_SUMMARY", file);
    desk.env("GITHUB_ACTIONS", "true");
    let run = desk.tenantgate(&["run", "--format", "github"]);
    run.assert_code(0);
    assert!(run.stderr.contains("5 tenants, 5 to migrate"), "{}", run.stderr);
    let markdown = desk.tenantgate(&["check", "--format", "markdown"]);
    markdown.assert_code(0);
    let summary = desk.read("summary.md");
    assert!(summary.starts_with("## Before\n"), "{summary}");
    assert!(summary.matches("passed").count() >= 2, "{summary}");
    assert!(summary.ends_with(&markdown.stdout), "{summary}");
}

#[test]
fn the_run_that_wrote_is_known_by_its_url() {
    let mut desk = Desk::new(Server::Postgres);
    for (name, value) in [
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_REPOSITORY", "acme/desk"),
        ("GITHUB_RUN_ID", "42"),
        ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
    ] {
        desk.env(name, value);
    }
    let run = desk.tenantgate(&["run"]);
    run.assert_code(0);
    let url = "https://github.example/acme/desk/actions/runs/42";
    assert_eq!(run.report()["run_url"], url);
    assert_eq!(run.report()["commit"], "0123456789012345678901234567890123456789");
    assert_eq!(
        desk.database
            .query_column("SELECT DISTINCT run FROM tenantgate.ledger"),
        [url]
    );
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let desk = Desk::new(Server::Sqlite);
    let (command, report) = desk.command(&["run", "--format", "json"]);
    let mut command: Command = command;
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let end = child.wait_with_output().unwrap();
    assert_eq!(
        end.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&end.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&end.stderr), "");
    let report: Value = serde_json::from_slice(&std::fs::read(report.unwrap()).unwrap()).unwrap();
    assert_eq!(report["verdict"], "passed");
    desk.assert_heads([Some(2); 5]);
}

#[test]
fn colours_only_where_asked_for() {
    let desk = Desk::new(Server::Sqlite);
    let plain = desk.tenantgate(&["run"]);
    assert!(!plain.stdout.contains('\u{1b}'), "{}", plain.stdout);
    let coloured = desk.tenantgate(&["run", "--color", "always"]);
    assert!(coloured.stdout.contains('\u{1b}'), "{}", coloured.stdout);
}
