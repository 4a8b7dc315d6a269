//! Every server's own ledger becomes one.

use std::collections::HashMap;

use crate::domain::{Ledger, ServerName, Tenant, TenantName};

/// Each tenant's rows count where the tenant is: what another server has of it is the past of one that
/// was moved, and says nothing of the place where it is now.
pub(super) fn merge(tenants: &[Tenant], own: Ledger, others: Vec<(ServerName, Ledger)>) -> Ledger {
    let placed: HashMap<&TenantName, Option<&ServerName>> = tenants
        .iter()
        .map(|tenant| (&tenant.name, tenant.server.as_ref()))
        .collect();
    let mut merged = Ledger {
        shared: own.shared,
        remembered: own.remembered,
        ..Ledger::default()
    };
    let own = (None, own.tenants);
    let others = others.into_iter().map(|(server, ledger)| {
        if !(ledger.tenants.is_empty() && ledger.shared.is_empty()) {
            merged.servers.insert(server.clone());
        }
        (Some(server), ledger.tenants)
    });
    let all: Vec<_> = std::iter::once(own).chain(others).collect();
    for (server, histories) in all {
        for (name, history) in histories {
            match placed.get(&name) {
                Some(place) if *place == server.as_ref() => {
                    merged.tenants.insert(name, history);
                }
                Some(_) => {
                    merged.elsewhere.insert(name);
                }
                None => {
                    merged.tenants.entry(name).or_insert(history);
                }
            }
        }
    }
    let Ledger {
        tenants, elsewhere, ..
    } = &mut merged;
    elsewhere.retain(|name| !tenants.contains_key(name));
    merged
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Checksum, Entry, EntryState, History, Version};

    fn name(text: &str) -> TenantName {
        TenantName::parse(text).expect("a name")
    }

    fn history(version: u64) -> Arc<History> {
        Arc::new(vec![Entry {
            version: Version(version),
            name: "a".into(),
            checksum: Checksum::of("a"),
            state: EntryState::Applied,
        }])
    }

    fn ledger(rows: &[(&str, u64)]) -> Ledger {
        Ledger {
            tenants: rows
                .iter()
                .map(|(tenant, version)| (name(tenant), history(*version)))
                .collect(),
            ..Ledger::default()
        }
    }

    fn tenant(text: &str, server: Option<&ServerName>) -> Tenant {
        Tenant {
            name: name(text),
            server: server.cloned(),
            location: text.to_owned(),
            active: true,
        }
    }

    #[test]
    fn rows_count_where_the_tenant_is() {
        let eu = ServerName::parse("eu").expect("a name");
        let tenants = [
            tenant("here", None),
            tenant("there", Some(&eu)),
            tenant("moved", Some(&eu)),
            tenant("gone", Some(&eu)),
        ];
        let own = ledger(&[("here", 1), ("moved", 1), ("gone", 1), ("stranger", 1)]);
        let theirs = ledger(&[("there", 2), ("moved", 2)]);
        let merged = merge(&tenants, own, vec![(eu.clone(), theirs)]);
        let expected = [("here", 1), ("moved", 2), ("stranger", 1), ("there", 2)];
        assert_eq!(merged.tenants, ledger(&expected).tenants);
        assert_eq!(merged.elsewhere, [name("gone")].into());
        assert_eq!(merged.servers, [eu].into());
    }
}
