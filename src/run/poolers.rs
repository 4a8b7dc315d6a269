//! What runs outside a transaction has the session to itself, so it is refused where a pooler shares that.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Check, Finding, Migration, Scope, ServerName};
use crate::engine::Engine;
use crate::migrations::{self, Plan, Rollback};

use super::Gate;

impl Gate<'_> {
    /// A no-transaction migration behind a pooler is refused before anything runs.
    pub(super) async fn direct_url_check(&self, engine: &dyn Engine, plan: &Plan) -> Check {
        let set = self.set();
        let alone = |scope: Scope, indexes: &[usize]| -> Vec<(Scope, usize)> {
            let those = indexes
                .iter()
                .filter(|index| !set.of(scope)[**index].transactional);
            those.map(|index| (scope, *index)).collect()
        };
        let mut waiting: BTreeMap<Option<&ServerName>, BTreeSet<(Scope, usize)>> = BTreeMap::new();
        let mut wait = |server, these: Vec<(Scope, usize)>| waiting.entry(server).or_default().extend(these);
        wait(None, alone(Scope::Shared, &plan.shared.migrations));
        match &plan.tenants {
            Some(tenants) => tenants.iter().for_each(|it| {
                let these = alone(Scope::Tenant, &it.pending.migrations);
                wait(it.tenant.server.as_ref(), these);
            }),
            None => wait(
                None,
                alone(Scope::Tenant, &(0..set.tenant.len()).collect::<Vec<_>>()),
            ),
        }
        let refused = past_poolers(engine, waiting).await;
        let finding = |(scope, index): &(Scope, usize)| behind_pooler(&set.of(*scope)[*index]);
        Check::answered(&migrations::DIRECT_URL, refused.iter().map(finding).collect())
    }

    pub(super) async fn rollback_past_a_pooler(&self, engine: &dyn Engine, plan: &Rollback) -> Check {
        let scope = self.request.one_scope();
        let migrations = self.set().of(scope);
        let down = |index: usize| migrations[index].down.as_deref();
        let alone = |undo: &migrations::Undo| -> BTreeSet<(Scope, usize)> {
            let indexes = undo.migrations.iter();
            let those = indexes.filter(|index| down(**index).is_some_and(|it| !it.transactional));
            those.map(|index| (scope, *index)).collect()
        };
        let mut waiting = BTreeMap::from([(None, alone(&plan.shared))]);
        for it in &plan.tenants {
            let server = it.tenant.server.as_ref();
            waiting.entry(server).or_default().extend(alone(&it.undo));
        }
        let refused = past_poolers(engine, waiting).await;
        let downs = refused.iter().filter_map(|(_, index)| down(*index));
        Check::answered(&migrations::DIRECT_URL, downs.map(behind_pooler).collect())
    }
}

/// What would run on servers that a pooler stands before; those where nothing would are not asked.
async fn past_poolers(
    engine: &dyn Engine,
    waiting: BTreeMap<Option<&ServerName>, BTreeSet<(Scope, usize)>>,
) -> BTreeSet<(Scope, usize)> {
    let mut refused = BTreeSet::new();
    for (server, these) in waiting {
        if !these.is_empty() && engine.needs_direct_url(server).await {
            refused.extend(these);
        }
    }
    refused
}

fn behind_pooler(migration: &Migration) -> Finding {
    let label = migration.label();
    Finding::error(format!(
        "{label} runs outside a transaction, which a pooler cannot carry"
    ))
    .hint(
        "name a secret with the server's own URL as `direct_url` of the environment, or of its server there",
    )
    .file(&migration.file)
    .at(1, 1)
}
