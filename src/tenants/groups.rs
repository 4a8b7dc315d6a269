//! What the query of one of the rollout's groups gave, next to the registry.

use std::collections::HashSet;

use crate::domain::words::{count, listed};
use crate::domain::{Finding, Redactor, TenantName};
use crate::engine::RegistryRow;

use super::shown;

/// Tenants named in a finding.
const NAMES: usize = 5;

/// The rows of one group's query.
#[derive(Debug)]
pub struct Grouped {
    /// In the query's order, those among them that nobody knows.
    pub names: Vec<TenantName>,
    known: usize,
    /// As they may be shown.
    unknown: Vec<String>,
}

/// Sorts the rows by whether the registry, or the config's `ensure`, has them.
pub fn grouped(rows: Vec<RegistryRow>, known: &HashSet<&TenantName>, redactor: &Redactor) -> Grouped {
    let mut grouped = Grouped {
        names: Vec::new(),
        known: 0,
        unknown: Vec::new(),
    };
    for row in rows {
        let Some(text) = row.tenant else {
            grouped.unknown.push("NULL".to_owned());
            continue;
        };
        match TenantName::parse(&text) {
            Ok(name) => {
                if known.contains(&name) {
                    grouped.known += 1;
                } else {
                    grouped.unknown.push(name.to_string());
                }
                grouped.names.push(name);
            }
            Err(_) => grouped.unknown.push(shown(&redactor.redact(&text))),
        }
    }
    grouped
}

impl Grouped {
    /// A group without a tenant was meant otherwise; one that lists strangers besides may well be right,
    /// since one config serves all environments.
    pub fn finding(&self, wave: &str) -> Option<Finding> {
        let hint = "compare its `query` in [[rollout.waves]] with `registry` in [tenancy]: they must give the same names";
        let unknown = || listed(&self.unknown, NAMES);
        match (self.known, self.unknown.len()) {
            (0, 0) => Some(
                Finding::warning(format!(
                    "the wave `{wave}` has no tenant in this environment: its query gave no row"
                ))
                .hint("mend its `query` in [[rollout.waves]], or take it out"),
            ),
            (0, _) => Some(
                Finding::warning(format!(
                    "the wave `{wave}` has no tenant in this environment: its query names only what the registry lacks: {}",
                    unknown()
                ))
                .hint(hint),
            ),
            (_, 0) => None,
            (_, strangers) => Some(Finding::note(format!(
                "the query of the wave `{wave}` also names {} that the registry lacks: {}",
                count(strangers, "tenant"),
                unknown()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Severity;

    fn found(rows: &[Option<&str>]) -> Option<(Severity, String)> {
        let names = ["acme", "zeta"].map(|name| TenantName::parse(name).expect("a name"));
        let row = |tenant: &Option<&str>| RegistryRow {
            tenant: tenant.map(str::to_owned),
            ..RegistryRow::default()
        };
        let rows = rows.iter().map(row).collect();
        let finding = grouped(rows, &names.iter().collect(), &Redactor::default()).finding("big");
        finding.map(|it| (it.severity, it.message))
    }

    #[test]
    fn a_group_without_a_tenant_is_a_warning() {
        assert_eq!(found(&[Some("acme")]), None);
        let (severity, message) = found(&[]).expect("a finding");
        assert_eq!(severity, Severity::Warning);
        assert!(message.ends_with("gave no row"), "{message}");
        let (severity, message) = found(&[Some("Acme"), None, Some("a b")]).expect("a finding");
        assert_eq!(severity, Severity::Warning);
        assert!(message.ends_with("lacks: Acme, NULL, \"a b\""), "{message}");
        let (severity, message) = found(&[Some("zeta"), Some("omega")]).expect("a finding");
        assert_eq!(severity, Severity::Note);
        assert!(
            message.ends_with("1 tenant that the registry lacks: omega"),
            "{message}"
        );
    }

    #[test]
    fn a_url_is_not_shown() {
        let (_, message) = found(&[Some("postgres://app:hunter2secret@db.internal/x")]).expect("a finding");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
