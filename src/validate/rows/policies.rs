//! Row-level security on each table, and what its policies ask.

use crate::domain::Finding;
use crate::domain::words::listed;
use crate::engine::row_security::{PolicyFacts, RowFacts, TableFacts};
use crate::settings::RowTenancy;

use super::expression::{always_true, names};
use super::{is_global, table};

/// On, and forced, on every table with the tenant column; and no table without it that nobody spoke of.
pub(super) fn security(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let mut findings = Vec::new();
    for schema in &facts.server.no_schemas {
        let finding = Finding::error(format!("there is no schema {schema}"));
        findings.push(finding.hint("mend `schemas` in [tenancy]"));
    }
    if facts.tables.iter().all(|it| it.column.is_none()) {
        let message = format!("no table has a column {}", tenancy.column);
        findings.push(Finding::error(message).hint("mend `column` or `schemas` in [tenancy]"));
    }
    for it in facts.tables.iter().filter(|it| !is_global(tenancy, it)) {
        match it.column {
            Some(_) => findings.extend(guarded(it)),
            None => findings.extend(without_key(it, facts)),
        }
    }
    findings
}

fn guarded(it: &TableFacts) -> Option<Finding> {
    let (name, what) = (table(it), kind(it));
    if it.kind == "f" {
        let message = format!("the {what} {name} can have no row-level security");
        let hint =
            "let the application read it through a view of its own rows, or name it in `global_tables`";
        return (!it.granted.is_empty()).then(|| Finding::error(message).hint(hint));
    }
    if !it.enabled {
        let hint = if it.partition {
            "the policies of its parent hold only where it is read through the parent: ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY on each partition"
        } else {
            "ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        };
        return Some(Finding::error(format!("row-level security is off on the {what} {name}")).hint(hint));
    }
    (!it.forced).then(|| {
        Finding::error(format!(
            "row-level security is not forced on the {what} {name}: its owner {} sees all rows",
            it.owner
        ))
        .hint("ALTER TABLE … FORCE ROW LEVEL SECURITY")
    })
}

fn kind(it: &TableFacts) -> &'static str {
    match it.kind.as_str() {
        _ if it.partition => "partition",
        "f" => "foreign table",
        _ => "table",
    }
}

/// A table without the tenant column is a tenant's all the same where its policies ask a table that has it.
fn without_key(it: &TableFacts, facts: &RowFacts) -> Option<Finding> {
    if it.granted.is_empty() {
        return None;
    }
    let name = table(it);
    let asks = facts
        .policies
        .iter()
        .filter(|policy| is_on(policy, it) && policy.applies && policy.permissive)
        .any(|policy| !policy.mentions_of.is_empty());
    if it.enabled && it.forced && asks {
        let message = format!("{name} has no column {}: its policies ask another table", it.key);
        return Some(Finding::note(message));
    }
    let hint = if it.parents.is_empty() {
        "give it the column, or name it in `global_tables` of [tenancy] if it is everybody's on purpose"
    } else {
        "give it the column, or policies that ask the table it belongs to; or name it in `global_tables` of [tenancy]"
    };
    let message = format!("{name} has no column {}, and the serving role may use it", it.key);
    Some(Finding::error(message).hint(hint))
}

fn is_on(policy: &PolicyFacts, it: &TableFacts) -> bool {
    policy.schema == it.schema && policy.table == it.name
}

/// One policy at least for each command that was granted, each of them with the tenant column, none of them
/// true of every row.
pub(super) fn policies(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let guarded = |it: &&TableFacts| it.column.is_some() && it.enabled && !is_global(tenancy, it);
    for it in facts.tables.iter().filter(guarded) {
        let own: Vec<&PolicyFacts> = facts
            .policies
            .iter()
            .filter(|policy| is_on(policy, it) && policy.applies)
            .collect();
        let missing: Vec<&str> = COMMANDS
            .iter()
            .filter(|(privilege, command)| {
                let granted = it.granted.iter().any(|it| it == privilege);
                granted
                    && !own
                        .iter()
                        .any(|policy| policy.permissive && covers(policy, command))
            })
            .map(|(privilege, _)| *privilege)
            .collect();
        if !missing.is_empty() {
            let message = format!("no policy of {} is for {}", table(it), listed(&missing, 4));
            let hint = format!(
                "{} has the privilege, and no row is let through: add a policy, or revoke it",
                tenancy.role
            );
            findings.push(Finding::warning(message).hint(hint));
        }
        for policy in own.iter().filter(|policy| policy.permissive) {
            findings.extend(asked(policy, it, &own, facts));
        }
    }
    findings
}

const COMMANDS: &[(&str, &str)] = &[("SELECT", "r"), ("INSERT", "a"), ("UPDATE", "w"), ("DELETE", "d")];

fn covers(policy: &PolicyFacts, command: &str) -> bool {
    policy.command == "*" || policy.command == command
}

/// Permissive policies are joined by OR: one that asks nothing undoes the others, unless a restrictive one,
/// which is joined by AND, asks for all of them.
fn asked(policy: &PolicyFacts, it: &TableFacts, all: &[&PolicyFacts], facts: &RowFacts) -> Option<Finding> {
    let restricts = |other: &&&PolicyFacts| {
        let asks = other.mentions && half_without_key(other, it, facts).is_none() && !is_true(other, it);
        !other.permissive && asks && covers(other, &policy.command)
    };
    if all.iter().any(|other| restricts(&other)) {
        return None;
    }
    let name = format!("the policy \"{}\" of {}", policy.name, table(it));
    if is_true(policy, it) {
        return Some(Finding::error(format!("{name} is true of every row")).hint(
            "policies are joined by OR, so this one undoes the others: drop it, or make it RESTRICTIVE",
        ));
    }
    let key = &it.key;
    // One half of it that asks does not make the other one ask.
    if let Some((half, what)) = half_without_key(policy, it, facts)
        && (policy.mentions || !policy.mentions_of.is_empty())
    {
        let message = format!("the {half} of {name} does not ask for {key}");
        return Some(Finding::error(message).hint(format!("say {key} = … in it, too: it decides {what}")));
    }
    if policy.mentions {
        return None;
    }
    if policy.mentions_of.is_empty() {
        let hint =
            format!("say {key} = … in it; policies are joined by OR, so this one is enough to see a row");
        return Some(Finding::error(format!("{name} does not ask for {key}")).hint(hint));
    }
    Some(Finding::note(format!(
        "{name} does not ask for {key} itself, but for that of {}",
        listed(&policy.mentions_of, 5)
    )))
}

/// USING or WITH CHECK that names no tenant column, and what it decides.
fn half_without_key(
    policy: &PolicyFacts,
    it: &TableFacts,
    facts: &RowFacts,
) -> Option<(&'static str, &'static str)> {
    let others = facts.tables.iter();
    let others = others.filter(|it| policy.mentions_of.contains(&it.name));
    let keys: Vec<&str> = others.chain([it]).map(|it| it.key.as_str()).collect();
    let without = |text: &Option<String>| text.as_ref().is_some_and(|it| !names(it, &keys));
    if without(&policy.condition) {
        Some(("USING", "which rows are reached"))
    } else if without(&policy.check) {
        Some(("WITH CHECK", "what rows may become"))
    } else {
        None
    }
}

fn is_true(policy: &PolicyFacts, it: &TableFacts) -> bool {
    [&policy.condition, &policy.check]
        .into_iter()
        .flatten()
        .any(|text| always_true(text, &it.key))
}
