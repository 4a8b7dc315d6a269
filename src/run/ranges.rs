//! Batches that are pending: can their ranges be found?

use std::collections::BTreeMap;
use std::time::Instant;

use crate::domain::{Batch, Check, CheckDefinition, Finding, Migration, Scope, UnfinishedRanges};
use crate::engine::{Engine, RangeKey, Target};
use crate::migrations::{CHANGED, Pending};

use super::survey::Survey;
use super::{Command, Gate, Stage};

pub(super) const RANGE_KEY: CheckDefinition = CheckDefinition {
    id: "ledger.batch-key",
    title: "batches have a key that ranges can go over",
};
pub(super) const RANGE_INDEX: CheckDefinition = CheckDefinition {
    id: "ledger.batch-index",
    title: "batches have an index on their key",
};

/// A batch, and the target that speaks for all that need it.
struct Wanted<'a> {
    target: Target<'a>,
    migration: &'a Migration,
    batch: &'a Batch,
    /// Nothing runs before it there, so what is not there will not be.
    first: bool,
}

impl Gate<'_> {
    /// Looks at the key of each batch that is pending, at one target: where the others differ, the batch
    /// itself refuses before its first range. A table that migrations before it may still make speaks for
    /// nothing.
    pub(super) async fn range_keys(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let wanted = self.batches(survey);
        if wanted.is_empty() {
            return Ok(());
        }
        let (mut refused, mut slow) = (Vec::new(), Vec::new());
        for it in wanted {
            // A server that does not answer this will not answer the batch either.
            let Ok(key) = engine.range_key(it.target, it.batch).await else {
                continue;
            };
            let at = |finding: Finding| finding.file(&it.migration.file).at(1, 1);
            if let (Some((message, hint)), true) = (key.refusal(it.batch), it.first) {
                let finding = at(Finding::error(message).hint(hint));
                refused.push(match it.target {
                    Target::Tenant(tenant) => finding.tenant(&tenant.name),
                    Target::Shared => finding,
                });
            }
            if key == RangeKey::Plain {
                let Batch { table, column, .. } = it.batch;
                let message = format!(
                    "no index of `{table}` begins with `{column}`, so each range reads the whole table"
                );
                slow.push(at(Finding::warning(message).hint(
                    "take the primary key, or build an index in a migration before it",
                )));
            }
        }
        let checks = vec![
            Check::answered(&RANGE_KEY, refused),
            Check::answered(&RANGE_INDEX, slow),
        ];
        self.add(checks, since)
    }

    /// Puts how far batches are that are half done into the standings.
    pub(super) async fn ranges_underway(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let Some(mut standings) = self.standings.take() else {
            return Ok(());
        };
        // In the order of the standings.
        let tenants = survey.plan.tenants.iter().flatten();
        let tenants = tenants.map(|it| (Target::Tenant(&it.tenant), &it.pending));
        let all = std::iter::once((Target::Shared, &survey.plan.shared)).chain(tenants);
        let half_done = standings.iter_mut().zip(all).filter(|(it, _)| it.unfinished);
        let (half_done, asked): (Vec<_>, Vec<_>) = half_done
            .map(|(it, (target, pending))| ((it, pending), target))
            .unzip();
        if !asked.is_empty() {
            let found = engine.ranges_underway(&asked).await;
            let found = self.or_block(&CHANGED, since, found)?;
            for (((standing, pending), target), found) in half_done.into_iter().zip(asked).zip(found) {
                let set = self.set().of(target.scope());
                let version = pending.migrations.first().map(|index| set[*index].version);
                let at = found.into_iter().find(|(of, _)| Some(*of) == version);
                standing.ranges = at.map(|(version, at)| UnfinishedRanges {
                    version,
                    ranges: at.ranges,
                    rows: at.rows,
                    last_key: at.last,
                    end_key: at.end,
                });
            }
        }
        self.standings = Some(standings);
        Ok(())
    }

    /// Of the targets that need a batch the first for which it comes first, and else the first.
    fn batches<'a>(&'a self, survey: &'a Survey) -> Vec<Wanted<'a>> {
        let asks = matches!(
            self.request.command,
            Command::Run | Command::Migrate | Command::Plan
        );
        let no_shared = survey.plan.shared.migrations.is_empty();
        let shared = (Target::Shared, &*survey.plan.shared, true);
        let shared = std::iter::once(shared).filter(|_| self.request.includes(Scope::Shared));
        let tenants = survey.plan.tenants.iter().flatten();
        let tenants = tenants.filter(|it| {
            let asked = self.request.includes(Scope::Tenant) && self.request.includes_tenant(&it.tenant.name);
            asked && survey.locations.contains(&it.tenant)
        });
        let tenants = tenants.map(|it| (Target::Tenant(&it.tenant), &*it.pending, no_shared));
        let mut wanted: BTreeMap<&str, Wanted<'a>> = BTreeMap::new();
        for (target, pending, alone) in shared.chain(tenants).filter(|_| asks) {
            for it in self.batches_of(target, pending, alone) {
                let known = wanted.get(it.migration.file.as_str());
                if known.is_none_or(|known| it.first && !known.first) {
                    wanted.insert(&it.migration.file, it);
                }
            }
        }
        wanted.into_values().collect()
    }

    fn batches_of<'a>(
        &'a self,
        target: Target<'a>,
        pending: &'a Pending,
        alone: bool,
    ) -> impl Iterator<Item = Wanted<'a>> {
        let migrations = self.set().of(target.scope());
        pending
            .migrations
            .iter()
            .enumerate()
            .filter_map(move |(place, index)| {
                let migration = &migrations[*index];
                Some(Wanted {
                    target,
                    migration,
                    batch: migration.batch.as_ref()?,
                    first: alone && place == 0,
                })
            })
    }
}
