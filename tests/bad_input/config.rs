//! Usage and configuration: exit 2, and nothing was touched.

use super::{assert_says, untouched};
use crate::harness::{Desk, Server};

/// Given a config with one text replaced.
#[track_caller]
fn refused(from: &str, to: &str, words: &[&str]) {
    let desk = Desk::new(Server::Sqlite);
    desk.replace("tenantgate.toml", from, to);
    for command in ["run", "plan", "check"] {
        let run = untouched(&desk, &[command]);
        run.assert_code(2);
        assert_eq!(run.stdout, "");
        assert!(run.report.is_none());
        assert!(run.stderr.starts_with("error: tenantgate.toml"), "{}", run.stderr);
        assert_says(&run, words);
    }
}

#[test]
fn no_config() {
    let desk = Desk::new(Server::Sqlite);
    let run = untouched(&desk, &["run", "--config", "elsewhere/tenantgate.toml"]);
    run.assert_code(2);
    assert_says(&run, &["elsewhere/tenantgate.toml", "no config file", "--config"]);
    let folder = untouched(&desk, &["run", "--config", "migrations"]);
    folder.assert_code(2);
    assert_says(&folder, &["is a folder"]);
}

#[test]
fn broken_toml() {
    refused("[rollout]", "[rollout", &["tenantgate.toml:", "not TOML", "]"]);
}

#[test]
fn an_unknown_key() {
    refused(
        "concurrency =",
        "concurency =",
        &["unknown key `concurency`", "did you mean `concurrency`"],
    );
    refused(
        "[rollout]",
        "[roll-out]",
        &["unknown key `roll-out`", "did you mean `rollout`"],
    );
}

#[test]
fn an_unknown_environment() {
    let desk = Desk::new(Server::Sqlite);
    let run = untouched(&desk, &["run", "--environment", "production"]);
    run.assert_code(2);
    assert_says(
        &run,
        &[
            "no environment `production`",
            "did you mean `prod`",
            "dev, uat, prod",
        ],
    );
    let mut desk = desk;
    desk.remove_env("TENANTGATE_ENVIRONMENT");
    let none = untouched(&desk, &["run"]);
    none.assert_code(2);
    assert_says(&none, &["no environment is chosen", "--environment"]);
}

#[test]
fn a_circle_of_environments() {
    refused(
        "[environments.dev]\n",
        "[environments.dev]\nafter = \"prod\"\n",
        &["goes in a circle", "dev after prod", "after uat"],
    );
    refused(
        "after = \"dev\"",
        "after = \"deb\"",
        &["`deb`, which is not configured", "`dev`"],
    );
}

#[test]
fn a_missing_folder_of_migrations() {
    let desk = Desk::new(Server::Sqlite);
    desk.replace("tenantgate.toml", "migrations/tenant", "migrations/tenants");
    for command in ["run", "plan", "promote"] {
        let run = untouched(&desk, &[command]);
        run.assert_code(2);
        assert_says(&run, &["tenant migrations", "migrations/tenants", "[migrations]"]);
    }
}

#[test]
fn an_env_file_that_is_none() {
    let desk = Desk::new(Server::Sqlite);
    let absent = untouched(&desk, &["run", "--env-file", "none.env"]);
    absent.assert_code(2);
    assert_says(&absent, &["none.env", "no env file"]);
    desk.write("broken.env", "A=1\nthis is no line\n");
    let broken = untouched(&desk, &["run", "--env-file", "broken.env"]);
    broken.assert_code(2);
    assert_says(&broken, &["broken.env:2", "NAME=value"]);
}

#[test]
fn a_file_that_is_no_report() {
    let desk = Desk::new(Server::Sqlite);
    desk.write("torn.json", "{\"schema_version\": 1,\n");
    let torn = desk.tenantgate(&["report", "torn.json"]);
    torn.assert_code(2);
    assert_says(&torn, &["torn.json", "not a report", "line 2"]);
    let absent = desk.tenantgate(&["report", "absent.json"]);
    absent.assert_code(2);
    assert_says(&absent, &["absent.json", "--report"]);
}
