//! What is there and what would run, as the report shows it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    PlanGroup, PlanSummary, PlannedRanges, Scope, ServerName, Standing, Tenant, TenantName, WaveSummary,
};
use crate::migrations::{Pending, TenantPlan};
use crate::rollout::{self, Turn};

use super::survey::Survey;
use super::{Command, Gate};

impl Gate<'_> {
    /// Puts plan and standings into the report where they were asked for.
    pub(super) fn show(&mut self, survey: &Survey) {
        if self.request.command.asks_ledger_itself() {
            return;
        }
        if self.request.command == Command::Plan || self.request.dry_run {
            self.plan = Some(self.summarise(survey));
        }
        if self.request.command == Command::Status {
            self.standings = Some(standings(survey));
        }
    }

    /// In which order tenants would go; nothing where all go together.
    fn waves(&self, survey: &Survey) -> Vec<WaveSummary> {
        let plan: Vec<TenantPlan> = survey.plan.tenants.iter().flatten().cloned().collect();
        let settings = self.settings;
        let turns = rollout::turns(&plan, &settings.tenancy.ensure, &settings.rollout, &survey.listed);
        if turns.len() < 2 {
            return Vec::new();
        }
        let wave = |turn: Turn| WaveSummary {
            name: turn.name,
            tenants: turn
                .tenants
                .iter()
                .map(|index| plan[*index].tenant.name.clone())
                .collect(),
        };
        turns.into_iter().map(wave).collect()
    }

    fn summarise(&self, survey: &Survey) -> PlanSummary {
        let (set, plan) = (self.set(), &survey.plan);
        let labels = |scope: Scope, indexes: &[usize]| -> Vec<String> {
            indexes
                .iter()
                .map(|index| set.of(scope)[*index].label())
                .collect()
        };
        let all: Vec<usize> = (0..set.tenant.len()).collect();
        let mut groups: BTreeMap<(&[usize], Option<&ServerName>), Vec<TenantName>> = BTreeMap::new();
        for TenantPlan { tenant, pending } in plan.tenants.iter().flatten() {
            if !pending.migrations.is_empty() {
                groups
                    .entry((&pending.migrations, tenant.server.as_ref()))
                    .or_default()
                    .push(tenant.name.clone());
            }
        }
        let shown = |scope: Scope, index: &usize| {
            let migration = &set.of(scope)[*index];
            (migration.label(), migration.sql.clone())
        };
        let tenant: BTreeSet<usize> = match plan.tenants {
            Some(_) => groups
                .keys()
                .flat_map(|(indexes, _)| indexes.iter().copied())
                .collect(),
            None => all.iter().copied().collect(),
        };
        let ranges = |scope: Scope, index: &usize| {
            let migration = &set.of(scope)[*index];
            let batch = migration.batch.as_ref()?;
            Some(PlannedRanges {
                migration: migration.label(),
                table: batch.table.clone(),
                key: batch.key.clone(),
                size: batch.size,
            })
        };
        let shared = plan.shared.migrations.iter();
        let ranges = shared
            .filter_map(|index| ranges(Scope::Shared, index))
            .chain(tenant.iter().filter_map(|index| ranges(Scope::Tenant, index)))
            .collect();
        let shared = plan
            .shared
            .migrations
            .iter()
            .map(|index| shown(Scope::Shared, index));
        let sql = shared.chain(tenant.iter().map(|index| shown(Scope::Tenant, index)));
        let sql = if self.request.show_sql {
            sql.collect()
        } else {
            Vec::new()
        };
        let mut pending: Vec<PlanGroup> = groups
            .into_iter()
            .map(|((indexes, server), tenants)| PlanGroup {
                server: server.cloned(),
                tenants,
                pending: labels(Scope::Tenant, indexes),
            })
            .collect();
        pending.sort_by_key(|group| std::cmp::Reverse(group.tenants.len()));
        PlanSummary {
            shared: labels(Scope::Shared, &plan.shared.migrations),
            each_tenant: if plan.tenants.is_none() {
                labels(Scope::Tenant, &all)
            } else {
                Vec::new()
            },
            tenants: plan.tenants.is_some().then_some(pending),
            waves: self.waves(survey),
            ranges,
            sql,
        }
    }
}

fn standings(survey: &Survey) -> Vec<Standing> {
    let standing = |tenant: Option<&Tenant>, pending: &Pending| Standing {
        tenant: tenant.map(|tenant| tenant.name.clone()),
        server: tenant.and_then(|tenant| tenant.server.clone()),
        head: pending.head,
        applied: pending.applied,
        pending: pending.migrations.len(),
        unfinished: pending.resume.is_some(),
        ranges: None,
        reverting: pending.reverting.is_some(),
        active: tenant.is_none_or(|tenant| tenant.active),
        exists: tenant.is_none_or(|tenant| survey.locations.contains(tenant)),
    };
    let shared = standing(None, &survey.plan.shared);
    let tenants = survey.plan.tenants.iter().flatten();
    std::iter::once(shared)
        .chain(tenants.map(|it| standing(Some(&it.tenant), &it.pending)))
        .collect()
}
