//! What the gate itself keeps there.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{EnvironmentName, History, Ledger, Migration, Scope, Speed, Tenant, Version};

use super::super::lease::{self, LeaseRow};
use super::super::{
    EngineError, ErrorKind, Holder, Label, LeaseAnswer, LedgerStore, Mark, Target, earliest, history, speed,
    uncompared,
};
use super::connect::Row;
use super::sql::{self, ident, literal};
use super::{Postgres, session};

#[async_trait]
impl LedgerStore for Postgres {
    async fn label(&self) -> Result<Option<Label>, EngineError> {
        let sql = format!("SELECT name, project FROM {}.environment", ident(&self.ledger));
        let rows = self.read_own(&sql).await?.unwrap_or_default();
        let [Some(environment), Some(project)] = rows.into_iter().next().unwrap_or_default()[..]
            .to_owned()
            .try_into()
            .unwrap_or([None, None])
        else {
            return Ok(None);
        };
        Ok(Some(Label { environment, project }))
    }

    async fn prepare(&self) -> Result<(), EngineError> {
        for attempt in 0.. {
            let rows = self.read(&sql::probe_ledger(&self.ledger)).await?;
            let is = |index: usize| rows.first().and_then(|row| row[index].as_deref()) == Some("t");
            let missing = sql::missing(&self.ledger, is(0), is(1), [is(2), is(3), is(4), is(5)]);
            if missing.is_empty() {
                return Ok(());
            }
            match self.send(missing).await {
                Ok(_) => return Ok(()),
                // Another run makes the same at the same moment: look again.
                Err(error) if error.kind == ErrorKind::Statement && attempt < 5 => {
                    tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn set_label(
        &self,
        environment: &EnvironmentName,
        project: &str,
        replace: bool,
    ) -> Result<(), EngineError> {
        let conflict = if replace {
            "UPDATE SET name = excluded.name, project = excluded.project, run = excluded.run, labelled_at = excluded.labelled_at"
        } else {
            "NOTHING"
        };
        let sql = format!(
            "INSERT INTO {}.environment (name, project, run) VALUES ({}, {}, {}) ON CONFLICT (singleton) DO {conflict}",
            ident(&self.ledger),
            literal(environment.as_str()),
            literal(project),
            literal(&self.options.run)
        );
        self.send(sql).await.map(|_| ())
    }

    async fn try_lease(&self, holder: &Holder, ttl: Duration) -> Result<LeaseAnswer, EngineError> {
        let results = self.send(sql::take_lease(&self.ledger, holder, ttl)).await?;
        let row = |row: Row| {
            let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
            LeaseRow {
                own: text(0) == "t",
                part: text(1),
                whence: text(2),
                left: text(3).parse().unwrap_or(0),
            }
        };
        let rows: Vec<LeaseRow> = results
            .into_iter()
            .next_back()
            .unwrap_or_default()
            .into_iter()
            .map(row)
            .collect();
        let answer = lease::answer(&rows, &self.options.redactor);
        if lease::must_give_back(&rows, &answer) {
            self.release_lease(holder).await?;
        }
        Ok(answer)
    }

    async fn renew_lease(&self, holder: &Holder, ttl: Duration) -> Result<bool, EngineError> {
        let results = self.send(sql::renew_lease(&self.ledger, &holder.id, ttl)).await?;
        Ok(results.first().is_some_and(|rows| !rows.is_empty()))
    }

    async fn release_lease(&self, holder: &Holder) -> Result<(), EngineError> {
        let sql = format!(
            "DELETE FROM {}.lease WHERE holder = {}",
            ident(&self.ledger),
            literal(&holder.id)
        );
        self.send(sql).await.map(|_| ())
    }

    async fn ledger(&self, _tenants: &[Tenant]) -> Result<Ledger, EngineError> {
        let mut ledger = Ledger::default();
        let seeds = [fastrand::u64(1..1 << 62), fastrand::u64(1..1 << 62)];
        let rows = match self.read_own(&sql::read_ledger(&self.ledger, seeds)).await? {
            Some(rows) => rows,
            // The table is missing, or the hash.
            None => self
                .read_own(&sql::read_ledger_in_order(&self.ledger))
                .await?
                .unwrap_or_default(),
        };
        for row in rows {
            let [tenants, history] = &row[..] else { continue };
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            history::add_group(&mut ledger, &text(tenants), &text(history))?;
        }
        Ok(ledger)
    }

    async fn history(&self, target: Target<'_>) -> Result<History, EngineError> {
        let sql = sql::read_history(&self.ledger, target.scope().as_str(), target.ledger_name());
        let rows = self.read_own(&sql).await?.unwrap_or_default();
        let text = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten());
        history::parse(&text.unwrap_or_default())
    }

    async fn keep_rollout(&self, speed: Speed) -> Result<(), EngineError> {
        let sql = sql::keep_rollout(&self.ledger, &self.options.run, speed);
        self.send(sql).await.map(|_| ())
    }

    async fn rollouts(&self, newest: usize) -> Result<Vec<Speed>, EngineError> {
        let rows = self.read_own(&sql::read_rollouts(&self.ledger, newest)).await?;
        Ok(rows
            .unwrap_or_default()
            .iter()
            .filter_map(|row| speed(row))
            .collect())
    }

    async fn leave_mark(&self, mark: &Mark) -> Result<(), EngineError> {
        let sql = uncompared::leave(&sql::uncompared(&self.ledger), mark);
        self.send(sql).await.map(|_| ())
    }

    async fn marks(&self) -> Result<Vec<Mark>, EngineError> {
        let rows = self
            .read_own(&uncompared::read(&sql::uncompared(&self.ledger)))
            .await?;
        let mark = |row: Row| Mark::parse(row.first()?.as_deref()?);
        Ok(rows.unwrap_or_default().into_iter().filter_map(mark).collect())
    }

    async fn take_marks(&self, marks: &[Mark]) -> Result<(), EngineError> {
        let sql = uncompared::take_away(&sql::uncompared(&self.ledger), marks);
        self.send(sql).await.map(|_| ())
    }

    async fn first_applied(&self, _: &[Tenant]) -> Result<BTreeMap<(Scope, Version), i64>, EngineError> {
        let sql = format!(
            "SELECT scope, version, floor(extract(epoch FROM min(applied_at)) * 1000000)::bigint FROM {}.ledger
GROUP BY scope, version",
            ident(&self.ledger)
        );
        let mut found = BTreeMap::new();
        earliest(&mut found, self.read_own(&sql).await?.unwrap_or_default());
        Ok(found)
    }

    async fn adopt(&self, targets: &[(Target<'_>, Vec<&Migration>)]) -> Result<(), EngineError> {
        let rows = session::ledger_rows(&self.ledger, format!("baseline: {}", self.options.run));
        let inserts = targets.iter().filter(|(_, these)| !these.is_empty());
        let inserts: String = inserts
            .map(|(target, these)| rows.insert(*target, these, "applied"))
            .collect();
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        self.send(format!("BEGIN;{limits}{inserts}COMMIT"))
            .await
            .map(|_| ())
    }
}
