//! A foreign key to the shared schema locks what it points to.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "shared-foreign-key",
    group: Group::Locks,
    title: "a tenant's migration makes a foreign key to a table of the shared schema",
    why: "it takes a SHARE ROW EXCLUSIVE lock on the shared table until the tenant's transaction ends: tenants take turns \
          there, and whoever writes to that table waits",
    safe: "it is right where it is needed: keep such migrations short, apart from long ones",
    levels: Levels::postgres(Level::Note),
    squawk: false,
};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    let mut tables = Vec::new();
    for act in seen.acts {
        if let Act::Reference { to, .. } = act
            && seen.is_shared(to)
            && !tables.contains(to)
        {
            tables.push(to.clone());
        }
    }
    let message = |table| {
        format!("tenants take turns at `{table}` of the shared schema, and whoever writes to it waits")
    };
    tables.iter().map(|table| seen.hit(message(table))).collect()
}
