//! By which domains tenants are reached. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Check, Finding, Redactor, Tenant, TenantName};
use crate::engine::RegistryRow;

use super::{DOMAINS, shown};

const HINT: &str = "mend the rows that the query `domains` of [tenancy] gives";

/// Every active tenant has exactly one primary domain, no domain is there twice, and each is a known tenant's.
/// `shared`: the shared schema's name, whose rows are the project's own.
pub fn domains(rows: &[RegistryRow], tenants: &[Tenant], shared: &str, redactor: &Redactor) -> Check {
    let known: BTreeMap<&str, &Tenant> = tenants.iter().map(|it| (it.name.as_str(), it)).collect();
    let mut findings = Vec::new();
    let mut primaries: BTreeMap<&str, usize> = BTreeMap::new();
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut strangers: BTreeSet<&str> = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        let domain = row.domain.as_deref().map(folded).filter(|it| !it.is_empty());
        let (Some(tenant), Some(domain)) = (row.tenant.as_deref(), domain) else {
            let what = if row.tenant.is_none() { "tenant" } else { "domain" };
            let message = format!("row {} of the domains has no {what}", index + 1);
            findings.push(Finding::error(message).hint(HINT));
            continue;
        };
        if !known.contains_key(tenant) && tenant != shared {
            strangers.insert(tenant);
        }
        if row.primary == Some(true) {
            *primaries.entry(tenant).or_default() += 1;
        }
        owners.entry(domain).or_default().push(tenant);
    }
    let of_tenant = |finding: Finding, tenant: &TenantName| finding.tenant(tenant).hint(HINT);
    for tenant in tenants.iter().filter(|it| it.active) {
        let message = match primaries.get(tenant.name.as_str()) {
            Some(1) => continue,
            None => "has no primary domain".to_owned(),
            Some(more) => format!("has {more} primary domains, and one is right"),
        };
        findings.push(of_tenant(Finding::error(message), &tenant.name));
    }
    for (domain, owners) in owners.iter().filter(|(_, owners)| owners.len() > 1) {
        let domain = shown(&redactor.redact(domain));
        let mut names: Vec<String> = owners.iter().map(|it| shown(&redactor.redact(it))).collect();
        names.dedup();
        let message = format!(
            "the domain {domain} is there {} times: of {}",
            owners.len(),
            names.join(", ")
        );
        findings.push(Finding::error(message).hint(HINT));
    }
    for stranger in strangers {
        let stranger = shown(&redactor.redact(stranger));
        let message = format!("a domain is of the tenant {stranger}, whom the registry does not have");
        findings.push(Finding::error(message).hint(HINT));
    }
    Check::answered(&DOMAINS, findings)
}

/// As browsers compare them.
fn folded(domain: &str) -> String {
    domain.trim().trim_end_matches('.').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str, active: bool) -> Tenant {
        Tenant {
            name: TenantName::parse(name).expect("a name"),
            server: None,
            location: name.to_owned(),
            active,
        }
    }

    fn told(rows: &[(&str, &str, bool)]) -> Vec<String> {
        let rows: Vec<RegistryRow> = rows
            .iter()
            .map(|(tenant, domain, primary)| RegistryRow {
                tenant: Some((*tenant).to_owned()),
                domain: Some((*domain).to_owned()).filter(|it| !it.is_empty()),
                primary: Some(*primary),
                ..RegistryRow::default()
            })
            .collect();
        let tenants = [tenant("acme", true), tenant("zeta", false)];
        let check = domains(&rows, &tenants, "public", &Redactor::default());
        let message = |it: Finding| match it.tenant {
            Some(tenant) => format!("{tenant}: {}", it.message),
            None => it.message,
        };
        check.findings.into_iter().map(message).collect()
    }

    #[test]
    fn one_primary_domain_each_is_right() {
        assert!(
            told(&[
                ("acme", "acme.example", true),
                ("acme", "www.acme.example", false)
            ])
            .is_empty()
        );
        // One that is suspended may have one; the shared schema's is the project's own.
        let rows = [
            ("acme", "acme.example", true),
            ("zeta", "z.example", true),
            ("public", "example", true),
        ];
        assert!(told(&rows).is_empty());
    }

    #[test]
    fn each_thing_that_is_wrong_is_named() {
        assert_eq!(told(&[]), ["acme: has no primary domain"]);
        assert_eq!(
            told(&[("acme", "acme.example", false)]),
            ["acme: has no primary domain"]
        );
        assert_eq!(
            told(&[("acme", "a.example", true), ("acme", "b.example", true)]),
            ["acme: has 2 primary domains, and one is right"]
        );
        assert_eq!(
            told(&[("acme", "A.example", true), ("zeta", "a.example.", false)]),
            ["the domain \"a.example\" is there 2 times: of \"acme\", \"zeta\""]
        );
        assert_eq!(
            told(&[("acme", "a.example", true), ("gone", "g.example", true)]),
            ["a domain is of the tenant \"gone\", whom the registry does not have"]
        );
        assert_eq!(
            told(&[("acme", "a.example", true), ("acme", "", false)]),
            ["row 2 of the domains has no domain"]
        );
    }
}
