//! Batches that are pending: can their ranges be found?

use std::collections::BTreeMap;
use std::time::Instant;

use crate::domain::{Check, CheckDefinition, Finding, Migration};
use crate::engine::{Engine, Target};

use super::survey::Survey;
use super::{Gate, Stage};

pub(super) const RANGE_INDEX: CheckDefinition = CheckDefinition {
    id: "ledger.batch-index",
    title: "batches have an index on their key",
};

impl Gate<'_> {
    /// Without an index each range would read the whole table. The first tenant that needs a batch speaks for
    /// the others, and a table that is still to come for none.
    pub(super) async fn range_indexes(&mut self, engine: &dyn Engine, survey: &Survey) -> Stage<()> {
        let since = Instant::now();
        let set = self.set();
        let mut pending: BTreeMap<&str, (Target<'_>, &Migration)> = BTreeMap::new();
        for index in &survey.plan.shared.migrations {
            let migration = &set.shared[*index];
            pending.insert(&migration.file, (Target::Shared, migration));
        }
        let tenants = survey.plan.tenants.iter().flatten();
        for it in tenants.filter(|it| survey.locations.contains(&it.tenant)) {
            for index in &it.pending.migrations {
                let migration = &set.tenant[*index];
                pending
                    .entry(&migration.file)
                    .or_insert((Target::Tenant(&it.tenant), migration));
            }
        }
        pending.retain(|_, (_, migration)| migration.batch.is_some());
        if pending.is_empty() {
            return Ok(());
        }
        let mut findings = Vec::new();
        for (target, migration) in pending.into_values() {
            let Some(batch) = &migration.batch else { continue };
            // Where this cannot be told the batch itself will say what is wrong.
            if let Ok(Some(false)) = engine.finds_ranges(target, batch).await {
                let message = format!(
                    "no index of `{}` begins with `{}`, so each range reads the whole table",
                    batch.table, batch.column
                );
                findings.push(
                    Finding::warning(message)
                        .hint("take the primary key, or build an index in a migration before it")
                        .file(&migration.file)
                        .at(1, 1),
                );
            }
        }
        self.add(vec![Check::answered(&RANGE_INDEX, findings)], since)
    }
}
