//! `setval` in a migration's text: nothing takes back what it does, so it must not find a sequence of the real schema.
//!
//! [Sequence functions](https://www.postgresql.org/docs/current/functions-sequence.html): changes made by `setval` are
//! not undone when the transaction rolls back.

use std::collections::BTreeSet;

use super::super::sql::ident;
use super::super::words::{Kind, Part, between_dollars, is_significant, name, parts};

/// Where a migration's sequences are.
pub(super) struct Setting<'a> {
    pub(super) real: &'a str,
    /// The real shared schema is on the search path, behind the scratch's.
    pub(super) is_seen: bool,
    /// Of the migration itself.
    pub(super) place: &'a str,
    pub(super) shared: &'a str,
    pub(super) scratch: [&'a str; 2],
    /// What the scratch's shared schema has.
    pub(super) of_shared: &'a BTreeSet<String>,
    /// The migration is the shared schema's own.
    pub(super) makes_shared: bool,
}

impl Setting<'_> {
    /// The text, in which every sequence that is set is one of the scratch's; absent where that cannot be told.
    pub(super) fn moved(&self, text: &str) -> Option<String> {
        if !mentions(text) {
            return Some(text.to_owned());
        }
        // With a path of its own a bare name is anything.
        let lower = text.to_ascii_lowercase();
        if lower.contains("search_path") {
            return None;
        }
        self.within(text)
    }

    fn within(&self, text: &str) -> Option<String> {
        let all = parts(text);
        let places: Vec<usize> = (0..all.len()).filter(|at| is_significant(&all[*at])).collect();
        let part = |at: usize| places.get(at).map(|place| &all[*place]);
        let is = |at: usize, sign: &str| part(at).is_some_and(|it| it.1 == sign);
        let named = |at: usize, wanted: &str| part(at).and_then(name).is_some_and(|it| it == wanted);
        let mut result: Vec<String> = all.iter().map(|part| part.1.to_owned()).collect();
        for at in 0..places.len() {
            let (kind, text) = all[places[at]];
            match kind {
                Kind::Dollars if mentions(text) => {
                    let (tag, inner) = between_dollars(text);
                    result[places[at]] = format!("{tag}{}{tag}", self.within(inner)?);
                }
                // SQL that is put together, or run later.
                Kind::Text if mentions(text) => return None,
                _ if named(at, "setval") && is(at + 1, "(") => {
                    let mut argument = at + 2;
                    if named(argument, "pg_catalog") && is(argument + 1, ".") {
                        argument += 2;
                    }
                    if named(argument, "pg_get_serial_sequence") && is(argument + 1, "(") {
                        argument += 2;
                    }
                    let literal = part(argument).filter(|it| it.0 == Kind::Text)?;
                    // Anything else than the end of the argument puts it together.
                    if !(is(argument + 1, ",") || is(argument + 1, ":")) {
                        return None;
                    }
                    result[places[argument]] = self.sequence(literal)?;
                }
                _ if named(at, "setval") => return None,
                _ => {}
            }
        }
        Some(result.concat())
    }

    /// The literal that names it, or its table.
    fn sequence(&self, literal: &Part<'_>) -> Option<String> {
        let inner = literal.1.strip_prefix('\'')?.strip_suffix('\'')?;
        let of = parts(inner);
        let of: Vec<&Part<'_>> = of.iter().filter(|it| is_significant(it)).collect();
        let (schema, table) = match of.as_slice() {
            [table] => (None, name(table)?),
            [schema, (Kind::Other, "."), table] => (Some(name(schema)?), name(table)?),
            _ => return None,
        };
        let is_shared = self.of_shared.contains(&*table);
        let place = match schema.as_deref() {
            Some(schema) if self.scratch.contains(&schema) => schema,
            Some(schema) if schema == self.real && (self.makes_shared || is_shared) => self.shared,
            Some(_) => return None,
            None if !self.is_seen => return Some(literal.1.to_owned()),
            None if is_shared && !self.makes_shared => self.shared,
            None => self.place,
        };
        let qualified = format!("{}.{}", ident(place), ident(&table));
        Some(super::literal(&qualified))
    }
}

fn mentions(text: &str) -> bool {
    text.to_ascii_lowercase().contains("setval")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(text: &str, is_seen: bool, makes_shared: bool) -> Option<String> {
        let of_shared = BTreeSet::from(["inv_id_seq".to_owned()]);
        Setting {
            real: "public",
            is_seen,
            place: if makes_shared { "s_shared" } else { "s" },
            shared: "s_shared",
            scratch: ["s", "s_shared"],
            of_shared: &of_shared,
            makes_shared,
        }
        .moved(text)
    }

    #[test]
    fn only_sequences_of_the_scratch_are_set() {
        let same = "SELECT setval('orders_id_seq', (SELECT max(id) FROM orders)); SELECT nextval('public.x')";
        assert_eq!(moved(same, false, false).as_deref(), Some(same));
        assert_eq!(
            moved("SELECT setval('orders_id_seq', 1)", true, false).as_deref(),
            Some("SELECT setval('\"s\".\"orders_id_seq\"', 1)")
        );
        assert_eq!(
            moved(
                "DO $$ BEGIN PERFORM pg_catalog.setval('public.new_seq'::regclass, 1); END $$",
                true,
                true
            )
            .as_deref(),
            Some("DO $$ BEGIN PERFORM pg_catalog.setval('\"s_shared\".\"new_seq\"'::regclass, 1); END $$")
        );
        assert_eq!(
            moved(
                "SELECT setval(pg_get_serial_sequence('public.inv','id'), 7)",
                false,
                true
            )
            .as_deref(),
            Some("SELECT setval(pg_get_serial_sequence('\"s_shared\".\"inv\"','id'), 7)")
        );
        for refused in [
            "SELECT setval('public.outside', 7)",
            "SELECT setval('other.x', 7)",
            "SELECT setval('public.' || 'x', 7)",
            "SELECT setval(oid, 7) FROM pg_class",
            "DO $$ BEGIN EXECUTE 'SELECT setval(1, 2)'; END $$",
            "SET search_path = public; SELECT setval('x', 7)",
            "CREATE FUNCTION f(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT setval($1, 7)'",
        ] {
            assert_eq!(moved(refused, false, false), None, "{refused}");
        }
    }
}
