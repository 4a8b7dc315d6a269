//! What the gate itself keeps there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use crate::domain::{EnvironmentName, History, Ledger, Migration, Scope, ServerName, Speed, Tenant, Version};

use super::super::{EngineError, Holder, Label, LeaseAnswer, LedgerStore, Mark, Target};
use super::{Fleet, Member, merge};

#[async_trait]
impl LedgerStore for Fleet {
    async fn label(&self) -> Result<Option<Label>, EngineError> {
        self.own.engine.label().await
    }

    async fn prepare(&self) -> Result<(), EngineError> {
        let prepare = |member: Arc<Member>| async move {
            let prepared = member.engine.prepare().await;
            prepared.map_err(|error| member.told(error))
        };
        try_join_all(self.all().into_iter().map(prepare))
            .await
            .map(|_| ())
    }

    async fn set_label(
        &self,
        environment: &EnvironmentName,
        project: &str,
        replace: bool,
    ) -> Result<(), EngineError> {
        let label = |member: Arc<Member>| async move {
            let labelled = member.engine.set_label(environment, project, replace).await;
            labelled.map_err(|error| member.told(error))
        };
        try_join_all(self.all().into_iter().map(label)).await.map(|_| ())
    }

    async fn try_lease(&self, holder: &Holder, ttl: Duration) -> Result<LeaseAnswer, EngineError> {
        self.own.engine.try_lease(holder, ttl).await
    }

    async fn renew_lease(&self, holder: &Holder, ttl: Duration) -> Result<bool, EngineError> {
        self.own.engine.renew_lease(holder, ttl).await
    }

    async fn release_lease(&self, holder: &Holder) -> Result<(), EngineError> {
        self.own.engine.release_lease(holder).await
    }

    async fn ledger(&self, tenants: &[Tenant]) -> Result<Ledger, EngineError> {
        let read = |member: Arc<Member>| async move {
            let ledger = member.engine.ledger(tenants).await;
            let ledger = ledger.map_err(|error| member.told(error))?;
            Ok::<_, EngineError>((member.name.clone(), ledger))
        };
        let mut own = Ledger::default();
        let mut others = Vec::new();
        for (server, ledger) in try_join_all(self.all().into_iter().map(read)).await? {
            match server {
                None => own = ledger,
                Some(server) => others.push((server, ledger)),
            }
        }
        if others.is_empty() {
            return Ok(own);
        }
        Ok(merge::merge(tenants, own, others))
    }

    async fn history(&self, target: Target<'_>) -> Result<History, EngineError> {
        let member = self.member(target.server())?;
        let history = member.engine.history(target).await;
        history.map_err(|error| member.told(error))
    }

    async fn remember(&self, tenants: &[Tenant]) -> Result<(), EngineError> {
        // Engines of files alone remember, and they have one server.
        self.own.engine.remember(tenants).await
    }

    async fn keep_rollout(&self, speed: Speed) -> Result<(), EngineError> {
        self.own.engine.keep_rollout(speed).await
    }

    async fn rollouts(&self, newest: usize) -> Result<Vec<Speed>, EngineError> {
        self.own.engine.rollouts(newest).await
    }

    async fn leave_mark(&self, mark: &Mark) -> Result<(), EngineError> {
        self.own.engine.leave_mark(mark).await
    }

    async fn marks(&self) -> Result<Vec<Mark>, EngineError> {
        self.own.engine.marks().await
    }

    async fn take_marks(&self, marks: &[Mark]) -> Result<(), EngineError> {
        self.own.engine.take_marks(marks).await
    }

    async fn forget(&self, tenants: &[Tenant]) -> Result<(), EngineError> {
        self.own.engine.forget(tenants).await
    }

    async fn first_applied(
        &self,
        tenants: &[Tenant],
    ) -> Result<BTreeMap<(Scope, Version), i64>, EngineError> {
        let read = |member: Arc<Member>| async move {
            let first = member.engine.first_applied(tenants).await;
            first.map_err(|error| member.told(error))
        };
        let mut all = BTreeMap::new();
        for first in try_join_all(self.all().into_iter().map(read)).await? {
            for (key, at) in first {
                let earliest: &mut i64 = all.entry(key).or_insert(at);
                *earliest = at.min(*earliest);
            }
        }
        Ok(all)
    }

    async fn adopt(&self, targets: &[(Target<'_>, Vec<&Migration>)]) -> Result<(), EngineError> {
        let mut parts: BTreeMap<Option<&ServerName>, Vec<_>> = BTreeMap::new();
        for (target, migrations) in targets {
            let part = parts.entry(target.server()).or_default();
            part.push((*target, migrations.clone()));
        }
        for (server, part) in parts {
            let member = self.member(server)?;
            let adopted = member.engine.adopt(&part).await;
            adopted.map_err(|error| member.told(error))?;
        }
        Ok(())
    }
}
