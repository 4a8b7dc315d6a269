//! Scenarios: given these rules and variables, then these findings.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use super::*;
use crate::domain::{CheckStatus, Secret};
use crate::settings::{Flags, ProcessEnvironment, load};

const CONFIG: &str = r#"name = "meats"
[environments.dev]
github_environment = "dev-backend"
database_url = "{ENV}_DB_URL"
[environments.uat]
after = "dev"
database_url = "{ENV}_DB_URL"
direct_url = "{ENV}_DIRECT_URL"
[secrets."{ENV}_KEY"]
min_length = 20
[secrets."{ENV}_MODULE"]
pattern = '^app\.settings\.\w+$'
[secrets."{ENV}_DEBUG"]
one_of = ["on", "off", "example"]
[secrets."{ENV}_SENTRY"]
optional = true
min_length = 10
[tenancy]
mode = "schema"
registry = "SELECT 1"
[migrations]
tenant = "m"
"#;

const GOOD: [(&str, &str); 4] = [
    ("DEV_DB_URL", "postgres://app:pw@db.example.com/app"),
    ("DEV_KEY", "k2#x9!qv0$Lm-77aBcDeFg"),
    ("DEV_MODULE", "app.settings.dev"),
    ("DEV_DEBUG", "off"),
];

/// Settings of `dev`, or of the environment that `TENANTGATE_ENVIRONMENT` names.
fn settings_of(config: &str, variables: BTreeMap<&str, &str>) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tenantgate.toml");
    std::fs::write(&file, config).unwrap();
    let mut process = ProcessEnvironment::default();
    for (name, value) in variables {
        match value {
            "(bytes)" => drop(process.unreadable.insert(name.to_owned())),
            value => drop(process.variables.insert(name.to_owned(), Secret::new(value))),
        }
    }
    let environment = process
        .variables
        .get("TENANTGATE_ENVIRONMENT")
        .map_or("dev", |v| v.expose());
    let flags = Flags {
        config: file,
        environment: Some(environment.to_owned()),
        ..Flags::default()
    };
    load(&flags, &process).unwrap()
}

/// [`GOOD`], with changes; `(unset)` takes a variable away, `(bytes)` is not UTF-8.
fn settings_with(changes: &[(&'static str, &'static str)]) -> Settings {
    let mut variables = BTreeMap::from(GOOD);
    variables.extend(changes.iter().copied());
    variables.retain(|_, value| *value != "(unset)");
    settings_of(CONFIG, variables)
}

/// All findings as `id: message`.
fn findings(settings: &Settings) -> Vec<String> {
    let checks = check(settings);
    let lines = checks.iter().flat_map(|check| {
        let line = |finding: &Finding| format!("{}: {}", check.id, finding.message);
        check.findings.iter().map(line)
    });
    lines.collect()
}

fn findings_with(changes: &[(&'static str, &'static str)]) -> Vec<String> {
    findings(&settings_with(changes))
}

fn hint_of(settings: &Settings, id: &str) -> String {
    let checks = check(settings);
    let check = checks.iter().find(|check| check.id == id).unwrap();
    check.findings[0].hint.clone().unwrap()
}

#[test]
fn good_secrets_pass_every_check() {
    let checks = check(&settings_with(&[]));
    let ids: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    let defined: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(ids, defined);
    for check in checks {
        assert_eq!(
            (check.status, check.findings.len()),
            (CheckStatus::Passed, 0),
            "{}",
            check.id
        );
    }
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let settings = settings_of(CONFIG, BTreeMap::from([("TENANTGATE_ENVIRONMENT", "uat")]));
    assert_eq!(
        findings(&settings),
        [
            "secrets.missing: UAT_DB_URL is not set",
            "secrets.missing: UAT_DIRECT_URL is not set",
            "secrets.missing: UAT_DEBUG is not set",
            "secrets.missing: UAT_KEY is not set",
            "secrets.missing: UAT_MODULE is not set",
        ]
    );
    insta::assert_snapshot!(
        hint_of(&settings, "secrets.missing"),
        @"set UAT_DB_URL where this environment's secrets are kept; a workflow sees it only in a job with the right `environment:`, and must pass it by `env:` as UAT_DB_URL: ${{ secrets.UAT_DB_URL }}"
    );
}

#[test]
fn the_hint_names_the_github_environment() {
    insta::assert_snapshot!(
        hint_of(&settings_with(&[("DEV_KEY", "(unset)")]), "secrets.missing"),
        @"set it in GitHub under Settings > Environments > dev-backend, or: gh secret set DEV_KEY --env dev-backend; a workflow sees it only in a job with the right `environment:`, and must pass it by `env:` as DEV_KEY: ${{ secrets.DEV_KEY }}"
    );
}

#[test]
fn the_hint_names_an_env_file_that_is_not_there() {
    let config = CONFIG.replacen("[secrets", "env_file = \"uat.env\"\n[secrets", 1);
    let settings = settings_of(&config, BTreeMap::from([("TENANTGATE_ENVIRONMENT", "uat")]));
    let hint = hint_of(&settings, "secrets.missing");
    assert!(hint.ends_with("uat.env does not exist"), "{hint}");
}

#[test]
fn a_rule_for_one_environment_only_is_explained() {
    let config = CONFIG.replacen("[secrets", "[secrets.UAT_TOKEN]\n[secrets", 1);
    let settings = settings_of(&config, BTreeMap::from(GOOD));
    assert_eq!(findings(&settings), ["secrets.missing: UAT_TOKEN is not set"]);
    insta::assert_snapshot!(
        hint_of(&settings, "secrets.missing"),
        @r#"a rule holds in every environment: for each one's own, write [secrets."{ENV}_TOKEN"] instead of [secrets."UAT_TOKEN"]"#
    );
}

#[test]
fn bytes_that_are_not_text_are_told() {
    assert_eq!(
        findings_with(&[("DEV_KEY", "(bytes)"), ("DEV_SENTRY", "(bytes)")]),
        [
            "secrets.missing: DEV_KEY is set, but not to UTF-8 text",
            "secrets.missing: DEV_SENTRY is set, but not to UTF-8 text",
        ]
    );
}

#[test]
fn blank_is_not_set() {
    assert_eq!(
        findings_with(&[("DEV_KEY", ""), ("DEV_DB_URL", " \n"), ("DEV_MODULE", "\u{FEFF}")]),
        [
            "secrets.blank: DEV_DB_URL is blank",
            "secrets.blank: DEV_KEY is blank",
            "secrets.blank: DEV_MODULE is blank",
        ]
    );
}

#[test]
fn an_optional_secret_may_be_absent_or_blank_but_not_bad() {
    assert!(findings_with(&[("DEV_SENTRY", "")]).is_empty());
    assert_eq!(
        findings_with(&[("DEV_SENTRY", "short")]),
        ["secrets.length: DEV_SENTRY is shorter than the 10 characters demanded"]
    );
}

#[test]
fn a_placeholder_is_told_once_and_not_in_urls() {
    assert_eq!(
        findings_with(&[("DEV_KEY", "changeme"), ("DEV_DB_URL", "***")]),
        ["secrets.placeholder: DEV_KEY is a placeholder, not a value"]
    );
}

#[test]
fn a_value_that_is_allowed_is_no_placeholder() {
    assert!(findings_with(&[("DEV_DEBUG", "example")]).is_empty());
}

#[test]
fn short_and_weak() {
    assert_eq!(
        findings_with(&[("DEV_KEY", "abab")]),
        [
            "secrets.length: DEV_KEY is shorter than the 20 characters demanded",
            "secrets.weak: DEV_KEY has fewer than the 8 different characters demanded",
        ]
    );
    assert_eq!(
        findings_with(&[("DEV_KEY", "abcdabcdabcdabcdabcdabcd")]),
        ["secrets.weak: DEV_KEY has fewer than the 8 different characters demanded"]
    );
    let padded = findings_with(&[("DEV_KEY", "k2#x9!qv0$            ")]);
    assert!(padded[0].starts_with("secrets.length"), "{padded:?}");
}

#[test]
fn another_form_and_another_value() {
    let settings = settings_with(&[("DEV_MODULE", "app.settings"), ("DEV_DEBUG", "ON")]);
    assert_eq!(
        findings(&settings),
        [
            "secrets.pattern: DEV_MODULE does not match its pattern",
            "secrets.one-of: DEV_DEBUG is none of the values allowed",
        ]
    );
    assert_eq!(
        hint_of(&settings, "secrets.one-of"),
        "allowed are: `on`, `off`, `example`"
    );
    assert_eq!(
        hint_of(&settings, "secrets.pattern"),
        r#"[secrets."{ENV}_MODULE"] demands ^app\.settings\.\w+$"#
    );
}

#[test]
fn a_value_of_another_environment() {
    let key = GOOD[1].1;
    assert_eq!(
        findings_with(&[("UAT_KEY", key), ("UAT_MODULE", "app.settings.dev")]),
        ["secrets.reused: DEV_KEY of `dev` has the same value as UAT_KEY of `uat`"]
    );
    assert!(findings_with(&[("UAT_KEY", "another"), ("DEV_SENTRY", ""), ("UAT_SENTRY", "")]).is_empty());
}

#[test]
fn one_variable_for_all_environments_is_not_reuse() {
    let config = CONFIG.replace("{ENV}_KEY", "APP_KEY");
    let mut variables = BTreeMap::from(GOOD);
    variables.insert("APP_KEY", GOOD[1].1);
    assert!(findings(&settings_of(&config, variables)).is_empty());
}

#[test]
fn white_space_is_a_warning() {
    let settings = settings_with(&[
        ("DEV_KEY", "k2#x9!qv0$Lm-77aBcDeFg\n"),
        ("DEV_DB_URL", "postgres://x "),
    ]);
    assert_eq!(
        findings(&settings),
        ["secrets.whitespace: DEV_KEY begins or ends with white space or an invisible character"]
    );
    let checks = check(&settings);
    assert_eq!(checks.last().unwrap().status, CheckStatus::Warned);
    assert!(findings_with(&[("DEV_KEY", "-----BEGIN-----\nabcdefgh12345\n-----END-----\n")]).is_empty());
}

#[test]
fn a_rule_for_the_url_itself_holds() {
    let config = CONFIG.replacen(
        "[secrets",
        "[secrets.\"{ENV}_DB_URL\"]\noptional = true\npattern = '^mysql:'\n[secrets",
        1,
    );
    let settings = settings_of(&config, BTreeMap::from(GOOD));
    assert_eq!(
        findings(&settings),
        ["secrets.pattern: DEV_DB_URL does not match its pattern"]
    );
    let mut variables = BTreeMap::from(GOOD);
    variables.remove("DEV_DB_URL");
    let settings = settings_of(&config, variables);
    assert_eq!(findings(&settings), ["secrets.missing: DEV_DB_URL is not set"]);
}

#[test]
fn no_value_leaks() {
    let names = ["DB_URL", "DIRECT_URL", "KEY", "MODULE", "DEBUG", "SENTRY"];
    for value in [
        "marker",
        "marker ",
        "<marker>",
        "marker-changeme",
        "${{ marker }}",
        "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmarker",
    ] {
        for environment in ["dev", "uat"] {
            let owned: Vec<String> = ["DEV", "UAT"]
                .iter()
                .flat_map(|prefix| names.iter().map(move |name| format!("{prefix}_{name}")))
                .collect();
            let mut variables: BTreeMap<&str, &str> =
                owned.iter().map(|name| (name.as_str(), value)).collect();
            variables.insert("TENANTGATE_ENVIRONMENT", environment);
            let settings = settings_of(CONFIG, variables);
            let checks = check(&settings);
            assert!(checks.iter().any(Check::blocks), "{value}");
            let json = serde_json::to_string(&checks).unwrap();
            for text in [json, format!("{checks:?}"), format!("{settings:?}")] {
                assert!(!text.contains("marker"), "{text}");
                assert!(!text.contains("mmmm"), "{text}");
            }
        }
    }
}

#[test]
fn the_redactor_knows_every_environments_secrets() {
    let settings = settings_with(&[
        ("UAT_KEY", "uat-key-value"),
        ("DEV_DEBUG", "example"),
        ("HOME", "/home/me"),
    ]);
    let redactor = redactor(&settings);
    for (name, value) in GOOD.iter().filter(|(name, _)| *name != "DEV_DEBUG") {
        assert_eq!(redactor.redact(value), "***", "{name}");
    }
    assert_eq!(redactor.redact("uat-key-value"), "***");
    assert_eq!(redactor.redact("for example /home/me"), "for example /home/me");
}
