//! What people paste along with a URL: spaces, quotes, the variable's name, the command in front.

use super::checks::{PASTED, Problems};

/// Characters that nobody sees.
const INVISIBLE: &[char] = &[
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}',
    '\u{202d}', '\u{202e}', '\u{2060}', '\u{feff}',
];
const QUOTES: &[char] = &['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»'];
const COMMANDS: &[&str] = &["psql", "pgcli", "pg_dump", "mysql", "mariadb", "sqlite3"];
const SHELL_WORDS: &[&str] = &["export", "set", "setx", "ENV", "$env:"];

/// Takes off everything that does not belong to the URL, layer by layer, and says what it was.
pub(super) fn peel<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    let mut rest = text;
    // Each turn but the last takes at least one character off.
    loop {
        let before = rest;
        rest = peel_invisible(rest, problems);
        rest = peel_whitespace(rest, problems);
        rest = peel_words(rest, problems);
        rest = peel_name(rest, problems);
        rest = peel_quotes(rest, problems);
        if rest.len() == before.len() {
            return rest;
        }
    }
}

/// Reports what is not a URL's character in the middle; true where there is something.
pub(super) fn torn(text: &str, problems: &mut Problems) -> bool {
    let line_break = text.contains(['\n', '\r']);
    let hidden = |c: char| INVISIBLE.contains(&c) || c.is_control() || (c.is_whitespace() && c != ' ');
    if line_break {
        problems.add(
            &PASTED,
            "the value is broken over several lines",
            "store the URL on one line",
        );
    } else if text.contains(hidden) {
        problems.add(
            &PASTED,
            "the value contains a character that cannot be seen: a control character, a tab, a no-break or zero-width space",
            "type the value again, or copy it from the provider's page as plain text",
        );
    }
    line_break || text.contains(hidden)
}

fn peel_invisible<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    if text.starts_with('\u{feff}') {
        problems.add(
            &PASTED,
            "the value begins with a byte order mark (BOM)",
            "save the file as UTF-8 without BOM, or paste the URL by hand",
        );
    } else if text.starts_with(INVISIBLE) || text.ends_with(INVISIBLE) {
        problems.add(
            &PASTED,
            "the value begins or ends with a character that cannot be seen",
            "type the first and the last characters of the value again",
        );
    }
    text.trim_matches(INVISIBLE)
}

fn peel_whitespace<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    let trimmed = text.trim();
    let start = &text[..text.len() - text.trim_start().len()];
    let end = if trimmed.is_empty() {
        ""
    } else {
        &text[text.trim_end().len()..]
    };
    for (around, place) in [(start, "before"), (end, "after")] {
        if around.contains(['\n', '\r']) {
            problems.add(
                &PASTED,
                format!("there is a line break {place} the URL"),
                "store it without one: `printf %s \"$URL\" | gh secret set NAME`",
            );
        } else if !around.is_empty() {
            problems.add(
                &PASTED,
                format!("there is a space or tab {place} the URL"),
                "store the value without it",
            );
        }
    }
    trimmed
}

fn peel_words<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    let Some((word, rest)) = text.split_once([' ', '\t']) else {
        return text;
    };
    if COMMANDS.contains(&word) {
        problems.add(
            &PASTED,
            format!("the command `{word}` stands in front of the URL"),
            "store the URL alone, without the command and its quotes",
        );
        rest
    } else if SHELL_WORDS.contains(&word) {
        problems.add(
            &PASTED,
            format!("`{word}` stands in front of the URL"),
            "store the URL alone: what follows the `=`",
        );
        rest
    } else {
        text
    }
}

/// `DATABASE_URL=` and, from YAML, `DATABASE_URL: `.
fn peel_name<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))
        .unwrap_or(text.len());
    let after = text[end..].trim_start();
    let value = match after.strip_prefix('=') {
        Some(value) => value,
        None => match after.strip_prefix(':') {
            Some(value) if value.starts_with([' ', '"', '\'']) => value,
            _ => return text,
        },
    };
    let bare = value.trim_start().trim_start_matches(QUOTES);
    let is_url = bare.contains("://") || bare.starts_with("sqlite:") || bare.starts_with("file:");
    if end == 0 || !is_url {
        return text;
    }
    problems.add(
        &PASTED,
        "the variable's name stands in front of the URL, as in `DATABASE_URL=…`",
        "store only what follows the name",
    );
    value
}

fn peel_quotes<'a>(text: &'a str, problems: &mut Problems) -> &'a str {
    let quoted = text.starts_with(QUOTES) || text.ends_with(QUOTES);
    if !quoted || text.chars().all(|c| QUOTES.contains(&c)) {
        return text;
    }
    problems.add(
        &PASTED,
        "there are quotes around the URL",
        "store it without them: quotes are for shells and env files, and a secret is neither",
    );
    text.trim_matches(QUOTES)
}
