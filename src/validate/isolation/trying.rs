//! What was seen when the gate acted as the serving role.

use crate::domain::Finding;
use crate::engine::isolation::{Attempt, Crossed, NotTried};

use super::{Scene, finding, shown};

/// As whom, and against whom: tenants spread over all of them, each with the next one on its server.
pub fn attempts<'a>(scene: &Scene<'a>) -> Vec<Attempt<'a>> {
    let tenants = &scene.tenants;
    let wanted = scene.settings.sample.min(tenants.len());
    let of = |index: usize| {
        let at = index * tenants.len() / wanted;
        let own = tenants[at];
        let next = tenants[(at + 1) % tenants.len()];
        let other = (scene.one_role_each() && next.location != own.location).then_some(next);
        Some(Attempt {
            role: scene.role_of(own)?,
            own,
            other,
        })
    };
    (0..wanted).filter_map(of).collect()
}

/// The engine has no way to act as another.
pub fn untried() -> Finding {
    Finding::note("nothing was tried: on this server a role adds to one's own rights, and takes none away")
        .hint("isolation.grants has looked at what users may do")
}

pub fn tried(scene: &Scene<'_>, attempts: &[Attempt<'_>], results: &[Crossed]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    if !scene.one_role_each() && !attempts.is_empty() {
        findings.push(
            Finding::note("one role serves all tenants: nothing but `search_path` keeps their schemas apart")
                .hint("a role for each tenant would: serving_role = \"app_{tenant}\" in [tenancy]"),
        );
    }
    for (attempt, result) in attempts.iter().zip(results) {
        for found in one(scene, attempt, result) {
            if scene.one_role_each() || !findings.contains(&found) {
                findings.push(found);
            }
        }
    }
    findings
}

fn one(scene: &Scene<'_>, attempt: &Attempt<'_>, result: &Crossed) -> Vec<Finding> {
    let (role, level) = (&attempt.role, scene.settings.r#try);
    let own = &attempt.own.name;
    let of_tenant = |finding: Finding| finding.tenant(own);
    match &result.not_tried {
        Some(NotTried::NotAMember(gate)) => {
            let found = Finding::warning(format!(
                "role `{role}` could not be tried: `{gate}` may not act as it"
            ));
            let sql = format!("GRANT {} TO {};", scene.told(role), scene.told(gate));
            let found = found.hint("let the gate's role act as it").sql(sql);
            return vec![if scene.one_role_each() {
                of_tenant(found)
            } else {
                found
            }];
        }
        Some(NotTried::NoSuchRole) => {
            let found = Finding::warning(format!("role `{role}` could not be tried: it does not exist"));
            return vec![if scene.one_role_each() {
                of_tenant(found)
            } else {
                found
            }];
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
        &|it| format!("role `{role}` read {it} of tenant {other}"),
        revoke,
    );
    told(
        &result.written,
        &|it| format!("role `{role}` may write to {it} of tenant {other}"),
        revoke,
    );
    told(
        &result.creates,
        &|it| format!("role `{role}` may create in schema {it}"),
        revoke,
    );
    if !result.unreadable.is_empty() {
        let names = shown(result.unreadable.iter().map(String::as_str));
        let message = format!("role `{role}` may not read its own {names}");
        // One that can read nothing has shown nothing.
        let found = if result.reads == 0 {
            Finding::warning(message)
        } else {
            Finding::note(message)
        };
        findings.push(of_tenant(found.hint(
            "GRANT USAGE on the schema and SELECT on the tables, where it is to read them",
        )));
    }
    if !result.failed.is_empty() {
        let codes = shown(result.failed.iter().map(String::as_str));
        let message = format!("not all could be tried as role `{role}`: the server answered {codes}");
        findings.push(of_tenant(
            Finding::warning(message).hint("run again; a lock on a table may be in the way"),
        ));
    }
    findings
}
