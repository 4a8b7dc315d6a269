//! `secrets.blank`

use crate::domain::{CheckDefinition, Finding};
use crate::settings::Settings;

use super::remedy;
use super::subject::{State, Subject};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.blank",
    title: "required secrets are not blank",
};

/// In a workflow, a secret that does not exist arrives as an empty text; so an optional one may be.
pub(super) fn find(settings: &Settings, subject: &Subject<'_>) -> Option<Finding> {
    let blank = matches!(subject.state, State::Blank);
    (blank && subject.required()).then(|| {
        let name = &subject.name;
        Finding::error(format!("{name} is blank")).hint(format!(
            "an empty value is what a workflow passes for a secret that does not exist: {}",
            remedy::set_and_pass(settings, name)
        ))
    })
}
