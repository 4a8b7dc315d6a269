//! Findings that say the same about many tenants, said once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::clean;
use super::words::{self, Mark};
use crate::domain::{Finding, OutcomeState, Report, Severity, TenantName};

/// Findings of one check with one message and one place.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) first: &'a Finding,
    /// Without repetition, in the report's order.
    pub(super) tenants: Vec<&'a TenantName>,
    /// The messages differ, but only in the tenant's own name.
    alike: bool,
    /// Not all have the first one's hint.
    other_hints: bool,
}

impl Group<'_> {
    /// `in acme, zeta and 35 more`; absent where the findings are about no tenant.
    pub(super) fn places(&self, show: usize, name: impl Fn(&str) -> String) -> Option<String> {
        let names: Vec<_> = self.tenants.iter().map(|tenant| name(tenant.as_str())).collect();
        match (names.as_slice(), self.alike) {
            ([], _) => None,
            ([first, rest @ ..], true) if !rest.is_empty() => {
                Some(format!("in {first}, and alike in {}", words::listed(rest, show)))
            }
            (all, _) => Some(format!("in {}", words::listed(all, show))),
        }
    }

    /// What is said before the message, where the check's own mark does not say it.
    pub(super) fn label(&self, mark: Mark) -> &'static str {
        match (self.first.severity, mark) {
            (Severity::Note, Mark::Failed | Mark::Warned) => "note: ",
            (Severity::Warning, Mark::Failed) => "warning: ",
            _ => "",
        }
    }

    /// The SQL that would mend the first one, cut for those who read; the JSON report has all of it.
    pub(super) fn sql(&self) -> Option<String> {
        let whole = clean::block(self.first.sql.as_deref()?);
        let whole = whole.trim_end();
        let clipped = clean::clip(whole, 1_500, 24);
        if clipped == whole {
            return Some(clipped);
        }
        // What is cut is not to be run: half a statement is another one.
        let lines = clipped.rsplit_once('\n').map_or("", |(lines, _)| lines);
        Some(format!("{lines}\n-- … cut here: the JSON report has all of it"))
    }

    /// The first one's hint, and whether the others have other ones.
    pub(super) fn hint(&self) -> Option<(&str, &'static str)> {
        let others = if self.other_hints {
            " (and likewise for the others)"
        } else {
            ""
        };
        Some((self.first.hint.as_deref()?, others))
    }
}

/// Worst first, otherwise in the report's order.
pub(super) fn groups(findings: &[Finding]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    let mut seen = HashSet::new();
    for finding in findings {
        let message = without_tenant(finding);
        let key = (
            finding.severity,
            message,
            &finding.file,
            finding.line,
            finding.column,
        );
        let at = *places.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                first: finding,
                tenants: Vec::new(),
                alike: false,
                other_hints: false,
            });
        }
        let group = &mut groups[at];
        group.alike |= group.first.message != finding.message;
        group.other_hints |= group.first.hint != finding.hint;
        if let Some(tenant) = finding
            .tenant
            .as_ref()
            .filter(|tenant| seen.insert((at, *tenant)))
        {
            group.tenants.push(tenant);
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.first.severity));
    groups
}

/// Findings in place of failed outcomes that no finding explains, so that none fails without a word.
pub(super) fn unexplained(report: &Report) -> Vec<Finding> {
    let errors = || {
        let findings = report.checks.iter().flat_map(|check| &check.findings);
        findings.filter(|finding| finding.severity == Severity::Error)
    };
    let tenants: HashSet<_> = errors().filter_map(|finding| finding.tenant.as_ref()).collect();
    let explained = |tenant: Option<&TenantName>, error: &str| match tenant {
        Some(tenant) => tenants.contains(tenant),
        None => errors().any(|finding| finding.tenant.is_none() && finding.message.contains(error)),
    };
    let failed = report
        .outcomes
        .iter()
        .filter(|outcome| outcome.state == OutcomeState::Failed);
    failed
        .filter_map(|outcome| {
            let error = outcome.error.as_deref().unwrap_or("it failed and gave no reason");
            let tenant = outcome.tenant.as_ref();
            let finding = || Finding {
                tenant: tenant.cloned(),
                ..Finding::error(error)
            };
            (!explained(tenant, error)).then(finding)
        })
        .collect()
}

/// The message with the tenant's name, where it stands as a word, replaced by a NUL.
fn without_tenant(finding: &Finding) -> Cow<'_, str> {
    let message = finding.message.as_str();
    let Some(tenant) = finding.tenant.as_ref().map(TenantName::as_str) else {
        return Cow::Borrowed(message);
    };
    let of_a_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut text = String::new();
    let mut done = 0;
    for (start, name) in message.match_indices(tenant) {
        let end = start + name.len();
        if !message[..start].ends_with(of_a_word) && !message[end..].starts_with(of_a_word) {
            text.push_str(&message[done..start]);
            text.push('\0');
            done = end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(message);
    }
    text.push_str(&message[done..]);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(tenant: &str, message: &str) -> Finding {
        Finding::error(message).tenant(&TenantName::parse(tenant).expect("a good name"))
    }

    #[test]
    fn equal_messages_are_one_group() {
        let findings = [
            finding("acme", "no"),
            finding("zeta", "no"),
            finding("acme", "no"),
            finding("acme", "x"),
        ];
        let groups = groups(&findings);
        assert_eq!(groups.len(), 2);
        assert_eq!(
            groups[0]
                .tenants
                .iter()
                .map(|name| name.as_str())
                .collect::<Vec<_>>(),
            ["acme", "zeta"]
        );
        assert!(!groups[0].alike);
    }

    #[test]
    fn messages_that_differ_in_the_tenants_name_are_alike() {
        let findings = [
            finding("acme", "relation \"acme.orders\" exists"),
            finding("zeta", "relation \"zeta.orders\" exists"),
            finding("a", "relation \"acme.orders\" exists"),
        ];
        let groups = groups(&findings);
        assert_eq!(groups.len(), 2);
        assert!(groups[0].alike);
    }

    #[test]
    fn the_worst_come_first() {
        let findings = [
            Finding::note("n"),
            Finding::warning("w"),
            Finding::error("e"),
            Finding::error("f"),
        ];
        let messages: Vec<_> = groups(&findings)
            .iter()
            .map(|group| group.first.message.as_str())
            .collect();
        assert_eq!(messages, ["e", "f", "w", "n"]);
    }
}
