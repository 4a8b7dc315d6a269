//! The report for programs.

use super::clean;
use crate::domain::Report;

/// Pretty JSON and a line feed. Characters that a terminal or an editor might obey are written as
/// `\u` escapes, which any reader of JSON turns back.
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report is plain data with string keys");
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if clean::is_hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
