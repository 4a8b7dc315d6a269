//! Qualified names in a text of SQL, also within its strings: a function may run them.

/// What stands before a dot, and after it; absent: not a name, but something that is put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Qualified {
    pub(super) qualifier: String,
    pub(super) name: Option<String>,
}

/// All qualified names of a text without its comments, and all names behind `search_path`.
pub(super) fn qualified(text: &str) -> Vec<Qualified> {
    let text: Vec<char> = without_comments(text).chars().collect();
    let mut found = Vec::new();
    let mut in_path = false;
    let mut at = 0;
    while at < text.len() {
        let Some((word, after)) = identifier(&text, at) else {
            in_path &= !matches!(text[at], ';' | '\n');
            at += 1;
            continue;
        };
        let dot = skip_spaces(&text, after);
        if text.get(dot) == Some(&'.') {
            let name = identifier(&text, skip_spaces(&text, dot + 1)).map(|(name, _)| name);
            found.push(Qualified {
                qualifier: word,
                name,
            });
        } else if in_path && word.eq_ignore_ascii_case("to") {
            // SET search_path TO …
        } else if in_path {
            found.push(Qualified {
                qualifier: word,
                name: None,
            });
        } else {
            in_path = word.eq_ignore_ascii_case("search_path");
        }
        at = after;
    }
    found
}

fn skip_spaces(text: &[char], mut at: usize) -> usize {
    while text.get(at).is_some_and(|c| c.is_whitespace()) {
        at += 1;
    }
    at
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The name that begins here, and where it ends.
fn identifier(text: &[char], at: usize) -> Option<(String, usize)> {
    let first = *text.get(at)?;
    if matches!(first, '"' | '`') {
        let mut name = String::new();
        let mut end = at + 1;
        loop {
            match text.get(end)? {
                c if *c == first && text.get(end + 1) == Some(&first) => {
                    name.push(first);
                    end += 2;
                }
                c if *c == first => break,
                '\n' => return None,
                c => {
                    name.push(*c);
                    end += 1;
                }
            }
        }
        return (!name.is_empty()).then_some((name, end + 1));
    }
    if !is_word(first) || first == '$' {
        return None;
    }
    let end = text[at..]
        .iter()
        .position(|c| !is_word(*c))
        .map_or(text.len(), |it| at + it);
    Some((text[at..end].iter().collect(), end))
}

/// A comment names, and does nothing. What looks like one within a string is none.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        if !in_string && rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
            continue;
        }
        // `/*!` runs on MySQL.
        let runs = rest.starts_with("/*!") || rest.starts_with("/*M!");
        if !in_string && !runs && rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            kept.push(' ');
            continue;
        }
        in_string ^= c == '\'';
        kept.push(c);
        rest = &rest[c.len_utf8()..];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let told = |it: Qualified| format!("{}.{}", it.qualifier, it.name.unwrap_or_default());
        qualified(text).into_iter().map(told).collect()
    }

    #[test]
    fn names_are_found_in_code_and_in_strings() {
        assert_eq!(found("SELECT * FROM acme.orders"), ["acme.orders"]);
        assert_eq!(found("SELECT * FROM \"Ac\"\"me\" . `orders`"), ["Ac\"me.orders"]);
        assert_eq!(found("EXECUTE 'DELETE FROM acme.' || name"), ["acme."]);
        assert_eq!(found("EXECUTE format('TABLE acme.%I -- x', t)"), ["acme."]);
        assert_eq!(
            found("SET search_path TO acme, 'zeta'; SELECT x"),
            ["acme.", "zeta."]
        );
        assert_eq!(
            found("set_config('search_path', 'acme', true)"),
            ["acme.", "true."]
        );
    }

    #[test]
    fn comments_and_words_alone_are_none() {
        assert!(found("-- of acme.orders\nSELECT 1 /* acme.orders */, acme, 'acme'").is_empty());
    }
}
