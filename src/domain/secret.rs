//! Values that must never be printed, and the one redaction that all text passes before it is.

use std::fmt;

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
#[derive(Clone, Default, Debug)]
pub struct Redactor {
    values: Vec<Secret>,
}

impl Redactor {
    pub const SHORTEST: usize = 4;

    /// Adds a value, its lines, and the value as `Debug` and JSON would escape it.
    pub fn add(&mut self, value: &str) {
        let escaped = format!("{value:?}");
        let lines = value.lines().map(str::trim);
        let forms = lines.chain([value, value.trim(), escaped.trim_matches('"')]);
        for form in forms {
            let known = self.values.iter().any(|known| known.expose() == form);
            if form.chars().count() >= Self::SHORTEST && !known {
                self.values.push(Secret::new(form));
            }
        }
        // Longest first, so that a secret that contains another one disappears whole.
        self.values
            .sort_by_key(|known| std::cmp::Reverse(known.expose().len()));
    }

    pub fn redact(&self, text: &str) -> String {
        self.values.iter().fold(text.to_owned(), |text, secret| {
            if text.contains(secret.expose()) {
                text.replace(secret.expose(), "***")
            } else {
                text
            }
        })
    }

    /// Redacts every string inside a JSON value, but not the words and names under the keys of `spared`:
    /// what has only certain values, or is public, means nothing any more once it is starred out.
    pub fn redact_json(&self, value: &mut serde_json::Value, spared: &[&str]) {
        use serde_json::Value;
        match value {
            Value::String(text) => *text = self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item, spared)),
            Value::Object(map) => {
                for (key, item) in map {
                    if !(spared.contains(&key.as_str()) && is_text(item)) {
                        self.redact_json(item, spared);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A string, or a list of strings.
fn is_text(value: &serde_json::Value) -> bool {
    value.is_string()
        || value
            .as_array()
            .is_some_and(|items| items.iter().all(|it| it.is_string()))
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
        let mut redactor = Redactor::default();
        redactor.add("p4ss");
        redactor.add("postgres://u:p4ss@h/d");
        assert_eq!(redactor.redact("at postgres://u:p4ss@h/d, p4ss"), "at ***, ***");
    }

    #[test]
    fn escaped_forms_are_found() {
        let mut redactor = Redactor::default();
        redactor.add("se\"cret\\x");
        assert_eq!(
            redactor.redact(r#"role "se\"cret\\x" does not exist"#),
            r#"role "***" does not exist"#
        );
    }

    #[test]
    fn words_too_short_to_hide_are_left() {
        let mut redactor = Redactor::default();
        redactor.add("app");
        assert_eq!(redactor.redact("application"), "application");
    }
}
