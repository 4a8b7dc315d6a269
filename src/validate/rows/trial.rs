//! What was tried as the serving role, and what came of it.

use std::collections::BTreeMap;

use crate::domain::words::listed;
use crate::domain::{Check, Finding};
use crate::engine::row_security::{Answer, Probe, RowFacts, TableFacts, Tried, ViewFacts};
use crate::settings::RowTenancy;

use super::{TRY, is_global, named};

const NAMES: usize = 10;

/// The tables that the serving role can do anything with, and the views that say whose a row is.
pub fn to_try<'f>(
    facts: &'f RowFacts,
    tenancy: &'f RowTenancy,
) -> (Vec<&'f TableFacts>, Vec<(&'f ViewFacts, &'f str)>) {
    let tables = facts.tables.iter();
    let tables = tables.filter(|it| it.column.is_some() && it.kind != "f" && !it.granted.is_empty());
    let tables = tables.filter(|it| !is_global(tenancy, it));
    let views = facts.views.iter().filter(|it| it.has_key);
    (
        tables.collect(),
        views.map(|it| (it, tenancy.column.as_str())).collect(),
    )
}

/// Why nothing was tried at all; none: it can be.
pub fn nothing_tried(facts: &RowFacts, tenancy: &RowTenancy, tenants: usize) -> Option<Finding> {
    let role = &tenancy.role;
    match facts.server.may_become {
        None => {
            return Some(Finding::error(format!(
                "nothing was tried: there is no role {role}"
            )));
        }
        Some(false) => {
            let gate = &facts.server.gate;
            let message = format!("nothing was tried: {gate} may not act as {role}");
            let hint = format!("GRANT {role} TO {gate}");
            return Some(Finding::error(message).hint(hint).operational(true));
        }
        Some(true) => {}
    }
    if tenancy.context.is_none() {
        let hint = "say in [tenancy] how the application makes a transaction a tenant's: context = \"SET LOCAL app.tenant_id = {tenant}\"";
        return Some(Finding::warning("nothing was tried: no `context` is known").hint(hint));
    }
    if tenants < 2 {
        let message = "nothing was tried: that takes two registered tenants";
        return Some(Finding::warning(message));
    }
    if to_try(facts, tenancy).0.is_empty() {
        let message = format!("nothing was tried: {role} was granted nothing on any tenant table");
        return Some(
            Finding::warning(message)
                .hint("is `serving_role` the role as which the application is connected?"),
        );
    }
    None
}

/// A leak is an error, what could not be told a warning, what there was nothing to try on a note.
pub fn tried(tried: &Tried, tenancy: &RowTenancy) -> Check {
    let mut findings = Vec::new();
    let mut untried: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut strangers = Vec::new();
    let mut leaks: BTreeMap<(bool, Probe), Vec<String>> = BTreeMap::new();
    for it in &tried.tables {
        let name = named(&it.schema, &it.name);
        if it.stranger {
            strangers.push(name.clone());
        }
        for (probe, answer) in &it.answers {
            match answer {
                Answer::Held => {}
                Answer::Leaks => leaks.entry((it.is_view, *probe)).or_default().push(name.clone()),
                Answer::Unclear(why) => findings.push(unclear(*probe, &name, why)),
                Answer::NotTried(why) if *probe == Probe::SeesOthers => {
                    untried.entry(why).or_default().push(name.clone());
                }
                Answer::NotTried(_) => {}
            }
        }
    }
    let leaks = leaks.into_iter();
    let leaks = leaks.map(|((is_view, probe), names)| leak(probe, is_view, &listed(&names, NAMES), tenancy));
    findings.splice(0..0, leaks);
    let read = |it: &(Probe, Answer)| it.0 == Probe::SeesOthers && !matches!(it.1, Answer::NotTried(_));
    let none_read = !tried.tables.iter().any(|it| it.answers.iter().any(read));
    if none_read && untried.is_empty() {
        let message = "reading could not be tried on any table";
        findings.push(Finding::warning(message).hint("the serving role may read none of them"));
    }
    for (why, names) in untried {
        let message = format!("reading could not be tried on {}: {why}", listed(&names, NAMES));
        findings.push(if none_read {
            Finding::warning(message).hint("seed two tenants with rows: then what policies do is seen")
        } else {
            Finding::note(message)
        });
    }
    if !strangers.is_empty() {
        let names = listed(&strangers, NAMES);
        findings.push(Finding::warning(format!(
            "there are rows of tenants that the registry lacks in {names}"
        )));
    }
    if tried.was_used {
        findings.push(
            Finding::note(
                "without a context it was tried on connections that had been some tenant's before: whether a policy spares whoever never said one was not seen",
            )
            .hint("a pooler gives such connections: `direct_url` goes past it"),
        );
    }
    Check::answered(&TRY, findings)
}

fn leak(probe: Probe, is_view: bool, names: &str, tenancy: &RowTenancy) -> Finding {
    let role = &tenancy.role;
    let told = match probe {
        Probe::SeesWithoutContext => format!("{role} sees rows of {names} without any tenant's context"),
        _ => {
            let does = match probe {
                Probe::InsertsAsOther => "inserts a row for another tenant into",
                Probe::GivesAway => "makes its own row another tenant's in",
                Probe::Takes => "makes another tenant's row its own, or changes it, in",
                Probe::Deletes => "deletes another tenant's row from",
                _ => "sees another tenant's rows of",
            };
            format!("as {role}, in one tenant's context: {does} {names}")
        }
    };
    let hint = match probe {
        _ if is_view => {
            "whose rights it reads with? ALTER VIEW … SET (security_invoker = true) makes them the reader's"
        }
        Probe::SeesOthers | Probe::SeesOwn | Probe::SeesWithoutContext => {
            "read its policies for SELECT, and what their subqueries leave out"
        }
        Probe::InsertsAsOther => {
            "read its policies for INSERT: WITH CHECK, and what its subqueries leave out"
        }
        Probe::GivesAway | Probe::Takes => {
            "read its policies for UPDATE: USING says which rows, WITH CHECK what becomes of them"
        }
        Probe::Deletes => "read its policies for DELETE, and what their subqueries leave out",
    };
    Finding::error(told).hint(hint)
}

fn unclear(probe: Probe, name: &str, why: &str) -> Finding {
    let what = match probe {
        Probe::SeesOwn => {
            return Finding::warning(format!("{name}: in its own context {why}"))
                .hint("is `context` in [tenancy] what the application says? Until then little is proven");
        }
        Probe::SeesOthers | Probe::SeesWithoutContext => "reading",
        Probe::InsertsAsOther => "inserting for another tenant",
        Probe::GivesAway => "giving a row away",
        Probe::Takes => "taking another's row",
        Probe::Deletes => "deleting another's row",
    };
    Finding::warning(format!("{name}: {what} could not be tried: {why}"))
}
