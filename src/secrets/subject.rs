//! One required secret of the run's environment, with its value and what is demanded of it.

use std::collections::BTreeMap;

use crate::settings::{SecretRule, Settings};

use super::placeholder::is_placeholder;

pub(super) struct Subject<'s> {
    pub(super) name: String,
    /// Absent for a database URL that has no rule besides.
    pub(super) rule: Option<&'s SecretRule>,
    /// A database URL: more about its text is for the checks of URLs to say.
    pub(super) is_url: bool,
    pub(super) state: State<'s>,
}

pub(super) enum State<'s> {
    /// Neither in the process environment nor in the env file.
    Absent,
    /// Set to bytes that are not UTF-8.
    Unreadable,
    Blank,
    Placeholder,
    /// Something that may be a value, exactly as it is set.
    Present(&'s str),
}

impl Subject<'_> {
    pub(super) fn required(&self) -> bool {
        self.is_url || self.rule.is_none_or(|rule| !rule.optional)
    }
}

/// The URLs first, then the rules by name; each name once.
pub(super) fn subjects(settings: &Settings) -> Vec<Subject<'_>> {
    let environment = &settings.environment;
    let mut rules: BTreeMap<String, &SecretRule> = BTreeMap::new();
    for rule in &settings.secrets {
        rules.insert(rule.name_in(&environment.name), rule);
    }
    let mut subjects: Vec<Subject<'_>> = Vec::new();
    for url in environment.url_names() {
        let name = url.as_str().to_owned();
        if subjects.iter().all(|known| known.name != name) {
            let rule = rules.remove(&name);
            subjects.push(subject(settings, name, rule, true));
        }
    }
    for (name, rule) in rules {
        subjects.push(subject(settings, name, Some(rule), false));
    }
    subjects
}

fn subject<'s>(
    settings: &'s Settings,
    name: String,
    rule: Option<&'s SecretRule>,
    is_url: bool,
) -> Subject<'s> {
    let allowed = |value: &str| rule.is_some_and(|rule| rule.one_of.iter().any(|allowed| allowed == value));
    let state = match settings.variables.get(&name).map(|value| value.expose()) {
        None if settings.variables.is_unreadable(&name) => State::Unreadable,
        None => State::Absent,
        Some(value) if allowed(value) => State::Present(value),
        Some(value) if trimmed(value).is_empty() => State::Blank,
        Some(value) if !is_url && is_placeholder(trimmed(value)) => State::Placeholder,
        Some(value) => State::Present(value),
    };
    Subject {
        name,
        rule,
        is_url,
        state,
    }
}

/// Without what pasting adds: white space, a byte order mark, zero-width characters.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{200B}'..='\u{200D}'))
}
