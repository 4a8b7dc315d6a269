//! `secrets.pattern`

use crate::domain::{CheckDefinition, Finding};

use super::subject::{State, Subject};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.pattern",
    title: "secrets have the form demanded",
};

/// The value is matched as it is, so that a newline at its end is not overlooked.
pub(super) fn find(subject: &Subject<'_>) -> Option<Finding> {
    let State::Present(value) = subject.state else {
        return None;
    };
    let rule = subject.rule?;
    let pattern = rule.pattern.as_ref()?;
    (!pattern.is_match(value)).then(|| {
        Finding::error(format!("{} does not match its pattern", subject.name))
            .hint(format!("[secrets.\"{}\"] demands {pattern}", rule.template))
    })
}
