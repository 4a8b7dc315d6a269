//! Env files: `NAME=value` lines.
//!
//! dotenvy reads them, but is kept from two things. Its errors quote the line. And it expands `$NAME`
//! wherever it is not in single quotes, to nothing where there is no such variable: a password with
//! a `$` would lose its tail without a word. Here a value is what is written, and what looks like a
//! reference is refused.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use crate::domain::Secret;

use super::error::SettingsError;

/// Stands for `$` while dotenvy reads. It is a noncharacter: no text may contain it.
const DOLLAR: char = '\u{FDD0}';

/// What the file says; `None` where there is no such file.
pub(super) fn load_env_file(file: &Path) -> Result<Option<BTreeMap<String, Secret>>, SettingsError> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            return Err(SettingsError::new("the env file is a folder").file(file));
        }
        Err(error) => {
            let message = format!("the env file cannot be read: {}", error.kind());
            return Err(SettingsError::new(message).file(file));
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        SettingsError::new("the env file is not UTF-8 text")
            .file(file)
            .hint("save it as UTF-8")
    })?;
    parse_env_file(&text).map(Some).map_err(|error| error.file(file))
}

fn parse_env_file(text: &str) -> Result<BTreeMap<String, Secret>, SettingsError> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let text = hide_dollars(text);
    let lines_read = Rc::new(Cell::new(0));
    let reader = LineByLine {
        rest: text.as_bytes(),
        lines_read: Rc::clone(&lines_read),
    };
    let mut variables: BTreeMap<String, Secret> = BTreeMap::new();
    for item in dotenvy::Iter::new(reader) {
        let (name, value) = item.map_err(|error| unreadable(&error, lines_read.get()))?;
        let value = value.replace(DOLLAR, "$");
        if has_reference(&value) {
            return Err(SettingsError::new(format!(
                "`{name}` refers to another variable, and references are not expanded here"
            ))
            .line(lines_read.get())
            .hint("write the whole value out, or set the variable in the process environment"));
        }
        if variables.insert(name.clone(), Secret::new(value)).is_some() {
            return Err(SettingsError::new(format!("`{name}` is given twice"))
                .line(lines_read.get())
                .hint("leave one of the two"));
        }
    }
    Ok(variables)
}

/// Replaces each `$` that dotenvy would expand. One behind a backslash it takes as it is.
fn hide_dollars(text: &str) -> String {
    let mut escaped = false;
    let hide = |c: char| {
        let hidden = if c == '$' && !escaped { DOLLAR } else { c };
        escaped = c == '\\' && !escaped;
        hidden
    };
    text.chars().map(hide).collect()
}

/// `${NAME}`, as other readers of env files would expand it.
fn has_reference(value: &str) -> bool {
    value.split("${").skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(name, _)| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
    })
}

/// dotenvy's error holds the text that it could not read, which tells where that text began.
fn unreadable(error: &dotenvy::Error, lines_read: usize) -> SettingsError {
    let lines = match error {
        dotenvy::Error::LineParse(text, _) => text.lines().count().max(1),
        _ => 1,
    };
    SettingsError::new("this is not NAME=value")
        .line((lines_read + 1).saturating_sub(lines).max(1))
        .hint("put a value with spaces or special characters into single quotes: NAME='value'")
}

/// Gives one line at a time, so that the lines read so far are known.
struct LineByLine<'t> {
    rest: &'t [u8],
    lines_read: Rc<Cell<usize>>,
}

impl Read for LineByLine<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let newline = self.rest.iter().position(|&byte| byte == b'\n');
        let line = newline.map_or(self.rest.len(), |newline| newline + 1);
        let size = line.min(buffer.len());
        let (now, later) = self.rest.split_at(size);
        buffer[..size].copy_from_slice(now);
        self.rest = later;
        // A long line comes in several pieces, of which the last one counts.
        if size == line && size > 0 {
            self.lines_read.set(self.lines_read.get() + 1);
        }
        Ok(size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        let variables = parse_env_file(text).unwrap();
        let pairs = variables.into_iter();
        pairs
            .map(|(name, value)| (name, value.expose().to_owned()))
            .collect()
    }

    fn value_of(text: &str) -> String {
        parsed(text).remove(0).1
    }

    #[test]
    fn comments_quotes_and_exports_are_read() {
        let text = "\u{FEFF}# comment\n\nexport A=1\r\nB='two words' # note\nC=\"x\\ny\"\nD=\n";
        let expected = [("A", "1"), ("B", "two words"), ("C", "x\ny"), ("D", "")];
        assert_eq!(parsed(text), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn a_dollar_is_a_dollar() {
        assert_eq!(value_of("A=postgres://u:p$HOME@h/d"), "postgres://u:p$HOME@h/d");
        assert_eq!(value_of("A=\"p$x\""), "p$x");
        assert_eq!(value_of("A='p$x'"), "p$x");
        assert_eq!(value_of("A=p\\$x"), "p$x");
        assert_eq!(value_of("A=p\\\\$x"), "p\\$x");
        assert_eq!(value_of("A=$"), "$");
    }

    #[test]
    fn a_reference_is_refused() {
        let error = parse_env_file("A=1\nB=http://${A}/x\n").unwrap_err();
        assert_eq!(error.line, Some(2));
        assert_eq!(
            error.message,
            "`B` refers to another variable, and references are not expanded here"
        );
    }

    #[test]
    fn an_error_says_the_line_and_not_its_text() {
        for (text, line) in [
            ("A=1\nB=marker marker\n", 2),
            ("A=1\n# c\n\nmarker\n", 4),
            ("A='1\n2'\nB='marker\nC=3\nD=4\n", 3),
            ("A=\"x\\q-marker\"", 1),
            (
                &format!("A='{}'\n=marker", "x\n".repeat(3).trim_end().repeat(9000)),
                18_002,
            ),
        ] {
            let error = parse_env_file(text).unwrap_err();
            assert_eq!(error.line, Some(line));
            assert!(!format!("{error:?} {error}").contains("marker"), "{error:?}");
        }
    }

    #[test]
    fn a_name_given_twice_is_an_error() {
        let error = parse_env_file("A=1\nA=2\n").unwrap_err();
        assert_eq!(
            (error.line, error.message.as_str()),
            (Some(2), "`A` is given twice")
        );
    }

    #[test]
    fn no_file_is_no_error_but_a_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load_env_file(&folder.path().join("none")).unwrap(), None);
        let error = load_env_file(folder.path()).unwrap_err();
        assert_eq!(error.message, "the env file is a folder");
        std::fs::write(folder.path().join("latin1"), b"A=\xE9").unwrap();
        let error = load_env_file(&folder.path().join("latin1")).unwrap_err();
        assert_eq!(error.message, "the env file is not UTF-8 text");
    }
}
