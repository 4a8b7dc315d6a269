//! `secrets.length`

use crate::domain::{CheckDefinition, Finding};

use super::subject::{State, Subject, trimmed};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.length",
    title: "secrets are long enough",
};

/// White space at the ends does not count.
pub(super) fn find(subject: &Subject<'_>) -> Option<Finding> {
    let State::Present(value) = subject.state else {
        return None;
    };
    let demanded = subject.rule?.min_length?;
    (trimmed(value).chars().count() < demanded).then(|| {
        let name = &subject.name;
        Finding::error(format!(
            "{name} is shorter than the {demanded} characters demanded"
        ))
        .hint("generate a new value, such as: openssl rand -base64 48")
    })
}
