//! The serving role: what it is, and what it was granted.

use crate::domain::Finding;
use crate::domain::words::{count, listed};
use crate::engine::row_security::{RoleFacts, RowFacts, TableFacts};
use crate::settings::RowTenancy;

use super::{is_global, table};

const NAMES: usize = 10;

/// [Predefined roles](https://www.postgresql.org/docs/current/predefined-roles.html) that lead further.
const SERVER_ROLES: &[&str] = &[
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
];

/// Nothing sets it above the policies: neither what it is itself, nor what it can become.
pub(super) fn bound(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let role = &tenancy.role;
    if facts.server.may_become.is_none() {
        let finding = Finding::error(format!("there is no role {role}"));
        return vec![finding.hint("mend `serving_role` in [tenancy], or create the role")];
    }
    let mut findings: Vec<Finding> = facts.roles.iter().flat_map(|it| above(it, role)).collect();
    for owner in &facts.roles {
        let owned: Vec<String> = facts
            .tables
            .iter()
            .filter(|it| it.owner == owner.name && it.column.is_some() && !is_global(tenancy, it))
            .map(table)
            .collect();
        if !owned.is_empty() {
            let verb = if owner.name == *role {
                "owns"
            } else {
                "owns, as that role,"
            };
            findings.push(
                Finding::error(format!(
                    "{} {verb} {}: {}",
                    who(owner, role),
                    count(owned.len(), "tenant table"),
                    listed(&owned, NAMES)
                ))
                .hint(
                    "an owner can switch row-level security off: let the role that migrates own the tables",
                ),
            );
        }
    }
    if !facts.server.creates_in.is_empty() && findings.is_empty() {
        let schemas = listed(&facts.server.creates_in, NAMES);
        findings.push(
            Finding::warning(format!("{role} may create tables and functions in {schemas}")).hint(
                "what it makes there has no policies: REVOKE CREATE ON SCHEMA from it, and from PUBLIC",
            ),
        );
    }
    findings
}

fn who(it: &RoleFacts, role: &str) -> String {
    if it.name == role {
        role.to_owned()
    } else {
        format!("{role} is a member of {}, and", it.name)
    }
}

fn above(it: &RoleFacts, role: &str) -> Vec<Finding> {
    let said = |what: &str| {
        if it.name == role {
            format!("{role} {what}")
        } else {
            format!("{role} is a member of {}, which {what}", it.name)
        }
    };
    let mut findings = Vec::new();
    let mut add = |is: bool, what: &str, hint: &str| {
        if is {
            findings.push(Finding::error(said(what)).hint(hint));
        }
    };
    let apart = "no policy binds it: give the application a role of its own, without that";
    add(it.superuser, "is a superuser", apart);
    add(it.bypasses && !it.superuser, "has BYPASSRLS", apart);
    add(
        SERVER_ROLES.contains(&it.name.as_str()),
        "reaches the server's files and programs",
        "through these it can become a superuser: revoke it",
    );
    add(
        it.owns_database,
        "owns the database",
        "let another role own it: an owner can create schemas and drop them",
    );
    add(
        it.creates_roles && !it.superuser,
        "has CREATEROLE",
        "it can make itself a member of other roles: ALTER ROLE … NOCREATEROLE",
    );
    findings
}

/// Privileges that row-level security says nothing about.
pub(super) fn grants(facts: &RowFacts, tenancy: &RowTenancy) -> Vec<Finding> {
    let role = &tenancy.role;
    let having = |privilege: &str| -> Vec<String> {
        let has = |it: &&TableFacts| it.granted.iter().any(|it| it == privilege);
        let tables = facts.tables.iter().filter(|it| it.column.is_some());
        let tenants = tables.filter(|it| !is_global(tenancy, it));
        tenants.filter(has).map(table).collect()
    };
    let told = |privilege: &str, why: &str| {
        let tables = having(privilege);
        let message = format!("{role} has {privilege} on {}", listed(&tables, NAMES));
        let hint = format!("{why}: REVOKE {privilege} ON … FROM {role}, and from PUBLIC");
        (!tables.is_empty()).then_some((message, hint))
    };
    let mut findings = Vec::new();
    if let Some((message, hint)) = told(
        "TRUNCATE",
        "it empties a table of all tenants, whatever its policies",
    ) {
        findings.push(Finding::error(message).hint(hint));
    }
    if let Some((message, hint)) = told("TRIGGER", "a trigger sees and changes the rows of all who write") {
        findings.push(Finding::error(message).hint(hint));
    }
    if let Some((message, hint)) = told("REFERENCES", "a foreign key tells which keys others have") {
        findings.push(Finding::warning(message).hint(hint));
    }
    findings
}
