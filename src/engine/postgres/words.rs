//! SQL's words, quoted texts and comments, as PostgreSQL tells them apart.

use std::borrow::Cow;

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Word,
    /// `"name"`
    Quoted,
    /// `'text'`
    Text,
    /// `$tag$text$tag$`
    Dollars,
    Comment,
    /// One character.
    Other,
}

pub(super) type Part<'a> = (Kind, &'a str);

/// The parts that a text is made of; all of them together are the text.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found: Vec<Part<'_>> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
            '"' => (Kind::Quoted, quoted(rest, '"', false)),
            '\'' => {
                let escapes = matches!(found.last(), Some((Kind::Word, "e" | "E")));
                (Kind::Text, quoted(rest, '\'', escapes))
            }
            '-' if rest.starts_with("--") => (Kind::Comment, until(rest, "\n")),
            '/' if rest.starts_with("/*") => (Kind::Comment, block_comment(rest)),
            '$' => match tag(rest) {
                Some(tag) => (Kind::Dollars, tag.len() + until(&rest[tag.len()..], tag)),
                None => (Kind::Other, 1),
            },
            c if is_of_word(c) => (Kind::Word, run(rest, |c| is_of_word(c) || c == '$')),
            c => (Kind::Other, c.len_utf8()),
        };
        let (part, behind) = rest.split_at(length);
        found.push((kind, part));
        rest = behind;
    }
    found
}

pub(super) fn is_significant(part: &Part<'_>) -> bool {
    !matches!(part.0, Kind::Space | Kind::Comment)
}

/// The name that a part is; unquoted ones are in lower case.
pub(super) fn name<'a>(part: &Part<'a>) -> Option<Cow<'a, str>> {
    match part.0 {
        Kind::Word if part.1.chars().any(char::is_uppercase) => Some(Cow::Owned(part.1.to_lowercase())),
        Kind::Word => Some(Cow::Borrowed(part.1)),
        Kind::Quoted => Some(Cow::Owned(
            part.1
                .trim_start_matches('"')
                .strip_suffix('"')?
                .replace("\"\"", "\""),
        )),
        _ => None,
    }
}

/// What stands between the dollars, and they.
pub(super) fn between_dollars(text: &str) -> (&str, &str) {
    let tag = tag(text).unwrap_or_default();
    let inner = text.strip_prefix(tag).unwrap_or(text);
    (tag, inner.strip_suffix(tag).unwrap_or(inner))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// The length of what is in quotes, with them. A doubled quote gives two texts side by side, which is as well.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && escapes {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// They may stand in one another.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `$tag$` at the beginning of a text.
fn tag(text: &str) -> Option<&str> {
    let length = run(text.strip_prefix('$')?, is_of_word);
    let inner = &text[1..1 + length];
    let is_tag = text[1 + length..].starts_with('$') && !inner.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &text[..length + 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole_text() {
        let text = "a \"b\"\"c\" 'd''e' E'\\'x' $1 $$f'$$ $t$g$$h$t$ /* i /* j */ k */ -- l\né$m.n";
        let parts = parts(text);
        assert_eq!(parts.iter().map(|it| it.1).collect::<String>(), text);
        let of = |kind| parts.iter().filter(move |it| it.0 == kind).map(|it| it.1);
        assert_eq!(of(Kind::Dollars).collect::<Vec<_>>(), ["$$f'$$", "$t$g$$h$t$"]);
        assert_eq!(
            of(Kind::Comment).collect::<Vec<_>>(),
            ["/* i /* j */ k */", "-- l\n"]
        );
        assert_eq!(of(Kind::Word).collect::<Vec<_>>(), ["a", "E", "1", "é$m", "n"]);
    }
}
