//! `secrets.weak`

use std::collections::BTreeSet;

use crate::domain::{CheckDefinition, Finding};

use super::subject::{State, Subject, trimmed};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.weak",
    title: "secrets have enough different characters",
};

pub(super) fn find(subject: &Subject<'_>) -> Option<Finding> {
    let State::Present(value) = subject.state else {
        return None;
    };
    let demanded = subject.rule?.min_distinct?;
    let distinct: BTreeSet<char> = trimmed(value).chars().collect();
    (distinct.len() < demanded).then(|| {
        let name = &subject.name;
        Finding::error(format!(
            "{name} has fewer than the {demanded} different characters demanded"
        ))
        .hint("generate a new value, such as: openssl rand -base64 48")
    })
}
