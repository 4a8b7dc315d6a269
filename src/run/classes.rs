//! Tenants by what is expected of them, and by what they are.

use std::collections::BTreeMap;

use crate::domain::{Finding, Print, ServerName, Structure, Tenant, TenantName};
use crate::engine::{Engine, EngineError, Target};
use crate::migrations::Pending;
use crate::validate::drift::{self, Aspects, Groups};

/// How many structures are read at once.
const AT_ONCE: usize = 100;

/// Tenants of which the same is expected, owners and grants included: those of one server that lack the same
/// migrations.
pub(super) struct Class<'t> {
    pub(super) pending: Vec<usize>,
    pub(super) server: Option<&'t ServerName>,
    pub(super) groups: Groups<'t>,
    /// Those of one print, the first of which was read.
    same: Vec<Vec<&'t Tenant>>,
}

impl Class<'_> {
    /// Each but those that were read, with the one that was read in its stead.
    pub(super) fn alike(&self) -> impl Iterator<Item = (TenantName, TenantName)> {
        self.same.iter().flat_map(|same| {
            let read = same.first();
            let others = same.iter().skip(1);
            others.filter_map(move |it| Some((it.name.clone(), read?.name.clone())))
        })
    }
}

/// The largest first. One tenant of each print is read.
pub(super) async fn classes<'t>(
    engine: &dyn Engine,
    tenants: &[(&'t Tenant, &'t Pending)],
    aspects: Aspects<'_>,
) -> Result<Vec<Class<'t>>, EngineError> {
    let targets: Vec<Target<'_>> = tenants.iter().map(|(tenant, _)| Target::Tenant(tenant)).collect();
    let prints = engine.prints(&targets, aspects.comments).await?;
    let mut parts: BTreeMap<_, (Vec<&Tenant>, Vec<Print>)> = BTreeMap::new();
    for ((tenant, pending), print) in tenants.iter().zip(prints) {
        let key = (pending.migrations.as_slice(), tenant.server.as_ref());
        let (tenants, prints) = parts.entry(key).or_default();
        tenants.push(*tenant);
        prints.push(print);
    }
    let mut classes = Vec::new();
    for ((pending, server), (tenants, prints)) in parts {
        let mut groups = Groups::default();
        let same = drift::by_print(&tenants, prints);
        for chunk in same.chunks(AT_ONCE) {
            let targets: Vec<Target<'_>> = chunk.iter().map(|it| Target::Tenant(it[0])).collect();
            let structures = engine.structures(&targets).await?;
            for (tenants, structure) in chunk.iter().zip(structures) {
                groups.add(tenants.clone(), aspects.of(structure));
            }
        }
        classes.push(Class {
            pending: pending.to_vec(),
            server,
            groups: groups.sorted(),
            same,
        });
    }
    classes.sort_by_key(|it| std::cmp::Reverse(it.groups.tenants()));
    Ok(classes)
}

/// What most of those are that lack these migrations, on whatever server.
pub(super) fn most(classes: &[Class<'_>], pending: &[usize]) -> Structure {
    let same = classes.iter().filter(|it| it.pending == pending);
    let groups = same.flat_map(|it| &it.groups.all);
    let read = groups.filter(|it| it.structure.is_some());
    // Of equals the first.
    let largest = read.reduce(|one, other| {
        if other.tenants.len() > one.tenants.len() {
            other
        } else {
            one
        }
    });
    let structure = largest.and_then(|it| it.structure.as_ref());
    structure.map(Structure::portable).unwrap_or_default()
}

/// What the role does not see seems alike everywhere: that is said, and is no answer. Each server has roles of
/// its own.
pub(super) async fn unseen(engine: &dyn Engine, classes: &[Class<'_>]) -> Vec<Finding> {
    let mut asked: Vec<Option<&ServerName>> = Vec::new();
    let mut findings = Vec::new();
    for class in classes {
        let tenant = class.groups.all.first().and_then(|group| group.tenants.first());
        let Some(tenant) = tenant.filter(|_| !asked.contains(&class.server)) else {
            continue;
        };
        asked.push(class.server);
        match engine.unseen(Target::Tenant(tenant)).await {
            Ok(unseen) => findings.extend(
                unseen
                    .into_iter()
                    .map(|it| drift::unseen_finding(it, class.server)),
            ),
            Err(error) => {
                let finding = Finding::error(error.message.clone());
                findings.push(finding.operational(error.kind.is_operational()));
            }
        }
    }
    findings
}
