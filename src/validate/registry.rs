//! The registry against what is there.

use std::collections::BTreeSet;

use globset::GlobSet;

use crate::domain::words::{count, listed};
use crate::domain::{Check, Finding, Locations, MigrationSet, ServerName, Tenant};
use crate::migrations::Plan;

use super::{COMPLETE, REGISTERED, UNREGISTERED};

/// Every registered tenant has its schema, database or file.
pub fn registered(tenants: &[Tenant], locations: &Locations) -> Check {
    let missing = tenants.iter().filter(|tenant| !locations.contains(tenant));
    let finding = |tenant: &Tenant| {
        Finding::error(format!("registered, but {} does not exist", tenant.location))
            .tenant(&tenant.name)
            .hint("`tenantgate migrate` creates it")
    };
    Check::answered(&REGISTERED, missing.map(finding).collect())
}

/// No schema, database or file is there that nobody registered.
pub fn unregistered(tenants: &[Tenant], locations: &Locations, ignore: &GlobSet) -> Check {
    let known: BTreeSet<(Option<&ServerName>, &str)> = tenants
        .iter()
        .map(|tenant| (tenant.server.as_ref(), tenant.location.as_str()))
        .collect();
    let strangers = locations
        .iter()
        .filter(|it| !known.contains(it) && !ignore.is_match(it.1));
    let shown = |(server, name): (Option<&ServerName>, &str)| match server {
        Some(server) => format!("{name} ({server})"),
        None => name.to_owned(),
    };
    let strangers: Vec<String> = strangers.map(shown).collect();
    // One server under two names has everybody twice.
    let names: BTreeSet<&str> = known.iter().map(|(_, name)| *name).collect();
    let elsewhere = |it: (Option<&ServerName>, &str)| !known.contains(&it) && names.contains(it.1);
    let hint = if locations.iter().any(elsewhere) {
        "drop what a move left behind, or name it in `ignore` of [tenancy]; or are two of the servers one, under two names?"
    } else {
        "register it, drop it, or name it in `ignore` of [tenancy]"
    };
    let finding = (!strangers.is_empty()).then(|| {
        let verb = if strangers.len() == 1 { "is" } else { "are" };
        Finding::error(format!(
            "{} {verb} there and in no row of the registry: {}",
            count(strangers.len(), "schema").replace("schemas", "schemas or databases"),
            listed(&strangers, 10)
        ))
        .hint(hint)
    });
    Check::answered(&UNREGISTERED, finding.into_iter().collect())
}

/// Nothing is pending anywhere.
pub fn complete(plan: &Plan, set: &MigrationSet) -> Check {
    let mut findings = Vec::new();
    let behind = |pending: usize| format!("{} not applied", count(pending, "migration"));
    let hint = "run `tenantgate migrate`";
    if !plan.shared.migrations.is_empty() {
        let first = &set.shared[plan.shared.migrations[0]];
        let message = format!("the shared schema has {}", behind(plan.shared.migrations.len()));
        findings.push(Finding::error(message).file(&first.file).hint(hint));
    }
    for tenant in plan
        .tenants
        .iter()
        .flatten()
        .filter(|it| !it.pending.migrations.is_empty())
    {
        let first = &set.tenant[tenant.pending.migrations[0]];
        let message = format!("has {}", behind(tenant.pending.migrations.len()));
        findings.push(
            Finding::error(message)
                .tenant(&tenant.tenant.name)
                .file(&first.file)
                .hint("`tenantgate migrate` brings it up; until then its tables are not validated"),
        );
    }
    Check::answered(&COMPLETE, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CheckStatus, Ledger, Migration, Scope, TenantName, Tenants, Version};

    fn tenant(name: &str) -> Tenant {
        let name = TenantName::parse(name).expect("a name");
        Tenant {
            server: None,
            location: name.as_str().to_owned(),
            name,
            active: true,
        }
    }

    fn places(names: &[&str]) -> Locations {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_tenant_without_schema_is_found() {
        let tenants = [tenant("acme"), tenant("zeta")];
        assert_eq!(
            registered(&tenants, &places(&["acme", "zeta"])).status,
            CheckStatus::Passed
        );
        let check = registered(&tenants, &places(&["acme"]));
        assert_eq!(check.findings[0].tenant, Some(tenants[1].name.clone()));
    }

    #[test]
    fn a_schema_without_tenant_is_found_unless_ignored() {
        let tenants = [tenant("acme")];
        let ignore = |glob: &str| {
            let glob = globset::Glob::new(glob).expect("a glob");
            globset::GlobSetBuilder::new().add(glob).build().expect("a set")
        };
        let there = places(&["acme", "ext_topology"]);
        let check = unregistered(&tenants, &there, &GlobSet::empty());
        assert!(
            check.blocks() && check.findings[0].message.contains("ext_topology"),
            "{check:?}"
        );
        assert!(!unregistered(&tenants, &there, &ignore("ext_*")).blocks());
    }

    #[test]
    fn a_tenant_behind_is_found() {
        let migration = Migration {
            scope: Scope::Tenant,
            version: Version(1),
            name: "a".into(),
            file: "tenant/1_a.sql".into(),
            sql: "select 1".into(),
            statements: vec![],
            checksum: crate::domain::Checksum::of("select 1"),
            transactional: true,
            direction: crate::domain::Direction::Forward,
            down: None,
            batch: None,
        };
        let set = MigrationSet {
            shared: vec![],
            tenant: vec![migration],
        };
        let tenants = Tenants::Known(vec![tenant("acme")]);
        let plan = crate::migrations::plan(&set, &Ledger::default(), &tenants);
        assert!(complete(&plan, &set).blocks());
        let nothing = MigrationSet::default();
        let plan = crate::migrations::plan(&nothing, &Ledger::default(), &tenants);
        assert!(!complete(&plan, &nothing).blocks());
    }
}
