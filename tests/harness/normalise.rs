//! Takes out of a text what differs from run to run, so that it can be a snapshot.

use std::sync::LazyLock;

use regex::Regex;

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC|[+-]\d\d:?\d\d)?",
            "[TIMESTAMP]",
        ),
        (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
        (r"sha256:[0-9a-f]{7,}", "sha256:[DIGEST]"),
        (r#"("\w+_ms": ?)\d+"#, "${1}[MS]"),
        (r"\b\d+(\.\d+)? ?(µs|ms|s|seconds?)\b", "[DURATION]"),
        (r"(127\.0\.0\.1|localhost|\[::1\]):\d+", "${1}:[PORT]"),
        (
            r"\b(PostgreSQL|MariaDB|MySQL|SQLite) \d[\w.+~-]*( \([^)]*\))?",
            "${1} [VERSION]",
        ),
        (r"\btenantgate \d+\.\d+\.\d+\S*", "tenantgate [VERSION]"),
    ]
    .map(|(pattern, replacement)| (Regex::new(pattern).unwrap(), replacement))
    .into()
});

/// Replaces first the given texts, longest first, then timestamps, digests, durations (below a
/// minute), local ports and versions.
pub fn normalise(text: &str, known: &[(String, String)]) -> String {
    let mut known: Vec<_> = known.iter().collect();
    known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    let text = known
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    PATTERNS.iter().fold(text, |text, (pattern, replacement)| {
        pattern.replace_all(&text, *replacement).into_owned()
    })
}
