//! What failed builds left.

use std::collections::BTreeSet;

use crate::domain::words::listed;
use crate::domain::{Check, Finding, ServerName, Severity, Tenant};
use crate::engine::InvalidIndex;

use super::INVALID_INDEXES;

/// No index of the shared schema or of a tenant's is invalid. `severity`: a plan only tells, because a
/// migration that is pending may build it anew.
pub fn invalid_indexes(
    found: &[InvalidIndex],
    shared: &str,
    tenants: &[Tenant],
    severity: Severity,
) -> Check {
    let ours: BTreeSet<(Option<&ServerName>, &str)> = tenants
        .iter()
        .map(|tenant| (tenant.server.as_ref(), tenant.location.as_str()))
        .chain([(None, shared)])
        .collect();
    let is_ours = |it: &&InvalidIndex| ours.contains(&(it.server.as_ref(), it.location.as_str()));
    let mut names: Vec<&str> = Vec::new();
    for index in found.iter().filter(is_ours) {
        if !names.contains(&index.name.as_str()) {
            names.push(&index.name);
        }
    }
    // One finding for each name: the same build fails for many tenants.
    let finding = |name: &&str| {
        let places: Vec<String> = found
            .iter()
            .filter(is_ours)
            .filter(|it| it.name == **name)
            .map(|it| match &it.server {
                Some(server) => format!("{}.{} ({server})", it.location, it.table),
                None => format!("{}.{}", it.location, it.table),
            })
            .collect();
        let message = format!(
            "the index {name} is invalid, so no query uses it, on {}",
            listed(&places, 5)
        );
        let mut finding = Finding::error(message)
            .hint("drop it (DROP INDEX CONCURRENTLY), or rebuild it (REINDEX INDEX CONCURRENTLY)");
        finding.severity = severity;
        finding
    };
    Check::answered(&INVALID_INDEXES, names.iter().map(finding).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TenantName;

    #[test]
    fn only_indexes_of_ours_are_told_of() {
        let index = |location: &str, name: &str| InvalidIndex {
            server: None,
            location: location.to_owned(),
            table: "orders".to_owned(),
            name: name.to_owned(),
        };
        let tenants: Vec<Tenant> = ["acme", "zeta"]
            .map(|name| Tenant {
                name: TenantName::parse(name).expect("a name"),
                location: name.to_owned(),
                active: true,
                server: None,
            })
            .to_vec();
        let found = [
            index("acme", "a"),
            index("other", "a"),
            index("zeta", "a"),
            index("public", "b"),
        ];
        let check = invalid_indexes(&found, "public", &tenants, Severity::Error);
        let messages: Vec<_> = check.findings.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the index a is invalid, so no query uses it, on acme.orders, zeta.orders",
                "the index b is invalid, so no query uses it, on public.orders"
            ]
        );
        assert!(check.blocks());
        assert!(!invalid_indexes(&found, "public", &tenants, Severity::Warning).blocks());
        assert!(
            invalid_indexes(&found[1..2], "public", &tenants, Severity::Error)
                .findings
                .is_empty()
        );
    }
}
