//! `tenantgate url` and `tenantgate check`: answers without a network.

use serde_json::Value;

use crate::harness::{Desk, Project, Server};

const URL: &str = "postgresql://app:h%40rd%2Fp%C3%A4ss@db.example.com:6543/orders?sslmode=require";

#[test]
fn a_variable_is_explained_without_its_password() {
    let mut project = Project::new();
    project.secret("DATABASE_URL", URL);
    project.guard("h%40rd%2Fp%C3%A4ss");
    project.guard("h@rd/päss");
    let run = project.tenantgate(&["url", "DATABASE_URL"]);
    run.assert_code(0);
    for shown in [
        "DATABASE_URL is understood",
        "db.example.com",
        "6543",
        "orders",
        "app",
    ] {
        assert!(run.stdout.contains(shown), "{shown}: {}", run.stdout);
    }
}

#[test]
fn standard_input_is_read_where_no_name_is_given() {
    let mut project = Project::new();
    project.guard("h%40rd");
    for arguments in [&["url"] as &[&str], &["url", "-"]] {
        for end in ["", "\n", "\r\n"] {
            let run = project.tenantgate_with_input(arguments, &format!("{URL}{end}"));
            run.assert_code(0);
            assert!(run.stdout.contains("db.example.com"), "{}", run.stdout);
        }
    }
    let wrong = project.tenantgate_with_input(&["url"], "postgresql://app:h@rd@db.example.com/orders");
    wrong.assert_code(1);
    assert!(
        wrong.stdout.contains("url.unencoded-password"),
        "{}",
        wrong.stdout
    );
    assert!(wrong.stdout.contains("%40"), "{}", wrong.stdout);
    project.tenantgate_with_input(&["url"], "").assert_code(1);
}

#[test]
fn the_environments_own_variable_is_found_through_the_config() {
    let project = Project::fixture("quickstart");
    let run = project.tenantgate(&["url", "--environment", "uat"]);
    run.assert_code(0);
    assert!(run.stdout.contains("UAT_DB_URL"), "{}", run.stdout);
    assert!(
        run.stdout.contains("target/quickstart/uat/shared.db"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_is_asked_wrongly_is_usage() {
    let project = Project::new();
    let unset = project.tenantgate(&["url", "DATABASE_URL"]);
    unset.assert_code(2);
    assert!(
        unset.stderr.contains("DATABASE_URL is not set"),
        "{}",
        unset.stderr
    );
    let pasted = project.tenantgate(&["url", "postgres://app:hunter22@db.example.com/app"]);
    pasted.assert_code(2);
    assert!(!pasted.stderr.contains("hunter22"), "{}", pasted.stderr);
    let keywords = project.tenantgate(&["url", "host=db.example.com password=hunter22"]);
    keywords.assert_code(2);
    assert!(!keywords.stderr.contains("hunter22"), "{}", keywords.stderr);
}

#[test]
fn an_export_has_six_decoded_values() {
    let mut project = Project::new();
    project.env("DATABASE_URL", URL);
    let json = project.tenantgate(&["url", "DATABASE_URL", "--export", "json"]);
    json.assert_code(0);
    let values: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        values,
        serde_json::json!({
            "DB_ENGINE": "django.db.backends.postgresql",
            "DB_USER": "app",
            "DB_PASSWORD": "h@rd/päss",
            "DB_HOST": "db.example.com",
            "DB_PORT": "6543",
            "DB_NAME": "orders",
        })
    );
    let dotenv = project.tenantgate(&["url", "DATABASE_URL", "--export", "dotenv"]);
    dotenv.assert_code(0);
    project.write("exported.env", &dotenv.stdout);
    let file = project.path("exported.env");
    let shell = format!(
        ". {} && printf '%s|%s|%s' \"$DB_PASSWORD\" \"$DB_PORT\" \"$DB_NAME\"",
        file.display()
    );
    let read = std::process::Command::new("sh")
        .args(["-c", &shell])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(read.stdout).unwrap(), "h@rd/päss|6543|orders");
}

#[test]
fn a_github_export_masks_first_and_appends_to_the_file() {
    let mut project = Project::new();
    project.env("DATABASE_URL", URL);
    let nowhere = project.tenantgate(&["url", "DATABASE_URL", "--export", "github"]);
    nowhere.assert_code(2);
    assert!(
        nowhere.stderr.contains("GITHUB_ENV is not set"),
        "{}",
        nowhere.stderr
    );
    assert_eq!(nowhere.stdout, "");

    project.write("github.env", "BEFORE=1\n");
    let file = project.path("github.env").to_str().unwrap().to_owned();
    project.env("GITHUB_ENV", file);
    let run = project.tenantgate(&["url", "DATABASE_URL", "--export", "github"]);
    run.assert_code(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        !lines.is_empty() && lines.iter().all(|line| line.starts_with("::add-mask::")),
        "{lines:?}"
    );
    assert!(lines.contains(&"::add-mask::h@rd/päss"), "{lines:?}");
    let written = project.read("github.env");
    assert!(written.starts_with("BEFORE=1\n"), "{written}");
    for value in ["DB_PASSWORD", "h@rd/päss", "DB_NAME", "orders"] {
        assert!(written.contains(value), "{written}");
    }
}

#[test]
fn check_says_everything_that_is_wrong_at_once_and_needs_no_server() {
    let mut desk = Desk::new(Server::Sqlite);
    desk.configure_more(
        "[secrets.\"{ENV}_KEY\"]\nmin_length = 20\n[secrets.\"{ENV}_MODE\"]\none_of = [\"on\", \"off\"]\n",
    );
    desk.env("DEV_DB_URL", "postgres://app:p%40ss@nowhere.invalid:99999/");
    desk.secret("DEV_KEY", "shorter");
    let run = desk.tenantgate(&["check"]);
    run.assert_code(1);
    assert_eq!(
        run.checks_that("failed"),
        [
            "secrets.missing",
            "secrets.length",
            "secrets.weak",
            "url.port",
            "url.database"
        ]
    );

    desk.env("DEV_DB_URL", "postgres://app:p%40ss@nowhere.invalid/app");
    desk.secret("DEV_KEY", "a-key-that-is-long-enough-0123456789");
    desk.env("DEV_MODE", "on");
    let mode = desk.tenantgate(&["check"]);
    mode.assert_code(1);
    assert_eq!(mode.checks_that("failed"), ["url.engine"]);
    desk.env("DEV_DB_URL", "mysql://app:p%40ss@nowhere.invalid/app");
    let good = desk.tenantgate(&["check"]);
    good.assert_code(0);
    assert_eq!(good.checks_that("skipped").len(), 0);
    for id in [
        "url.engine",
        "url.same-database",
        "secrets.missing",
        "secrets.one-of",
    ] {
        assert_eq!(good.check(id)["status"], "passed", "{id}");
    }

    desk.env("UAT_DB_URL", "mariadb://other:other@NOWHERE.invalid:3306/app");
    let same = desk.tenantgate(&["check"]);
    same.assert_code(1);
    assert_eq!(same.checks_that("failed"), ["url.same-database"]);
}

#[test]
fn without_the_secrets_a_plan_says_which_variable_is_missing() {
    let mut desk = Desk::new(Server::Sqlite);
    desk.remove_env("DEV_DB_URL");
    let run = desk.tenantgate(&["plan"]);
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["url.missing"]);
    assert!(run.stdout.contains("DEV_DB_URL is not set"), "{}", run.stdout);
}
