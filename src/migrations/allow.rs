//! `-- tenantgate: allow(rule, …) because …`: a finding of the lint that is meant to be so.

use super::directive::{Elsewhere, directive};

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// In the file, from 1.
    pub line: usize,
    /// As they are written.
    pub rules: Vec<String>,
    /// `allow-file`: for the whole file, not only for the statement that follows.
    pub whole_file: bool,
    pub reason: String,
}

/// The comments of a file that are well written; what is not has its finding since the file was read.
pub fn allows(sql: &str) -> Vec<Allow> {
    let elsewhere = Elsewhere::of(sql);
    let lines = sql.lines().enumerate();
    let comments = lines.filter_map(|(index, line)| {
        if elsewhere.has(index, line) {
            return None;
        }
        let allow = parse(directive(line)?)?.ok()?;
        Some(Allow {
            line: index + 1,
            ..allow
        })
    });
    comments.collect()
}

/// None where the directive is another one.
pub(super) fn parse(directive: &str) -> Option<Result<Allow, String>> {
    let (whole_file, rest) = match directive.strip_prefix("allow-file") {
        Some(rest) => (true, rest),
        None => (false, directive.strip_prefix("allow")?),
    };
    let name = if whole_file { "allow-file" } else { "allow" };
    let form = || format!("write `-- tenantgate: {name}(RULE, …) because REASON`");
    let Some((rules, reason)) = rest
        .trim_start()
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
    else {
        return Some(Err(format!(
            "`{name}` names its rules in parentheses: {}",
            form()
        )));
    };
    let rules: Vec<String> = rules.split(',').map(|rule| rule.trim().to_owned()).collect();
    if rules.iter().any(String::is_empty) {
        return Some(Err(format!("a rule's name is missing: {}", form())));
    }
    let reason = reason.trim().strip_prefix("because").map(str::trim);
    let Some(reason) = reason.filter(|reason| !reason.is_empty()) else {
        return Some(Err(format!("`{name}` gives a reason: {}", form())));
    };
    Some(Ok(Allow {
        line: 0,
        rules,
        whole_file,
        reason: reason.to_owned(),
    }))
}
