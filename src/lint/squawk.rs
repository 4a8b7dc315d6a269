//! squawk's linter over one file.

use squawk_linter::{Linter, LinterSettings, Rule as SquawkRule, Version};
use squawk_syntax::SourceFile;

use crate::domain::Migration;
use crate::migrations::Offsets;
use crate::rules::Rule;

use super::seen::Hit;

/// What squawk found in the file, and what it could not read of it.
pub(super) struct Read {
    pub(super) hits: Vec<(String, Hit)>,
    pub(super) unreadable: Option<Hit>,
}

/// `server`: `PostgreSQL 15.18`, where it is known.
pub(super) fn read<'r>(
    migration: &Migration,
    rules: impl Iterator<Item = &'r Rule>,
    server: Option<&str>,
) -> Read {
    let rules = rules.filter_map(|rule| SquawkRule::try_from(rule.id).ok());
    let mut linter = Linter::from(rules);
    linter.settings = LinterSettings {
        assume_in_transaction: migration.transactional,
        ..LinterSettings::default()
    };
    if let Some(version) = server.and_then(version) {
        linter.settings.pg_version = version;
    }
    let parsed = SourceFile::parse(&migration.sql);
    let offsets = Offsets::new(&migration.sql);
    let place = |offset: usize, message: String| {
        let (line, column) = offsets.place(offset);
        Hit {
            message,
            line,
            column,
            once: None,
            safe: None,
        }
    };
    let unreadable = parsed.errors().first().map(|error| {
        let message = format!(
            "squawk's rules did not understand this: {}",
            fragment(error.message())
        );
        place(error.range().start().into(), message)
    });
    let found = linter.lint(&parsed, &migration.sql);
    let hits = found.into_iter().map(|found| {
        let hit = place(found.text_range.start().into(), fragment(&found.message));
        (found.code.to_string(), hit)
    });
    Read {
        hits: hits.collect(),
        unreadable,
    }
}

fn version(server: &str) -> Option<Version> {
    let number = server
        .split_whitespace()
        .find(|it| it.starts_with(|c: char| c.is_ascii_digit()))?;
    number.parse().ok()
}

/// A sentence of squawk's as our messages are: small, without a full stop. Of several the first ones.
fn fragment(sentence: &str) -> String {
    let text = sentence.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match (letters.next(), text.chars().nth(1)) {
        // `CREATE`, not `Create`; and the word `A`.
        (Some(first), second)
            if first.is_uppercase() && second.is_none_or(|it| it.is_lowercase() || it == ' ') =>
        {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
