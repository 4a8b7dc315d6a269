//! Text of others, made unable to play with whoever displays it.

/// Shows control characters instead of sending them: no escape sequence, no overwritten line, no
/// reversed reading direction survives. Line feeds stay.
pub(super) fn block(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => clean.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\t' => clean.push_str("    "),
            '\0'..='\u{1f}' => clean.push(picture(c)),
            c if is_hostile(c) => clean.push('\u{fffd}'),
            c => clean.push(c),
        }
    }
    clean
}

/// As [`block`], on one line.
pub(super) fn line(text: &str) -> String {
    block(text)
        .split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// At most so many characters and lines, and an ellipsis where something is missing.
pub(super) fn clip(text: &str, chars: usize, lines: usize) -> String {
    let text = text.trim_end();
    let in_lines = text
        .match_indices('\n')
        .nth(lines.saturating_sub(1))
        .map_or(text.len(), |(at, _)| at);
    let in_chars = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    let end = in_lines.min(in_chars);
    if end == text.len() {
        text.to_owned()
    } else {
        format!("{}…", text[..end].trim_end())
    }
}

/// DEL, C1 controls (terminals obey them in UTF-8 too), line separators, and what turns the
/// reading direction (CVE-2021-42574).
pub(super) fn is_hostile(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Unicode's picture of a C0 control: ESC is `␛`.
fn picture(c: char) -> char {
    char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        assert_eq!(
            block("\u{1b}[2Jx\u{9b}31m\u{202e}y\u{7}"),
            "␛[2Jx\u{fffd}31m\u{fffd}y␇"
        );
        assert_eq!(block("a\r\nb\rc\td"), "a\nb␍c    d");
        assert_eq!(line("a\n  b\n"), "a b");
    }

    #[test]
    fn clipping_counts_characters_and_lines() {
        assert_eq!(clip("ünï", 3, 1), "ünï");
        assert_eq!(clip("ünïx", 3, 1), "ünï…");
        assert_eq!(clip("a\nb\nc\n", 9, 2), "a\nb…");
        assert_eq!(clip("a\nb\n", 9, 2), "a\nb");
    }
}
