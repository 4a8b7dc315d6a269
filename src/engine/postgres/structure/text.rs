//! The words of our own in the statements, and names of schemas in what they give.

use crate::engine::postgres::sql::ident;
use crate::engine::structure::without_qualifier;

/// Words of our own in the statements, each with what it stands for; `@` is what is in its brackets. Later
/// ones may be in what earlier ones stand for.
const WORDS: [(&str, &str); 10] = [
    // What rows of (schema, text) are hashed to.
    (
        "SUMS (",
        "SELECT n.nspname, h.entries, h.one, h.two FROM (
    WITH k AS (SELECT oid, relnamespace, relname FROM pg_class
        WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND relnamespace NOT IN (11, 99))
    SELECT place, count(*) AS entries, sum(hashtextextended(entry, :one)) AS one, sum(hashtextextended(entry, :two)) AS two
    FROM (@) AS entries (place, entry) GROUP BY place) h
JOIN pg_namespace n ON n.oid = h.place WHERE n.nspname IN (SELECT unnest(:schemas)::name)",
    ),
    // A type, or a relation, by its number; those that a server begins with have the same one everywhere.
    (
        "TYPE(",
        "CASE WHEN @ < 16384 THEN @::text ELSE (SELECT PLACED(y.typnamespace) || y.typname FROM pg_type y WHERE y.oid = @) END",
    ),
    (
        "REL(",
        "(SELECT PLACED(u.relnamespace) || u.relname FROM pg_class u WHERE u.oid = @)",
    ),
    (
        "PLACED(",
        "CASE WHEN @ = place THEN '.' ELSE (SELECT m.nspname || '.' FROM pg_namespace m WHERE m.oid = @) END",
    ),
    // Roles, or texts of rights, with the name of the schema taken out where it is a word of them.
    (
        "MARKED(",
        r#"CASE WHEN strpos(@, nspname) = 0 THEN @ ELSE regexp_replace(@, '(^|[-_="/{},])' || regexp_replace(nspname, '(\W)', '\\\1', 'g') || '($|[-_="/{},])', '\1{tenant}\2', 'g') END"#,
    ),
    // A text with the name of the schema taken out where it qualifies another.
    (
        "OWNLESS(",
        r#"(SELECT CASE WHEN strpos(x, nspname) = 0 THEN x ELSE regexp_replace(x, '(^|[^[:alnum:]_".$`])"?' || regexp_replace(nspname, '(\W)', '\\\1', 'g') || '"?\.', '\1{tenant}.', 'g') END FROM (SELECT @ OFFSET 0) AS v (x))"#,
    ),
    // An expression as it is stored; where it was in the statement that made it says nothing.
    ("BARE(", r"regexp_replace(@::text, ':location \d+', '', 'g')"),
    // Evaluated while the own schema is the search path.
    (
        "HERE(",
        "CASE set_config('search_path', path, true) WHEN path THEN (@) END",
    ),
    // A role by its number, as `{owner}` where it is the owner.
    (
        "GRANTEE(",
        "CASE @ WHEN 0 THEN 'PUBLIC' WHEN owner THEN '{owner}' ELSE ROLE(@) END",
    ),
    // The name of a role, with that of the schema taken out where it is a word of it.
    (
        "ROLE(",
        r"coalesce((SELECT regexp_replace(rolname, '(^|[-_])' || own || '($|[-_])', '\1{tenant}\2') FROM pg_roles WHERE pg_roles.oid = @), (@)::text)",
    ),
];

/// Without comments, which are for readers of the files.
pub(in crate::engine::postgres) fn expand(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    WORDS
        .iter()
        .fold(text, |text, (word, meaning)| replace(&text, word, meaning))
}

fn replace(text: &str, word: &str, meaning: &str) -> String {
    let mut result = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        result.push_str(&rest[..at]);
        rest = &rest[at + word.len()..];
        let end = closing(rest);
        let inner = replace(&rest[..end], word, meaning);
        result.push_str(&meaning.replace('@', &inner));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    result.push_str(rest);
    result
}

/// Where the bracket closes that was opened just before; brackets in literals are not counted.
fn closing(text: &str) -> usize {
    let (mut depth, mut quoted) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => return at,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// As the catalog's functions write a name.
pub(in crate::engine::postgres) fn written(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain { name.to_owned() } else { ident(name) }
}

/// The shared schema's name becomes the same everywhere, and so does the own one's in literals: elsewhere
/// the server wrote no such name, and what looks like it may be a table's.
pub(super) fn neutral(text: &str, own: &str, shared: &[&str]) -> String {
    let mut text = in_literals(text, own);
    for shared in shared.iter().filter(|shared| **shared != own) {
        for name in [written(shared), ident(shared)] {
            text = without_qualifier(&text, &name, "{shared}.");
        }
    }
    text
}

fn in_literals(text: &str, own: &str) -> String {
    if !text.contains(own) {
        return text.to_owned();
    }
    let mut parts: Vec<String> = text.split('\'').map(str::to_owned).collect();
    for literal in parts.iter_mut().skip(1).step_by(2) {
        for name in [written(own), ident(own)] {
            *literal = without_qualifier(literal, &name, "{tenant}.");
        }
    }
    parts.join("'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_also_within_one_another() {
        assert_eq!(
            expand("HERE(f('(', HERE(g(1)))) + BARE(x)"),
            "CASE set_config('search_path', path, true) WHEN path THEN (f('(', CASE set_config('search_path', path, true) \
             WHEN path THEN (g(1)) END)) END + regexp_replace(x::text, ':location \\d+', '', 'g')"
        );
    }

    #[test]
    fn the_own_name_goes_where_the_server_did_not_write_it() {
        let text = "orders.id = 1 AND nextval('orders.seq'::text) > public.f('it''s orders.x')";
        assert_eq!(
            neutral(text, "orders", &["public"]),
            "orders.id = 1 AND nextval('{tenant}.seq'::text) > {shared}.f('it''s {tenant}.x')"
        );
    }
}
