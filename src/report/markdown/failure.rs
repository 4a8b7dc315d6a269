//! The step summary of a command that came to no report.

use super::escape::{code, inline};
use crate::domain::Finding;
use crate::report::clean;

/// What went wrong, where, and what to do. `title` is a word of ours.
pub fn render_failure(finding: &Finding, title: &str) -> String {
    let message = inline(&clean::line(&clean::clip(&finding.message, 2_000, 40)));
    let mut out = format!("## ❌ {title}\n\n{message}\n");
    if let Some(file) = &finding.file {
        let place: Vec<String> = [Some(file.clone())]
            .into_iter()
            .chain([finding.line, finding.column].map(|number| number.map(|it| it.to_string())))
            .flatten()
            .collect();
        out.push_str(&format!("\nat {}\n", code(&place.join(":"))));
    }
    if let Some(hint) = &finding.hint {
        out.push_str(&format!("\n**What to do:** {}\n", inline(&clean::line(hint))));
    }
    out
}
