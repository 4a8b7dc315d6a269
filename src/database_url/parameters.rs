//! What follows the `?`: names to meanings.

use std::collections::BTreeMap;

use super::checks::{ENCODING, PARAMETER, Problems, TLS};
use super::parameter_names::{self as names, Kind};
use super::{EngineKind, percent};

pub(super) use super::parameter_names::Meaning;

/// The parameters that mean something here, as written, each at most once.
#[derive(Default)]
pub(super) struct Given<'a>(BTreeMap<Meaning, (&'a str, &'a str)>);

impl<'a> Given<'a> {
    /// The value as written.
    pub(super) fn raw(&self, meaning: Meaning) -> Option<&'a str> {
        self.0.get(&meaning).map(|(_, value)| *value)
    }

    /// The decoded value. A `+` is refused: it is a space to some readers.
    pub(super) fn take(&self, meaning: Meaning, problems: &mut Problems) -> Option<String> {
        let (name, value) = self.0.get(&meaning)?;
        let part = format!("the parameter `{name}`");
        if value.is_empty() {
            problems.add(
                &PARAMETER,
                format!("{part} is empty"),
                "give it a value, or remove it",
            );
            return None;
        }
        if value.contains('+') {
            problems.add(
                &ENCODING,
                format!("{part} contains a raw `+`, a space to some readers and a plus to others"),
                "write `%2B` for a plus, `%20` for a space",
            );
            return None;
        }
        percent::decode_part(value, &part, problems)
    }

    pub(super) fn has(&self, meaning: Meaning) -> bool {
        self.0.contains_key(&meaning)
    }
}

/// Reads the query. Names that are not known are never shown: behind a raw `&`, a password looks like one.
pub(super) fn parse<'a>(
    query: &'a str,
    kind: EngineKind,
    jdbc: bool,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) -> Given<'a> {
    let mut given = Given::default();
    let query = query.strip_suffix('&').unwrap_or(query);
    if query.is_empty() {
        return given;
    }
    for (index, pair) in query.split('&').enumerate() {
        let Some((name, value)) = pair_of(pair, index + 1, problems) else {
            continue;
        };
        match names::lookup(kind, jdbc, name) {
            Some(Kind::Means(meaning)) => {
                let before = given.0.insert(meaning, (name, value));
                // JDBC's `useSSL=true&requireSSL=true` says one thing.
                let harmless = |before: (&str, &str)| {
                    before.0 != name && before.1 == value && meaning == Meaning::TlsFlag
                };
                if before.is_some_and(|before| !harmless(before)) {
                    let check = if meaning == Meaning::Tls { &TLS } else { &PARAMETER };
                    problems.add(
                        check,
                        format!("the parameter `{name}` is given twice"),
                        "keep one of them",
                    );
                }
            }
            Some(Kind::Ignored) => {
                let _ = percent::decode_part(value, &format!("the parameter `{name}`"), problems);
                notes.push(format!("the parameter `{name}` has no effect here"));
            }
            Some(Kind::Refused(hint)) => {
                problems.add(
                    &PARAMETER,
                    format!("the parameter `{name}` is not supported"),
                    hint,
                );
            }
            None => unknown(name, value, index + 1, kind, jdbc, problems, notes),
        }
    }
    given
}

fn pair_of<'a>(pair: &'a str, number: usize, problems: &mut Problems) -> Option<(&'a str, &'a str)> {
    let hint = "parameters are written `?name=value&name=value`";
    let Some((name, value)) = pair.split_once('=') else {
        if pair.is_empty() {
            problems.add(
                &PARAMETER,
                format!("parameter {number} is empty"),
                "remove the extra `&`",
            );
        } else if matches!(pair, "sslmode" | "ssl-mode") {
            problems.add(
                &TLS,
                format!("`{pair}` has no value"),
                format!("write `{pair}=require`"),
            );
        } else {
            problems.add(&PARAMETER, format!("parameter {number} has no `=`"), hint);
        }
        return None;
    };
    if name.is_empty() {
        problems.add(&PARAMETER, format!("parameter {number} has no name"), hint);
        return None;
    }
    if value.contains('=') {
        problems.add(
            &PARAMETER,
            format!("parameter {number} contains a second `=`, which libpq refuses"),
            "write `%3D` for the second one, as in `options=-csearch_path%3Dapp`",
        );
        return None;
    }
    if value.contains('?') {
        problems.add(
            &PARAMETER,
            format!("parameter {number} contains a `?`"),
            "separate parameters by `&`; a `?` that stands for itself is written `%3F`",
        );
        return None;
    }
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    {
        problems.add(
            &PARAMETER,
            format!("the name of parameter {number} has characters that no parameter's name has"),
            "a name is letters, digits and `_`; an `&` in a value is written `%26`",
        );
        return None;
    }
    Some((name, value))
}

/// A slip of the pen is refused: `sslmod=require`, ignored, would be a connection without TLS.
fn unknown(
    name: &str,
    value: &str,
    number: usize,
    kind: EngineKind,
    jdbc: bool,
    problems: &mut Problems,
    notes: &mut Vec<String>,
) {
    let _ = percent::decode_part(value, &format!("parameter {number}"), problems);
    if let Some(meant) = names::nearest(kind, name).filter(|_| !jdbc) {
        problems.add(
            &PARAMETER,
            format!("parameter {number} is not one that is known"),
            format!("did you mean `{meant}`?"),
        );
    } else {
        notes.push(format!(
            "parameter {number} is not one that is known; it is ignored"
        ));
    }
}
