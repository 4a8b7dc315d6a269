//! What a check run shows beside the lines of a change: findings that have a file, each said once.

use super::groups::{Group, groups};
use super::{clean, summary};
use crate::domain::{Report, Severity};

/// More than this nobody reads; the worst are kept.
const MOST: usize = 500;
/// GitHub refuses a longer title, in characters.
const TITLE: usize = 255;
/// A message is allowed 64 KB; this is what somebody reads.
const MESSAGE: usize = 4_000;
/// How many tenants a message names.
const TENANTS: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// As the finding has it.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: Option<usize>,
    pub severity: Severity,
    pub title: String,
    pub message: String,
}

/// The worst first, otherwise in the report's order.
pub fn annotations(report: &Report) -> Vec<Annotation> {
    let checks = report.checks.iter().flat_map(|check| {
        let title = format!("{} ({})", summary::headline(check), check.id);
        let title = clean::clip(&clean::line(&title), TITLE - 1, 1);
        let groups = groups(&check.findings).into_iter();
        groups.filter_map(move |group| annotation(&title, &group))
    });
    let mut all: Vec<_> = checks.collect();
    all.sort_by_key(|annotation| std::cmp::Reverse(annotation.severity));
    all.truncate(MOST);
    all
}

fn annotation(title: &str, group: &Group<'_>) -> Option<Annotation> {
    let finding = group.first;
    let file = finding.file.clone()?;
    let mut message = finding.message.clone();
    if let Some(tenants) = group.places(TENANTS, str::to_owned) {
        message.push_str(&format!("\n{tenants}"));
    }
    if let Some((hint, others)) = group.hint() {
        message.push_str(&format!("\n-> {hint}{others}"));
    }
    Some(Annotation {
        file,
        line: finding.line.unwrap_or(1).max(1),
        column: finding.line.and(finding.column).filter(|column| *column > 0),
        severity: finding.severity,
        title: title.to_owned(),
        message: clean::block(&clean::clip(&message, MESSAGE, 60)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Check, CheckDefinition, Finding, TenantName};
    use crate::report::samples;

    fn report(findings: Vec<Finding>) -> Report {
        let definition = CheckDefinition {
            id: "rollout.tenants",
            title: "every tenant was migrated",
        };
        Report {
            checks: vec![Check::answered(&definition, findings)],
            ..samples::first_run()
        }
    }

    #[test]
    fn a_line_that_fails_for_all_tenants_is_one_annotation() {
        let finding = |tenant: usize| {
            let tenant = TenantName::parse(&format!("t{tenant:04}")).expect("a good name");
            Finding::error("syntax error")
                .file("migrations/tenant/0042_add.sql")
                .at(3, 8)
                .tenant(&tenant)
        };
        let all = annotations(&report((0..3_000).map(finding).collect()));
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].line, all[0].column), (3, Some(8)));
        assert_eq!(
            all[0].title,
            "not so: every tenant was migrated (rollout.tenants)"
        );
        assert!(
            all[0].message.contains("t0000") && all[0].message.contains("2,990 more"),
            "{}",
            all[0].message
        );
    }

    #[test]
    fn without_a_file_there_is_none_and_without_a_line_it_is_the_first() {
        let findings = vec![
            Finding::error("the server is gone"),
            Finding::note("a note").file("a.sql"),
            Finding::warning("no line").file("b.sql").hint("add one"),
        ];
        let all = annotations(&report(findings));
        let short: Vec<_> = all
            .iter()
            .map(|one| (one.file.as_str(), one.line, one.column))
            .collect();
        assert_eq!(
            short,
            [("b.sql", 1, None), ("a.sql", 1, None)],
            "warnings before notes"
        );
        assert_eq!(all[0].message, "no line\n-> add one");
    }
}
