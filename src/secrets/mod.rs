//! Required secrets: are they here, and are they more than placeholders?
//!
//! Pure and offline. All problems are told at once, by the secret's name; no finding holds a value,
//! a part of one, or its length.

mod blank;
mod length;
mod missing;
mod one_of;
mod pattern;
mod placeholder;
mod redaction;
mod remedy;
mod reused;
mod subject;
#[cfg(test)]
mod tests;
mod weak;
mod whitespace;

use crate::domain::{Check, CheckDefinition, Finding};
use crate::settings::Settings;

use subject::{Subject, subjects};

pub use redaction::redactor;

/// Every check of this area, in the order of [`check`]'s answers.
pub const CHECKS: &[CheckDefinition] = &[
    missing::DEFINITION,
    blank::DEFINITION,
    placeholder::DEFINITION,
    length::DEFINITION,
    weak::DEFINITION,
    pattern::DEFINITION,
    one_of::DEFINITION,
    reused::DEFINITION,
    whitespace::DEFINITION,
];

/// Answers all of [`CHECKS`] for the run's environment.
pub fn check(settings: &Settings) -> Vec<Check> {
    let subjects = subjects(settings);
    let ask = |definition: &CheckDefinition, question: &dyn Fn(&Subject<'_>) -> Vec<Finding>| {
        Check::answered(definition, subjects.iter().flat_map(question).collect())
    };
    let one = |finding: Option<Finding>| finding.into_iter().collect();
    vec![
        ask(&missing::DEFINITION, &|subject| {
            one(missing::find(settings, subject))
        }),
        ask(&blank::DEFINITION, &|subject| one(blank::find(settings, subject))),
        ask(&placeholder::DEFINITION, &|subject| {
            one(placeholder::find(settings, subject))
        }),
        ask(&length::DEFINITION, &|subject| one(length::find(subject))),
        ask(&weak::DEFINITION, &|subject| one(weak::find(subject))),
        ask(&pattern::DEFINITION, &|subject| one(pattern::find(subject))),
        ask(&one_of::DEFINITION, &|subject| one(one_of::find(subject))),
        ask(&reused::DEFINITION, &|subject| reused::find(settings, subject)),
        ask(&whitespace::DEFINITION, &|subject| {
            one(whitespace::find(settings, subject))
        }),
    ]
}
