//! Texts as these servers write them: their parts, and the names of databases taken out.

use std::borrow::Cow;

/// What a part of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Word,
    /// `` `name` ``
    Quoted,
    /// `'text'`, or `"text"`, which is a name in some modes.
    Text,
    Comment,
    /// One character.
    Other,
}

pub(super) type Part<'a> = (Kind, &'a str);

/// The parts that a text is made of; all of them together are the text.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            c if c.is_whitespace() => (Kind::Space, while_true(rest, char::is_whitespace)),
            '`' => (Kind::Quoted, quoted(rest, '`')),
            '\'' | '"' => (Kind::Text, quoted(rest, first)),
            '#' => (Kind::Comment, until(rest, "\n")),
            '-' if rest[1..].starts_with("-") && rest[2..].chars().next().is_none_or(char::is_whitespace) => {
                (Kind::Comment, until(rest, "\n"))
            }
            '/' if rest[1..].starts_with('*') => (Kind::Comment, until(rest, "*/")),
            c if is_of_word(c) => (Kind::Word, while_true(rest, is_of_word)),
            c => (Kind::Other, c.len_utf8()),
        };
        let (part, behind) = rest.split_at(length);
        found.push((kind, part));
        rest = behind;
    }
    found
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@')
}

fn while_true(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

fn until(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// The length of what is in quotes, with them. A doubled quote gives two texts side by side, which is as well.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Groups parts by the spaces, or the commas, that are in no parentheses.
pub(super) fn split<'a>(parts: &[Part<'a>], at: impl Fn(&Part<'a>) -> bool) -> Vec<Vec<Part<'a>>> {
    let mut groups = vec![Vec::new()];
    let mut depth = 0_usize;
    for part in parts {
        match part.1 {
            "(" if part.0 == Kind::Other => depth += 1,
            ")" if part.0 == Kind::Other => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && at(part) {
            groups.push(Vec::new());
        } else if let Some(group) = groups.last_mut() {
            group.push(*part);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The units of a text between spaces.
pub(super) fn units(parts: &[Part<'_>]) -> Vec<String> {
    let groups = split(parts, |(kind, _)| *kind == Kind::Space);
    groups.iter().map(|group| written(group)).collect()
}

pub(super) fn written(parts: &[Part<'_>]) -> String {
    parts.iter().map(|(_, text)| *text).collect()
}

/// The name that `` `name` `` is.
pub(super) fn unquoted(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('`').and_then(|it| it.strip_suffix('`')) {
        Some(inner) if inner.contains("``") => Cow::Owned(inner.replace("``", "`")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    }
}

/// Whose names are taken out.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Names<'a> {
    pub(in super::super) own: &'a str,
    /// Another than `own`.
    pub(in super::super) shared: Option<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn new(own: &'a str, shared: &'a str) -> Self {
        Self {
            own,
            shared: (own != shared).then_some(shared),
        }
    }

    /// A text in which the own database's name qualifies nothing and the shared one is `{shared}`. What stands
    /// in a literal is left alone: it is data.
    pub(in super::super) fn neutral(self, text: &str) -> Cow<'_, str> {
        let names = || [Some(self.own), self.shared].into_iter().flatten();
        if !names().any(|name| text.contains(name)) {
            return Cow::Borrowed(text);
        }
        let parts = parts(text);
        let places: Vec<usize> = (0..parts.len())
            .filter(|at| is_significant(&parts[*at]))
            .collect();
        let mut result = String::with_capacity(text.len());
        let mut copied = 0;
        let mut at = 0;
        while at < places.len() {
            let instead = |name: &str| if name == self.own { "" } else { "{shared}." };
            match names().find(|name| qualifies(&parts, &places, at, name)) {
                Some(name) => {
                    result.push_str(&written(&parts[copied..places[at]]));
                    result.push_str(instead(name));
                    // What it qualified is no qualifier of a database.
                    copied = places[at + 1] + 1;
                    at += 3;
                }
                None => at += 1,
            }
        }
        result.push_str(&written(&parts[copied..]));
        Cow::Owned(result)
    }
}

fn is_significant(part: &Part<'_>) -> bool {
    !matches!(part.0, Kind::Space | Kind::Comment)
}

fn is_name(part: &Part<'_>, name: &str) -> bool {
    match part.0 {
        Kind::Word => part.1 == name,
        Kind::Quoted => unquoted(part.1) == name,
        Kind::Text => part.1.strip_prefix('"').and_then(|it| it.strip_suffix('"')) == Some(name),
        _ => false,
    }
}

/// Whether the part at this place is the name of a database before a dot. `name.column` of a table's name or
/// alias is told from it by that name also standing alone, or by a third name behind it.
fn qualifies(parts: &[Part<'_>], places: &[usize], at: usize, name: &str) -> bool {
    let dot = |at: usize| places.get(at).is_some_and(|place| parts[*place].1 == ".");
    let here = |at: usize| is_name(&parts[places[at]], name);
    if !here(at) || !dot(at + 1) || (at > 0 && dot(at - 1)) {
        return false;
    }
    let alone = |at: usize| {
        here(at) && parts[places[at]].0 != Kind::Text && !dot(at + 1) && (at == 0 || !dot(at - 1))
    };
    dot(at + 3) || !(0..places.len()).any(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neutral(own: &str, text: &str) -> String {
        Names::new(own, "caps").neutral(text).into_owned()
    }

    #[test]
    fn the_own_name_is_no_qualifier_any_more() {
        assert_eq!(neutral("a", "nextval(`a`.`s`)"), "nextval(`s`)");
        assert_eq!(neutral("a", "select a . t.x from a.t"), "select  t.x from t");
        assert_eq!(neutral("a", "data.x = b.a.c"), "data.x = b.a.c");
        assert_eq!(
            neutral("a", "REFERENCES `caps`.`u` (`id`)"),
            "REFERENCES {shared}.`u` (`id`)"
        );
        assert_eq!(
            neutral("caps", "select caps.u.id from caps.u"),
            "select u.id from u"
        );
    }

    #[test]
    fn data_is_left_alone() {
        assert_eq!(
            neutral("a", "select 'it''s a.b', \"a.b\""),
            "select 'it''s a.b', \"a.b\""
        );
        assert_eq!(neutral("a", "select '\\'', a.f()"), "select '\\'', f()");
        assert_eq!(neutral("a", "-- don't\nselect a.f()"), "-- don't\nselect f()");
    }

    #[test]
    fn an_alias_of_the_same_name_is_no_database() {
        assert_eq!(
            neutral("o", "select o.id from orders o"),
            "select o.id from orders o"
        );
        assert_eq!(
            neutral("o", "select o.o.id, o.x from o.o o"),
            "select o.id, o.x from o.o o"
        );
    }

    #[test]
    fn parts_are_the_whole_text() {
        let text = "a `b``c` 'd\\'e' /*!50100 x */ -- f\n\"g\" é#h";
        assert_eq!(written(&parts(text)), text);
    }
}
