//! One JSON object.

use super::Values;

/// Keys are sorted by no one: they stand as in [`Values`].
pub(super) fn render(values: &Values) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let pairs: Vec<_> = values
        .iter()
        .map(|(key, value)| format!("  {}: {}", quoted(key), quoted(value)))
        .collect();
    format!("{{\n{}\n}}\n", pairs.join(",\n"))
}
