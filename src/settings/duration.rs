//! Durations as people write them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// What an error says about the form.
pub const FORM: &str =
    "write a number and a unit, such as \"1500ms\", \"30s\", \"5m\", \"24h\", \"2d\" or \"1h30m\"";

/// `24h`, `5m`, `1500ms`, `2d` (a day is 24 hours). Months and years have no fixed length and are
/// refused, as are negative durations.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let span: Span = text.trim().parse().ok()?;
    let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_forms_are_read() {
        for (text, seconds) in [
            ("24h", 86_400.0),
            ("5m", 300.0),
            ("2s", 2.0),
            ("1500ms", 1.5),
            ("1d", 86_400.0),
            ("2 weeks", 1_209_600.0),
            ("1h30m", 5_400.0),
            (" 10m ", 600.0),
            ("0s", 0.0),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_secs_f64(seconds)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_has_no_fixed_length_or_no_unit_is_refused() {
        for text in [
            "",
            "5",
            "soon",
            "-5m",
            "5m ago",
            "1mo",
            "1y",
            "5 parsecs",
            "99999999999999999999h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
