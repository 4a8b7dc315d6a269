//! What the gate itself keeps there.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use crate::domain::{EnvironmentName, History, Ledger, Migration, Scope, Speed, Tenant, TenantName, Version};

use super::super::lease::{self, LeaseRow};
use super::super::{
    EngineError, ErrorKind, Holder, Label, LeaseAnswer, LedgerStore, Mark, Target, earliest, history, speed,
    uncompared,
};
use super::connect::{self, Access, Row, first};
use super::sql::{self, literal};
use super::{Sqlite, in_file, session};

impl Sqlite {
    async fn has_old_lease(&self) -> Result<bool, EngineError> {
        let rows = self.read(&self.shared, sql::PROBE_LEASE.to_owned()).await?;
        Ok(rows.is_some_and(|rows| !rows.is_empty()))
    }

    /// The histories of those that have one. One connection for all files: opening one each would cost a
    /// thread each.
    async fn read_files(
        &self,
        tenants: &[&Tenant],
        known: &Known,
    ) -> Result<Vec<(TenantName, Arc<History>)>, EngineError> {
        let mut connection = self.open(&self.shared, Access::Read).await?;
        let redactor = &self.options.redactor;
        let mut histories = Vec::with_capacity(tenants.len());
        for tenant in tenants {
            let read = sql::read_history("one.tenantgate_ledger", "tenant", tenant.name.as_str());
            let file = literal(&tenant.location);
            let text = format!("ATTACH {file} AS one;{read};DETACH one");
            match connect::send(&mut connection, text, redactor).await {
                Ok(rows) => {
                    if let Some(text) = first(&rows).filter(|text| !text.is_empty()) {
                        histories.push((tenant.name.clone(), known.history(text)?));
                    }
                }
                Err(error) if error.kind == ErrorKind::Missing => {
                    connect::send(&mut connection, "DETACH one".to_owned(), redactor).await?;
                }
                Err(error) => return Err(in_file(error, Path::new(&tenant.location))),
            }
        }
        Ok(histories)
    }
}

/// Histories by their texts, so that tenants with equal ones share one.
#[derive(Default)]
struct Known(std::sync::Mutex<HashMap<String, Arc<History>>>);

impl Known {
    fn history(&self, text: String) -> Result<Arc<History>, EngineError> {
        let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(history) = known.get(&text) {
            return Ok(history.clone());
        }
        let history = Arc::new(history::parse(&text)?);
        known.insert(text, history.clone());
        Ok(history)
    }
}

#[async_trait]
impl LedgerStore for Sqlite {
    async fn label(&self) -> Result<Option<Label>, EngineError> {
        let sql = "SELECT name, project FROM tenantgate_environment".to_owned();
        let rows = self.read_own(&self.shared, sql).await?.unwrap_or_default();
        let row = rows.into_iter().next().unwrap_or_default();
        let mut values = row.into_iter().filter_map(|(_, value)| value);
        Ok(values
            .next()
            .zip(values.next())
            .map(|(environment, project)| Label { environment, project }))
    }

    async fn prepare(&self) -> Result<(), EngineError> {
        let widen = if self.has_old_lease().await? {
            sql::WIDEN_LEASE
        } else {
            ""
        };
        let text = format!(
            "BEGIN IMMEDIATE;{}{}{widen}COMMIT",
            sql::CREATE_SHARED,
            sql::CREATE_LEDGER
        );
        match self.write(text).await {
            // Another run has widened it at the same moment.
            Err(error)
                if !widen.is_empty()
                    && error.kind == ErrorKind::Statement
                    && !self.has_old_lease().await? =>
            {
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    async fn set_label(
        &self,
        environment: &EnvironmentName,
        project: &str,
        replace: bool,
    ) -> Result<(), EngineError> {
        let or = if replace { "REPLACE" } else { "IGNORE" };
        let text = format!(
            "INSERT OR {or} INTO tenantgate_environment (singleton, name, project, run, labelled_at)
VALUES (1, {}, {}, {}, {})",
            literal(environment.as_str()),
            literal(project),
            literal(&self.options.run),
            sql::NOW
        );
        self.write(text).await.map(|_| ())
    }

    async fn try_lease(&self, holder: &Holder, ttl: Duration) -> Result<LeaseAnswer, EngineError> {
        let row = |row: Row| {
            let text = |index: usize| {
                row.get(index)
                    .and_then(|(_, value)| value.clone())
                    .unwrap_or_default()
            };
            LeaseRow {
                own: text(0) == "1",
                part: text(1),
                whence: text(2),
                left: text(3).parse().unwrap_or(0),
            }
        };
        let rows = self.write(sql::take_lease(holder, ttl)).await?;
        let rows: Vec<LeaseRow> = rows.into_iter().map(row).collect();
        let answer = lease::answer(&rows, &self.options.redactor);
        if lease::must_give_back(&rows, &answer) {
            self.release_lease(holder).await?;
        }
        Ok(answer)
    }

    async fn renew_lease(&self, holder: &Holder, ttl: Duration) -> Result<bool, EngineError> {
        Ok(!self.write(sql::renew_lease(&holder.id, ttl)).await?.is_empty())
    }

    async fn release_lease(&self, holder: &Holder) -> Result<(), EngineError> {
        let text = format!(
            "DELETE FROM tenantgate_lease WHERE holder = {}",
            literal(&holder.id)
        );
        self.write(text).await.map(|_| ())
    }

    async fn ledger(&self, tenants: &[Tenant]) -> Result<Ledger, EngineError> {
        let mut ledger = Ledger {
            shared: Arc::new(self.history(Target::Shared).await?),
            ..Ledger::default()
        };
        if !self.shared.exists() {
            return Ok(ledger);
        }
        let names = "SELECT name FROM tenantgate_tenant".to_owned();
        let names = self.read_own(&self.shared, names).await?.unwrap_or_default();
        let names = names.into_iter().filter_map(|row| row.into_iter().next()?.1);
        ledger.remembered = names.filter_map(|name| TenantName::parse(&name).ok()).collect();
        let files: Vec<&Tenant> = tenants
            .iter()
            .filter(|tenant| Path::new(&tenant.location).exists())
            .collect();
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        let shares = files.chunks(files.len().div_ceil(readers).max(1));
        let known = Known::default();
        let read = try_join_all(shares.map(|share| self.read_files(share, &known))).await?;
        ledger.tenants = read.into_iter().flatten().collect();
        Ok(ledger)
    }

    async fn history(&self, target: Target<'_>) -> Result<History, EngineError> {
        let text = sql::read_history(sql::LEDGER, target.scope().as_str(), target.ledger_name());
        let rows = self.read_own(self.path(&target), text).await?.unwrap_or_default();
        history::parse(&first(&rows).unwrap_or_default())
    }

    async fn remember(&self, tenants: &[Tenant]) -> Result<(), EngineError> {
        let row = |tenant: &Tenant| {
            format!(
                "({}, {}, {})",
                literal(tenant.name.as_str()),
                literal(&self.options.run),
                sql::NOW
            )
        };
        let rows: Vec<String> = tenants.iter().map(row).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let text = format!(
            "INSERT OR IGNORE INTO tenantgate_tenant (name, run, seen_at) VALUES {}",
            rows.join(", ")
        );
        self.write(text).await.map(|_| ())
    }

    async fn keep_rollout(&self, speed: Speed) -> Result<(), EngineError> {
        self.write(sql::keep_rollout(&self.options.run, speed))
            .await
            .map(|_| ())
    }

    async fn rollouts(&self, newest: usize) -> Result<Vec<Speed>, EngineError> {
        let rows = self
            .read_own(&self.shared, sql::read_rollouts(newest))
            .await?
            .unwrap_or_default();
        let values = |row: Row| row.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        Ok(rows.into_iter().filter_map(|row| speed(&values(row))).collect())
    }

    async fn leave_mark(&self, mark: &Mark) -> Result<(), EngineError> {
        let text = uncompared::leave(sql::UNCOMPARED, mark);
        self.write(format!("BEGIN IMMEDIATE;{text};COMMIT"))
            .await
            .map(|_| ())
    }

    async fn marks(&self) -> Result<Vec<Mark>, EngineError> {
        let rows = self
            .read_own(&self.shared, uncompared::read(sql::UNCOMPARED))
            .await?;
        let mark = |row: Row| Mark::parse(row.first()?.1.as_deref()?);
        Ok(rows.unwrap_or_default().into_iter().filter_map(mark).collect())
    }

    async fn take_marks(&self, marks: &[Mark]) -> Result<(), EngineError> {
        let text = uncompared::take_away(sql::UNCOMPARED, marks);
        self.write(text).await.map(|_| ())
    }

    async fn forget(&self, tenants: &[Tenant]) -> Result<(), EngineError> {
        let names: Vec<String> = tenants.iter().map(|it| literal(it.name.as_str())).collect();
        if names.is_empty() {
            return Ok(());
        }
        let text = format!(
            "DELETE FROM tenantgate_tenant WHERE name IN ({})",
            names.join(", ")
        );
        self.write(text).await.map(|_| ())
    }

    async fn first_applied(
        &self,
        tenants: &[Tenant],
    ) -> Result<BTreeMap<(Scope, Version), i64>, EngineError> {
        let text = format!(
            "SELECT scope, version, min(applied_at) * 1000 FROM {} GROUP BY scope, version",
            sql::LEDGER
        );
        let mut found = BTreeMap::new();
        let tenants = tenants.iter().map(|tenant| Path::new(&tenant.location));
        for path in [self.shared.as_path()].into_iter().chain(tenants) {
            let rows = self.read_own(path, text.clone()).await?.unwrap_or_default();
            let values = |row: Row| row.into_iter().map(|(_, value)| value).collect();
            earliest(&mut found, rows.into_iter().map(values));
        }
        Ok(found)
    }

    async fn adopt(&self, targets: &[(Target<'_>, Vec<&Migration>)]) -> Result<(), EngineError> {
        let run = format!("baseline: {}", self.options.run);
        let rows = session::ledger_rows(run);
        for (target, migrations) in targets.iter().filter(|(_, these)| !these.is_empty()) {
            let insert = rows.insert(*target, migrations, "applied");
            let text = format!("BEGIN IMMEDIATE;{}{insert}COMMIT", sql::CREATE_LEDGER);
            let mut connection = self.open(self.path(target), Access::Write).await?;
            connect::send(&mut connection, text, &self.options.redactor).await?;
        }
        Ok(())
    }
}
