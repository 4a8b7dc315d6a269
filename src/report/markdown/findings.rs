//! Findings as a list.

use super::budget::{Item, omission};
use super::escape::{code, fenced, inline};
use crate::domain::Finding;
use crate::report::clean;
use crate::report::groups::{Group, groups};
use crate::report::words::{self, Mark, counted};

/// Groups of findings shown of one check.
const GROUPS: usize = 12;
/// Tenants named in a sentence.
const NAMES: usize = 8;

/// An item for each group, the worst first.
pub(super) fn list(mark: Mark, findings: &[Finding]) -> Vec<Item> {
    let groups = groups(findings);
    let item = |group: &Group<'_>| Item::of(group.tenants.len(), finding(mark, group));
    let mut items: Vec<_> = groups.iter().take(GROUPS).map(item).collect();
    if groups.len() > GROUPS {
        let rest: Vec<_> = groups[GROUPS..]
            .iter()
            .map(|group| Item::of(group.tenants.len(), ""))
            .collect();
        let tenants = rest.iter().map(|item| item.tenants).sum();
        let more = counted(rest.len(), "more finding");
        items.push(Item::of(tenants, format!("- {more}: {}", omission(&rest))));
    }
    items
}

/// A list item: the message, its further lines fenced, place and tenants, what to do.
fn finding(mark: Mark, group: &Group<'_>) -> String {
    let message = clean::clip(clean::block(&group.first.message).trim(), 1_000, 30);
    let (first, rest) = message.split_once('\n').unwrap_or((&message, ""));
    let mut lines = vec![format!("- {}{}", group.label(mark), inline(first))];
    let place = words::place(group.first).map(|place| format!("at {}", code(&place)));
    let hint = group
        .hint()
        .map(|(hint, others)| format!("→ {}{others}", inline(&clean::clip(hint, 1_000, 10))));
    let details: Vec<_> = [place, group.places(NAMES, code), hint]
        .into_iter()
        .flatten()
        .collect();
    let sql = group.sql().map(|sql| format!("\n{}", fenced(&sql, "sql", "  ")));
    let sql = sql.unwrap_or_default();
    if rest.trim().is_empty() {
        lines.extend(details);
        return lines.join("\\\n  ") + "\n" + &sql;
    }
    let rest = dedented(rest);
    let is_diff = rest.lines().any(|line| line.starts_with(['+', '-']));
    lines.push(
        fenced(&rest, if is_diff { "diff" } else { "text" }, "  ")
            .trim_end()
            .to_owned(),
    );
    lines.extend((!details.is_empty()).then(|| format!("\n  {}", details.join("\\\n  "))));
    lines.join("\n") + "\n" + &sql
}

fn dedented(text: &str) -> String {
    let margin = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let least = lines.map(margin).min().unwrap_or(0);
    let cut = text.lines().map(|line| line.get(least..).unwrap_or_default());
    cut.collect::<Vec<_>>().join("\n")
}
