//! The report as SARIF 2.1.0, for code scanning.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>, and what GitHub makes of it:
//! <https://docs.github.com/code-security/reference/code-scanning/sarif-files/sarif-support>. GitHub refuses
//! a whole file for one result without a place, so a finding without a file is shown at the config.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::clean;
use super::github::from_root;
use super::markdown::escape::fenced;
use super::summary::headline;
use crate::domain::{Check, Checksum, Finding, Report, Severity};
use crate::lint::{self, Level};

/// GitHub takes no more results of a run, and shows the 5,000 worst.
const MOST: usize = 25_000;
/// A message, in characters: what somebody reads.
const MESSAGE: usize = 4_000;
/// Descriptions, in characters.
const DESCRIPTION: usize = 1_000;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const INFORMATION: &str = "https://github.com/tenantgate/tenantgate";

/// Where the report's files are.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// The folder that files are relative to, as seen from the repository's root.
    pub folder: Option<&'a str>,
    /// The config file, relative to the same folder: where findings without a file are shown.
    pub config: &'a str,
}

/// One run with one result for each finding, the worst first.
pub fn render(report: &Report, places: Places<'_>) -> String {
    let mut found: Vec<(&Check, &Finding)> = report
        .checks
        .iter()
        .flat_map(|check| check.findings.iter().map(move |finding| (check, finding)))
        .collect();
    found.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    let left_out = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let rules = rules(&found);
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let mut prints = BTreeMap::new();
    let results: Vec<Value> = found
        .iter()
        .map(|(check, finding)| result(check, finding, places, &index, &mut prints))
        .collect();
    let mut invocation = json!({
        // The gate's verdict is a result; that it came to one is success.
        "executionSuccessful": true,
        "startTimeUtc": report.started_at.to_string(),
        "properties": {
            "command": report.command,
            "environment": report.environment,
            "verdict": report.verdict,
        },
    });
    if left_out > 0 {
        invocation["toolExecutionNotifications"] = json!([{
            "level": "warning",
            "message": { "text": format!("{left_out} more findings were left out, none worse than those here") },
        }]);
    }
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "informationUri": INFORMATION,
                "rules": rules.into_iter().map(|(_, rule)| rule).collect::<Vec<_>>(),
            } },
            "automationDetails": { "id": format!("tenantgate/{}/{}", report.project, report.environment) },
            "columnKind": "unicodeCodePoints",
            "invocations": [invocation],
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("plain data with string keys");
    text.push('\n');
    text
}

/// The rule of the lint that a message names at its end, `… [ban-drop-column]`, or else the check.
fn rule_id<'a>(check: &'a Check, finding: &'a Finding) -> &'a str {
    let named = finding
        .message
        .strip_suffix(']')
        .and_then(|it| it.rsplit_once(" ["))
        .and_then(|(_, id)| lint::named(id));
    named
        .filter(|_| check.id.starts_with("lint."))
        .map_or(&check.id, |rule| rule.id)
}

/// Those of the results, with the text that explains them.
fn rules<'a>(found: &[(&'a Check, &'a Finding)]) -> Vec<(&'a str, Value)> {
    let mut rules = Vec::new();
    let mut seen = BTreeSet::new();
    for (check, finding) in found {
        let id = rule_id(check, finding);
        if !seen.insert(id) {
            continue;
        }
        rules.push((id, lint::named(id).map_or_else(|| of_check(check), of_lint)));
    }
    rules
}

fn of_lint(rule: &lint::Rule) -> Value {
    let text = format!("{}: {}. The safe way: {}.", rule.title, rule.why, rule.safe);
    let markdown = format!(
        "**{}**\n\n{}.\n\nThe safe way: {}.",
        rule.title, rule.why, rule.safe
    );
    let highest = [rule.levels.postgres, rule.levels.mysql, rule.levels.sqlite];
    let highest = highest.into_iter().flatten().max().unwrap_or(Level::Off);
    let mut descriptor = json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": clean::clip(&text, DESCRIPTION, 1) },
        "help": { "text": text, "markdown": markdown },
        "defaultConfiguration": {
            "enabled": highest != Level::Off,
            "level": match highest {
                Level::Off => "none",
                Level::Note => "note",
                Level::Warning => "warning",
                Level::Error => "error",
            },
        },
        "properties": { "tags": ["migrations", rule.group.check().id] },
    });
    descriptor["helpUri"] = json!(rule.url().unwrap_or_else(|| format!("{INFORMATION}#lint")));
    descriptor
}

fn of_check(check: &Check) -> Value {
    let title = clean::line(&check.title);
    let text = format!(
        "The gate asks that {title}. See `{}` under Checks in the README.",
        check.id
    );
    json!({
        "id": check.id,
        "shortDescription": { "text": clean::clip(&title, DESCRIPTION, 1) },
        "fullDescription": { "text": clean::clip(&text, DESCRIPTION, 1) },
        "help": { "text": text },
        "helpUri": format!("{INFORMATION}#checks"),
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": [check.id.split('.').next().unwrap_or_default()] },
    })
}

fn result<'a>(
    check: &'a Check,
    finding: &'a Finding,
    places: Places<'_>,
    index: &BTreeMap<&str, usize>,
    prints: &mut BTreeMap<String, usize>,
) -> Value {
    let rule = rule_id(check, finding);
    let mut value = json!({
        "ruleId": rule,
        "level": match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        "message": message(check, finding),
        "locations": [location(finding, places)],
        "partialFingerprints": { "tenantgate/v1": fingerprint(rule, finding, prints) },
    });
    if let Some(at) = index.get(rule) {
        value["ruleIndex"] = json!(at);
    }
    value
}

fn message(check: &Check, finding: &Finding) -> Value {
    let what = clean::clip(&clean::block(&finding.message), MESSAGE, 40);
    let mut text = match (&finding.file, check.id.starts_with("lint.")) {
        // Beside a line of a migration it is clear what is meant.
        (Some(_), true) => what,
        _ => format!("{}: {what}", headline(check)),
    };
    if let Some(tenant) = &finding.tenant {
        text.push_str(&format!(" (in {tenant})"));
    }
    let hint = finding.hint.as_deref().map(clean::line);
    if let Some(hint) = &hint {
        text.push_str(&format!("\n\n{hint}"));
    }
    let Some(sql) = &finding.sql else {
        return json!({ "text": text });
    };
    let sql = clean::clip(&clean::block(sql), MESSAGE, 100);
    json!({
        "text": format!("{text}\n\nThis would mend it:\n{sql}"),
        "markdown": format!("{text}\n\nThis would mend it:\n\n{}", fenced(&sql, "sql", "")),
    })
}

fn location(finding: &Finding, places: Places<'_>) -> Value {
    let file = finding.file.as_deref().unwrap_or(places.config);
    let mut region = json!({ "startLine": finding.line.unwrap_or(1).max(1) });
    if let Some(column) = finding.line.and(finding.column) {
        region["startColumn"] = json!(column.max(1));
    }
    let mut location = json!({
        "physicalLocation": { "artifactLocation": artifact(file, places.folder), "region": region },
    });
    if let Some(tenant) = &finding.tenant {
        location["logicalLocations"] = json!([{ "name": tenant, "kind": "namespace" }]);
    }
    location
}

/// RFC 3986; the root of the repository is what relative addresses are relative to.
fn artifact(file: &str, folder: Option<&str>) -> Value {
    let path = from_root(file, folder);
    let parts: Vec<String> = path
        .split('/')
        .map(|part| percent_encoding::utf8_percent_encode(part, OF_A_PATH).to_string())
        .collect();
    let uri = parts.join("/");
    match path.starts_with('/') {
        true => json!({ "uri": format!("file://{uri}") }),
        false => json!({ "uri": uri, "uriBaseId": "%SRCROOT%" }),
    }
}

const OF_A_PATH: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same for the same finding wherever its line has moved to. Equal ones are counted.
fn fingerprint(rule: &str, finding: &Finding, prints: &mut BTreeMap<String, usize>) -> String {
    let tenant = finding.tenant.as_ref().map_or("", |it| it.as_str());
    let file = finding.file.as_deref().unwrap_or_default();
    let Checksum(hash) = Checksum::of(&[rule, file, tenant, &finding.message].join("\0"));
    let digits: String = hash.trim_start_matches("sha256:").chars().take(32).collect();
    let count = prints.entry(digits.clone()).or_insert(0);
    *count += 1;
    format!("{digits}:{count}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckDefinition, TenantName};
    use crate::report::samples;

    const PLACES: Places<'static> = Places {
        folder: Some("services/billing"),
        config: "tenantgate.toml",
    };

    fn log(id: &'static str, findings: Vec<Finding>) -> Value {
        let definition = CheckDefinition {
            id,
            title: "all is well",
        };
        let report = Report {
            checks: vec![Check::answered(&definition, findings)],
            ..samples::first_run()
        };
        serde_json::from_str(&render(&report, PLACES)).expect("it is JSON")
    }

    #[test]
    fn the_worst_are_kept_where_there_are_too_many() {
        let mut findings: Vec<Finding> = (0..MOST + 10).map(|it| Finding::note(format!("n{it}"))).collect();
        findings.push(Finding::error("the one"));
        let log = log("drift.tenant", findings);
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("a list");
        assert_eq!(results.len(), MOST);
        assert_eq!(results[0]["level"], "error");
        let told = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
        assert_eq!(told, "11 more findings were left out, none worse than those here");
    }

    #[test]
    fn sql_that_would_mend_it_is_code_that_nothing_escapes() {
        let tenant = TenantName::parse("acme").expect("a good name");
        let finding = Finding::error("an index is missing")
            .tenant(&tenant)
            .sql("CREATE INDEX a ON b (c); -- ``` \u{1b}[2J");
        let log = log("drift.tenant", vec![finding]);
        let message = &log["runs"][0]["results"][0]["message"];
        let markdown = message["markdown"].as_str().expect("a text");
        assert!(
            markdown.contains("````sql\nCREATE INDEX a ON b (c); -- ``` ␛[2J\n````"),
            "{markdown}"
        );
        let text = message["text"].as_str().expect("a text");
        assert!(
            text.starts_with("not so: all is well: an index is missing (in acme)"),
            "{text}"
        );
    }

    #[test]
    fn places_are_seen_from_the_root_of_the_repository() {
        let findings = vec![
            Finding::error("a")
                .file("migrations/tenant/0001_a b.sql")
                .at(3, 7),
            Finding::error("b").file("/srv/x.sql"),
            Finding::error("c"),
        ];
        let log = log("migrations.syntax", findings);
        let results = log["runs"][0]["results"].as_array().expect("a list");
        let uri =
            |at: usize| results[at]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
        assert_eq!(uri(0), "services/billing/migrations/tenant/0001_a%20b.sql");
        assert_eq!(uri(1), "file:///srv/x.sql");
        assert_eq!(uri(2), "services/billing/tenantgate.toml");
    }

    #[test]
    fn equal_findings_have_different_prints() {
        let log = log("a.b", vec![Finding::error("same"), Finding::error("same")]);
        let results = log["runs"][0]["results"].as_array().expect("a list");
        assert_ne!(
            results[0]["partialFingerprints"],
            results[1]["partialFingerprints"]
        );
        // Only the lint's own messages name its rules.
        assert_eq!(rule_id_of("a.b", "x [ban-drop-table]"), "a.b");
        assert_eq!(rule_id_of("lint.data", "x [ban-drop-table]"), "ban-drop-table");
        assert_eq!(rule_id_of("lint.data", "x [no-such-rule]"), "lint.data");
    }

    fn rule_id_of(id: &'static str, message: &str) -> String {
        let check = Check::skipped(&CheckDefinition { id, title: "" });
        rule_id(&check, &Finding::error(message)).to_owned()
    }
}
