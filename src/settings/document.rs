//! The config file as text with places, so that every error says where.
//!
//! The parser's own messages quote the source line or the value, which may be a secret in the wrong
//! place. Here only known forms of them pass, without the value.

use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{SettingsError, nearest};

pub(super) struct Document<'t> {
    file: &'t Path,
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

/// Keys from the top to a value; items of a list by their decimal number.
type KeyPath = Vec<String>;

impl<'t> Document<'t> {
    pub(super) fn parse(file: &'t Path, text: &'t str) -> Result<Self, SettingsError> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self { file, text, table }),
            Err(error) => {
                let message = format!("this is not TOML: {}", error.message());
                Err(placed(file, text, error.span(), message))
            }
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        let deserializer = toml::de::Deserializer::from(self.table.clone());
        T::deserialize(deserializer).map_err(|error| self.explain(&error))
    }

    /// An error about the value at a path; where there is none, about the table that lacks it.
    pub(super) fn error(&self, path: &[&str], message: impl Into<String>) -> SettingsError {
        let span = find(&self.table, path, Part::Value);
        placed(self.file, self.text, span, message.into())
    }

    /// An error about the last key of a path.
    pub(super) fn error_at_key(&self, path: &[&str], message: impl Into<String>) -> SettingsError {
        let span = find(&self.table, path, Part::Key);
        placed(self.file, self.text, span, message.into())
    }

    /// True where the file itself gives a key of a table.
    pub(super) fn has(&self, path: [&str; 2]) -> bool {
        let [name, key] = path;
        let table = self
            .table
            .get_ref()
            .iter()
            .find(|(it, _)| it.get_ref().as_ref() == name);
        let Some(DeValue::Table(table)) = table.map(|(_, value)| value.get_ref()) else {
            return false;
        };
        table.iter().any(|(it, _)| it.get_ref().as_ref() == key)
    }

    /// An error about the file as a whole.
    pub(super) fn error_in_file(&self, message: impl Into<String>) -> SettingsError {
        SettingsError::new(message).file(self.file)
    }

    fn explain(&self, error: &toml::de::Error) -> SettingsError {
        let span = error.span();
        let path = span.as_ref().and_then(|span| path_of(&self.table, span));
        let at = path.as_deref().unwrap_or_default();
        let (message, hint) = explain(error.message(), at);
        let error = placed(self.file, self.text, span, message);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn placed(file: &Path, text: &str, span: Option<Range<usize>>, message: String) -> SettingsError {
    let error = SettingsError::new(message).file(file);
    let Some(before) = span.and_then(|span| text.get(..span.start)) else {
        return error;
    };
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    error.at(line, before[line_start..].chars().count() + 1)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Value,
}

/// The place of a path's end, or of its last part that exists.
fn find(table: &Spanned<DeTable<'_>>, path: &[&str], part: Part) -> Option<Range<usize>> {
    let mut keys = path.iter();
    let first = keys.next()?;
    let (key, mut value) = table
        .get_ref()
        .iter()
        .find(|(key, _)| key.get_ref().as_ref() == *first)?;
    let mut key_span = key.span();
    for name in keys {
        match value.get_ref() {
            DeValue::Table(inner) => {
                let Some((key, next)) = inner.iter().find(|(key, _)| key.get_ref().as_ref() == *name) else {
                    break;
                };
                key_span = key.span();
                value = next;
            }
            DeValue::Array(items) => {
                let Some(item) = name.parse().ok().and_then(|index: usize| items.get(index)) else {
                    break;
                };
                value = item;
                key_span = value.span();
            }
            _ => break,
        }
    }
    Some(if part == Part::Key { key_span } else { value.span() })
}

/// The path of the key or value that stands exactly there.
fn path_of(table: &Spanned<DeTable<'_>>, span: &Range<usize>) -> Option<KeyPath> {
    fn in_table(table: &DeTable<'_>, span: &Range<usize>) -> Option<KeyPath> {
        table.iter().find_map(|(key, value)| {
            let below = if key.span() == *span {
                Some(KeyPath::new())
            } else {
                in_value(value, span)
            };
            below.map(|path| prefixed(key.get_ref(), path))
        })
    }
    fn in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<KeyPath> {
        if value.span() == *span {
            return Some(KeyPath::new());
        }
        match value.get_ref() {
            DeValue::Table(table) => in_table(table, span),
            DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
                in_value(item, span).map(|path| prefixed(&index.to_string(), path))
            }),
            _ => None,
        }
    }
    fn prefixed(key: &str, mut path: KeyPath) -> KeyPath {
        path.insert(0, key.to_owned());
        path
    }
    in_table(table.get_ref(), span)
}

/// serde's messages in words of ours. `at` is the key or the value that the message is about.
fn explain(message: &str, at: &[String]) -> (String, Option<String>) {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (written, known) = known_words(rest);
        let place = at.split_last().map_or(String::new(), |(_, table)| place(table));
        let hint = did_you_mean(written, &known).unwrap_or_else(|| format!("known here: {}", quoted(&known)));
        return (format!("unknown key `{}`{place}", shown(written)), Some(hint));
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (written, known) = known_words(rest);
        let message = format!("{} is not one of {}", named(at), quoted(&known));
        return (
            message,
            did_you_mean(written, &known).or_else(|| such_as(at, &known)),
        );
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        let key = rest.trim_end_matches('`');
        return (format!("the key `{key}` is missing{}", place(at)), None);
    }
    let kinds = ["invalid type: ", "invalid value: "];
    let found = kinds.iter().find_map(|prefix| message.strip_prefix(prefix));
    if let Some((found, expected)) = found.and_then(|rest| rest.rsplit_once(", expected ")) {
        let message = format!(
            "{}: expected {}, found {}",
            named(at),
            expected_kind(expected),
            kind(found)
        );
        return (message, type_hint(at, expected));
    }
    if message == "wanted string or table" {
        let message = format!("{}: expected text in quotes, found something else", named(at));
        return (message, None);
    }
    (format!("{} cannot be read", named(at)), None)
}

/// The written word and the words that serde would have taken.
fn known_words(rest: &str) -> (&str, Vec<&str>) {
    let (written, expected) = rest.rsplit_once("`, expected").unwrap_or((rest, ""));
    let written = written.split("`, there are no").next().unwrap_or(written);
    (written, expected.split('`').skip(1).step_by(2).collect())
}

fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    nearest(written, known.iter().copied()).map(|near| format!("did you mean `{near}`?"))
}

/// `such as suspended = "last"`, with the first of those that would be taken.
fn such_as(at: &[String], known: &[&str]) -> Option<String> {
    let key = at.iter().rfind(|key| key.parse::<usize>().is_err())?;
    known
        .first()
        .map(|first| format!("such as {} = \"{first}\"", shown(key)))
}

fn quoted(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}

fn place(table: &[String]) -> String {
    if table.is_empty() {
        return " at the top of the file".to_owned();
    }
    let bare = |key: &str| {
        key.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    let keys: Vec<String> = table
        .iter()
        .filter(|key| key.parse::<usize>().is_err())
        .map(|key| {
            if bare(key) {
                key.clone()
            } else {
                format!("\"{}\"", shown(key))
            }
        })
        .collect();
    format!(" in [{}]", keys.join("."))
}

fn named(at: &[String]) -> String {
    let end = at.iter().rposition(|key| key.parse::<usize>().is_err());
    match end {
        Some(0) => format!("`{}`", shown(&at[0])),
        Some(end) => format!("`{}`{}", shown(&at[end]), place(&at[..end])),
        None => "the value".to_owned(),
    }
}

/// A key, unless it is a URL or a whole `name=value` in the wrong place.
fn shown(key: &str) -> &str {
    if key.contains("://") || key.contains(['@', '=', '\n']) {
        "…"
    } else {
        key
    }
}

fn expected_kind(expected: &str) -> &str {
    match expected {
        "usize" | "u64" | "u32" | "u16" => "a whole number, 0 or more",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "a string" => "text in quotes",
        _ if expected.starts_with("struct ") => "a table",
        _ => expected,
    }
}

/// Never the rest of what was found: it is the value.
fn kind(found: &str) -> &'static str {
    let kinds = [
        ("string", "text"),
        ("character", "text"),
        ("integer `-", "a negative number"),
        ("integer", "a whole number"),
        ("floating point", "a number"),
        ("boolean", "true or false"),
        ("sequence", "a list"),
        ("map", "a table"),
    ];
    let kind = kinds.iter().find(|(name, _)| found.starts_with(name));
    kind.map_or("something else", |(_, words)| words)
}

fn type_hint(at: &[String], expected: &str) -> Option<String> {
    match at {
        [table] if expected.starts_with("struct ") => Some(format!(
            "its keys stand below a heading: [{0}]; `tenantgate schema config` lists them, as does the README",
            shown(table)
        )),
        [first, _] if first == "secrets" => Some(
            "a secret's value does not belong into this file: [secrets.\"NAME\"] holds what is demanded of it, \
             such as min_length = 50"
                .to_owned(),
        ),
        _ => None,
    }
}
