//! The log of a GitHub Actions step: annotations as workflow commands, then the text summary where
//! no command is obeyed.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>

use super::groups::{Group, groups, unexplained};
use super::{clean, summary, text};
use crate::domain::{Finding, Report, Severity, Verdict};

/// The runner shows so many errors and so many warnings of a step, and drops the rest.
const PER_SEVERITY: usize = 10;
/// The runner cuts a message here.
const MESSAGE: usize = 4096;
/// An Actions log is about this wide before it scrolls.
const WIDTH: usize = 120;

/// `token` must be unguessable to whoever wrote the report's texts: until a line repeats it, the
/// runner obeys no command.
/// `folder` is where the report's files are relative to, as seen from the repository's root.
pub fn render(report: &Report, token: &str, folder: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(overridden) = &report.overridden {
        let title = property(&format!("override in {}", report.environment));
        let sentence = data(&summary::set_aside(overridden));
        out.push_str(&format!("::warning title={title}::{sentence}\n"));
    }
    let silent = unexplained(report);
    for severity in [Severity::Error, Severity::Warning] {
        let checks = report
            .checks
            .iter()
            .map(|check| (summary::headline(check), check.id.as_str(), &check.findings));
        let all = checks.chain([("not so: every tenant was migrated".to_owned(), "", &silent)]);
        let annotations = all.flat_map(|(title, id, findings)| {
            let groups = groups(findings)
                .into_iter()
                .filter(|group| group.first.severity == severity);
            groups
                .map(|group| annotation(&title, id, &group, folder))
                .collect::<Vec<_>>()
        });
        let taken = usize::from(severity == Severity::Warning && report.overridden.is_some());
        for annotation in annotations.take(PER_SEVERITY - taken) {
            out.push_str(&annotation);
        }
    }
    let style = text::Style {
        color: false,
        width: WIDTH,
    };
    let page = text::render(report, &style).replace(token, "***");
    // What went well is folded; what did not is open.
    match page
        .split_once("\n\n")
        .filter(|_| report.verdict == Verdict::Passed)
    {
        Some((head, rest)) => {
            out.push_str(&quoted(token, &format!("{head}\n")));
            out.push_str("::group::tenantgate's report\n");
            out.push_str(&quoted(token, rest));
            out.push_str("::endgroup::\n");
        }
        None => out.push_str(&quoted(token, &page)),
    }
    out
}

/// Where no command is obeyed until the token comes. The text ends with a line break.
fn quoted(token: &str, text: &str) -> String {
    format!("::stop-commands::{token}\n{text}::{token}::\n")
}

fn annotation(title: &str, id: &str, group: &Group<'_>, folder: Option<&str>) -> String {
    let finding = group.first;
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let title = if id.is_empty() {
        title.to_owned()
    } else {
        format!("{title} ({id})")
    };
    let mut properties: Vec<_> = place(finding, folder).into_iter().flatten().collect();
    properties.push(format!("title={}", property(&title)));
    format!("::{level} {}::{}\n", properties.join(","), data(&message(group)))
}

/// One finding as an annotation, for a command that came to no report.
pub fn annotation_of(finding: &Finding, title: &str, folder: Option<&str>) -> String {
    groups(std::slice::from_ref(finding))
        .iter()
        .map(|group| annotation(title, "", group, folder))
        .collect()
}

fn place(finding: &Finding, folder: Option<&str>) -> Option<Vec<String>> {
    let file = from_root(finding.file.as_ref()?, folder);
    let mut parts = vec![format!("file={}", property(&file))];
    parts.extend(finding.line.map(|line| format!("line={line}")));
    parts.extend(
        finding
            .line
            .and(finding.column)
            .map(|column| format!("col={column}")),
    );
    Some(parts)
}

/// A file of a report as seen from the repository's root.
pub(crate) fn from_root(file: &str, folder: Option<&str>) -> String {
    match folder {
        Some(folder) if !file.starts_with('/') => format!("{folder}/{file}"),
        _ => file.to_owned(),
    }
}

fn message(group: &Group<'_>) -> String {
    let mut message = clean::clip(&group.first.message, 2_000, 40);
    if let Some(tenants) = group.places(10, str::to_owned) {
        message.push_str(&format!("\n{tenants}"));
    }
    if let Some((hint, others)) = group.hint() {
        message.push_str(&format!("\n-> {hint}{others}"));
    }
    clean::block(&message)
}

/// Escaped, and cut before it is too long, never within an escape.
fn data(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece = match c {
            '%' => "%25".to_owned(),
            '\r' => "%0D".to_owned(),
            '\n' => "%0A".to_owned(),
            c => c.to_string(),
        };
        length += piece.chars().count();
        if length >= MESSAGE {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

fn property(text: &str) -> String {
    data(&clean::line(text)).replace(':', "%3A").replace(',', "%2C")
}
