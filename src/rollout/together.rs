//! Small changes of several tenants in one transaction.
//!
//! Where a tenant takes a fraction of a millisecond, most of it is what stands around its change: begin,
//! commit, and a statement for its row of the ledger. So tenants that need the same are taken together for
//! as long as all of them take no longer than one with more to do. The server rolls all of them back where
//! one fails, or waits for a lock; then each is taken by itself, and has an outcome of its own.

use std::time::Duration;

use crate::domain::{Migration, Version};
use crate::engine::{EngineError, Target};
use crate::migrations::TenantPlan;

use super::Migrated;
use super::crew::Job;
use super::target::Sessions;

/// So long may the locks of a group be held: nobody notices.
const WHOLE: Duration = Duration::from_millis(10);
const MOST: usize = 16;
/// Of one tenant's migrations: what is longer is no small change.
const LONGEST: usize = 4096;

/// How long tenants took of late.
#[derive(Debug, Default)]
pub(super) struct Quickness {
    each: Option<Duration>,
}

impl Quickness {
    pub(super) fn took(&mut self, each: Duration) {
        self.each = Some(match self.each {
            None => each,
            Some(before) => (before * 7 + each) / 8,
        });
    }

    /// How many tenants go together, where so many wait for `hands` that take them. One where nothing is
    /// known yet.
    pub(super) fn size(&self, waiting: usize, hands: usize) -> usize {
        let Some(each) = self.each else { return 1 };
        let quick = WHOLE.as_nanos() / each.as_nanos().max(1);
        // The last ones are shared out.
        let share = waiting / (2 * hands.max(1));
        usize::try_from(quick).unwrap_or(MOST).min(MOST).min(share).max(1)
    }
}

/// Whether a tenant's migrations may share a transaction with others' at all.
pub(super) fn may_share(job: &Job<'_>, plan: &TenantPlan) -> bool {
    let pending = &plan.pending;
    let migrations = pending.migrations.iter().map(|index| &job.set.tenant[*index]);
    let small = |it: &Migration| it.transactional && it.batch.is_none() && !it.statements.is_empty();
    job.engine.applies_together()
        && pending.resume.is_none()
        && migrations.clone().all(small)
        && migrations.map(|it| it.sql.len()).sum::<usize>() <= LONGEST
}

/// Applies what the first of them needs to all of them; on an error nothing has happened to any.
pub(super) async fn apply(
    job: &Job<'_>,
    sessions: &mut Sessions,
    tenants: &[usize],
) -> Result<Vec<Migrated>, EngineError> {
    let pending = &job.plan[tenants[0]].pending;
    let migrations: Vec<&Migration> = pending
        .migrations
        .iter()
        .map(|index| &job.set.tenant[*index])
        .collect();
    let targets: Vec<(Target<'_>, bool)> = tenants
        .iter()
        .map(|index| &job.plan[*index].tenant)
        .map(|tenant| (Target::Tenant(tenant), !job.locations.contains(tenant)))
        .collect();
    let server = job.plan[tenants[0]].tenant.server.as_ref();
    let session = sessions.get(job.engine, server, false).await?;
    session.apply_together(&targets, &migrations).await?;
    let applied: Vec<Version> = migrations.iter().map(|it| it.version).collect();
    let migrated = |_: &usize| Migrated {
        head: applied.iter().copied().max().max(pending.head),
        applied: applied.clone(),
        ..Migrated::default()
    };
    Ok(tenants.iter().map(migrated).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quick_ones_go_together_and_the_last_are_shared_out() {
        let mut quickness = Quickness::default();
        assert_eq!(quickness.size(1000, 8), 1, "nothing is known");
        quickness.took(Duration::from_millis(1));
        assert_eq!(quickness.size(1000, 8), 10);
        assert_eq!(quickness.size(48, 8), 3);
        assert_eq!(quickness.size(3, 8), 1);
        for _ in 0..50 {
            quickness.took(Duration::from_micros(100));
        }
        assert_eq!(quickness.size(10_000, 8), MOST);
        for _ in 0..50 {
            quickness.took(Duration::from_millis(30));
        }
        assert_eq!(quickness.size(10_000, 8), 1);
    }
}
