//! Values that must never be printed, and the one redaction that all text passes before it is.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// A secret's value. It has no `Display`, and its `Debug` is `***`: to read it, say [`Secret::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The bare value. Every call is a place where a leak can start.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Replaces every known secret in a text by `***`.
///
/// Values shorter than [`Redactor::SHORTEST`] characters are not searched for: a password `app`
/// would star out half of every message and thereby be told.
///
/// Clones know the same values: one that is learnt on the way (from the registry) is known at once to
/// everybody who was given a redactor before.
#[derive(Clone, Default, Debug)]
pub struct Redactor {
    values: Arc<RwLock<Vec<Secret>>>,
}

impl Redactor {
    pub const SHORTEST: usize = 4;

    /// Adds a value, its lines, and the value as `Debug` and JSON would escape it.
    pub fn add(&self, value: &str) {
        let escaped = format!("{value:?}");
        let lines = value.lines().map(str::trim);
        let forms = lines.chain([value, value.trim(), escaped.trim_matches('"')]);
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            let known = values.iter().any(|known| known.expose() == form);
            if form.chars().count() >= Self::SHORTEST && !known {
                values.push(Secret::new(form));
            }
        }
        // Longest first, so that a secret that contains another one disappears whole.
        values.sort_by_key(|known| std::cmp::Reverse(known.expose().len()));
    }

    pub fn redact(&self, text: &str) -> String {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let whole = values.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) {
                text.replace(secret.expose(), "***")
            } else {
                text
            }
        });
        values
            .iter()
            .fold(whole, |text, secret| without_beginnings(&text, secret.expose()))
    }

    /// Redacts every string inside a JSON value except those at the keys `spared`: words of ours and
    /// names, which must stay what they are to be read again. A password that is the name of a tenant
    /// or of an environment is no secret to begin with.
    pub fn redact_json(&self, value: &mut serde_json::Value, spared: &[&str]) {
        use serde_json::Value;
        let names_only = |value: &Value| match value {
            Value::Array(items) => items.iter().all(Value::is_string),
            other => other.is_string(),
        };
        match value {
            Value::String(text) => *text = self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item, spared)),
            Value::Object(map) => {
                for (key, item) in map {
                    if !(spared.contains(&key.as_str()) && names_only(item)) {
                        self.redact_json(item, spared);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The text with `***` for user and password of every URL in it, known or not: a server quotes the values
/// that it cannot use, and a registry may hold URLs.
pub fn without_credentials(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let of_a_url = |c: char| !(c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>'));
        let end = after.find(|c| !of_a_url(c)).unwrap_or(after.len());
        rest = match after[..end].rfind('@') {
            Some(at) => {
                out.push_str("***");
                &after[at..]
            }
            None => after,
        };
    }
    out + rest
}

/// Servers cut what they quote: MariaDB after 64 or 128 characters, PostgreSQL names after 63 bytes.
/// So a secret's beginning goes too, where a mark of the cut follows or where it is long.
fn without_beginnings(text: &str, secret: &str) -> String {
    const TELLING: usize = 6;
    const LONG: usize = 32;
    // The scheme of a URL is none of its secret.
    let public = secret.find("://").map_or(0, |at| at + 3);
    let head_end = secret.char_indices().nth(TELLING).map(|(at, _)| at);
    let Some(head) = head_end.and_then(|end| secret.get(..end)) else {
        return text.to_owned();
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(head) {
        let found = &rest[at..];
        let same = found.chars().zip(secret.chars()).take_while(|(a, b)| a == b);
        let length: usize = same.map(|(c, _)| c.len_utf8()).sum();
        let cut = found[length..].starts_with("...") || found[length..].starts_with('…');
        out.push_str(&rest[..at]);
        if length >= LONG.max(public + TELLING) || (cut && length >= public + TELLING) {
            out.push_str("***");
        } else {
            out.push_str(&found[..length]);
        }
        rest = &found[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }

    #[test]
    fn a_secret_within_a_secret_disappears_whole() {
        let redactor = Redactor::default();
        redactor.add("p4ss");
        redactor.add("postgres://u:p4ss@h/d");
        assert_eq!(redactor.redact("at postgres://u:p4ss@h/d, p4ss"), "at ***, ***");
    }

    #[test]
    fn escaped_forms_are_found() {
        let redactor = Redactor::default();
        redactor.add("se\"cret\\x");
        assert_eq!(
            redactor.redact(r#"role "se\"cret\\x" does not exist"#),
            r#"role "***" does not exist"#
        );
    }

    #[test]
    fn words_too_short_to_hide_are_left() {
        let redactor = Redactor::default();
        redactor.add("app");
        assert_eq!(redactor.redact("application"), "application");
    }

    #[test]
    fn names_and_words_of_ours_stay_readable() {
        let redactor = Redactor::default();
        redactor.add("demo");
        let mut value = serde_json::json!({
            "tenant": "demo",
            "tenants": ["demo"],
            "plan": {"tenants": [{"tenants": ["demo"], "pending": ["a demo"]}]},
            "message": "the demo failed",
        });
        redactor.redact_json(&mut value, &["tenant", "tenants"]);
        let expected = serde_json::json!({
            "tenant": "demo",
            "tenants": ["demo"],
            "plan": {"tenants": [{"tenants": ["demo"], "pending": ["a ***"]}]},
            "message": "the *** failed",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn credentials_of_urls_that_nobody_knows_disappear() {
        for (text, expected) in [
            (
                r#"invalid input syntax: "postgres://a:b@c@h/d" and mysql://x@y"#,
                r#"invalid input syntax: "postgres://***@h/d" and mysql://***@y"#,
            ),
            (
                "see https://example.com/a and b@c",
                "see https://example.com/a and b@c",
            ),
            ("://", "://"),
        ] {
            assert_eq!(without_credentials(text), expected);
        }
    }

    #[test]
    fn a_secret_that_was_cut_off_disappears_too() {
        let redactor = Redactor::default();
        redactor.add("aw8Y6s4U2nYQWiULSeQGNaLCJ6GyE2CuAWyqwSuksNqgnJkciEg8eAc4");
        redactor.add("postgres://app:hunter22@db.example.com/app");
        for (text, redacted) in [
            (
                "Duplicate entry 'aw8Y6s4U2n...' for key",
                "Duplicate entry '***...' for key",
            ),
            (
                "relation \"aw8Y6s4U2nYQWiULSeQGNaLCJ6GyE2CuAWyq\"",
                "relation \"***\"",
            ),
            (
                "aw8Y6s is short, aw8Y6s4U is not cut",
                "aw8Y6s is short, aw8Y6s4U is not cut",
            ),
            ("write postgres://… first", "write postgres://… first"),
            ("near 'postgres://app:hun…'", "near '***…'"),
        ] {
            assert_eq!(redactor.redact(text), redacted);
        }
    }
}
