//! Percent-encoding, read strictly: what parsers disagree on is refused.

use std::collections::BTreeSet;

use super::checks::{ENCODING, Problems};

/// Why a percent-encoded text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A `%` without two hexadecimal digits.
    Percent,
    /// `%00`: libpq refuses it, C strings end at it.
    Nul,
    /// An encoded control character: a line break pasted into a password, mostly.
    Control,
    NotUtf8,
}

/// Gives the decoded text. `+` stays `+`.
pub(super) fn decode(text: &str) -> Result<String, Fault> {
    if has_bad_percent(text) {
        return Err(Fault::Percent);
    }
    let decoded = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| Fault::NotUtf8)?;
    if decoded.contains('\0') {
        Err(Fault::Nul)
    } else if decoded.chars().any(char::is_control) {
        Err(Fault::Control)
    } else {
        Ok(decoded.into_owned())
    }
}

/// Decodes a part of the URL that is not user or password; `part` names it in the messages.
pub(super) fn decode_part(text: &str, part: &str, problems: &mut Problems) -> Option<String> {
    if text.contains(' ') {
        problems.add(&ENCODING, format!("{part} contains a raw space"), "write `%20`");
        return None;
    }
    match decode(text) {
        Ok(decoded) => Some(decoded),
        Err(fault) => {
            let (message, hint) = fault.describe(part);
            problems.add(&ENCODING, message, hint);
            None
        }
    }
}

impl Fault {
    /// Message and hint.
    pub(super) fn describe(self, part: &str) -> (String, &'static str) {
        match self {
            Fault::Percent => (
                format!("{part} contains a `%` that is not followed by two hexadecimal digits"),
                "a `%` that stands for itself is written `%25`",
            ),
            Fault::Nul => (
                format!("{part} contains `%00`"),
                "no engine takes a NUL character: remove it",
            ),
            Fault::Control => (
                format!("{part} contains an encoded control character"),
                "look for an encoded line break or tab (`%0A`, `%0D`, `%09`) and remove it",
            ),
            Fault::NotUtf8 => (
                format!("{part} is not UTF-8 once it is decoded"),
                "encode the UTF-8 bytes of the text, such as `%C3%A9` for `é`",
            ),
        }
    }
}

pub(super) fn has_bad_percent(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
    (0..bytes.len()).any(|at| bytes[at] == b'%' && !(digit(at + 1) && digit(at + 2)))
}

/// Characters that no reader, or not every reader, takes raw in a user or password.
pub(super) fn forbidden_in_userinfo(text: &str) -> BTreeSet<char> {
    let mut found: BTreeSet<char> = text
        .chars()
        .filter(|c| matches!(c, '@' | '/' | '?' | '#' | '[' | ']' | '\\' | ' '))
        .collect();
    if has_bad_percent(text) {
        found.insert('%');
    }
    found
}

/// Characters that RFC 3986 forbids raw, that libpq takes, and that Go's parser refuses.
pub(super) fn tolerated(text: &str) -> BTreeSet<char> {
    text.chars()
        .filter(|c| matches!(c, '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}'))
        .collect()
}

/// `` `@` -> `%40`, `/` -> `%2F` ``.
pub(super) fn encodings(characters: &BTreeSet<char>) -> String {
    let one = |c: &char| match c {
        ' ' => "space -> `%20`".to_owned(),
        c => format!("`{c}` -> `%{:02X}`", u32::from(*c)),
    };
    characters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `` `@`, `/` ``.
pub(super) fn names(characters: &BTreeSet<char>) -> String {
    let one = |c: &char| match c {
        ' ' => "space".to_owned(),
        c => format!("`{c}`"),
    };
    characters.iter().map(one).collect::<Vec<_>>().join(", ")
}
