//! Rows about a schema become its structure, with the names of schemas taken out.

use std::collections::HashMap;

use crate::domain::{ObjectKind, Structure};

/// Reads rows of (place, kind, table, name, attribute, text), for each of the places in their order.
/// `neutral` takes the place's own name out of a text.
pub(super) fn gather(
    places: &[String],
    rows: impl IntoIterator<Item = Vec<Option<String>>>,
    neutral: impl Fn(&str, &str) -> String,
) -> Vec<Structure> {
    let mut found: HashMap<String, Structure> = HashMap::new();
    for row in rows {
        let mut row = row.into_iter();
        let mut text = || row.next().flatten();
        let (place, kind) = (text().unwrap_or_default(), text().unwrap_or_default());
        let (table, name) = (text().unwrap_or_default(), text().unwrap_or_default());
        let (attribute, value) = (text().unwrap_or_default(), text());
        if let (Some(kind), Some(value)) = (ObjectKind::parse(&kind), value) {
            let value = neutral(&place, &value);
            let structure = found.entry(place).or_default();
            structure.add(kind, table, name, attribute, value);
        }
    }
    let of_place = |place: &String| found.remove(place).unwrap_or_default();
    places.iter().map(of_place).collect()
}

/// Replaces `name.` where it is a word of its own, so that `a.` is not found in `data.`.
pub(super) fn without_qualifier(text: &str, name: &str, instead: &str) -> String {
    let wanted = format!("{name}.");
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&wanted) {
        let before = rest[..at]
            .chars()
            .next_back()
            .or_else(|| result.chars().next_back());
        let within = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '"' | '`' | '.' | '$'));
        result.push_str(&rest[..at]);
        result.push_str(if within { &wanted } else { instead });
        rest = &rest[at + wanted.len()..];
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_taken_out() {
        let text = "nextval('a.seq'::regclass) = data.x and a.b = \"x.a.c\"";
        assert_eq!(
            without_qualifier(text, "a", ""),
            "nextval('seq'::regclass) = data.x and b = \"x.a.c\""
        );
        assert_eq!(
            without_qualifier("REFERENCES public.u(id)", "public", "{shared}."),
            "REFERENCES {shared}.u(id)"
        );
    }
}
