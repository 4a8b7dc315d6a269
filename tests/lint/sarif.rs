//! SARIF as it is given to code scanning.

use std::sync::LazyLock;

use serde_json::Value;

use super::DROP;
use crate::harness::{Desk, Project, Run, Server};

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
});

/// What GitHub demands beyond the schema, too.
#[track_caller]
fn checked(text: &str) -> Value {
    let log: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = SCHEMA
        .iter_errors(&log)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{text}");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for key in ["shortDescription", "fullDescription", "help"] {
            let text = rule[key]["text"].as_str().unwrap();
            assert!(!text.is_empty() && text.chars().count() <= 1024, "{rule}");
        }
    }
    for result in run["results"].as_array().unwrap() {
        let place = &result["locations"][0]["physicalLocation"];
        assert!(
            place["artifactLocation"]["uri"].is_string() && place["region"]["startLine"].is_u64(),
            "{result}"
        );
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(
            result["partialFingerprints"]["tenantgate/v1"].is_string(),
            "{result}"
        );
    }
    log
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

fn of_rule<'l>(log: &'l Value, rule: &str) -> &'l Value {
    let found = results(log).iter().find(|it| it["ruleId"] == rule);
    found.unwrap_or_else(|| panic!("no result of {rule}: {log:#}"))
}

fn sarif(project: &Project, arguments: &[&str]) -> (Run, Value) {
    let mut all = arguments.to_vec();
    all.extend(["--format", "sarif", "--sarif", "out/tenantgate.sarif"]);
    let run = project.tenantgate(&all);
    let file = project.read("out/tenantgate.sarif");
    let log = checked(&run.stdout);
    assert_eq!(checked(&file), log, "the file is what is printed");
    (run, log)
}

#[test]
fn findings_of_the_lint_stand_at_their_lines_under_their_rules() {
    let desk = Desk::migrated(Server::Postgres);
    desk.tenant("0003_drop it.sql", &format!("SELECT 1;\n  {DROP}"));
    let (run, log) = sarif(&desk, &["plan"]);
    run.assert_code(0);
    let result = of_rule(&log, "ban-drop-column");
    assert_eq!(result["level"], "warning");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "migrations/tenant/0003_drop%20it.sql"
    );
    assert_eq!(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    assert_eq!(place["region"]["startLine"], 2);
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let rule = rules.iter().find(|it| it["id"] == "ban-drop-column").unwrap();
    assert_eq!(rule["helpUri"], "https://squawkhq.com/docs/ban-drop-column");
    assert!(
        rule["help"]["text"].as_str().unwrap().contains("The safe way: "),
        "{rule}"
    );
    // The line moves, the finding stays the same one.
    desk.tenant("0003_drop it.sql", &format!("SELECT 1;\nSELECT 2;\n\n{DROP}"));
    let (_, moved) = sarif(&desk, &["plan"]);
    let moved = of_rule(&moved, "ban-drop-column");
    assert_eq!(
        moved["locations"][0]["physicalLocation"]["region"]["startLine"],
        4
    );
    assert_eq!(moved["partialFingerprints"], result["partialFingerprints"]);
}

#[test]
fn findings_without_a_file_stand_at_the_config_and_name_their_tenant() {
    let desk = Desk::migrated(Server::Sqlite);
    desk.tenant("0003_bad.sql", "INSERT INTO nowhere VALUES (1);\n");
    let (run, log) = sarif(&desk, &["run"]);
    run.assert_code(1);
    let result = of_rule(&log, "rollout.tenants");
    assert_eq!(result["level"], "error");
    assert_eq!(result["locations"][0]["logicalLocations"][0]["name"], "amber");
    let blocked = desk.tenantgate(&["plan", "--environment", "uat", "--format", "sarif"]);
    let log = checked(&blocked.stdout);
    let result = of_rule(&log, "url.missing");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "tenantgate.toml");
    assert_eq!(place["region"]["startLine"], 1);
}

#[test]
fn a_report_that_was_kept_becomes_the_same_sarif() {
    let desk = Desk::migrated(Server::Sqlite);
    desk.tenant("0003_drop.sql", DROP);
    let plan = desk.tenantgate(&["plan", "--format", "sarif"]);
    plan.assert_code(0);
    desk.write("report.json", &plan.report().to_string());
    let again = desk.tenantgate(&["report", "report.json", "--format", "sarif"]);
    again.assert_code(0);
    assert_eq!(checked(&again.stdout), checked(&plan.stdout));
}
