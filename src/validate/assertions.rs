//! Values that queries gave, against those that were expected.

use crate::domain::{Finding, Redactor};
use crate::engine::{EngineError, ErrorKind};
use crate::settings::Assertion;

use super::Place;

/// The findings of one assertion over all places, in their order. Values are redacted before they are
/// cut: half a secret is none that the redactor knows.
pub fn compare_values(
    assertion: &Assertion,
    places: &[Place<'_>],
    values: Vec<Result<Option<String>, EngineError>>,
    redactor: &Redactor,
) -> Vec<Finding> {
    let finding = |(place, value): (&Place<'_>, Result<Option<String>, EngineError>)| {
        let finding = match value {
            Ok(Some(found)) if same_value(&assertion.equals, &found) => return None,
            Ok(found) => Finding::error(format!(
                "{}: found {}, expected {}",
                assertion.name,
                found.map_or_else(|| "nothing".to_owned(), |it| shown(&redactor.redact(&it))),
                assertion.equals
            )),
            Err(error) => failed(&assertion.name, &error),
        };
        Some(match place {
            Some(tenant) => finding.tenant(tenant),
            None => finding,
        })
    };
    places.iter().zip(values).filter_map(finding).collect()
}

/// A query that the server refused, or did not answer.
pub(super) fn failed(name: &str, error: &EngineError) -> Finding {
    Finding::error(format!("{name}: the query failed: {error}"))
        .operational(error.kind.is_operational())
        .hint(match error.kind {
            ErrorKind::Missing => {
                "mend the query in the config; or, where the table is there, let the role see it (README, Privileges)"
                    .to_owned()
            }
            _ => error
                .hint()
                .unwrap_or_else(|| "mend the query in the config".to_owned()),
        })
}

/// Equal as text, as numbers, or as truth: engines write `t`, `1` and `true` for the same thing.
fn same_value(expected: &str, found: &str) -> bool {
    if expected == found {
        return true;
    }
    if let (Ok(expected), Ok(found)) = (expected.parse::<f64>(), found.parse::<f64>()) {
        return expected == found;
    }
    let truth = |text: &str| match text {
        "true" | "t" => Some(true),
        "false" | "f" => Some(false),
        _ => None,
    };
    // A number is a truth only for who expects one: engines without booleans answer 1 and 0.
    match truth(expected) {
        Some(expected) => {
            truth(found).or(match found {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            }) == Some(expected)
        }
        None => truth(found).is_some_and(|found| expected == if found { "1" } else { "0" }),
    }
}

/// A value may be long or hold anything.
pub(super) fn shown(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    if start.len() < text.len() {
        format!("{start}…")
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assertion(equals: &str) -> Assertion {
        Assertion {
            name: "settings are seeded".into(),
            sql: "select 1".into(),
            equals: equals.into(),
        }
    }

    #[test]
    fn equal_values_pass_however_written() {
        for (expected, found) in [
            ("1", "1"),
            ("1", "1.0"),
            ("true", "t"),
            ("true", "1"),
            ("1", "t"),
            ("x", "x"),
        ] {
            let findings = compare_values(
                &assertion(expected),
                &[None],
                vec![Ok(Some(found.into()))],
                &Redactor::default(),
            );
            assert!(findings.is_empty(), "{expected} {found}");
        }
    }

    #[test]
    fn others_do_not() {
        for (expected, found) in [
            ("1", Some("2")),
            ("1", None),
            ("true", Some("f")),
            ("x", Some("X")),
        ] {
            let findings = compare_values(
                &assertion(expected),
                &[None],
                vec![Ok(found.map(str::to_owned))],
                &Redactor::default(),
            );
            assert_eq!(findings.len(), 1, "{expected} {found:?}");
        }
    }

    #[test]
    fn a_secret_at_the_cut_is_not_halved() {
        let redactor = Redactor::default();
        redactor.add("hunter22hunter22");
        let value = format!("{}hunter22hunter22", "x".repeat(50));
        let findings = compare_values(&assertion("1"), &[None], vec![Ok(Some(value))], &redactor);
        assert!(!findings[0].message.contains("hunter"), "{}", findings[0].message);
    }
}
