//! Names of databases as grants have them: `%` and `_` stand for others unless a backslash is before them.

use std::collections::BTreeSet;
use std::ops::Bound;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Is(char),
    One,
    Any,
}

/// A pattern, or the one name that it is.
pub(super) struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            parts.push(match c {
                '\\' => Part::Is(rest.next().unwrap_or('\\')),
                '_' => Part::One,
                '%' => Part::Any,
                c => Part::Is(c),
            });
        }
        Self { parts }
    }

    /// The only name that it matches.
    pub(super) fn name(&self) -> Option<String> {
        let is = |part: &Part| match part {
            Part::Is(c) => Some(*c),
            Part::One | Part::Any => None,
        };
        self.parts.iter().map(is).collect()
    }

    /// Those of the places that it matches, without a look at each of them.
    pub(super) fn matching<'p>(&self, places: &BTreeSet<&'p str>) -> Vec<&'p str> {
        let mut found = Vec::new();
        collect(&self.parts, String::new(), places, &mut found);
        found
    }
}

/// Those that begin with `prefix` and go on as `parts` say: of places in order, whatever begins otherwise is
/// passed over.
fn collect<'p>(parts: &[Part], mut prefix: String, places: &BTreeSet<&'p str>, found: &mut Vec<&'p str>) {
    let mut parts = parts;
    while let [Part::Is(c), rest @ ..] = parts {
        prefix.push(*c);
        parts = rest;
    }
    let first_from = |from: &str| {
        let next = places
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .next();
        next.copied().filter(|it| it.starts_with(&prefix))
    };
    match parts {
        [] => found.extend(places.get(prefix.as_str())),
        // Each character that comes next.
        [Part::One, rest @ ..] => {
            let mut from = prefix.clone();
            while let Some(place) = first_from(&from) {
                let Some(c) = place[prefix.len()..].chars().next() else {
                    from.push('\0');
                    continue;
                };
                collect(rest, format!("{prefix}{c}"), places, found);
                let Some(next) = following(c) else { break };
                from = format!("{prefix}{next}");
            }
        }
        _ => {
            let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
            let with_prefix = places
                .range::<str, _>(from)
                .take_while(|it| it.starts_with(&prefix));
            found.extend(with_prefix.filter(|it| is_match(parts, &it[prefix.len()..])));
        }
    }
}

fn following(c: char) -> Option<char> {
    // There is a gap in the numbers of characters.
    (u32::from(c) + 1..=0x10_FFFF).find_map(char::from_u32)
}

/// Goes back to the last `%` where it fails: what that one stands for becomes longer.
fn is_match(parts: &[Part], name: &str) -> bool {
    let (mut at, mut rest) = (0, name.chars());
    let mut back: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        if parts.get(at) == Some(&Part::Any) {
            at += 1;
            back = Some((at, rest.clone()));
            continue;
        }
        match (parts.get(at), rest.next()) {
            (None, None) => return true,
            (Some(Part::One), Some(_)) => at += 1,
            (Some(Part::Is(wanted)), Some(c)) if *wanted == c => at += 1,
            (_, c) => {
                let Some((begin, chars)) = &mut back else {
                    return false;
                };
                // The name is at its end: no longer beginning helps.
                if c.is_none() || chars.next().is_none() {
                    return false;
                }
                (at, rest) = (*begin, chars.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Pattern {
        fn is_match(&self, name: &str) -> bool {
            let others = ["", "a", "app", "app_", "appxb", "zeta", name];
            let found = self.matching(&others.into_iter().collect());
            assert_eq!(found.contains(&name), is_match(&self.parts, name));
            found.contains(&name)
        }
    }

    #[test]
    fn an_underscore_is_any_character_unless_it_is_escaped() {
        assert!(Pattern::new("app_a").is_match("appxa"));
        assert!(Pattern::new("app_a").is_match("app_a"));
        assert!(!Pattern::new("app\\_a").is_match("appxa"));
        assert!(!Pattern::new("app_a").is_match("appa"));
        assert_eq!(Pattern::new("app\\_a").name().as_deref(), Some("app_a"));
        assert_eq!(Pattern::new("app_a").name(), None);
    }

    #[test]
    fn a_percent_sign_is_any_number_of_characters() {
        let pattern = Pattern::new("app\\_%");
        assert!(pattern.is_match("app_") && pattern.is_match("app_acme"));
        assert!(!pattern.is_match("app") && !pattern.is_match("appxacme"));
        assert!(Pattern::new("%a%e").is_match("acme") && !Pattern::new("%a%e").is_match("acmes"));
        assert!(Pattern::new("%ab").is_match("aab") && Pattern::new("a%").is_match("a"));
        assert!(Pattern::new("%").is_match("") && !Pattern::new("_").is_match(""));
    }

    /// Every short pattern over every short name says the same both ways.
    #[test]
    fn what_is_passed_over_does_not_match() {
        let words = |letters: &[char]| {
            let mut all = vec![String::new()];
            let mut last = all.clone();
            for _ in 0..4 {
                last = last
                    .iter()
                    .flat_map(|it| letters.iter().map(move |c| format!("{it}{c}")))
                    .collect();
                all.extend(last.clone());
            }
            all
        };
        let names = words(&['a', 'b', '\u{d7ff}']);
        let places: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        for text in words(&['a', 'b', '_', '%']) {
            let pattern = Pattern::new(&text);
            let found = pattern.matching(&places);
            let expected = places.iter().copied().filter(|it| is_match(&pattern.parts, it));
            assert_eq!(found, expected.collect::<Vec<_>>(), "{text}");
        }
    }
}
