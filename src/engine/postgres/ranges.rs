//! A batch of one schema: a transaction for each range, through a pooler too.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either};

use crate::domain::{Batch, Migration};
use crate::engine::range_key::RangeKey;
use crate::engine::ranges::{Keys, Load, NO_ROW, RangeError, Standing, batch_of, kept, keyless};
use crate::engine::{EngineError, Target};

use super::connect::{Failed, Row, from_driver};
use super::session::PostgresSession;
use super::sql;
use super::sql::literal;

fn keys(batch: &Batch) -> Keys<'_> {
    Keys {
        batch,
        literal: &literal,
        // Every type is read as it is written; an unknown literal takes the column's type.
        text: &str::to_owned,
    }
}

/// The first column of a result's first row.
fn value(results: &[Vec<Row>], index: usize) -> Option<&str> {
    results.get(index)?.first()?.first()?.as_deref()
}

/// A word of [`RangeKey`].
pub(super) fn key(batch: &Batch) -> String {
    let column = match batch.column.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => batch.column.to_lowercase(),
    };
    format!(
        "SELECT CASE WHEN to_regclass({table}) IS NULL THEN 'no table' WHEN a.attname IS NULL THEN 'no column'
    WHEN a.attgenerated <> '' THEN 'moves'
    WHEN EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = a.attrelid
        AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL) THEN 'indexed'
    ELSE 'plain' END
FROM (SELECT 1) AS one LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = to_regclass({table}) AND a.attname = {} AND NOT a.attisdropped",
        literal(&column),
        table = literal(&batch.table)
    )
}

impl PostgresSession {
    fn limits(&self) -> String {
        sql::limits(self.options.lock_timeout, self.options.statement_timeout)
    }

    async fn or_roll_back(&mut self, sent: Result<Vec<Vec<Row>>, Failed>) -> Result<Vec<Vec<Row>>, Failed> {
        if sent.is_err() {
            let _ = self.send("ROLLBACK".to_owned()).await;
        }
        sent
    }

    pub(super) async fn open_batch(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
        begun: bool,
    ) -> Result<Standing, EngineError> {
        let batch = batch_of(migration)?;
        // Functions that the statement calls may leave settings behind.
        self.reusable = false;
        if begun && let Some(at) = self.kept(target, migration).await? {
            return Ok(at);
        }
        let at = self.look_ahead(target, batch).await?;
        let row = if begun {
            let ours = format!(
                "SELECT 1 FROM {} WHERE {} AND state = 'running' AND statement = 0 AND done <> {}",
                self.rows.table,
                self.rows.this_row(target, migration),
                literal(&migration.done_checksum(1).0)
            );
            let update = self.rows.update(target, migration, 0, "in_doubt = false");
            format!("SELECT 1 / count(*) FROM ({ours} FOR UPDATE) AS mine;{update};")
        } else {
            format!(
                "{}{}",
                self.create(target, create),
                self.rows.insert(target, &[migration], "running")
            )
        };
        let before = format!("BEGIN;{}", self.limits());
        let text = format!(
            "{before}{row}{}COMMIT",
            self.progress.insert(target, migration, &at)
        );
        let sent = self.send(text).await;
        match self.or_roll_back(sent).await {
            Ok(_) => Ok(at),
            Err(failed) if begun => Err(self.fence_error(failed, before.matches(';').count()).error),
            Err(failed) => Err(failed.error),
        }
    }

    /// Where a batch that was begun stands; none: no part of it as a batch.
    async fn kept(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
    ) -> Result<Option<Standing>, EngineError> {
        let text = format!(
            "SELECT done FROM {} WHERE {} AND state = 'running';{}",
            self.rows.table,
            self.rows.this_row(target, migration),
            self.progress.read(target, migration)
        );
        let results = self.send(text).await?;
        let row = |index: usize| Some(results.get(index)?.first()?.as_slice());
        kept(migration, row(0).and_then(|row| row[0].as_deref()), row(1))
    }

    async fn look_ahead(&mut self, target: Target<'_>, batch: &Batch) -> Result<Standing, EngineError> {
        let given = self.look(target, &[key(batch)]).await?;
        RangeKey::read(value(&given, 0))?.allow(batch)?;
        let keys = keys(batch);
        let about = format!(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass({})",
            literal(&batch.table)
        );
        let given = self.look(target, &[keys.missing(), keys.end(), about]).await?;
        if given.first().is_some_and(|rows| !rows.is_empty()) {
            return Err(keyless(batch));
        }
        let end = value(&given, 1).map(str::to_owned);
        Ok(Standing::opening(end, value(&given, 2)))
    }

    /// Queries in a transaction that cannot write. Dates are read as they are written everywhere.
    async fn look(&mut self, target: Target<'_>, queries: &[String]) -> Result<Vec<Vec<Row>>, EngineError> {
        let text = format!(
            "BEGIN READ ONLY;{}SET LOCAL datestyle = 'ISO';{}SET LOCAL search_path = {};{};COMMIT",
            self.limits(),
            self.usable(target),
            self.path(target),
            queries.join(";")
        );
        let sent = self.send(text).await;
        let mut results = self.or_roll_back(sent).await?;
        results.pop();
        let own = results.len().saturating_sub(queries.len());
        Ok(results.split_off(own))
    }

    pub(super) async fn range(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        at: &Standing,
    ) -> Result<Standing, RangeError> {
        let nowhere = |error: EngineError| RangeError { error, range: None };
        let batch = batch_of(migration).map_err(nowhere)?;
        let keys = keys(batch);
        let fence = format!(
            "SELECT 1 / count(*) FROM (SELECT 1 {} FOR UPDATE) AS mine;",
            self.progress.unmoved(target, migration, at)
        );
        let before = format!("BEGIN;{}", self.limits());
        let fence_at = before.matches(';').count();
        let finish = format!(
            ";{};{}",
            self.progress.delete(target, migration),
            self.rows.advanced(target, migration, 1)
        );
        let Some(end) = &at.end else {
            let text = format!(
                "{before}{fence}{}SET LOCAL search_path = {};{}{finish};COMMIT",
                self.usable(target),
                self.path(target),
                batch.within(NO_ROW)
            );
            let sent = self.send(text).await;
            let sent = self.or_roll_back(sent).await;
            sent.map_err(|failed| nowhere(self.fence_error(failed, fence_at).error))?;
            return Ok(at.over());
        };
        let given = self.look(target, &[keys.upper(at)]).await.map_err(nowhere)?;
        let upper = value(&given, 0).unwrap_or(end).to_owned();
        let condition = keys.condition(at, &upper);
        let failed = |error: EngineError| RangeError {
            error,
            range: Some(condition.clone()),
        };
        let opening = format!(
            "{before}{fence}{}SET LOCAL search_path = {};{}",
            self.usable(target),
            self.path(target),
            batch.within(&condition)
        );
        let changed = match self.send_counted(opening).await {
            Ok(changed) => changed,
            Err(error) => {
                let _ = self.send("ROLLBACK".to_owned()).await;
                return Err(failed(self.fence_error(error, fence_at).error));
            }
        };
        let next = at.after(upper.clone(), at.rows + changed);
        let advance = self
            .progress
            .advance(target, migration, &upper, &changed.to_string());
        let finish = if next.applied { finish } else { String::new() };
        let begun = self.rows.ranges_begun(target, migration);
        let sent = self.send(format!("{advance};{begun}{finish};COMMIT")).await;
        self.or_roll_back(sent).await.map_err(|it| failed(it.error))?;
        Ok(next)
    }

    /// Sends text, and tells how many rows its last statement changed.
    async fn send_counted(&mut self, sql: String) -> Result<u64, Failed> {
        let mut stream = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(&mut self.connection);
        let (mut completed, mut changed) = (0, 0);
        loop {
            match stream.try_next().await {
                Ok(Some(Either::Left(done))) => {
                    completed += 1;
                    changed = done.rows_affected();
                }
                Ok(Some(Either::Right(_))) => {}
                Ok(None) => return Ok(changed),
                Err(error) => {
                    return Err(Failed {
                        error: from_driver(&error, &self.options.redactor),
                        completed,
                    });
                }
            }
        }
    }

    /// Other roles' sessions are seen only by members of `pg_read_all_stats`, as is how far replicas are.
    pub(super) async fn server_load(&mut self) -> Result<Load, EngineError> {
        let text = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active'
AND pid <> pg_backend_pid() AND application_name <> current_setting('application_name');
SELECT ceil(max(extract(epoch FROM replay_lag)) * 1000)::bigint FROM pg_catalog.pg_stat_replication";
        let results = self.send(text.to_owned()).await?;
        let number = |index: usize| {
            let value: &Option<String> = results.get(index)?.first()?.first()?;
            value.as_deref()?.parse::<u64>().ok()
        };
        Ok(Load {
            active: number(0),
            replica_lag: number(1).map(std::time::Duration::from_millis),
        })
    }
}
