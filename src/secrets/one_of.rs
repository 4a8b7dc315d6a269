//! `secrets.one-of`

use crate::domain::{CheckDefinition, Finding};

use super::subject::{State, Subject};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.one-of",
    title: "secrets are among the values allowed",
};

pub(super) fn find(subject: &Subject<'_>) -> Option<Finding> {
    let State::Present(value) = subject.state else {
        return None;
    };
    let rule = subject.rule?;
    let allowed = rule.one_of.iter().any(|allowed| allowed == value);
    (!rule.one_of.is_empty() && !allowed).then(|| {
        let list: Vec<String> = rule.one_of.iter().map(|allowed| format!("`{allowed}`")).collect();
        Finding::error(format!("{} is none of the values allowed", subject.name))
            .hint(format!("allowed are: {}", list.join(", ")))
    })
}
