//! Names of secrets, in all environments.

use tenantgate::domain::{CheckStatus, Secret};
use tenantgate::github::secret_names::check;
use tenantgate::settings::{Flags, ProcessEnvironment, Settings, load};

use super::*;
use crate::github::fake::Fault;

const CONFIG: &str = r#"
name = "shop"
[environments.dev]
database_url = "{ENV}_DB_URL"
[environments.prod]
after = "dev"
database_url = "{ENV}_DB_URL"
github_environment = "prod / EU 1"
[secrets."{ENV}_SECRET_KEY"]
[secrets."{ENV}_DSN"]
optional = true
[secrets.REGION]
[tenancy]
mode = "schema"
registry = "SELECT 1"
[migrations]
tenant = "m"
"#;

fn settings() -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("tenantgate.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let flags = Flags {
        config,
        environment: Some("dev".to_owned()),
        ..Flags::default()
    };
    load(&flags, &ProcessEnvironment::default()).unwrap()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// Everything is there, in one place or another; what is left out of `but` is.
fn fill(scene: &Scene, but: &str) {
    let keep = |list: &[&str]| {
        let mut list = texts(list);
        list.retain(|name| name != but);
        list
    };
    let mut state = scene.github.state();
    let many: Vec<String> = (0..70).map(|number| format!("OTHER_{number}")).collect();
    let mut dev = many.clone();
    dev.extend(keep(&["DEV_DB_URL"]));
    state.environment_secrets.insert("dev".to_owned(), dev);
    state
        .environment_secrets
        .insert("prod / EU 1".to_owned(), keep(&["PROD_DB_URL"]));
    let mut variables = many;
    variables.extend(keep(&["REGION"]));
    state
        .environment_variables
        .insert("prod / EU 1".to_owned(), variables);
    state.environment_variables.insert("dev".to_owned(), Vec::new());
    state.repository_variables = keep(&["REGION"]);
    state.repository_secrets = keep(&["DEV_SECRET_KEY"]);
    state.organization_secrets = keep(&["PROD_SECRET_KEY"]);
}

fn ask(scene: &Scene, permissions: Permissions) -> Check {
    let token = scene.github.token_of("our-gate[bot]", permissions);
    scene.block_on(check(&scene.client_of(&token), &settings()))
}

fn said(check: &Check) -> String {
    let line = |finding: &Finding| {
        let hint = finding.hint.as_deref().unwrap_or("no hint");
        format!("{:?}: {}\n  -> {hint}", finding.severity, finding.message)
    };
    check.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_is_missing_where_each_name_is_somewhere() {
    let scene = Scene::new();
    fill(&scene, "");
    let check = ask(&scene, Permissions::all());
    assert_eq!((check.status, said(&check).as_str()), (CheckStatus::Passed, ""));
}

#[test]
fn what_is_missing_is_told_by_environment() {
    for (but, named) in [
        ("DEV_DB_URL", "`dev` (dev)"),
        ("PROD_DB_URL", "`prod / EU 1` (prod)"),
        ("PROD_SECRET_KEY", "`prod / EU 1` (prod)"),
    ] {
        let scene = Scene::new();
        fill(&scene, but);
        let check = ask(&scene, Permissions::all());
        assert_eq!(check.status, CheckStatus::Failed);
        assert_eq!(check.findings.len(), 1, "{}", said(&check));
        assert_eq!(
            check.findings[0].message,
            format!("{but} is not in the GitHub environment {named}")
        );
    }
}

#[test]
fn an_environment_that_does_not_exist_is_told_once() {
    let scene = Scene::new();
    fill(&scene, "");
    scene.github.state().environment_secrets.remove("prod / EU 1");
    insta::assert_snapshot!(said(&ask(&scene, Permissions::all())));
}

#[test]
fn a_token_that_may_not_ask_fails_nothing_and_says_so_once() {
    let scene = Scene::new();
    fill(&scene, "PROD_DB_URL");
    let check = ask(&scene, Permissions::job());
    assert_eq!(check.status, CheckStatus::Warned);
    insta::assert_snapshot!(said(&check));
    assert_eq!(scene.github.requests().len(), 1, "one refusal is enough");
}

#[test]
fn where_variables_may_not_be_seen_a_missing_name_is_a_warning() {
    let scene = Scene::new();
    fill(&scene, "REGION");
    let permissions = Permissions {
        variables: crate::github::fake::Level::None,
        ..Permissions::all()
    };
    let check = ask(&scene, permissions);
    assert_eq!(check.status, CheckStatus::Warned);
    assert!(
        said(&check).contains("Note: the token may not list variables"),
        "{}",
        said(&check)
    );
}

#[test]
fn a_server_that_is_down_fails_nothing() {
    let scene = Scene::new();
    fill(&scene, "PROD_DB_URL");
    scene.github.fault(Fault::status(500).for_ever());
    let check = ask(&scene, Permissions::all());
    assert_eq!(check.status, CheckStatus::Warned);
    assert!(
        said(&check).contains("the names of secrets could not be asked for"),
        "{}",
        said(&check)
    );
}

#[test]
fn no_value_of_a_variable_is_told() {
    let scene = Scene::new();
    fill(&scene, "PROD_DB_URL");
    let text = said(&ask(&scene, Permissions::all()));
    assert!(!text.contains("seen"), "{text}");
    assert!(!text.contains(Secret::new(scene.token.clone()).expose()));
}
