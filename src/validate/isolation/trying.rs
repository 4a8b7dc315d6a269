//! What was seen when the gate acted as the serving role.

use crate::database_url::EngineKind;
use crate::domain::Finding;
use crate::domain::words::count;
use crate::engine::isolation::{Attempt, Crossed, NotTried};

use super::{Scene, finding, shown};

/// As whom, and against whom: tenants spread over all of them, each with the next one on its server.
/// `each`: every tenant has a role or user of its own.
pub fn attempts<'a>(scene: &Scene<'a>, each: bool) -> Vec<Attempt<'a>> {
    let tenants = &scene.tenants;
    let wanted = scene.settings.sample.min(tenants.len());
    let of = |index: usize| {
        let at = index * tenants.len() / wanted;
        let own = tenants[at];
        let next = tenants[(at + 1) % tenants.len()];
        let other = (each && next.location != own.location).then_some(next);
        Attempt {
            role: scene.role_of(own).unwrap_or_default(),
            url: None,
            own,
            other,
        }
    };
    (0..wanted).map(of).collect()
}

/// The engine has no way to act as another.
pub fn untried() -> Finding {
    Finding::warning("nothing was tried: on this server nobody can act as another")
        .hint("isolation.grants has looked at what users may do")
}

/// `try_url` is the environment's own server's.
pub fn elsewhere(tenants: usize) -> Finding {
    let tenants = count(tenants, "tenant");
    Finding::note(format!(
        "nothing was tried for {tenants}: `try_url` is for the environment's own server"
    ))
}

pub fn tried(scene: &Scene<'_>, each: bool, attempts: &[Attempt<'_>], results: &[Crossed]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    if !each && !attempts.is_empty() {
        findings.push(one_for_all(scene));
    }
    for (attempt, result) in attempts.iter().zip(results) {
        for found in one(scene, each, attempt, result) {
            if each || !findings.contains(&found) {
                findings.push(found);
            }
        }
    }
    findings
}

fn one_for_all(scene: &Scene<'_>) -> Finding {
    if scene.kind == EngineKind::Postgres {
        return Finding::note(
            "one role serves all tenants: nothing but `search_path` keeps their schemas apart",
        )
        .hint("a role for each tenant would: serving_role = \"app_{tenant}\" in [tenancy]");
    }
    Finding::note("one user serves all tenants: nothing but the choice of a database keeps them apart")
        .hint("a user for each tenant would: `{tenant}` in the URL that `try_url` names")
}

fn one(scene: &Scene<'_>, each: bool, attempt: &Attempt<'_>, result: &Crossed) -> Vec<Finding> {
    let (role, level) = (&attempt.role, scene.settings.r#try);
    let who = match attempt.url {
        Some(_) => format!("user `{role}`"),
        None => format!("role `{role}`"),
    };
    let own = &attempt.own.name;
    let of_tenant = |finding: Finding| finding.tenant(own);
    match &result.not_tried {
        Some(NotTried::NotAMember(gate)) => {
            let found = Finding::warning(format!(
                "role `{role}` could not be tried: `{gate}` may not act as it"
            ));
            let sql = format!("GRANT {} TO {};", scene.told(role), scene.told(gate));
            let found = found.hint("let the gate's role act as it").sql(sql);
            return vec![if each { of_tenant(found) } else { found }];
        }
        Some(NotTried::OtherServer) => {
            let found = Finding::warning(format!("{who} was not tried: `try_url` leads to another server"));
            let found =
                found.hint("name the URL by which the application reaches this environment's database");
            return vec![if each { of_tenant(found) } else { found }];
        }
        Some(NotTried::NoSuchRole) => {
            let found = Finding::warning(format!("role `{role}` could not be tried: it does not exist"));
            return vec![if each { of_tenant(found) } else { found }];
        }
        None => {}
    }
    let mut findings = Vec::new();
    let mut told = |names: &[String], message: &dyn Fn(String) -> String, hint: &str| {
        if !names.is_empty() {
            let names = shown(names.iter().map(String::as_str));
            findings.push(of_tenant(finding(level, message(names)).hint(hint)));
        }
    };
    let other = attempt.other.map_or("", |it| it.name.as_str());
    let revoke = "see isolation.grants for what lets it, and take that back";
    told(
        &result.read,
        &|it| format!("{who} read {it} of tenant {other}"),
        revoke,
    );
    told(
        &result.written,
        &|it| format!("{who} may write to {it} of tenant {other}"),
        revoke,
    );
    told(
        &result.creates,
        &|it| format!("{who} may create in schema {it}"),
        revoke,
    );
    let seen = result.sees.iter().filter_map(|it| scene.tenant_at(it));
    let seen = seen.filter(|it| each && it.location != attempt.own.location);
    let seen: Vec<String> = seen.map(|it| it.name.to_string()).collect();
    told(
        &seen,
        &|it| format!("{who} sees the databases of other tenants: {it}"),
        "a database is seen by whoever has any right to it: see isolation.grants",
    );
    if !result.unreadable.is_empty() {
        let names = shown(result.unreadable.iter().map(String::as_str));
        let message = format!("{who} may not read its own {names}");
        // One that can read nothing has shown nothing.
        let found = if result.reads == 0 {
            Finding::warning(message)
        } else {
            Finding::note(message)
        };
        let hint = match scene.kind {
            EngineKind::Postgres => {
                "GRANT USAGE on the schema and SELECT on the tables, where it is to read them"
            }
            _ => "GRANT SELECT on the tables, where it is to read them",
        };
        findings.push(of_tenant(found.hint(hint)));
    }
    if !result.failed.is_empty() {
        let codes = shown(result.failed.iter().map(String::as_str));
        let message = format!("not all could be tried as {who}: the server answered {codes}");
        findings.push(of_tenant(
            Finding::warning(message).hint("run again; a lock on a table may be in the way"),
        ));
    }
    findings
}
