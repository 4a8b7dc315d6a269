//! Ways around the policies: views, materialized views, functions.

use crate::domain::Finding;
use crate::domain::words::listed;
use crate::engine::row_security::{FunctionFacts, RowFacts, ViewFacts};
use crate::settings::RowTenancy;

use super::named;

/// The first version with `security_invoker`.
const INVOKER: u32 = 150_000;

pub(super) fn views(facts: &RowFacts) -> Vec<Finding> {
    facts
        .views
        .iter()
        .filter_map(|it| view(it, facts.server.version))
        .collect()
}

fn view(it: &ViewFacts, version: u32) -> Option<Finding> {
    let name = named(&it.schema, &it.name);
    if it.materialized {
        let message = format!(
            "{name} shows a stored copy of {}, which has no policies",
            listed(&it.tables, 5)
        );
        let hint = "let the serving role read no materialized view: put a view with a condition over it that only its owner may pass by, or revoke the privilege";
        return Some(Finding::error(message).hint(hint));
    }
    let remedy = if version >= INVOKER {
        "ALTER VIEW … SET (security_invoker = true)"
    } else {
        "before PostgreSQL 15 a view reads as its owner: let it be owned by a role that the policies bind"
    };
    if !it.unbound.is_empty() {
        let message = format!(
            "the view {name} reads {} as {}, whom the policies do not bind",
            listed(&it.unbound, 5),
            it.owner
        );
        return Some(Finding::error(message).hint(remedy));
    }
    (!it.invoker && version >= INVOKER).then(|| {
        let message = format!("the view {name} reads {} as {}", listed(&it.tables, 5), it.owner);
        Finding::warning(format!("{message}, not as the serving role")).hint(remedy)
    })
}

pub(super) fn functions(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    facts
        .functions
        .iter()
        .flat_map(|it| function(it, tenancy))
        .collect()
}

fn function(it: &FunctionFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let name = format!("{}({})", named(&it.schema, &it.name), it.arguments);
    let mut findings = Vec::new();
    if !it.fixed_path {
        let message = format!("the SECURITY DEFINER function {name} has no search_path of its own");
        let hint = "whoever calls it chooses what its names mean: ALTER FUNCTION … SET search_path = …";
        findings.push(Finding::error(message).hint(hint));
    }
    let trusted = &tenancy.trusted_functions;
    let is_trusted = trusted.is_match(&it.name) || trusted.is_match(format!("{}.{}", it.schema, it.name));
    if !it.unbound || is_trusted {
        return findings;
    }
    let message = format!(
        "the SECURITY DEFINER function {name} acts as {}, whom the policies do not bind",
        it.owner
    );
    findings.push(if it.tells_little {
        Finding::note(message)
    } else {
        let hint = "make it SECURITY INVOKER, or revoke EXECUTE from the serving role and PUBLIC; if it asks for the tenant itself, name it in `trusted_functions` of [tenancy]; one that only answers yes or no is to be STABLE";
        Finding::error(message).hint(hint)
    });
    findings
}
