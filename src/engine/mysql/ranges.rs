//! A batch of one database: a transaction for each range.

use std::fmt::Write as _;

use crate::domain::{Batch, Migration};
use crate::engine::range_key::RangeKey;
use crate::engine::ranges::{
    Keys, Load, NO_ROW, ProgressSql, RangeError, Standing, batch_of, kept, keyless, refused, standing,
};
use crate::engine::{EngineError, Target};

use super::connect::{Answer, Failed};
use super::session::{DUPLICATE_ENTRY, LARGEST, MysqlSession, OUT_OF_RANGE};
use super::sql::{ident, literal};

/// How a key's value is written so that the server compares it exactly: a number in quotes would be
/// [compared as floating point](https://dev.mysql.com/doc/refman/8.0/en/type-conversion.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Number,
    Text,
    /// Read and kept as hexadecimal digits.
    Bytes,
}

impl KeyKind {
    /// From the type as `SHOW COLUMNS` writes it. None: its order is not that of its literals (ENUM, SET),
    /// or they are not exact (FLOAT), or mean another moment after a change of clocks (TIMESTAMP).
    fn of(column_type: &str) -> Option<Self> {
        let name = column_type.split(['(', ' ']).next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "decimal" | "year" => {
                Some(Self::Number)
            }
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "uuid" | "date"
            | "datetime" => Some(Self::Text),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Some(Self::Bytes),
            _ => None,
        }
    }

    fn literal(self, text: &str) -> String {
        match self {
            Self::Number => text.to_owned(),
            Self::Text => literal(text),
            Self::Bytes => format!("x'{text}'"),
        }
    }

    fn text(self, column: &str) -> String {
        match self {
            Self::Bytes => format!("hex({column})"),
            Self::Number | Self::Text => column.to_owned(),
        }
    }
}

/// A word of [`RangeKey`]. The two servers [write](https://mariadb.com/kb/en/information-schema-columns-table/)
/// differently what is generated, and both say of which expression.
pub(super) fn key(batch: &Batch, database: &str) -> String {
    let table = format!(
        "TABLE_SCHEMA = {} AND TABLE_NAME = {}",
        literal(batch.table_schema.as_deref().unwrap_or(database)),
        literal(&batch.table_name)
    );
    let this = format!(
        "{table} AND COLUMN_NAME = {}",
        literal(batch.column.trim_matches('`'))
    );
    format!(
        "SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE {table}) THEN 'no table'
ELSE coalesce((SELECT CASE WHEN coalesce(GENERATION_EXPRESSION, '') <> '' OR lower(EXTRA) LIKE '%on update%'
        THEN 'moves'
    WHEN EXISTS (SELECT 1 FROM information_schema.STATISTICS WHERE {this} AND SEQ_IN_INDEX = 1) THEN 'indexed'
    ELSE 'plain' END
    FROM information_schema.COLUMNS WHERE {this}), 'no column') END"
    )
}

/// The ledger's database is this.
pub(super) fn progress(ledger: &str) -> ProgressSql {
    ProgressSql {
        table: format!("{}.progress", ident(ledger)),
        literal,
        now: "UTC_TIMESTAMP(6)",
    }
}

impl MysqlSession {
    /// Fails with a number out of range where there is no such row, and else locks it.
    fn only_where(from: &str) -> String {
        format!("SELECT {LARGEST} + (count(*) <> 1) {from} FOR UPDATE")
    }

    fn range_error(&self, failed: Failed, fence: usize) -> EngineError {
        let moved = failed.completed == fence && failed.number == Some(OUT_OF_RANGE);
        if moved || failed.number == Some(DUPLICATE_ENTRY) && failed.completed < fence {
            return self.moved();
        }
        failed.error
    }

    pub(super) async fn open_batch(
        &mut self,
        target: Target<'_>,
        create: bool,
        migration: &Migration,
        begun: bool,
    ) -> Result<Standing, EngineError> {
        let batch = batch_of(migration)?;
        let mut text = String::new();
        if let (Target::Tenant(tenant), true) = (target, create) {
            let _ = write!(text, "CREATE DATABASE IF NOT EXISTS {};", ident(&tenant.location));
        }
        if begun && let Some(at) = self.kept(target, migration).await? {
            return Ok(at);
        }
        let at = self.look_ahead(target, batch).await?;
        let key = self.key(target, migration);
        text.push_str("START TRANSACTION;");
        let fence = text.matches(';').count();
        if begun {
            let done = literal(&migration.done_checksum(1).0);
            let nothing = literal(&migration.done_checksum(0).0);
            let ledger = ident(&self.ledger);
            let ours = format!(
                "FROM {ledger}.ledger WHERE {key} AND state = 'running' AND statement = 0 AND done <> {done}"
            );
            let _ = write!(
                text,
                "{};UPDATE {ledger}.ledger SET done = {nothing}, checksum = {}, in_doubt = 0 WHERE {key};",
                Self::only_where(&ours),
                literal(&migration.checksum.0)
            );
        } else {
            let _ = write!(text, "{};", self.begin_row(target, migration, None));
        }
        let _ = write!(
            text,
            "{}COMMIT",
            progress(&self.ledger).insert(target, migration, &at)
        );
        match self.send_or_roll_back(text).await {
            Ok(_) => Ok(at),
            // The ledger's primary key: another run was faster.
            Err(failed) if !begun && failed.number == Some(DUPLICATE_ENTRY) => Err(self.moved()),
            Err(failed) => Err(self.range_error(failed, fence)),
        }
    }

    /// Where a batch that was begun stands; none: no part of it as a batch.
    async fn kept(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
    ) -> Result<Option<Standing>, EngineError> {
        let text = format!(
            "SELECT done FROM {}.ledger WHERE {} AND state = 'running';{}",
            ident(&self.ledger),
            self.key(target, migration),
            progress(&self.ledger).read(target, migration)
        );
        let answers = self.send(text).await?;
        let row = answers.get(1).and_then(|it| it.rows.first());
        kept(
            migration,
            answers.first().and_then(Answer::value),
            row.map(Vec::as_slice),
        )
    }

    async fn key_kind(&mut self, target: Target<'_>, batch: &Batch) -> Result<KeyKind, EngineError> {
        let database = ident(&self.database(target));
        let text = format!("USE {database};SHOW COLUMNS FROM {}", batch.table);
        let answers = self.send(text).await?;
        let rows = answers.into_iter().nth(1).unwrap_or_default().rows;
        let column = batch.column.trim_matches('`');
        let is = |row: &&Vec<Option<String>>| {
            let name = row.first().and_then(Option::as_deref);
            name.is_some_and(|name| name.eq_ignore_ascii_case(column))
        };
        let found = rows.iter().find(is).and_then(|row| row.get(1).cloned().flatten());
        if found.is_none() {
            RangeKey::NoColumn.allow(batch)?;
        }
        let found = found.unwrap_or_default();
        KeyKind::of(&found).ok_or_else(|| {
            let message = format!("ranges over `{column}` would not be exact: it is {found}");
            refused(
                &message,
                "take a key of whole numbers, decimals, text, bytes, dates or DATETIME, such as the primary key",
            )
        })
    }

    async fn look_ahead(&mut self, target: Target<'_>, batch: &Batch) -> Result<Standing, EngineError> {
        let answers = self.send(key(batch, &self.database(target))).await?;
        RangeKey::read(answers.first().and_then(Answer::value))?.allow(batch)?;
        let kind = self.key_kind(target, batch).await?;
        let keys = Keys {
            batch,
            literal: &|text| kind.literal(text),
            text: &|column| kind.text(column),
        };
        let database = batch.table_schema.clone().unwrap_or(self.database(target));
        let about = format!(
            "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}",
            literal(&database),
            literal(&batch.table_name)
        );
        let text = format!(
            "USE {};{};{};{about}",
            ident(&self.database(target)),
            keys.missing(),
            keys.end()
        );
        let answers = self.send(text).await?;
        if answers.get(1).is_some_and(|it| !it.rows.is_empty()) {
            return Err(keyless(batch));
        }
        let value = |index: usize| answers.get(index).and_then(Answer::value);
        Ok(Standing::opening(value(2).map(str::to_owned), value(3)))
    }

    pub(super) async fn range(
        &mut self,
        target: Target<'_>,
        migration: &Migration,
        at: &Standing,
    ) -> Result<Standing, RangeError> {
        let nowhere = |error: EngineError| RangeError { error, range: None };
        let batch = batch_of(migration).map_err(nowhere)?;
        let progress = progress(&self.ledger);
        let begin = format!(
            "START TRANSACTION;{};",
            Self::only_where(&progress.unmoved(target, migration, at))
        );
        let finish = format!(
            "{};{};",
            progress.delete(target, migration),
            self.advanced(target, migration, 1)
        );
        let kind = self.key_kind(target, batch).await.map_err(nowhere)?;
        let Some(end) = &at.end else {
            let nothing = batch.within(NO_ROW);
            let sent = self
                .send_or_roll_back(format!("{begin}{nothing}\n;{finish}COMMIT"))
                .await;
            sent.map_err(|failed| nowhere(self.range_error(failed, 1)))?;
            return Ok(at.over());
        };
        let keys = Keys {
            batch,
            literal: &|text| kind.literal(text),
            text: &|column| kind.text(column),
        };
        let answers = self.send(keys.upper(at)).await;
        let answers = answers.map_err(|failed| nowhere(failed.error))?;
        let upper = answers.first().and_then(Answer::value).unwrap_or(end).to_owned();
        let condition = keys.condition(at, &upper);
        let applied = upper == *end;
        let tail = format!(
            "\n;{};{};UPDATE {}.ledger SET done = {} WHERE {} AND state = 'running' AND statement = 0;{}COMMIT",
            progress.advance(target, migration, &upper, "row_count()"),
            progress.read(target, migration),
            ident(&self.ledger),
            literal(&migration.done_checksum(1).0),
            self.key(target, migration),
            if applied { finish.as_str() } else { "" }
        );
        let text = format!("{begin}{}{tail}", batch.within(&condition));
        let sent = self.send_or_roll_back(text).await;
        let answers = sent.map_err(|failed| RangeError {
            error: self.range_error(failed, 1).without(&tail[1..]),
            range: Some(condition),
        })?;
        // START, the fence, the statement, the record.
        let row = answers.get(4).and_then(|it| it.rows.first());
        let rows = row.and_then(|row| standing(row)).map_or(at.rows, |it| it.rows);
        Ok(at.after(upper, rows))
    }

    /// All threads but this one: the server tells nobody whose they are without a privilege.
    pub(super) async fn server_load(&mut self) -> Result<Load, EngineError> {
        let answers = self
            .send("SHOW GLOBAL STATUS LIKE 'Threads_running'".to_owned())
            .await?;
        let row = answers.first().and_then(|it| it.rows.first());
        let running = row.and_then(|row| row.get(1)?.as_deref()?.parse::<u64>().ok());
        Ok(Load {
            active: running.map(|it| it.saturating_sub(1)),
            replica_lag: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_compare_exactly_are_taken() {
        for (column_type, kind) in [
            ("bigint(20) unsigned", Some(KeyKind::Number)),
            ("decimal(20,4)", Some(KeyKind::Number)),
            ("varchar(40)", Some(KeyKind::Text)),
            ("uuid", Some(KeyKind::Text)),
            ("datetime(6)", Some(KeyKind::Text)),
            ("binary(16)", Some(KeyKind::Bytes)),
            ("timestamp", None),
            ("enum('a','b')", None),
            ("double", None),
        ] {
            assert_eq!(KeyKind::of(column_type), kind, "{column_type}");
        }
        assert_eq!(KeyKind::Number.literal("5"), "5");
        assert_eq!(KeyKind::Text.literal("5"), "'5'");
        assert_eq!(KeyKind::Bytes.literal("00FF"), "x'00FF'");
    }
}
