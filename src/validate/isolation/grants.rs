//! Roles that may do what crosses tenants.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::database_url::EngineKind;
use crate::domain::words::count;
use crate::domain::{Finding, Tenant};
use crate::engine::isolation::{Grant, Power, Role};
use crate::settings::Level;

use super::definers::definers;
use super::{Place, Scene, finding, shown, unread};

pub fn grants(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = unread(&scene.borders.unread);
    findings.extend(everybody(scene));
    findings.extend(everybodys_tables(scene));
    findings.extend(definers(scene));
    let Some(template) = scene.serving_role else {
        findings.push(
            Finding::note(
                "what the application's role may do was not looked at: the config does not name it",
            )
            .hint("serving_role in [tenancy]"),
        );
        return findings;
    };
    if scene.borders.unread.is_empty() {
        findings.extend(missing(scene, template));
        if scene.kind == EngineKind::Mysql && !scene.is_tried {
            let message = "what the application's role may do was read from its grants, and not tried";
            findings.push(Finding::note(message).hint("`try_url` in [isolation] lets it be tried"));
        }
    }
    let holders = Holders::of(scene);
    findings.extend(powers(scene));
    findings.extend(paths(scene));
    findings.extend(places(scene, &holders));
    findings.extend(owned(scene));
    findings
}

/// A privilege written down for a pattern is taken back as it was given.
fn revoke(scene: &Scene<'_>, grant: &Grant, privileges: &str, location: &str) -> String {
    let grantee = match grant.grantee.as_str() {
        "" => "PUBLIC".to_owned(),
        name => scene.told(name),
    };
    match scene.kind {
        EngineKind::Postgres => format!(
            "REVOKE {privileges} ON SCHEMA {} FROM {grantee};",
            scene.told(location)
        ),
        _ => {
            let account = &grant.account;
            let place = scene.told(grant.pattern.as_deref().unwrap_or(location));
            let on = match &grant.object {
                Some((kind, name)) => format!("{kind} {place}.{}", scene.told(name)),
                None => format!("{place}.*"),
            };
            let on = on.trim_start();
            let all = format!("REVOKE ALL PRIVILEGES ON {on} FROM {account};");
            if privileges.contains("GRANT") {
                format!("{all}\nREVOKE GRANT OPTION ON {on} FROM {account};")
            } else {
                all
            }
        }
    }
}

/// Privileges of everybody: PUBLIC, or the users without a name.
fn everybody(scene: &Scene<'_>) -> Vec<Finding> {
    let level = scene.settings.grants;
    let noun = scene.noun();
    let mut findings = Vec::new();
    let grants = scene.borders.grants.iter().filter(|it| it.grantee.is_empty());
    for (grant, location) in grants.flat_map(|grant| grant.locations.iter().map(move |it| (grant, it))) {
        let privilege = &grant.privilege;
        let sql = revoke(scene, grant, privilege, location);
        if scene.ignores(location, location) {
            continue;
        }
        match scene.place(location) {
            Place::Shared if privilege == "CREATE" => {
                // Without a serving role it is not known whether the application is anybody.
                let level = if scene.serving_role.is_some() {
                    level
                } else {
                    Level::Warning
                };
                findings.push(
                    finding(level, format!("everybody (PUBLIC) may create in the shared {noun} `{location}`"))
                        .hint("PostgreSQL before 15 grants this by itself; what is planted there, all tenants' statements find")
                        .sql(sql),
                );
            }
            Place::Tenant(tenant) => findings.push(
                finding(level, format!("{} has {privilege} on its {noun}", whoever(grant)))
                    .hint("take it back")
                    .sql(sql)
                    .tenant(&tenant.name),
            ),
            _ => {}
        }
    }
    findings
}

fn whoever(grant: &Grant) -> &'static str {
    if grant.account.starts_with("''") {
        "whoever connects without a user name"
    } else {
        "everybody (PUBLIC)"
    }
}

fn everybodys_tables(scene: &Scene<'_>) -> Vec<Finding> {
    let mut tables: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in &scene.borders.public {
        if !scene.ignores(&it.location, &it.object) {
            tables.entry(&it.location).or_default().push(&it.object);
        }
    }
    let told = |(location, names): (&str, Vec<&str>)| {
        let tenant = scene.tenant_at(location)?;
        let revoke = |name: &&str| {
            let table = format!("{}.{}", scene.told(location), scene.told(name));
            format!("REVOKE ALL ON {table} FROM PUBLIC;")
        };
        let sql: Vec<String> = names.iter().map(revoke).collect();
        let message = format!("everybody (PUBLIC) has rights on {}", shown(names));
        let found = finding(scene.settings.grants, message);
        Some(
            found
                .hint("take them back")
                .sql(sql.join("\n"))
                .tenant(&tenant.name),
        )
    };
    tables.into_iter().filter_map(told).collect()
}

fn missing(scene: &Scene<'_>, template: &str) -> Vec<Finding> {
    let level = scene.settings.grants;
    let found: BTreeSet<&str> = scene.borders.roles.iter().map(|it| it.serving.as_str()).collect();
    let told = |role: &str| {
        finding(level, format!("its serving role `{role}` does not exist"))
            .hint("make it, or mend `serving_role` in [tenancy]")
    };
    if !scene.one_role_each() {
        let there = found.contains(template) || scene.tenants.is_empty();
        let message = format!("the serving role `{template}` does not exist");
        return (!there)
            .then(|| finding(level, message).hint("make it, or mend `serving_role` in [tenancy]"))
            .into_iter()
            .collect();
    }
    let lack = |tenant: &&Tenant| {
        let role = scene.role_of(tenant)?;
        (!found.contains(role.as_str())).then(|| told(&role).tenant(&tenant.name))
    };
    scene.tenants.iter().filter_map(lack).collect()
}

/// Tenants whose roles have the same rights.
#[derive(Default)]
struct Members<'a> {
    tenants: Vec<&'a Tenant>,
    locations: HashSet<&'a str>,
}

/// Of whom the tenants' roles are members: for each role the tenants that may become it.
struct Holders<'a> {
    tenants: HashMap<&'a str, Members<'a>>,
    by_role: HashMap<String, &'a Tenant>,
}

impl<'a> Holders<'a> {
    fn of(scene: &Scene<'a>) -> Self {
        let own = |tenant: &&'a Tenant| Some((scene.role_of(tenant)?, *tenant));
        let by_role: HashMap<String, &Tenant> = match scene.one_role_each() {
            true => scene.tenants.iter().filter_map(own).collect(),
            false => HashMap::new(),
        };
        let mut tenants: HashMap<&str, Members<'_>> = HashMap::new();
        for role in &scene.borders.roles {
            if let Some(tenant) = by_role.get(&role.serving) {
                let members = tenants.entry(&role.name).or_default();
                // A user may be there for several hosts.
                if members.locations.insert(&tenant.location) {
                    members.tenants.push(tenant);
                }
            }
        }
        Self { tenants, by_role }
    }
}

/// `role `a``, or `role `a`, a member of `b`,`.
fn told_role(role: &Role) -> String {
    if role.name == role.serving {
        format!("the serving role `{}`", role.serving)
    } else {
        format!(
            "the serving role `{}` is a member of `{}`, which",
            role.serving, role.name
        )
    }
}

fn of_tenant(
    scene: &Scene<'_>,
    finding: Finding,
    serving: &str,
    by_role: &HashMap<String, &Tenant>,
) -> Finding {
    match by_role.get(serving) {
        Some(tenant) if scene.one_role_each() => finding.tenant(&tenant.name),
        _ => finding,
    }
}

fn powers(scene: &Scene<'_>) -> Vec<Finding> {
    let by_role = Holders::of(scene).by_role;
    let mut findings = Vec::new();
    for role in &scene.borders.roles {
        for power in &role.powers {
            let level = match power {
                Power::CreateDatabase | Power::CreateSchema | Power::SeesDatabases => Level::Warning,
                _ => scene.settings.grants,
            };
            let mut message = format!("{} {}", told_role(role), power.told());
            if *power == Power::Everywhere {
                message = format!("{message}: {}", role.everywhere.join(", "));
            }
            let mut found = finding(level, message);
            if let Some(sql) = without(scene, role, *power) {
                found = found.hint("take it back").sql(sql);
            } else {
                found =
                    found.hint("connect the application as a role that has no more than its tenants' data");
            }
            findings.push(of_tenant(scene, found, &role.serving, &by_role));
        }
    }
    findings
}

fn without(scene: &Scene<'_>, role: &Role, power: Power) -> Option<String> {
    if scene.kind != EngineKind::Postgres {
        return Some(without_on_server(scene, role, power));
    }
    if role.name != role.serving {
        return Some(format!(
            "REVOKE {} FROM {};",
            scene.told(&role.name),
            scene.told(&role.serving)
        ));
    }
    let word = match power {
        Power::Superuser => "NOSUPERUSER",
        Power::BypassRls => "NOBYPASSRLS",
        Power::CreateRole => "NOCREATEROLE",
        Power::CreateDatabase => "NOCREATEDB",
        Power::Replication => "NOREPLICATION",
        _ => return None,
    };
    Some(format!("ALTER ROLE {} {word};", scene.told(&role.name)))
}

/// Of a role that others may become, it is taken back from the role.
fn without_on_server(scene: &Scene<'_>, role: &Role, power: Power) -> String {
    let account = match role.account.is_empty() {
        true => scene.told(&role.name),
        false => role.account.clone(),
    };
    let word = match power {
        Power::Superuser => "SUPER",
        Power::Grants => "GRANT OPTION",
        Power::Files => "FILE",
        Power::Processes => "PROCESS",
        Power::SeesDatabases => "SHOW DATABASES",
        Power::CreateRole => "CREATE USER",
        Power::Replication => "REPLICATION SLAVE",
        Power::ActsAsOthers(word) => word,
        _ => "ALL PRIVILEGES",
    };
    format!("REVOKE {word} ON *.* FROM {account};")
}

/// A connection that forgets to say whose it is begins with the role's own search path.
fn paths(scene: &Scene<'_>) -> Vec<Finding> {
    let by_role = Holders::of(scene).by_role;
    let level = scene.settings.grants;
    let mut findings = Vec::new();
    for role in scene.borders.roles.iter().filter(|it| it.name == it.serving) {
        let names = role.search_path.split(',').map(|it| it.trim().trim_matches('"'));
        for other in names.filter_map(|name| scene.tenant_at(name)) {
            let own = by_role
                .get(&role.serving)
                .is_some_and(|it| it.location == other.location);
            if own {
                continue;
            }
            let message = format!(
                "connections of the serving role `{}` begin in the schema of tenant {}: its `search_path`",
                role.serving, other.name
            );
            let sql = format!("ALTER ROLE {} RESET search_path;", scene.told(&role.serving));
            let found = finding(level, message).hint("what forgets to choose a tenant must find none");
            findings.push(of_tenant(scene, found.sql(sql), &role.serving, &by_role));
        }
    }
    findings
}

/// Where, to whom, by which account, on what in it, and as which pattern it is written down.
type Written<'g> = (
    &'g str,
    &'g str,
    &'g str,
    &'g Option<(String, String)>,
    &'g Option<String>,
);

/// What the serving roles may do with schemas or databases, by whatever they are members of.
fn places(scene: &Scene<'_>, holders: &Holders<'_>) -> Vec<Finding> {
    let mut privileges: BTreeMap<Written<'_>, (&Grant, BTreeSet<&str>)> = BTreeMap::new();
    let named = scene.borders.grants.iter().filter(|it| !it.grantee.is_empty());
    for (grant, location) in named.flat_map(|grant| grant.locations.iter().map(move |it| (grant, it))) {
        if scene.ignores(location, location) {
            continue;
        }
        let entry = privileges.entry((
            location,
            &grant.grantee,
            &grant.account,
            &grant.object,
            &grant.pattern,
        ));
        entry
            .or_insert_with(|| (grant, BTreeSet::new()))
            .1
            .insert(&grant.privilege);
    }
    let serving: BTreeSet<&str> = scene.borders.roles.iter().map(|it| it.name.as_str()).collect();
    let mut findings = Vec::new();
    for ((location, grantee, ..), (grant, privileges)) in privileges {
        if scene.one_role_each() {
            let members = holders.tenants.get(grantee);
            findings.extend(members.and_then(|it| of_others(scene, location, grant, &privileges, it)));
        } else if serving.contains(grantee) && privileges.contains("CREATE") {
            findings.extend(creates(scene, location, grant));
        }
    }
    findings
}

/// `members` are the tenants whose roles have the grant, by themselves or by a role they may become.
fn of_others(
    scene: &Scene<'_>,
    location: &str,
    grant: &Grant,
    privileges: &BTreeSet<&str>,
    members: &Members<'_>,
) -> Option<Finding> {
    let (noun, level, grantee) = (scene.noun(), scene.settings.grants, &grant.grantee);
    let all: Vec<&str> = privileges.iter().copied().collect();
    let all = all.join(", ");
    let own = scene.tenant_at(location);
    let others: Vec<&&Tenant> = members
        .tenants
        .iter()
        .filter(|it| own.is_none_or(|own| own.location != it.location))
        .take(4)
        .collect();
    let first = others.first()?;
    let is_one = own.is_some_and(|own| members.locations.contains(own.location.as_str()));
    let number = members.tenants.len() - usize::from(is_one);
    let names = others
        .iter()
        .take(3)
        .map(|it| it.name.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let who = match number {
        1 => format!("the role of tenant {}", first.name),
        2..=3 => format!("the roles of tenants {names}"),
        more => format!("the roles of {} ({names}, …)", count(more, "other tenant")),
    };
    let through = match scene.role_of(first) {
        Some(role) if &role == grantee => String::new(),
        _ => format!(" through `{grantee}`"),
    };
    let object = match &grant.object {
        Some((_, name)) => format!("`{name}` of "),
        None => String::new(),
    };
    let pattern = grant
        .pattern
        .as_ref()
        .map_or_else(String::new, |it| format!(", granted on `{it}`.*"));
    match scene.place(location) {
        Place::Tenant(tenant) => {
            let message = format!("{who} has {all} on {object}its {noun}{through}{pattern}")
                .replace("roles of tenants", "roles of");
            let found = finding(level, message).tenant(&tenant.name);
            // The tenant's own role keeps what it has: the others are to be no members of it.
            let of_owner = scene.role_of(tenant).is_some_and(|role| &role == grantee);
            Some(if of_owner && scene.kind == EngineKind::Postgres {
                let members = others.iter().filter_map(|it| scene.role_of(it));
                let sql =
                    members.map(|role| format!("REVOKE {} FROM {};", scene.told(grantee), scene.told(&role)));
                let sql: Vec<String> = sql.collect();
                found
                    .hint("let no other role be a member of the tenant's own")
                    .sql(sql.join("\n"))
            } else {
                found
                    .hint("take it back; what owns it must be no serving role")
                    .sql(revoke(scene, grant, &all, location))
            })
        }
        Place::Shared if privileges.contains("CREATE") => Some(
            finding(
                level,
                format!("{who} may create in the shared {noun}{through}{pattern}"),
            )
            .hint("what is planted there, all tenants' statements find")
            .sql(revoke(scene, grant, "CREATE", location)),
        ),
        _ => None,
    }
}

/// One role for all.
fn creates(scene: &Scene<'_>, location: &str, grant: &Grant) -> Option<Finding> {
    let (noun, grantee) = (scene.noun(), &grant.grantee);
    let sql = revoke(scene, grant, "CREATE", location);
    let hint =
        "take it back, or let another role own it: the application needs tables, not the right to make them";
    match scene.place(location) {
        Place::Shared => {
            let message =
                format!("the serving role may create in the shared {noun} `{location}`, as `{grantee}`");
            Some(finding(scene.settings.grants, message).hint(hint).sql(sql))
        }
        Place::Tenant(tenant) => {
            let message = format!("the serving role may create in its {noun}, as `{grantee}`");
            Some(Finding::warning(message).hint(hint).sql(sql).tenant(&tenant.name))
        }
        Place::Nobody => None,
    }
}

fn owned(scene: &Scene<'_>) -> Vec<Finding> {
    let by_role = Holders::of(scene).by_role;
    let mut findings = Vec::new();
    for owned in &scene.borders.owned {
        let own = by_role.get(&owned.role).map(|it| it.location.as_str());
        let somebodys = owned
            .locations
            .iter()
            .filter(|it| !matches!(scene.place(it), Place::Nobody));
        let others: Vec<&str> = somebodys
            .map(String::as_str)
            .filter(|it| Some(*it) != own)
            .collect();
        if others.is_empty() {
            continue;
        }
        let message = format!(
            "the serving role `{}` owns tables in {}",
            owned.role,
            shown(others.iter().copied())
        );
        let found = if scene.one_role_each() {
            finding(scene.settings.grants, message)
        } else {
            Finding::warning(message)
        };
        let found = found.hint(
            "an owner may drop them, and grant others what it likes: let the role that migrates own them",
        );
        findings.push(of_tenant(scene, found, &owned.role, &by_role));
    }
    findings
}
