//! The words of our own in the statements, and names of schemas in what they give.

use crate::engine::postgres::sql::ident;
use crate::engine::structure::without_qualifier;

/// Words of our own in the statements, each with what it stands for; `@` is what is in its brackets. Later
/// ones may be in what earlier ones stand for.
const WORDS: [(&str, &str); 13] = [
    // What rows of (schema, text) are hashed to. Of a table read in place the planner knows without statistics that a
    // number is in it once; else it would keep all columns in memory.
    (
        "SUMS (",
        "SELECT n.nspname, h.entries, h.one, h.two FROM (
    WITH ROLES(), k AS NOT MATERIALIZED (SELECT oid, relnamespace, relname FROM pg_class
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
    // What PostgreSQL writes of something in the schema of the number `place`.
    (
        "THERE(",
        "(SELECT OWNLESS(HERE(@)) FROM (SELECT nspname, PATH(nspname) AS path FROM pg_namespace n WHERE n.oid = place) n)",
    ),
    // The texts of rights, with the tenant's name taken out of its own roles', of which some need quotes.
    (
        "MARKED(",
        "CASE WHEN own IS NULL THEN @ ELSE regexp_replace(translate(@, E'\"\\\\', ''), own, '{tenant}', 'g') END",
    ),
    // A text with the name of the schema taken out where it qualifies something that is there: an alias of that
    // name, or a word of some data, qualifies nothing of the kind.
    (
        "OWNLESS(",
        r#"(SELECT CASE WHEN strpos(x, here || '.') = 0 AND strpos(x, here || '".') = 0 THEN x ELSE (
    SELECT string_agg(CASE WHEN at = 1 THEN part WHEN EXISTS (SELECT FROM pg_namespace z WHERE z.nspname = here AND (
            EXISTS (SELECT FROM pg_class b WHERE b.relname = word AND b.relnamespace = z.oid)
            OR EXISTS (SELECT FROM pg_proc b WHERE b.proname = word AND b.pronamespace = z.oid)
            OR EXISTS (SELECT FROM pg_type b WHERE b.typname = word AND b.typnamespace = z.oid)
            OR EXISTS (SELECT FROM pg_collation b WHERE b.collname = word AND b.collnamespace = z.oid)
            OR EXISTS (SELECT FROM pg_ts_config b WHERE b.cfgname = word AND b.cfgnamespace = z.oid)
            OR EXISTS (SELECT FROM pg_ts_dict b WHERE b.dictname = word AND b.dictnamespace = z.oid)))
        THEN '{tenant}.' || part ELSE here || '.' || part END, '' ORDER BY at)
    FROM (SELECT part, at, coalesce(replace(substring(part FROM '^"((?:[^"]|"")+)"'), '""', '"'),
            lower(substring(part FROM '^[[:alnum:]_$]+')))::name AS word
        FROM regexp_split_to_table(x, '(?<![[:alnum:]_".$])"?' || regexp_replace(here, '(\W)', '\\\1', 'g') || '"?\.')
            WITH ORDINALITY AS v (part, at)) AS v) END
FROM (SELECT @ AS x, nspname::text AS here OFFSET 0) AS v)"#,
    ),
    // An expression as it is stored; where it was in the statement that made it says nothing.
    ("BARE(", r"regexp_replace(@::text, ':location \d+', '', 'g')"),
    // A query as it is stored, the same.
    (
        "PLAIN(",
        r"regexp_replace(@, ':(?:stmt_)?(?:location|len) -?\d+', '', 'g')",
    ),
    // Evaluated while the own schema is the first of the search path, also before the server's own.
    (
        "HERE(",
        "CASE set_config('search_path', path, true) WHEN path THEN (@) END",
    ),
    ("PATH(", "quote_ident(@) || ', pg_catalog'"),
    // A role by its number, as `{owner}` where it is the owner.
    (
        "GRANTEE(",
        "CASE @ WHEN 0 THEN 'PUBLIC' WHEN owner THEN '{owner}' ELSE ROLE(@) END",
    ),
    // The name of a role, with the tenant's taken out of its own ones'.
    (
        "ROLE(",
        "coalesce((SELECT coalesce(regexp_replace(rolname, own, '{tenant}'), rolname) FROM pg_roles WHERE pg_roles.oid = @), (@)::text)",
    ),
];

/// Which roles are a tenant's own.
const ROLES: &str = include_str!("roles.sql");

/// Without comments, which are for readers of the files.
pub(in crate::engine::postgres) fn expand(text: &str) -> String {
    let text = WORDS.iter().fold(uncommented(text), |text, (word, meaning)| {
        replace(&text, word, meaning)
    });
    text.replace("ROLES()", &uncommented(ROLES))
}

fn uncommented(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
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
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !KEYWORDS.contains(&name);
    if plain { name.to_owned() } else { ident(name) }
}

/// PostgreSQL, appendix C: what is reserved, and what may be no function's or type's name.
const KEYWORDS: [&str; 32] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "authorization",
    "both",
    "case",
    "check",
    "column",
    "constraint",
    "default",
    "desc",
    "do",
    "end",
    "from",
    "grant",
    "group",
    "in",
    "like",
    "limit",
    "not",
    "on",
    "or",
    "order",
    "primary",
    "references",
    "select",
    "table",
    "user",
    "window",
];

/// The shared schema's name becomes the same everywhere.
pub(super) fn neutral(text: &str, own: &str, shared: &[&str]) -> String {
    let instead = match shared.contains(&own) {
        true => "{tenant}.",
        false => "{shared}.",
    };
    let mut text = text.to_owned();
    for shared in shared.iter().filter(|shared| **shared != own) {
        for name in [written(shared), ident(shared)] {
            text = without_qualifier(&text, &name, instead);
        }
    }
    text
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
    fn the_shared_schema_is_called_the_same_everywhere() {
        let text = "public.f('public.x') AND scratch.g(data.x)";
        assert_eq!(
            neutral(text, "acme", &["scratch", "public"]),
            "{shared}.f('{shared}.x') AND {shared}.g(data.x)"
        );
        // What is looked at is a shared schema itself.
        assert_eq!(
            neutral(text, "scratch", &["scratch", "public"]),
            "{tenant}.f('{tenant}.x') AND scratch.g(data.x)"
        );
    }
}
