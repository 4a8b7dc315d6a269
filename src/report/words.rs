//! The wording that all formats share: numbers, lists, durations, places.

pub(super) use crate::domain::words::thousands;
use crate::domain::{Finding, OutcomeState, Report, ServerName, TenantName, Version};

/// The sign before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Passed,
    Warned,
    Failed,
    /// Not asked, not reached, left out.
    Skipped,
    Note,
}

impl Mark {
    pub(super) const ALL: [Mark; 5] = [
        Mark::Passed,
        Mark::Warned,
        Mark::Failed,
        Mark::Skipped,
        Mark::Note,
    ];

    pub(super) fn sign(self) -> char {
        match self {
            Mark::Passed => '✔',
            Mark::Warned => '!',
            Mark::Failed => '✘',
            Mark::Skipped => '-',
            Mark::Note => '·',
        }
    }

    pub(super) fn emoji(self) -> &'static str {
        match self {
            Mark::Passed => "✅",
            Mark::Warned => "⚠️",
            Mark::Failed => "❌",
            Mark::Skipped => "⏭️",
            Mark::Note => "ℹ️",
        }
    }

    pub(super) fn of_outcome(state: OutcomeState) -> Self {
        match state {
            OutcomeState::UpToDate | OutcomeState::Migrated | OutcomeState::Baselined => Mark::Passed,
            OutcomeState::RolledBack => Mark::Warned,
            OutcomeState::Failed => Mark::Failed,
            OutcomeState::Skipped | OutcomeState::NotReached => Mark::Skipped,
        }
    }
}

pub(super) fn outcome_state(state: OutcomeState) -> &'static str {
    match state {
        OutcomeState::UpToDate => "up to date",
        OutcomeState::Migrated => "migrated",
        OutcomeState::Failed => "failed",
        OutcomeState::Skipped => "skipped",
        OutcomeState::NotReached => "not reached",
        OutcomeState::RolledBack => "rolled back",
        OutcomeState::Baselined => "baselined",
    }
}

/// `1 tenant`, `3,000 tenants`.
pub(super) fn counted(number: usize, singular: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", thousands(number))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn joined(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

/// `acme, zeta and 35 more`: all where at most two would be left out, else the first `show`.
pub(super) fn listed(names: &[String], show: usize) -> String {
    match first(names, show) {
        (all, []) => joined(all),
        (shown, rest) => format!("{} and {} more", shown.join(", "), thousands(rest.len())),
    }
}

/// The first `show` of many; all where at most two would be left out.
pub(super) fn first<T>(items: &[T], show: usize) -> (&[T], &[T]) {
    items.split_at(if items.len() <= show + 2 {
        items.len()
    } else {
        show
    })
}

/// `340 ms`, `1.2 s`, `2 min 5 s`, `1 h 3 min`.
pub(super) fn duration(ms: u64) -> String {
    let seconds = ms.saturating_add(500) / 1000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..59_950 => {
            let tenths = (ms + 50) / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        59_950..3_599_500 => two_units(seconds, 60, "min", "s"),
        _ => two_units((seconds + 30) / 60, 60, "h", "min"),
    }
}

fn two_units(small: u64, ratio: u64, large_unit: &str, small_unit: &str) -> String {
    match (small / ratio, small % ratio) {
        (large, 0) => format!("{large} {large_unit}"),
        (large, rest) => format!("{large} {large_unit} {rest} {small_unit}"),
    }
}

/// `0041, 0042`, and of many `0001 … 0042 (42)`.
pub(super) fn versions(versions: &[Version]) -> String {
    match versions {
        [first, .., last] if versions.len() > 3 => format!("{first} … {last} ({})", versions.len()),
        few => few.iter().map(Version::to_string).collect::<Vec<_>>().join(", "),
    }
}

/// How a tenant is called in tables; no tenant's name can contain a parenthesis.
pub(super) fn tenant(name: Option<&TenantName>, server: Option<&ServerName>) -> String {
    let name = name.map_or("(shared)", TenantName::as_str);
    match server {
        Some(server) => format!("{name} ({server})"),
        None => name.to_owned(),
    }
}

/// `PostgreSQL 15.18 and 2 more servers`.
pub(super) fn server(report: &Report) -> Option<String> {
    let own = report.server.clone()?;
    Some(match report.servers.len() {
        0 => own,
        others => format!("{own} and {}", counted(others, "more server")),
    })
}

/// `migrations/tenant/0042_add_priority.sql:3:14`, as far as it is known.
pub(super) fn place(finding: &Finding) -> Option<String> {
    let mut place = finding.file.clone()?;
    for number in [finding.line, finding.line.and(finding.column)]
        .into_iter()
        .flatten()
    {
        place.push_str(&format!(":{number}"));
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(counted(1, "tenant"), "1 tenant");
        assert_eq!(counted(0, "tenant"), "0 tenants");
        assert_eq!(counted(1_234_567, "tenant"), "1,234,567 tenants");
    }

    #[test]
    fn durations_have_the_unit_that_fits() {
        let cases = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (1_249, "1.2 s"),
            (59_949, "59.9 s"),
            (59_950, "1 min"),
            (125_000, "2 min 5 s"),
            (3_599_499, "59 min 59 s"),
            (3_599_500, "1 h"),
            (3_780_000, "1 h 3 min"),
            (u64::MAX, "5124095576030 h 26 min"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms), text, "{ms}");
        }
    }

    #[test]
    fn long_lists_say_how_many_are_left_out() {
        let names = |count: usize| (1..=count).map(|n| format!("t{n}")).collect::<Vec<_>>();
        assert_eq!(listed(&names(1), 2), "t1");
        assert_eq!(listed(&names(4), 2), "t1, t2, t3 and t4");
        assert_eq!(listed(&names(37), 2), "t1, t2 and 35 more");
    }

    #[test]
    fn a_column_without_a_line_is_no_place() {
        let mut finding = Finding::error("x").file("a.sql");
        finding.column = Some(3);
        assert_eq!(place(&finding).as_deref(), Some("a.sql"));
        assert_eq!(place(&finding.at(2, 3)).as_deref(), Some("a.sql:2:3"));
    }
}
