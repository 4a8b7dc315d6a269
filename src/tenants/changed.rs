//! How many tenants there were before. Pure.

use std::collections::BTreeSet;

use crate::domain::words::{count, listed};
use crate::domain::{Check, Finding, Ledger, Locations, Tenant, TenantName};
use crate::settings::MaxChange;

use super::CHANGED;

/// The registry against those that were migrated and still have their schema: so many it had when a run ended
/// last. Costs nothing, since both are read anyway. `location` is what a tenant of a name is called.
pub fn changed(
    tenants: &[Tenant],
    ledger: &Ledger,
    locations: &Locations,
    location: impl Fn(&str) -> String,
    max: MaxChange,
) -> Check {
    let now: BTreeSet<&TenantName> = tenants.iter().map(|it| &it.name).collect();
    let there: BTreeSet<&str> = locations.iter().map(|(_, name)| name).collect();
    let migrated: BTreeSet<&TenantName> = ledger.tenants.keys().chain(&ledger.remembered).collect();
    let known =
        |name: &&&TenantName| now.contains(**name) || there.contains(location(name.as_str()).as_str());
    let before: BTreeSet<&TenantName> = migrated.iter().filter(known).copied().collect();
    // The first run has nothing to be compared with.
    if before.is_empty() {
        return Check::answered(&CHANGED, Vec::new());
    }
    let (had, has) = (before.len(), now.len());
    let by = had.abs_diff(has);
    if by <= max.of(had) {
        return Check::answered(&CHANGED, Vec::new());
    }
    let gone: Vec<&&TenantName> = before.iter().filter(|it| !now.contains(**it)).collect();
    let came: Vec<&&TenantName> = now.iter().filter(|it| !before.contains(**it)).collect();
    let (verb, who) = if has < had {
        ("lacks", gone)
    } else {
        ("has besides", came)
    };
    let finding = Finding::error(format!(
        "the registry has {}, and there were {had} when they were migrated last: it {verb} {}",
        count(has, "tenant"),
        listed(&who, 5)
    ))
    .hint(
        "is it the right database, and the right query? If so, raise `max_change` in [tenancy] for this run",
    );
    Check::answered(&CHANGED, vec![finding])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CheckStatus;

    fn name(text: &str) -> TenantName {
        TenantName::parse(text).expect("a name")
    }

    /// The registry now, those in the ledger, and the schemas.
    fn status(registry: &[&str], ledger: &[&str], schemas: &[&str], max: MaxChange) -> CheckStatus {
        let tenants: Vec<Tenant> = registry
            .iter()
            .map(|it| Tenant {
                name: name(it),
                server: None,
                location: (*it).to_owned(),
                active: true,
            })
            .collect();
        let ledger = Ledger {
            tenants: ledger
                .iter()
                .map(|it| (name(it), std::sync::Arc::default()))
                .collect(),
            ..Ledger::default()
        };
        let locations: Locations = schemas.iter().map(|it| (*it).to_owned()).collect();
        changed(&tenants, &ledger, &locations, str::to_owned, max).status
    }

    #[test]
    fn a_sudden_change_is_found_both_ways() {
        let four = ["a", "b", "c", "d"];
        let limit = MaxChange::Percent(25.0);
        assert_eq!(status(&four, &four, &four, limit), CheckStatus::Passed);
        assert_eq!(status(&four[..3], &four, &four, limit), CheckStatus::Passed);
        assert_eq!(status(&four[..2], &four, &four, limit), CheckStatus::Failed);
        assert_eq!(status(&four, &four[..2], &four[..2], limit), CheckStatus::Failed);
        assert_eq!(
            status(&four, &four[..3], &four[..3], MaxChange::Count(1)),
            CheckStatus::Passed
        );
        assert_eq!(
            status(&four, &four[..2], &four[..2], MaxChange::Count(1)),
            CheckStatus::Failed
        );
    }

    #[test]
    fn the_first_run_and_those_that_left_in_order_are_no_change() {
        let four = ["a", "b", "c", "d"];
        assert_eq!(status(&four, &[], &[], MaxChange::Count(0)), CheckStatus::Passed);
        // Their schemas are gone too: they left.
        assert_eq!(
            status(&four[..1], &four, &four[..1], MaxChange::Count(0)),
            CheckStatus::Passed
        );
    }
}
