//! Qualified names in a text of SQL, also within its strings: a function may run them.

use crate::database_url::EngineKind;

/// What stands before a dot, and after it; absent: not a name, but something that is put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Qualified {
    pub(super) qualifier: String,
    pub(super) name: Option<String>,
}

/// All qualified names of a text without its comments, and (PostgreSQL) all names behind `search_path`.
pub(super) fn qualified(text: &str, kind: EngineKind) -> Vec<Qualified> {
    let text: Vec<char> = without_comments(text, kind).chars().collect();
    let is_postgres = kind == EngineKind::Postgres;
    let mut found = Vec::new();
    let mut in_path = false;
    let mut at = 0;
    while at < text.len() {
        let Some((word, after)) = identifier(&text, at) else {
            in_path &= text[at] != ';';
            at += 1;
            continue;
        };
        let dot = skip_spaces(&text, after);
        let is_qualified = text.get(dot) == Some(&'.');
        // A string on MySQL, unless the server's mode says otherwise: what is in it may be run.
        if text[at] == '"' && !is_postgres && !is_qualified {
            at += 1;
            continue;
        }
        if is_qualified {
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
            in_path = is_postgres && word.eq_ignore_ascii_case("search_path");
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

/// A comment names, and does nothing. What looks like one within quotes is none.
fn without_comments(text: &str, kind: EngineKind) -> String {
    let is_postgres = kind == EngineKind::Postgres;
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // What ends the quotes that are open, and whether a backslash takes the next character along.
    let mut quotes: Option<(char, bool)> = None;
    while let Some(c) = rest.chars().next() {
        if let Some((end, escapes)) = quotes {
            // 'acme' || '.orders' is put together to be one name.
            if end == '\''
                && is_postgres
                && let Some(after) = joined(rest)
            {
                rest = after;
                continue;
            }
            let escaped = (escapes && c == '\\').then(|| rest.chars().nth(1)).flatten();
            quotes = quotes.filter(|_| c != end);
            let taken = c.len_utf8() + escaped.map_or(0, char::len_utf8);
            kept.push_str(&rest[..taken]);
            rest = &rest[taken..];
            continue;
        }
        if let Some(after) = comment(rest, is_postgres) {
            kept.push(' ');
            rest = after;
            continue;
        }
        if let Some((within, after)) = dollar_quoted(rest).filter(|_| is_postgres) {
            // The quotes would be taken for a part of the names beside them.
            kept.extend([" ", within, " "]);
            rest = after;
            continue;
        }
        if matches!(c, '\'' | '"' | '`') && !(is_postgres && c == '`') {
            let is_name = c == '`' || is_postgres && c == '"';
            // E'…'
            let mut before = kept.chars().rev();
            let is_e = before.next().is_some_and(|it| matches!(it, 'e' | 'E'));
            let escapes = !is_postgres || is_e && !before.next().is_some_and(is_word);
            quotes = Some((c, escapes && !is_name));
        }
        kept.push(c);
        rest = &rest[c.len_utf8()..];
    }
    kept
}

/// What follows the quote that ends one literal and, behind `||`, the one that begins another.
fn joined(text: &str) -> Option<&str> {
    let behind = text.strip_prefix('\'')?.trim_start().strip_prefix("||")?;
    behind.trim_start().strip_prefix('\'')
}

/// The text in dollar quotes that begins here, and what follows it.
fn dollar_quoted(text: &str) -> Option<(&str, &str)> {
    let tag = text.strip_prefix('$')?;
    let tag = &tag[..tag.find('$')?];
    if tag.starts_with(|c: char| c.is_ascii_digit()) || !tag.chars().all(is_word) {
        return None;
    }
    let open = tag.len() + 2;
    text[open..].split_once(&text[..open])
}

/// What follows the comment that begins here.
fn comment(text: &str, is_postgres: bool) -> Option<&str> {
    // MySQL's is one only with a space behind it.
    let dashes = text.strip_prefix("--");
    let dashes = dashes.is_some_and(|it| is_postgres || it.is_empty() || it.starts_with(char::is_whitespace));
    if dashes || !is_postgres && text.starts_with('#') {
        return Some(text.find('\n').map_or("", |end| &text[end..]));
    }
    if !text.starts_with("/*") {
        return None;
    }
    if !is_postgres {
        // `/*!` and `/*M!` run.
        let runs = text.starts_with("/*!") || text.starts_with("/*M!");
        return (!runs).then(|| text.find("*/").map_or("", |end| &text[end + 2..]));
    }
    // PostgreSQL's are within each other.
    let (mut depth, mut at) = (0, 0);
    while let Some(next) = text[at..].find(['*', '/']) {
        at += next;
        let two = &text[at..text.len().min(at + 2)];
        let step: i32 = match two {
            "/*" => 1,
            "*/" => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
        if step == -1 && depth == 0 {
            return Some(&text[at..]);
        }
    }
    Some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let told = |it: Qualified| format!("{}.{}", it.qualifier, it.name.unwrap_or_default());
        qualified(text, EngineKind::Postgres)
            .into_iter()
            .map(told)
            .collect()
    }

    fn found_on_mysql(text: &str) -> Vec<String> {
        let told = |it: Qualified| format!("{}.{}", it.qualifier, it.name.unwrap_or_default());
        qualified(text, EngineKind::Mysql).into_iter().map(told).collect()
    }

    #[test]
    fn names_are_found_in_code_and_in_strings() {
        assert_eq!(found("SELECT * FROM acme.orders"), ["acme.orders"]);
        assert_eq!(found("SELECT * FROM \"Ac\"\"me\" . `orders`"), ["Ac\"me.orders"]);
        assert_eq!(found("EXECUTE 'DELETE FROM acme.' || name"), ["acme."]);
        assert_eq!(
            found("EXECUTE 'DELETE FROM acme' || '.' ||\n 'orders'"),
            ["acme.orders"]
        );
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
        assert!(found("/* one /* two */ acme.orders */").is_empty());
    }

    #[test]
    fn a_path_goes_on_over_lines() {
        assert_eq!(found("SET search_path =\n acme; SELECT orders"), ["acme."]);
    }

    #[test]
    fn quotes_end_where_the_server_ends_them() {
        assert_eq!(found(r"SELECT E'it\'s --', x FROM acme.orders"), ["acme.orders"]);
        assert_eq!(found(r"SELECT x LIKE'\' -- acme.orders"), [""; 0]);
        assert_eq!(
            found("EXECUTE $q$ it's $q$; SELECT '-- ', x FROM acme.orders"),
            ["acme.orders"]
        );
        assert_eq!(
            found("EXECUTE $q$TABLE acme.orders$q$ USING $1, $2 -- acme.x"),
            ["acme.orders"]
        );
        assert_eq!(found("SELECT \"o'brien\" -- acme.orders"), [""; 0]);
        assert_eq!(found_on_mysql(r"SELECT 'it\'s' -- acme.orders"), [""; 0]);
        assert_eq!(
            found_on_mysql(r"SELECT 'it\'s # ', x FROM acme.orders"),
            ["acme.orders"]
        );
        assert_eq!(
            found_on_mysql("SELECT \"o'brien\" # acme.orders\n, `o'b` FROM a.b"),
            ["a.b"]
        );
    }

    #[test]
    fn mysqls_comments_are_its_own() {
        assert!(found_on_mysql("# copied from acme.orders\nSELECT 1 /* acme.orders */").is_empty());
        assert_eq!(
            found_on_mysql("SELECT 1--1, acme.total() /*! , acme.other() */"),
            ["acme.total", "acme.other"]
        );
        assert_eq!(
            found_on_mysql("PREPARE s FROM \"DELETE FROM acme.orders\""),
            ["acme.orders"]
        );
        assert_eq!(
            found_on_mysql("SELECT * FROM \"acme\".\"orders\""),
            ["acme.orders"]
        );
        assert!(found_on_mysql("SET search_path = acme").is_empty());
    }
}
