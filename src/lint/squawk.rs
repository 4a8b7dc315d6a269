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

/// squawk's parser goes one call deeper for each level, and would be at the end of its stack.
const DEEPEST: usize = 500;

/// Where brackets or signs are within so many others; literals are not told apart.
fn too_deep(sql: &str) -> Option<usize> {
    let (mut depth, mut signs) = (0_usize, 0_usize);
    let mut word = 0;
    for (at, byte) in sql.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        // `NOT NOT …`, `- - …`: each is an argument of the one before it.
        if byte.is_ascii_whitespace() || matches!(byte, b'-' | b'+' | b'~' | b'@' | b'!') {
            let is_not = sql.as_bytes()[word..at].eq_ignore_ascii_case(b"not");
            let empty = word == at;
            signs = match (is_not, empty, byte.is_ascii_whitespace()) {
                (true, ..) | (_, true, false) => signs + 1,
                (_, true, true) => signs,
                _ => 0,
            };
            word = at + 1;
        }
        if depth > DEEPEST || signs > DEEPEST {
            return Some(at);
        }
    }
    None
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
    if let Some(at) = too_deep(&migration.sql) {
        let message = format!("squawk's rules were not asked: this is nested more than {DEEPEST} times");
        return Read {
            hits: Vec::new(),
            unreadable: Some(place(at, message)),
        };
    }
    let parsed = SourceFile::parse(&migration.sql);
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

#[cfg(test)]
mod depth {
    use super::*;

    #[test]
    fn what_is_nested_without_end_is_not_parsed() {
        for deep in [
            format!("SELECT {}1{};", "(".repeat(600), ")".repeat(600)),
            format!("SELECT {}true;", "NOT ".repeat(600)),
            format!("SELECT {}1;", "- ".repeat(600)),
        ] {
            assert!(too_deep(&deep).is_some(), "{deep}");
        }
        for plain in [
            format!("INSERT INTO a VALUES {};", vec!["(1, -2)"; 2_000].join(", ")),
            format!("SELECT {};", vec!["NOT a"; 2_000].join(" AND ")),
            format!("-- {}\n/* one */ SELECT 1;", "-".repeat(400)),
        ] {
            assert_eq!(too_deep(&plain), None, "{plain}");
        }
    }
}
