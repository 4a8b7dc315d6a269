//! A step in GitHub Actions: outputs, masks, places of annotations.

use std::collections::BTreeMap;

use crate::harness::{Desk, Project, Server};

/// Reads a file of outputs as the runner does.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut found = BTreeMap::new();
    while let Some(line) = lines.next() {
        let heredoc = line.find("<<").unwrap_or(usize::MAX);
        if let Some(at) = line.find('=').filter(|at| *at < heredoc) {
            found.insert(line[..at].to_owned(), line[at + 1..].to_owned());
            continue;
        }
        let (name, delimiter) = line.split_once("<<").expect("a heredoc begins");
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        found.insert(name.to_owned(), value.join("\n"));
    }
    found
}

fn in_actions(project: &mut Project) {
    project.env("GITHUB_ACTIONS", "true");
    project.env("GITHUB_REPOSITORY", "acme/shop");
    let output = project.path("output");
    project.env("GITHUB_OUTPUT", output.to_str().unwrap());
}

#[test]
fn later_steps_get_what_a_run_found() {
    let mut desk = Desk::new(Server::Sqlite);
    in_actions(&mut desk);
    let run = desk.tenantgate(&["run", "--report", "out/report.json"]);
    run.assert_code(0);
    let found = outputs(&desk.read("output"));
    assert_eq!(found["verdict"], "passed");
    assert_eq!(found["exit-code"], "0");
    assert_eq!(found["tenants-discovered"], "5");
    assert_eq!(found["tenants-migrated"], "5");
    assert_eq!(found["tenants-failed"], "0");
    assert_eq!(found["comment-url"], "");
    assert_eq!(found["db-engine"], "django.db.backends.sqlite3");
    assert!(found["digest"].starts_with("sha256:"), "{found:?}");
    assert!(std::path::Path::new(&found["report"]).is_absolute());
    assert!(std::path::Path::new(&found["report"]).exists());

    desk.tenant("0003_broken.sql", "oops;\n");
    desk.remove("output");
    desk.tenantgate(&["run"]).assert_code(1);
    let found = outputs(&desk.read("output"));
    assert_eq!(found["verdict"], "blocked");
    assert_eq!(found["exit-code"], "1");
    assert_ne!(found["tenants-failed"], "0");
}

#[test]
fn a_password_is_masked_before_anything_else_and_is_no_output() {
    let mut project = Project::new();
    in_actions(&mut project);
    project.env("TENANTGATE_ACTION", "true");
    project.write(
        "tenantgate.toml",
        "name = \"shop\"\n[environments.dev]\ndatabase_url = \"URL\"\n[migrations]\ntenant = \"migrations/tenant\"\n[tenancy]\nmode = \"schema\"\nregistry = \"SELECT 1\"\n",
    );
    project.env(
        "URL",
        "postgresql://shop:p%40ss-w0rd%25x@db.example.com:6543/shop",
    );
    let (mut command, _) = project.command(&["check"]);
    let done = command.output().unwrap();
    let stderr = String::from_utf8(done.stderr).unwrap();
    let stdout = String::from_utf8(done.stdout).unwrap();
    assert!(
        stderr.starts_with("::add-mask::p@ss-w0rd%25x\n::add-mask::p%2540ss-w0rd%2525x\n"),
        "{stderr}"
    );
    let file = project.read("output");
    assert!(
        !stdout.contains("w0rd") && !file.contains("w0rd"),
        "{stdout}\n{file}"
    );
    let found = outputs(&file);
    assert_eq!(found["db-user"], "shop");
    assert_eq!(found["db-host"], "db.example.com");
    assert_eq!(found["db-port"], "6543");
    assert_eq!(found["db-name"], "shop");
}

#[test]
fn annotations_are_placed_from_the_root_of_the_repository() {
    let mut desk = Desk::new(Server::Sqlite);
    let root = desk.path(".").canonicalize().unwrap();
    let folder = root.file_name().unwrap().to_str().unwrap().to_owned();
    in_actions(&mut desk);
    desk.env("GITHUB_WORKSPACE", root.parent().unwrap().to_str().unwrap());
    desk.tenant("0003_broken.sql", "oops;\n");
    let run = desk.tenantgate(&["run", "--format", "github"]);
    run.assert_code(1);
    let place = format!("::error file={folder}/migrations/tenant/0003_broken.sql,line=1");
    assert!(run.stdout.contains(&place), "{}", run.stdout);
}

#[test]
fn a_wrong_config_is_shown_where_people_look() {
    let mut desk = Desk::new(Server::Sqlite);
    in_actions(&mut desk);
    let summary = desk.path("summary.md");
    desk.env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    desk.configure("rollout", "concurency = 3\n");
    let run = desk.tenantgate(&["run"]);
    run.assert_code(2);
    assert!(
        run.stderr.contains("\n::error file=tenantgate.toml,line="),
        "{}",
        run.stderr
    );
    let found = outputs(&desk.read("output"));
    assert_eq!(found["verdict"], "blocked");
    assert_eq!(found["exit-code"], "2");
    let summary = desk.read("summary.md");
    assert!(
        summary.starts_with("## ❌ tenantgate could not begin\n") && summary.contains("concurrency"),
        "{summary}"
    );
}
