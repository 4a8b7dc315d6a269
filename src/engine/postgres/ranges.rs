//! A batch of one schema: a transaction for each range, through a pooler too.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either};

use crate::domain::{Batch, Migration};
use crate::engine::ranges::{Keys, Load, NO_ROW, RangeError, Standing, keyless, standing};
use crate::engine::{EngineError, ErrorKind, Target};

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

/// A row that says whether an index leads with the key; no row: there is no such column.
pub(super) fn key_index(batch: &Batch) -> String {
    let column = match batch.column.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => batch.column.to_lowercase(),
    };
    format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = a.attrelid
    AND x.indkey[0] = a.attnum AND x.indisvalid AND x.indpred IS NULL)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = to_regclass({}) AND a.attname = {} AND NOT a.attisdropped",
        literal(&batch.table),
        literal(&column)
    )
}

impl PostgresSession {
    fn refused(&self, kind: ErrorKind, message: &str) -> EngineError {
        EngineError::new(kind, message, &self.options.redactor)
    }

    fn batch<'m>(&self, migration: &'m Migration) -> Result<&'m Batch, EngineError> {
        let none = || self.refused(ErrorKind::Statement, "a bug of tenantgate: this is no batch");
        migration.batch.as_ref().ok_or_else(none)
    }

    fn moved(&self) -> EngineError {
        let message = "another run has carried this migration on in the meantime";
        self.refused(ErrorKind::AlreadyApplied, message)
    }

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
        let batch = self.batch(migration)?;
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
        let row = |index: usize| results.get(index).and_then(|rows| rows.first());
        let Some(done) = row(0).and_then(|row| row[0].clone()) else {
            return Err(self.moved());
        };
        if done != migration.done_checksum(1).0 {
            return Ok(None);
        }
        let lost = || {
            let message = "a part of its ranges ran, and the record of which is gone";
            let mut error = self.refused(ErrorKind::Statement, message);
            let hint = "restore the table `progress` beside the ledger from a backup";
            error.server_hint = Some(hint.to_owned());
            error
        };
        row(1).and_then(|row| standing(row)).map(Some).ok_or_else(lost)
    }

    /// The end of the keys, fixed before the first range: rows that come later belong to new code.
    async fn look_ahead(&mut self, target: Target<'_>, batch: &Batch) -> Result<Standing, EngineError> {
        let keys = keys(batch);
        let about = format!(
            "SELECT greatest(reltuples, 0)::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass({})",
            literal(&batch.table)
        );
        let mut results = self
            .look(target, &[keys.missing(), keys.end(), about])
            .await?
            .into_iter();
        let mut first = || results.next().and_then(|rows| rows.into_iter().next());
        let (keyless_row, end, about) = (first(), first(), first());
        if keyless_row.is_some() {
            let (message, hint) = keyless(batch);
            let mut error = self.refused(ErrorKind::Statement, &message);
            error.server_hint = Some(hint);
            return Err(error);
        }
        let value = |row: Option<Row>| row.and_then(|row| row.into_iter().next().flatten());
        Ok(Standing {
            end: value(end),
            about: value(about).and_then(|text| text.parse().ok()).unwrap_or(0),
            ..Standing::default()
        })
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
        let batch = self.batch(migration).map_err(nowhere)?;
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
            return Ok(Standing {
                applied: true,
                ..at.clone()
            });
        };
        let upper = self.look(target, &[keys.upper(at)]).await.map_err(nowhere)?;
        let upper = upper.into_iter().next().and_then(|rows| rows.into_iter().next());
        let upper = upper.and_then(|row| row.into_iter().next().flatten());
        let upper = upper.unwrap_or_else(|| end.clone());
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
        let applied = upper == *end;
        let advance = self
            .progress
            .advance(target, migration, &upper, &changed.to_string());
        let finish = if applied { finish } else { String::new() };
        let begun = self.rows.ranges_begun(target, migration);
        let sent = self.send(format!("{advance};{begun}{finish};COMMIT")).await;
        self.or_roll_back(sent).await.map_err(|it| failed(it.error))?;
        Ok(Standing {
            ranges: at.ranges + 1,
            rows: at.rows + changed,
            last: Some(upper),
            applied,
            ..at.clone()
        })
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
