//! Text of others inside Markdown, unable to become anything but text.
//!
//! GitHub looks for mentions, issue numbers and formulas after Markdown is rendered, so a backslash
//! does not keep them away: a zero-width space after the sign does.

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
            Some((inside, after)) if !inside.is_empty() => {
                out.push_str(&code(inside));
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

/// As [`inline`], within a table, whose cells end at a bare `|` even within code.
pub(in crate::report) fn cell(text: &str) -> String {
    inline(text).replace("\\|", "|").replace('|', "\\|")
}

fn plain(out: &mut String, text: &str) {
    let starts_line = out.is_empty();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        let numbered = at > 0 && at == digits && matches!(c, '.' | ')');
        match c {
            '-' | '+' | '=' if starts_line && at == 0 => out.extend(['\\', c]),
            _ if starts_line && numbered => out.extend(['\\', c]),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            '#' => out.extend(['\\', c, ZERO_WIDTH_SPACE]),
            '@' => out.extend([c, ZERO_WIDTH_SPACE]),
            // GitHub's own advice against a formula.
            '$' => out.push_str("<span>$</span>"),
            // `https://…` and `www.…` would become links.
            ':' if rest.starts_with("//") => out.extend(['\\', c]),
            '.' if ends_with_ignoring_case(&text[..at], "www") => out.extend(['\\', c]),
            '-' if ends_with_ignoring_case(&text[..at], "gh") => out.extend([c, ZERO_WIDTH_SPACE]),
            c => out.push(c),
        }
    }
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
    let text = clean::block(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    let mut out = format!("{margin}{fence}{language}\n");
    for line in text.trim_end().split('\n') {
        out.push_str(format!("{margin}{line}").trim_end());
        out.push('\n');
    }
    out.push_str(&format!("{margin}{fence}\n"));
    out
}

/// Text within an HTML tag's element, such as `<summary>`.
pub(in crate::report) fn html(text: &str) -> String {
    let text = clean::line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    text.replace('@', "@\u{200b}").replace('#', "#\u{200b}")
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
            ("[x](http://e) www.e", "\\[x\\](http\\://e) www\\.e"),
            ("- a - b", "\\- a - b"),
            ("12. x 13. y", "12\\. x 13. y"),
            ("# head", "\\#\u{200b} head"),
            ("$1", "<span>$</span>1"),
            ("two\nlines", "two lines"),
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
