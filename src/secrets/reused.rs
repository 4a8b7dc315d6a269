//! `secrets.reused`

use crate::domain::{CheckDefinition, Finding};
use crate::settings::Settings;

use super::subject::{State, Subject, trimmed};

pub(super) const DEFINITION: CheckDefinition = CheckDefinition {
    id: "secrets.reused",
    title: "secrets are not shared between environments",
};

/// Compares with the other environments as far as their values can be seen. That two URLs lead to
/// one database is for the checks of URLs to say.
pub(super) fn find(settings: &Settings, subject: &Subject<'_>) -> Vec<Finding> {
    let (State::Present(value), Some(rule)) = (&subject.state, subject.rule) else {
        return Vec::new();
    };
    let others = settings
        .environments
        .iter()
        .filter(|other| rule.unique && other.name != settings.environment.name);
    let reused = others.filter_map(|other| {
        let name = rule.name_in(&other.name);
        let theirs = settings.value_in(other, &name)?;
        (trimmed(theirs.expose()) == trimmed(value)).then(|| {
            let whose = |name: &str, environment| format!("{name} of `{environment}`");
            Finding::error(format!(
                "{} has the same value as {}",
                whose(&subject.name, &settings.environment.name),
                whose(&name, &other.name)
            ))
            .hint("give each environment its own value: one that leaks in one of them opens the other")
        })
    });
    reused.collect()
}
