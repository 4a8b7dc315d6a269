//! `secrets.missing`

use crate::domain::{CheckDefinition, Finding};
use crate::settings::{SecretRule, Settings};

use super::remedy;
use super::subject::{State, Subject};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.missing",
    title: "required secrets are set",
};

/// An unreadable one is told even where it may be absent: somebody meant to set it.
pub(super) fn find(settings: &Settings, subject: &Subject<'_>) -> Option<Finding> {
    let name = &subject.name;
    match subject.state {
        State::Absent if subject.required() => {
            Some(Finding::error(format!("{name} is not set")).hint(hint(settings, subject)))
        }
        State::Unreadable => Some(
            Finding::error(format!("{name} is set, but not to UTF-8 text")).hint(remedy::set(settings, name)),
        ),
        _ => None,
    }
}

fn hint(settings: &Settings, subject: &Subject<'_>) -> String {
    let elsewhere = subject.rule.and_then(|rule| meant_for_another(settings, rule));
    elsewhere.unwrap_or_else(|| remedy::set_and_pass(settings, &subject.name))
}

/// A rule without `{ENV}` whose name begins like another environment's secrets: written for that
/// one, it is demanded in this one too.
fn meant_for_another(settings: &Settings, rule: &SecretRule) -> Option<String> {
    let rest = settings
        .environments
        .iter()
        .filter(|other| other.name != settings.environment.name)
        .find_map(|other| {
            let rest = rule.template.strip_prefix(&other.name.variable_prefix())?;
            rest.strip_prefix('_')
        })?;
    Some(format!(
        "a rule holds in every environment: for each one's own, write [secrets.\"{{ENV}}_{rest}\"] instead of \
         [secrets.\"{}\"]",
        rule.template
    ))
}
