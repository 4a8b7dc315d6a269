//! Names of databases as grants have them: `%` and `_` stand for others unless a backslash is before them.

use std::iter::once;

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

    pub(super) fn is_match(&self, name: &str) -> bool {
        // Which beginnings of the pattern match what was read so far.
        let end = self.parts.len();
        let open = |mut states: Vec<bool>| {
            for at in 0..end {
                if states[at] && self.parts[at] == Part::Any {
                    states[at + 1] = true;
                }
            }
            states
        };
        let first = once(true).chain(once(false).cycle().take(end));
        let mut states = open(first.collect());
        for c in name.chars() {
            if !states.contains(&true) {
                return false;
            }
            let mut next = vec![false; end + 1];
            for at in (0..end).filter(|at| states[*at]) {
                match self.parts[at] {
                    Part::Any => next[at] = true,
                    Part::One => next[at + 1] = true,
                    Part::Is(wanted) => next[at + 1] |= wanted == c,
                }
            }
            states = open(next);
        }
        states[end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
