//! A step's outputs, for the steps after it.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter>

use std::path::Path;

use crate::database_url::{DatabaseUrl, public_parts};
use crate::domain::{Report, Verdict};
use crate::exit::Exit;

/// All outputs, in the order in which `action.yml` documents them. What a run does not know is empty, so
/// that no earlier step's value is taken for this one's.
pub fn outputs(
    report: &Report,
    file: Option<&Path>,
    comment_url: Option<&str>,
    url: Option<&DatabaseUrl>,
) -> Vec<(&'static str, String)> {
    let tenants = report.tenants.as_ref();
    let number = |count: Option<usize>| count.map(|count| count.to_string()).unwrap_or_default();
    let verdict = match report.verdict {
        Verdict::Passed => "passed",
        Verdict::Blocked => "blocked",
    };
    let digest = report.migration_set.as_ref().map(|set| set.digest.0.clone());
    let mut outputs = vec![
        ("verdict", verdict.to_owned()),
        ("exit-code", Exit::of(report).code().to_string()),
        ("digest", digest.unwrap_or_default()),
        ("report", file.map(absolute).unwrap_or_default()),
        ("comment-url", comment_url.unwrap_or_default().to_owned()),
        ("evidence", report.evidence.clone().unwrap_or_default()),
        ("tenants-discovered", number(tenants.map(|it| it.discovered))),
        ("tenants-up-to-date", number(tenants.map(|it| it.up_to_date))),
        ("tenants-migrated", number(tenants.map(|it| it.migrated))),
        ("tenants-failed", number(tenants.map(|it| it.failed))),
        ("tenants-skipped", number(tenants.map(|it| it.skipped))),
        ("tenants-not-reached", number(tenants.map(|it| it.not_reached))),
    ];
    let parts: Vec<_> = url.map(public_parts).into_iter().flatten().collect();
    for (name, key) in [
        ("db-engine", "DB_ENGINE"),
        ("db-user", "DB_USER"),
        ("db-host", "DB_HOST"),
        ("db-port", "DB_PORT"),
        ("db-name", "DB_NAME"),
    ] {
        let part = parts.iter().find(|(known, _)| *known == key);
        outputs.push((name, part.map(|(_, value)| value.clone()).unwrap_or_default()));
    }
    outputs
}

/// Of a command that came to no report.
pub fn of_failure(exit: Exit) -> Vec<(&'static str, String)> {
    vec![
        ("verdict", "blocked".to_owned()),
        ("exit-code", exit.code().to_string()),
    ]
}

/// A later step may stand in another folder.
fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.display().to_string()
}

/// Lines for the file that GITHUB_OUTPUT names: `name=value` where the value is one line, which it can be
/// whatever is in it, since the first `=` or `<<` of a line decides. A value that holds the delimiter could
/// end its own heredoc: it is left out, since the delimiter is random and no honest value has it.
pub fn render(outputs: &[(&str, String)], delimiter: &str) -> String {
    let mut text = String::new();
    for (name, value) in outputs {
        if value.contains(['\n', '\r']) {
            let value = if value.contains(delimiter) { "" } else { value };
            text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
        } else {
            text.push_str(&format!("{name}={value}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn a_value_cannot_end_its_heredoc() {
        let outputs = [
            ("one", "a\nb=c<<d".to_owned()),
            ("two", "x\nEND\nverdict=passed".to_owned()),
            ("three", "<<END".to_owned()),
        ];
        assert_eq!(
            render(&outputs, "END"),
            "one<<END\na\nb=c<<d\nEND\ntwo<<END\n\nEND\nthree=<<END\n"
        );
    }
}
