//! A batch of one file: a transaction for each range.

use sqlx::sqlite::SqliteConnection;

use crate::domain::{Batch, Migration};
use crate::engine::range_key::RangeKey;
use crate::engine::ranges::{
    Keys, NO_ROW, ProgressSql, RangeError, Standing, batch_of, kept, keyless, moved, standing, underway,
};
use crate::engine::{EngineError, Target, Underway};

use super::Sqlite;
use super::connect::{Row, first};
use super::session::SqliteSession;
use super::sql::{self, literal};

fn keys(batch: &Batch) -> Keys<'_> {
    Keys {
        batch,
        // As `quote()` wrote it: a number compares as a number whatever the column's affinity.
        literal: &str::to_owned,
        text: &text,
    }
}

/// `quote()` ends a text at its first NUL. What stands in its place then has no affinity either.
fn text(column: &str) -> String {
    format!(
        "CASE WHEN typeof({column}) = 'text' AND instr({column}, char(0)) > 0
THEN '+CAST(x''' || hex({column}) || ''' AS TEXT)' ELSE quote({column}) END"
    )
}

fn progress() -> ProgressSql {
    ProgressSql {
        table: sql::PROGRESS.to_owned(),
        literal,
        now: sql::NOW,
    }
}

fn values(row: Row) -> Vec<Option<String>> {
    row.into_iter().map(|(_, value)| value).collect()
}

/// A word of [`RangeKey`]. An INTEGER PRIMARY KEY is the table's own order, as is its
/// [rowid](https://www.sqlite.org/rowidtable.html), which is no column of the catalogue.
pub(super) fn key(batch: &Batch) -> String {
    let column = batch.column.trim_matches(['"', '`', '[', ']']);
    let is_rowid = ["rowid", "oid", "_rowid_"]
        .iter()
        .any(|it| column.eq_ignore_ascii_case(it));
    format!(
        "SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM pragma_table_xinfo({table})) THEN 'no table'
ELSE coalesce((SELECT CASE WHEN c.hidden IN (2, 3) THEN 'moves'
    WHEN (c.pk = 1 AND upper(c.type) = 'INTEGER') OR EXISTS (
        SELECT 1 FROM pragma_index_list({table}) AS i, pragma_index_info(i.name) AS k
        WHERE k.seqno = 0 AND k.name = c.name AND i.partial = 0) THEN 'indexed'
    ELSE 'plain' END
    FROM pragma_table_xinfo({table}) AS c WHERE c.name = {} COLLATE NOCASE), '{}') END",
        literal(column),
        if is_rowid { "indexed" } else { "no column" },
        table = literal(&batch.table_name)
    )
}

impl Sqlite {
    /// Each file has its own.
    pub(super) async fn underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError> {
        let mut found = Vec::with_capacity(targets.len());
        for target in targets {
            let rows = self.read_own(self.path(target), progress().read_all()).await?;
            let rows: Vec<_> = rows.unwrap_or_default().into_iter().map(values).collect();
            found.extend(underway(std::slice::from_ref(target), &rows));
        }
        Ok(found)
    }
}

impl SqliteSession {
    /// Foreign keys hold while ranges run, as they do for the application: checking a whole file after
    /// each range would be dear.
    async fn open_batch_file(
        &self,
        target: Target<'_>,
        create: bool,
    ) -> Result<SqliteConnection, EngineError> {
        let mut connection = self.open(target, create).await?;
        let prepare = format!("PRAGMA foreign_keys = ON;{}", sql::CREATE_PROGRESS);
        self.send(&mut connection, prepare).await?;
        Ok(connection)
    }

    async fn or_roll_back(
        &self,
        connection: &mut SqliteConnection,
        sql: String,
    ) -> Result<Vec<Row>, EngineError> {
        let sent = self.send(connection, sql).await;
        if sent.is_err() {
            let _ = self.send(connection, "ROLLBACK".to_owned()).await;
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
        let mut connection = self.open_batch_file(target, create).await?;
        let open = format!("BEGIN IMMEDIATE;{}", sql::CREATE_LEDGER);
        self.send(&mut connection, open).await?;
        let opened = self
            .open_within(&mut connection, target, migration, batch, begun)
            .await;
        let end = if opened.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.send(&mut connection, end.to_owned()).await;
        let at = opened?;
        ended?;
        Ok(at)
    }

    /// In its transaction, which keeps every other writer out.
    async fn open_within(
        &self,
        connection: &mut SqliteConnection,
        target: Target<'_>,
        migration: &Migration,
        batch: &Batch,
        begun: bool,
    ) -> Result<Standing, EngineError> {
        let row = if begun {
            let read = format!(
                "SELECT done FROM {} WHERE {} AND state = 'running'",
                self.rows.table,
                self.rows.this_row(target, migration)
            );
            let rows = self.send(connection, read).await?;
            let done = first(&rows);
            let rows = self.send(connection, progress().read(target, migration)).await?;
            let row: Option<Vec<_>> = rows.into_iter().next().map(values);
            if let Some(at) = kept(migration, done.as_deref(), row.as_deref())? {
                return Ok(at);
            }
            format!("{};", self.rows.update(target, migration, 0, "in_doubt = false"))
        } else {
            self.rows.insert(target, &[migration], "running")
        };
        let found = first(&self.send(connection, key(batch)).await?);
        RangeKey::read(found.as_deref())?.allow(batch)?;
        let keys = keys(batch);
        if !self.send(connection, keys.missing()).await?.is_empty() {
            return Err(keyless(batch));
        }
        let end = first(&self.send(connection, keys.end()).await?);
        let count = format!("SELECT count(*) FROM {}", batch.table);
        let about = first(&self.send(connection, count).await?);
        let at = Standing::opening(end, about.as_deref());
        let text = format!("{row}{}", progress().insert(target, migration, &at));
        self.send(connection, text).await?;
        Ok(at)
    }

    pub(super) async fn range(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        at: &Standing,
    ) -> Result<Standing, RangeError> {
        let nowhere = |error: EngineError| RangeError { error, range: None };
        let batch = batch_of(migration).map_err(nowhere)?;
        let mut connection = self.open_batch_file(target, false).await.map_err(nowhere)?;
        let connection = &mut connection;
        let fence = format!(
            "BEGIN IMMEDIATE;SELECT 1 {}",
            progress().unmoved(target, migration, at)
        );
        if self.send(connection, fence).await.map_err(nowhere)?.is_empty() {
            return Err(nowhere(moved()));
        }
        let finish = format!(
            ";{};{}",
            progress().delete(target, migration),
            self.rows.advanced(target, migration, 1)
        );
        let Some(end) = &at.end else {
            let nothing = batch.within(NO_ROW);
            let sent = self
                .or_roll_back(connection, format!("{nothing}{finish};COMMIT"))
                .await;
            sent.map_err(nowhere)?;
            return Ok(at.over());
        };
        let keys = keys(batch);
        let upper = self.or_roll_back(connection, keys.upper(at)).await;
        let upper = first(&upper.map_err(nowhere)?).unwrap_or_else(|| end.clone());
        let condition = keys.condition(at, &upper);
        let applied = upper == *end;
        let text = format!(
            "{};{};{};{};{}COMMIT",
            batch.within(&condition),
            progress().advance(target, migration, &upper, "changes()"),
            // Read before the row is gone.
            progress().read(target, migration),
            self.rows.ranges_begun(target, migration),
            if applied {
                format!("{finish};")
            } else {
                String::new()
            }
        );
        let sent = self.or_roll_back(connection, text).await;
        let rows = sent.map_err(|error| RangeError {
            error,
            range: Some(condition),
        })?;
        let row: Option<Vec<_>> = rows.into_iter().next_back().map(values);
        let rows = row.and_then(|row| standing(&row)).map_or(at.rows, |it| it.rows);
        Ok(at.after(upper, rows))
    }
}
