//! `secrets.whitespace`

use crate::domain::{CheckDefinition, Finding};
use crate::settings::Settings;

use super::remedy;
use super::subject::{State, Subject, trimmed};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.whitespace",
    title: "secrets have no white space at their ends",
};

/// A value of several lines (a PEM key) ends in a newline by nature.
pub(super) fn find(settings: &Settings, subject: &Subject<'_>) -> Option<Finding> {
    let State::Present(value) = subject.state else {
        return None;
    };
    let inner = trimmed(value);
    let several_lines = inner.contains('\n') && value.starts_with(inner);
    (!subject.is_url && !several_lines && inner.len() != value.len()).then(|| {
        let name = &subject.name;
        Finding::warning(format!(
            "{name} begins or ends with white space or an invisible character"
        ))
        .hint(format!("probably pasted along; {}", remedy::set(settings, name)))
    })
}
