//! Numbers that queries gave, against their limits.

use crate::domain::{Finding, Redactor};
use crate::engine::EngineError;
use crate::settings::Threshold;

use super::Place;
use super::assertions::{failed, shown};

/// The findings of one threshold over all places, in their order.
pub fn compare_numbers(
    threshold: &Threshold,
    places: &[Place<'_>],
    values: Vec<Result<Option<String>, EngineError>>,
    redactor: &Redactor,
) -> Vec<Finding> {
    let finding = |(place, value): (&Place<'_>, Result<Option<String>, EngineError>)| {
        let finding = match value {
            Ok(Some(text)) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => beyond(threshold, number)?,
                _ => unanswered(
                    threshold,
                    &format!("gave {}, no number", shown(&redactor.redact(&text))),
                ),
            },
            Ok(None) => unanswered(threshold, "gave nothing, so it is not known"),
            Err(error) => failed(&threshold.name, &error),
        };
        Some(match place {
            Some(tenant) => finding.tenant(tenant),
            None => finding,
        })
    };
    places.iter().zip(values).filter_map(finding).collect()
}

/// The worse limit first.
fn beyond(threshold: &Threshold, number: f64) -> Option<Finding> {
    let over = |limit: Option<f64>| limit.filter(|limit| number > *limit);
    let under = |limit: Option<f64>| limit.filter(|limit| number < *limit);
    let told = |side: &str, limit: f64| format!("{}: {number}, {side} than {limit}", threshold.name);
    if let Some(limit) = over(threshold.fail) {
        return Some(Finding::error(told("more", limit)));
    }
    if let Some(limit) = under(threshold.fail_below) {
        return Some(Finding::error(told("less", limit)));
    }
    if let Some(limit) = over(threshold.warn) {
        return Some(Finding::warning(told("more", limit)));
    }
    under(threshold.warn_below).map(|limit| Finding::warning(told("less", limit)))
}

fn unanswered(threshold: &Threshold, what: &str) -> Finding {
    Finding::error(format!("{}: the query {what}", threshold.name))
        .hint("let the query give one number: coalesce(sum(…), 0) where there may be no rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    fn told(value: Option<&str>) -> Option<(Severity, String)> {
        let threshold = Threshold {
            name: "open orders".into(),
            sql: "select 1".into(),
            warn: Some(1000.0),
            fail: Some(10000.0),
            warn_below: Some(1.0),
            fail_below: Some(0.0),
        };
        let values = vec![Ok(value.map(str::to_owned))];
        let findings = compare_numbers(&threshold, &[None], values, &Redactor::default());
        findings.into_iter().next().map(|it| (it.severity, it.message))
    }

    #[test]
    fn what_is_within_passes() {
        for value in ["1", "1000", "1000.0", "17.5"] {
            assert_eq!(told(Some(value)), None, "{value}");
        }
    }

    #[test]
    fn each_limit_is_told_with_the_number() {
        let of = |value| told(Some(value)).expect("it is beyond a limit");
        let said = |severity, text: &str| (severity, text.to_owned());
        assert_eq!(
            of("1001"),
            said(Severity::Warning, "open orders: 1001, more than 1000")
        );
        assert_eq!(
            of("10001"),
            said(Severity::Error, "open orders: 10001, more than 10000")
        );
        assert_eq!(
            of("0.5"),
            said(Severity::Warning, "open orders: 0.5, less than 1")
        );
        assert_eq!(of("-1"), said(Severity::Error, "open orders: -1, less than 0"));
    }

    #[test]
    fn no_number_is_no_pass() {
        for value in [None, Some(""), Some("many"), Some("NaN"), Some("inf")] {
            assert_eq!(told(value).map(|it| it.0), Some(Severity::Error), "{value:?}");
        }
    }
}
