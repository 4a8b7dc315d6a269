//! Text of others inside Markdown, unable to become anything but text.
//!
//! GitHub looks for mentions, issue numbers, commits, emoji and formulas after Markdown is rendered,
//! so a backslash does not keep them away: a zero-width space within them does, or a code span.

use super::super::clean;

const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Running text on one line. What stands between two backticks becomes code.
pub(in crate::report) fn inline(text: &str) -> String {
    let text = clean::line(text);
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('`') {
        plain(&mut out, before);
        rest = match after.split_once('`') {
            Some((inside, after)) if !inside.trim().is_empty() => {
                push_code(&mut out, inside);
                after
            }
            _ => {
                out.push_str("\\`");
                after
            }
        };
    }
    plain(&mut out, rest);
    out
}

/// As [`inline`], within a table.
pub(in crate::report) fn cell(text: &str) -> String {
    in_cell(&inline(text))
}

/// Markdown within a table, whose cells end at a bare `|` even within code.
pub(in crate::report) fn in_cell(markdown: &str) -> String {
    markdown.replace("\\|", "|").replace('|', "\\|")
}

/// Two code spans that touch would be read as one.
fn push_code(out: &mut String, text: &str) {
    if out.ends_with('`') {
        out.push(ZERO_WIDTH_SPACE);
    }
    out.push_str(&code(text));
}

/// GitHub makes a link of what could be the beginning of a commit's hash.
fn is_hash(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn plain(out: &mut String, text: &str) {
    let mut before = None;
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (signs, after) = rest.split_at(start);
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        for (at, c) in signs.char_indices() {
            sign(out, c, before, &rest[at + c.len_utf8()..]);
            before = Some(c);
        }
        let is_part = before == Some('_') || after.starts_with('_');
        if is_hash(word) && !is_part {
            push_code(out, word);
        } else {
            out.push_str(word);
        }
        before = word.chars().last();
        rest = after;
    }
    for (at, c) in rest.char_indices() {
        sign(out, c, before, &rest[at + c.len_utf8()..]);
        before = Some(c);
    }
}

/// One character that is neither letter nor digit, between the one before it and the rest.
fn sign(out: &mut String, c: char, before: Option<char>, rest: &str) {
    let starts_line = out.is_empty();
    let numbered = !starts_line && out.bytes().all(|b| b.is_ascii_digit());
    match c {
        '-' | '+' | '=' if starts_line => out.extend(['\\', c]),
        '.' | ')' if numbered => out.extend(['\\', c]),
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\\' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
        '#' => out.extend(['\\', c, ZERO_WIDTH_SPACE]),
        '@' => out.extend([c, ZERO_WIDTH_SPACE]),
        // The backslash is for a parser that knows formulas, the tags are GitHub's own advice.
        '$' => out.push_str("<span>\\$</span>"),
        // `https://…` would become a link, `:x:` a picture.
        ':' if rest.starts_with("//") || is_short_code(rest) => out.extend([c, ZERO_WIDTH_SPACE]),
        '.' if ends_with_ignoring_case(out, "www") => out.extend([ZERO_WIDTH_SPACE, c]),
        '-' if before.is_some() && ["gh", "ghsa"].iter().any(|it| ends_with_ignoring_case(out, it)) => {
            out.extend([c, ZERO_WIDTH_SPACE])
        }
        c => out.push(c),
    }
}

/// What follows a colon would make an emoji of it.
fn is_short_code(rest: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
    let after = rest.trim_start_matches(of_name);
    after.len() < rest.len() && after.starts_with(':')
}

fn ends_with_ignoring_case(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    let tail = start.and_then(|start| text.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// A code span; nothing within it is read as Markdown, HTML or a mention.
pub(in crate::report) fn code(text: &str) -> String {
    let text = clean::line(text);
    if text.is_empty() {
        // A list item without text would underline the line before it as a heading.
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block, each line after `margin`; ends with a line feed.
pub(in crate::report) fn fenced(text: &str, language: &str, margin: &str) -> String {
    // A line of its own could pass for a marker of ours.
    let text = clean::block(text).replace("<!--", "<!\u{200b}--");
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    let mut out = format!("{margin}{fence}{language}\n");
    for line in text.trim_end().split('\n') {
        out.push_str(format!("{margin}{line}").trim_end());
        out.push('\n');
    }
    out.push_str(&format!("{margin}{fence}\n"));
    out
}

/// Text within an HTML tag's element, such as `<summary>`: names and words of ours.
pub(in crate::report) fn html(text: &str) -> String {
    let mut out = String::new();
    for c in clean::line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' | ':' | '-' => out.extend([c, ZERO_WIDTH_SPACE]),
            c => out.push(c),
        }
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        let cases = [
            ("a|b <!-- x --> <b>", "a\\|b &lt;!-- x --&gt; &lt;b&gt;"),
            ("@team #12 GH-7", "@\u{200b}team \\#\u{200b}12 GH-\u{200b}7"),
            ("[x](http://e) www.e", "\\[x\\](http:\u{200b}//e) www\u{200b}.e"),
            ("- a - b", "\\- a - b"),
            ("12. x 13. y", "12\\. x 13. y"),
            ("# head", "\\#\u{200b} head"),
            ("$1", "<span>\\$</span>1"),
            ("two\nlines", "two lines"),
            ("a 0123abcd b deadbeef", "a `0123abcd` b `deadbeef`"),
            ("tenant_1234567", "tenant\\_1234567"),
            ("x.sql:100:3 :x:", "x.sql:\u{200b}100:3 :\u{200b}x:"),
        ];
        for (text, markdown) in cases {
            assert_eq!(inline(text), markdown);
        }
    }

    #[test]
    fn backticks_make_code_only_in_pairs() {
        assert_eq!(inline("run `a|b` now"), "run `a|b` now");
        assert_eq!(inline("an odd ` one"), "an odd \\` one");
        assert_eq!(inline("``` x"), "\\`\\`\\` x");
        assert_eq!(inline("`a``b`"), "`a`\u{200b}`b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" \n"), "` `");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(
            fenced("x\n````\ny\n", "sql", "  "),
            "  `````sql\n  x\n  ````\n  y\n  `````\n"
        );
    }
}
