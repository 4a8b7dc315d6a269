//! Lines of an env file.

use super::{ExportError, Values};

pub(super) fn render(values: &Values) -> Result<String, ExportError> {
    let mut text = String::new();
    for (key, value) in values {
        if value.contains(['\0', '\r']) {
            return Err(ExportError::Character {
                key,
                format: "an env file",
            });
        }
        text.push_str(&format!("{key}={}\n", quoted(value)));
    }
    Ok(text)
}

/// Single quotes, in which a POSIX shell and dotenv readers expand nothing. A quote and a backslash stand
/// outside, each behind a backslash: dotenvy takes a backslash before the closing quote for an escape
/// when it looks for the end of the line, and the shell does not.
fn quoted(value: &str) -> String {
    let mut text = String::from("'");
    for c in value.chars() {
        match c {
            '\'' | '\\' => text.extend(['\'', '\\', c, '\'']),
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}
