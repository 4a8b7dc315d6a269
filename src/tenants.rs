//! Rows of the registry become tenants. Names are data: what is odd about one is a finding, and
//! nothing is touched for anybody until it is mended.

use std::collections::HashMap;

use crate::domain::words::{count, listed};
use crate::domain::{
    Check, CheckDefinition, Finding, Ledger, Locations, Redactor, ServerName, Tenant, TenantName,
};
use crate::engine::{Engine, RegistryRow};
use crate::settings::{Tenancy, TenancyMode};

use servers::Servers;

mod changed;
mod domains;
mod groups;
mod servers;

pub use changed::changed;
pub use domains::domains;
pub use groups::grouped;

pub const REGISTRY: CheckDefinition = CheckDefinition {
    id: "tenants.registry",
    title: "the registry can be read",
};
pub const NAME: CheckDefinition = CheckDefinition {
    id: "tenants.name",
    title: "every tenant's name can be used",
};
pub const DUPLICATE: CheckDefinition = CheckDefinition {
    id: "tenants.duplicate",
    title: "no two tenants share a name or a place",
};
pub const SERVER: CheckDefinition = CheckDefinition {
    id: "tenants.server",
    title: "every tenant's server is known",
};
pub const ENSURED: CheckDefinition = CheckDefinition {
    id: "tenants.ensured",
    title: "the tenants that must exist are registered",
};
pub const SELECTED: CheckDefinition = CheckDefinition {
    id: "tenants.selected",
    title: "the tenants asked for are registered",
};
pub const CANARY: CheckDefinition = CheckDefinition {
    id: "tenants.canary",
    title: "the canaries are registered",
};
pub const WAVES: CheckDefinition = CheckDefinition {
    id: "tenants.waves",
    title: "the groups of the rollout are known",
};
pub const MINIMUM: CheckDefinition = CheckDefinition {
    id: "tenants.minimum",
    title: "there are as many tenants as there must be",
};
pub const LOST: CheckDefinition = CheckDefinition {
    id: "tenants.lost",
    title: "no tenant of the ledger has lost its schema",
};

pub const CHANGED: CheckDefinition = CheckDefinition {
    id: "tenants.changed",
    title: "there are about as many tenants as there were",
};
pub const DOMAINS: CheckDefinition = CheckDefinition {
    id: "tenants.domains",
    title: "every tenant has its primary domain",
};

pub const CHECKS: &[CheckDefinition] = &[
    REGISTRY, NAME, DUPLICATE, SERVER, ENSURED, SELECTED, CANARY, WAVES, MINIMUM, LOST, CHANGED, DOMAINS,
];

/// Tenants in the registry's order, and what is wrong with the others.
#[derive(Debug)]
pub struct Resolved {
    pub tenants: Vec<Tenant>,
    pub checks: Vec<Check>,
}

/// Names every tenant and its place. Where a check failed the list is not complete.
pub fn resolve(
    rows: Vec<RegistryRow>,
    tenancy: &Tenancy,
    engine: &dyn Engine,
    redactor: &Redactor,
) -> Resolved {
    let mut names = Vec::new();
    let mut tenants: Vec<Tenant> = Vec::new();
    let mut servers = Servers::new(engine);
    for (index, row) in rows.into_iter().enumerate() {
        let Some(text) = row.tenant else {
            let finding = Finding::error(format!("row {} of the registry has NULL for a tenant", index + 1));
            names.push(finding.hint("mend the row, or leave it out with WHERE … IS NOT NULL"));
            continue;
        };
        if tenancy.mode == TenancyMode::Schema
            && text == tenancy.shared_schema
            && engine.location(&text) == tenancy.shared_schema
        {
            let finding = Finding::note(format!("the registry lists the shared schema `{text}`: left out"));
            names.push(finding);
            continue;
        }
        match TenantName::parse(&text) {
            Ok(name) if tenancy.mode == TenancyMode::Row => {
                if row.server.is_some() || row.database_url.is_some() {
                    let finding = Finding::error(
                        "the registry names a server for it, and in mode \"row\" tenants share their tables",
                    );
                    names.push(
                        finding
                            .tenant(&name)
                            .hint("leave `server` and `database_url` out of the registry's query"),
                    );
                }
                tenants.push(Tenant {
                    name,
                    server: None,
                    location: tenancy.location.clone(),
                    active: row.active.unwrap_or(true),
                });
            }
            Ok(name) => {
                let Some(server) = servers.of(&name, row.server.as_deref(), row.database_url.as_ref()) else {
                    continue;
                };
                let (location, reserved) = servers.place(server.as_ref(), &name);
                if let Some(why) = reserved {
                    let finding = Finding::error(format!("its place {location} {why}")).tenant(&name);
                    names.push(finding.hint("rename the tenant, or leave it out of the registry's query"));
                    continue;
                }
                tenants.push(Tenant {
                    name,
                    server,
                    location,
                    active: row.active.unwrap_or(true),
                });
            }
            Err(_) if is_like_a_url(&text) => names.push(
                Finding::error(format!(
                    "row {} of the registry names a tenant by what looks like a URL, which is not shown",
                    index + 1
                ))
                .hint("the column `tenant` is a name; a URL belongs into the column `database_url`"),
            ),
            Err(why) => names.push(
                Finding::error(format!(
                    "the registry names a tenant {}: {why}",
                    shown(&redactor.redact(&text))
                ))
                .hint("mend the row in the registry, or leave it out of the query"),
            ),
        }
    }
    let duplicates = duplicates(&tenants, tenancy.mode != TenancyMode::Row);
    let checks = vec![
        Check::answered(&REGISTRY, Vec::new()),
        Check::answered(&NAME, names),
        Check::answered(&DUPLICATE, duplicates),
        Check::answered(&SERVER, servers.findings(redactor)),
    ];
    Resolved { tenants, checks }
}

/// The same name twice, on whatever servers, and names that are one on a server or disk that folds case,
/// where each has a place of its own.
fn duplicates(tenants: &[Tenant], have_places: bool) -> Vec<Finding> {
    let mut names: HashMap<&TenantName, &Tenant> = HashMap::new();
    let mut places: HashMap<(Option<&ServerName>, String), &Tenant> = HashMap::new();
    let mut findings = Vec::new();
    let unique = "make the registry's names unique (SELECT DISTINCT hides it, it does not mend it)";
    for tenant in tenants {
        let place = (tenant.server.as_ref(), tenant.location.to_lowercase());
        let same_name = names.insert(&tenant.name, tenant);
        let same_place = have_places.then(|| places.insert(place, tenant)).flatten();
        let (message, hint) = match (same_name, same_place) {
            (Some(first), _) if first.server != tenant.server => (
                format!(
                    "the registry names this tenant twice: on {} and on {}",
                    server(first),
                    server(tenant)
                ),
                "a tenant's name says who it is in the report and in `--tenant`, so it is one over all servers: \
                 where two have one, make `tenant` a name of both, and their schemas' names too",
            ),
            (Some(_), _) => ("the registry names this tenant twice".to_owned(), unique),
            (None, Some(first)) => (format!("differs from tenant {} only in case", first.name), unique),
            (None, None) => continue,
        };
        findings.push(Finding::error(message).tenant(&tenant.name).hint(hint));
    }
    findings
}

fn server(tenant: &Tenant) -> String {
    match &tenant.server {
        Some(server) => format!("server {server}"),
        None => "the environment's own server".to_owned(),
    }
}

/// Fewer tenants than there must be: an empty registry never passes by itself.
pub fn minimum(tenants: &[Tenant], min: usize) -> Check {
    let finding = (tenants.len() < min).then(|| {
        let found = if tenants.is_empty() {
            "no tenants".to_owned()
        } else {
            count(tenants.len(), "tenant")
        };
        Finding::error(format!(
            "the registry's query found {found}, and at least {min} must be there"
        ))
        .hint("is it the right database, and the right query? If so, say `min = 0` in [tenancy]")
    });
    Check::answered(&MINIMUM, finding.into_iter().collect())
}

/// Tenants that the config ensures and the registry lacks.
pub fn missing_ensured(tenants: &[Tenant], ensure: &[TenantName]) -> Vec<TenantName> {
    let known = |name: &TenantName| tenants.iter().any(|tenant| tenant.name == *name);
    ensure.iter().filter(|name| !known(name)).cloned().collect()
}

/// Tenants for which migrations ran and whose schema is gone: creating it anew would be wrong.
pub fn lost(tenants: &[Tenant], ledger: &Ledger, locations: &Locations) -> Check {
    // A file that is there and empty is as lost as one that is not.
    let emptied = |name: &TenantName| ledger.remembered.contains(name) && ledger.tenant(name).is_empty();
    let is_lost = |tenant: &&Tenant| {
        let gone = !locations.contains(tenant);
        (gone && ledger.knows(&tenant.name)) || emptied(&tenant.name)
    };
    let lost: Vec<&TenantName> = tenants
        .iter()
        .filter(is_lost)
        .map(|tenant| &tenant.name)
        .collect();
    let finding = (!lost.is_empty()).then(|| {
        Finding::error(format!(
            "migrations were applied for {} whose schema is gone: {}",
            count(lost.len(), "tenant"),
            listed(&lost, 5)
        ))
        .hint(
            "restore it from a backup; or take the tenant out of the registry and its rows out of the ledger",
        )
    });
    Check::answered(&LOST, finding.into_iter().chain(moved(tenants, ledger)).collect())
}

/// Tenants that the registry puts on another server than the one where they were migrated: there they
/// would begin anew, empty.
fn moved(tenants: &[Tenant], ledger: &Ledger) -> Option<Finding> {
    let moved: Vec<String> = tenants
        .iter()
        .filter(|tenant| ledger.elsewhere.contains(&tenant.name))
        .map(|tenant| format!("{} (now on {})", tenant.name, server(tenant)))
        .collect();
    let finding = || {
        Finding::error(format!(
            "migrations were applied for {} on another server than the registry names now: {}",
            count(moved.len(), "tenant"),
            listed(&moved, 5)
        ))
        .hint("mend the registry; or, to move a tenant, bring its schema and its rows of the ledger along")
    };
    (!moved.is_empty()).then(finding)
}

/// What drivers take for the way to a database, in any of their forms: in the place of a name it is a
/// secret that nobody named.
fn is_like_a_url(text: &str) -> bool {
    let text = text.to_lowercase();
    let user_and_password = text.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    user_and_password || ["://", "password", "pwd="].iter().any(|it| text.contains(it))
}

/// A name that is none, redacted already, made safe to show.
fn shown(text: &str) -> String {
    if is_like_a_url(text) {
        return "what looks like a URL".to_owned();
    }
    let start: String = text.chars().take(40).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CheckStatus;

    fn tenant(name: &str) -> Tenant {
        let name = TenantName::parse(name).expect("a name");
        Tenant {
            server: None,
            location: name.as_str().to_owned(),
            name,
            active: true,
        }
    }

    #[test]
    fn names_that_differ_in_case_are_found() {
        assert!(duplicates(&[tenant("acme"), tenant("zeta")], true).is_empty());
        assert!(duplicates(&[tenant("acme"), tenant("Acme")], false).is_empty());
        assert!(
            duplicates(&[tenant("acme"), tenant("Acme")], true)[0]
                .message
                .contains("only in case")
        );
        assert!(
            duplicates(&[tenant("acme"), tenant("acme")], false)[0]
                .message
                .contains("twice")
        );
    }

    #[test]
    fn no_tenants_block_unless_allowed() {
        assert_eq!(minimum(&[], 1).status, CheckStatus::Failed);
        assert_eq!(minimum(&[], 0).status, CheckStatus::Passed);
        assert_eq!(minimum(&[tenant("acme")], 1).status, CheckStatus::Passed);
    }

    #[test]
    fn odd_names_are_shown_harmlessly() {
        assert_eq!(shown("a\u{1b}[2J\n"), "\"a\\u{1b}[2J\\n\"");
        assert!(shown(&"x".repeat(200)).len() < 60);
        for secret in [
            "postgres://h/d?password=x",
            "app:x@db.internal",
            "Server=h;Pwd=x",
            "host=h PASSWORD=x",
        ] {
            assert_eq!(shown(secret), "what looks like a URL");
        }
    }
}
