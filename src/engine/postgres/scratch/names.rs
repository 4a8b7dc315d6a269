//! Names of the shared schema in a migration's text, as they are meant in a scratch.

use std::collections::BTreeSet;

use super::super::words::{Kind, Part, between_dollars, is_significant, name, parts};

/// A text in which the schema's name before one of `those` is another one, in the bodies of functions too, and so
/// it is where rights on the schema are given. Comments are left alone, and so are literals that are no such name as
/// a whole: nothing finds a table through them but what puts SQL together.
pub(super) fn moved(text: &str, schema: &str, those: &BTreeSet<String>, instead: &str) -> String {
    let parts = parts(text);
    let places = places(&parts);
    let mut result: Vec<String> = parts.iter().map(|part| part.1.to_owned()).collect();
    for at in 0..places.len() {
        let part = &parts[places[at]];
        if let Some((before, inner, behind)) = within(part) {
            let whole = part.0 == Kind::Dollars || is_name(inner);
            if whole {
                let inner = moved(inner, schema, those, instead);
                result[places[at]] = format!("{before}{inner}{behind}");
            }
        } else if qualified(&parts, &places, at, schema).is_some_and(|it| those.contains(&it))
            || is_schema_of_rights(&parts, &places, at, schema)
        {
            result[places[at]] = instead.to_owned();
        }
    }
    result.concat()
}

/// A literal, or a body, between what is around it.
fn within<'a>(part: &Part<'a>) -> Option<(&'a str, &'a str, &'a str)> {
    match part.0 {
        Kind::Dollars => {
            let (tag, inner) = between_dollars(part.1);
            Some((tag, inner, tag))
        }
        Kind::Text => {
            let inner = part.1.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(("'", inner, "'"))
        }
        _ => None,
    }
}

/// `schema.name`, and nothing else.
fn is_name(text: &str) -> bool {
    let parts = parts(text);
    matches!(&parts[..], [schema, (Kind::Other, "."), table] if name(schema).is_some() && name(table).is_some())
}

/// `ON SCHEMA name`, `IN SCHEMA name`.
fn is_schema_of_rights(parts: &[Part<'_>], places: &[usize], at: usize, schema: &str) -> bool {
    let word = |at: Option<usize>| at.and_then(|at| name(&parts[*places.get(at)?]));
    let is = |at: Option<usize>, wanted: &[&str]| word(at).is_some_and(|it| wanted.contains(&&*it));
    let before = |count| at.checked_sub(count);
    is(Some(at), &[schema]) && is(before(1), &["schema"]) && is(before(2), &["on", "in"])
}

/// What a text makes in the schema that it names, or takes away where it is there.
pub(super) fn created(text: &str, schema: &str) -> BTreeSet<String> {
    const KINDS: [&str; 11] = [
        "aggregate",
        "collation",
        "configuration",
        "dictionary",
        "domain",
        "function",
        "procedure",
        "sequence",
        "table",
        "type",
        "view",
    ];
    let parts = parts(text);
    let places = places(&parts);
    let word = |at: usize| places.get(at).and_then(|place| name(&parts[*place]));
    let mut found = BTreeSet::new();
    let mut creates = false;
    for at in 0..places.len() {
        match word(at).as_deref() {
            Some("create") => creates = true,
            _ if parts[places[at]].1 == ";" => creates = false,
            _ => {}
        }
        let before = at.checked_sub(1).and_then(word).unwrap_or_default();
        if before == "exists" || (creates && KINDS.contains(&&*before)) {
            found.extend(qualified(&parts, &places, at, schema));
        }
    }
    found
}

fn places(parts: &[Part<'_>]) -> Vec<usize> {
    let all = 0..parts.len();
    all.filter(|at| is_significant(&parts[*at])).collect()
}

/// What the schema's name at this place qualifies.
fn qualified(parts: &[Part<'_>], places: &[usize], at: usize, schema: &str) -> Option<String> {
    let part = |at: usize| places.get(at).map(|place| &parts[*place]);
    let dot = |at: usize| part(at).is_some_and(|it| it.1 == ".");
    let is_schema = part(at).and_then(name).is_some_and(|it| it == schema);
    if !is_schema || !dot(at + 1) || (at > 0 && dot(at - 1)) {
        return None;
    }
    part(at + 2).and_then(name).map(|it| it.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_scratch_has_is_meant_there() {
        let those = BTreeSet::from(["plans".to_owned(), "Odd one".to_owned()]);
        let text = "REFERENCES public.plans(id), \"public\" . \"Odd one\", PUBLIC.Plans, public.citext, \
                    'see public.plans', 'public.plans' /* public.plans */ $$ SELECT public.plans.id, x.public.plans $$, \
                    GRANT USAGE ON SCHEMA public; CREATE EXTENSION e SCHEMA public";
        assert_eq!(
            moved(text, "public", &those, "S"),
            "REFERENCES S.plans(id), S . \"Odd one\", S.Plans, public.citext, \
             'see public.plans', 'S.plans' /* public.plans */ $$ SELECT S.plans.id, x.public.plans $$, \
             GRANT USAGE ON SCHEMA S; CREATE EXTENSION e SCHEMA public"
        );
    }

    #[test]
    fn what_is_made_is_told_from_what_is_used() {
        let text = "CREATE TABLE IF NOT EXISTS public.a (b public.c REFERENCES public.d);\
                    CREATE INDEX i ON public.e (x); ALTER TABLE public.f ADD y int;\
                    CREATE OR REPLACE VIEW public.g AS SELECT 1; DROP TABLE IF EXISTS public.h";
        let made: Vec<String> = created(text, "public").into_iter().collect();
        assert_eq!(made, ["a", "g", "h"]);
    }
}
