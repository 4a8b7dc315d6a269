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
use super::Mysql;
use super::sql::{self, ident, literal};

#[async_trait]
impl LedgerStore for Mysql {
    async fn label(&self) -> Result<Option<Label>, EngineError> {
        let sql = format!("SELECT name, project FROM {}.environment", ident(&self.ledger));
        let answer = self.read_own(&sql).await?.unwrap_or_default();
        Ok(match answer.rows.first().map(Vec::as_slice) {
            Some([Some(environment), Some(project)]) => Some(Label {
                environment: environment.clone(),
                project: project.clone(),
            }),
            _ => None,
        })
    }

    async fn prepare(&self) -> Result<(), EngineError> {
        // Looked for first: `CREATE … IF NOT EXISTS` demands the privilege even when it is there.
        let answer = self.read(&sql::probe_ledger(&self.ledger)).await?;
        let found = answer.rows.into_iter().next().unwrap_or_default();
        let count = |index: usize| found.get(index).cloned().flatten().unwrap_or_default();
        if count(1) != "6" {
            let create = sql::create_ledger(&self.ledger, count(0) != "0");
            self.send(create).await?;
        }
        if count(2) == "0" {
            return Ok(());
        }
        match self.send(sql::widen_lease(&self.ledger)).await {
            // Another run has done the same at the same moment.
            Err(error) if error.kind == ErrorKind::Statement || error.kind == ErrorKind::Missing => {
                let again = self.read(&sql::probe_ledger(&self.ledger)).await?;
                let left = again.rows.first().and_then(|row| row.get(2).cloned().flatten());
                if left.as_deref() == Some("0") {
                    Ok(())
                } else {
                    Err(error)
                }
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
        let (name, project) = (literal(environment.as_str()), literal(project));
        let run = literal(&self.options.run);
        let conflict = if replace {
            format!("name = {name}, project = {project}, run = {run}, labelled_at = UTC_TIMESTAMP(6)")
        } else {
            "singleton = 1".to_owned()
        };
        let sql = format!(
            "INSERT INTO {}.environment (singleton, name, project, run, labelled_at)
VALUES (1, {name}, {project}, {run}, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE {conflict}",
            ident(&self.ledger)
        );
        self.send(sql).await.map(|_| ())
    }

    async fn try_lease(&self, holder: &Holder, ttl: Duration) -> Result<LeaseAnswer, EngineError> {
        let answers = self.send(sql::take_lease(&self.ledger, holder, ttl)).await?;
        let row = |row: Vec<Option<String>>| {
            let text = |index: usize| row.get(index).cloned().flatten().unwrap_or_default();
            LeaseRow {
                own: text(0) == "1",
                part: text(1),
                whence: text(2),
                left: text(3).parse().unwrap_or(0),
            }
        };
        let rows = answers.into_iter().next_back().unwrap_or_default().rows;
        let rows: Vec<LeaseRow> = rows.into_iter().map(row).collect();
        let answer = lease::answer(&rows, &self.options.redactor);
        if lease::must_give_back(&rows, &answer) {
            self.release_lease(holder).await?;
        }
        Ok(answer)
    }

    async fn renew_lease(&self, holder: &Holder, ttl: Duration) -> Result<bool, EngineError> {
        let answers = self.send(sql::renew_lease(&self.ledger, holder, ttl)).await?;
        Ok(answers.first().is_some_and(|answer| answer.affected == 1))
    }

    async fn release_lease(&self, holder: &Holder) -> Result<(), EngineError> {
        self.send(sql::release_lease(&self.ledger, holder))
            .await
            .map(|_| ())
    }

    async fn ledger(&self, _tenants: &[Tenant]) -> Result<Ledger, EngineError> {
        let mut ledger = Ledger::default();
        let answer = self.read_histories(&sql::read_ledger(&self.ledger)).await?;
        for row in answer.unwrap_or_default().rows {
            let row: Vec<String> = row.into_iter().map(Option::unwrap_or_default).collect();
            let [tenants, tenant_count, history, entry_count] = &row[..] else {
                continue;
            };
            self.check_whole(tenants, tenant_count)?;
            self.check_whole(history, entry_count)?;
            history::add_group(&mut ledger, tenants, history)?;
        }
        Ok(ledger)
    }

    async fn history(&self, target: Target<'_>) -> Result<History, EngineError> {
        let sql = sql::read_history(&self.ledger, target.scope().as_str(), target.ledger_name());
        let answer = self.read_histories(&sql).await?.unwrap_or_default();
        let Some([Some(text), Some(count)]) = answer.rows.first().map(Vec::as_slice) else {
            return Ok(History::new());
        };
        self.check_whole(text, count)?;
        history::parse(text)
    }

    async fn keep_rollout(&self, speed: Speed) -> Result<(), EngineError> {
        let sql = sql::keep_rollout(&self.ledger, &self.options.run, speed);
        self.send(sql).await.map(|_| ())
    }

    async fn rollouts(&self, newest: usize) -> Result<Vec<Speed>, EngineError> {
        let answer = self.read_own(&sql::read_rollouts(&self.ledger, newest)).await?;
        let rows = answer.unwrap_or_default().rows;
        Ok(rows.iter().filter_map(|row| speed(row)).collect())
    }

    async fn leave_mark(&self, mark: &Mark) -> Result<(), EngineError> {
        let sql = uncompared::leave(&sql::uncompared(&self.ledger), mark);
        self.send(sql).await.map(|_| ())
    }

    async fn marks(&self) -> Result<Vec<Mark>, EngineError> {
        let answer = self
            .read_own(&uncompared::read(&sql::uncompared(&self.ledger)))
            .await?;
        let mark = |row: &Vec<Option<String>>| Mark::parse(row.first()?.as_deref()?);
        Ok(answer.unwrap_or_default().rows.iter().filter_map(mark).collect())
    }

    async fn take_marks(&self, marks: &[Mark]) -> Result<(), EngineError> {
        let sql = uncompared::take_away(&sql::uncompared(&self.ledger), marks);
        self.send(sql).await.map(|_| ())
    }

    async fn first_applied(&self, _: &[Tenant]) -> Result<BTreeMap<(Scope, Version), i64>, EngineError> {
        let sql = format!(
            "SELECT scope, version, timestampdiff(MICROSECOND, '1970-01-01', min(applied_at)) FROM {}.ledger
GROUP BY scope, version",
            ident(&self.ledger)
        );
        let mut found = BTreeMap::new();
        earliest(&mut found, self.read_own(&sql).await?.unwrap_or_default().rows);
        Ok(found)
    }

    async fn adopt(&self, targets: &[(Target<'_>, Vec<&Migration>)]) -> Result<(), EngineError> {
        let run = crate::domain::words::clip(&format!("baseline: {}", self.options.run), 1024);
        let rows = targets.iter().flat_map(|(target, migrations)| {
            migrations
                .iter()
                .map(|migration| sql::applied_row(*target, migration, &run))
        });
        let rows: Vec<String> = rows.collect();
        if rows.is_empty() {
            return Ok(());
        }
        let text = format!(
            "INSERT INTO {}.ledger (scope, tenant, version, name, checksum, state, statement, done, run, applied_at)
VALUES {}",
            ident(&self.ledger),
            rows.join(",\n")
        );
        self.send(text).await.map(|_| ())
    }
}
