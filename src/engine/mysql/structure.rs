//! What databases are made of, for many at once, and what migrations make of nothing.

use std::time::Duration;

use sqlx::mysql::MySqlConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Structure};
use crate::engine::structure::{gather, without_qualifier};
use crate::engine::{EngineError, EngineOptions, NotMade};

use super::connect::{self, Answer};
use super::sql::{ident, list, literal};

/// Each gives rows (database, kind, table, name, attribute, text). Collations are said where they are not the
/// database's own.
pub(super) fn statements(databases: &[String]) -> Vec<String> {
    let these = list(databases.iter().map(String::as_str));
    let info = "information_schema";
    let own = format!("LEFT JOIN {info}.SCHEMATA s ON s.SCHEMA_NAME = x.TABLE_SCHEMA");
    let kind = "IF(x.TABLE_TYPE LIKE '%VIEW', 'view', IF(x.TABLE_TYPE = 'SEQUENCE', 'sequence', 'table'))";
    let is = format!("x.TABLE_SCHEMA IN ({these})");
    let column = |attribute: &str, value: &str, condition: &str| {
        format!(
            "SELECT x.TABLE_SCHEMA, 'column', x.TABLE_NAME, x.COLUMN_NAME, '{attribute}', {value} FROM {info}.COLUMNS x {own}
WHERE {is}{condition}"
        )
    };
    vec![
        format!("SELECT x.TABLE_SCHEMA, {kind}, '', x.TABLE_NAME, 'kind', lower(x.TABLE_TYPE) FROM {info}.TABLES x WHERE {is}"),
        format!("SELECT x.TABLE_SCHEMA, 'table', '', x.TABLE_NAME, 'engine', x.ENGINE FROM {info}.TABLES x WHERE {is} AND x.TABLE_TYPE = 'BASE TABLE'"),
        format!("SELECT x.TABLE_SCHEMA, 'table', '', x.TABLE_NAME, 'collation', x.TABLE_COLLATION FROM {info}.TABLES x {own}
WHERE {is} AND x.TABLE_TYPE = 'BASE TABLE' AND x.TABLE_COLLATION <> s.DEFAULT_COLLATION_NAME"),
        column("type", "x.COLUMN_TYPE", ""),
        column("null", "IF(x.IS_NULLABLE = 'YES', 'NULL', 'NOT NULL')", ""),
        column("default", "x.COLUMN_DEFAULT", " AND coalesce(x.GENERATION_EXPRESSION, '') = ''"),
        column("extra", "lower(x.EXTRA)", " AND x.EXTRA <> ''"),
        column("generated", "x.GENERATION_EXPRESSION", " AND coalesce(x.GENERATION_EXPRESSION, '') <> ''"),
        column("collation", "x.COLLATION_NAME", " AND x.COLLATION_NAME <> s.DEFAULT_COLLATION_NAME"),
        format!("SELECT x.TABLE_SCHEMA, 'index', x.TABLE_NAME, x.INDEX_NAME, 'definition', concat(IF(min(x.NON_UNIQUE) = 0, 'unique ', ''),
lower(min(x.INDEX_TYPE)), ' (', group_concat(concat(coalesce(x.COLUMN_NAME, 'expression'), coalesce(concat('(', x.SUB_PART, ')'), ''))
ORDER BY x.SEQ_IN_INDEX SEPARATOR ', '), ')') FROM {info}.STATISTICS x WHERE {is} GROUP BY x.TABLE_SCHEMA, x.TABLE_NAME, x.INDEX_NAME"),
        format!("SELECT x.TABLE_SCHEMA, 'constraint', x.TABLE_NAME, x.CONSTRAINT_NAME, 'definition', concat('FOREIGN KEY (',
group_concat(x.COLUMN_NAME ORDER BY x.ORDINAL_POSITION SEPARATOR ', '), ') REFERENCES `', min(x.REFERENCED_TABLE_SCHEMA), '`.', min(x.REFERENCED_TABLE_NAME), ' (',
group_concat(x.REFERENCED_COLUMN_NAME ORDER BY x.ORDINAL_POSITION SEPARATOR ', '), ') ON DELETE ', min(r.DELETE_RULE), ' ON UPDATE ', min(r.UPDATE_RULE))
FROM {info}.KEY_COLUMN_USAGE x JOIN {info}.REFERENTIAL_CONSTRAINTS r
ON r.CONSTRAINT_SCHEMA = x.TABLE_SCHEMA AND r.CONSTRAINT_NAME = x.CONSTRAINT_NAME AND r.TABLE_NAME = x.TABLE_NAME
WHERE {is} AND r.CONSTRAINT_SCHEMA IN ({these}) AND x.REFERENCED_TABLE_NAME IS NOT NULL GROUP BY x.TABLE_SCHEMA, x.TABLE_NAME, x.CONSTRAINT_NAME"),
        // Only MariaDB says the table of a check; in MySQL its name is the database's own.
        format!("SELECT x.CONSTRAINT_SCHEMA, 'constraint', concat('' /*M! , x.TABLE_NAME */), x.CONSTRAINT_NAME, 'definition', concat('CHECK ', x.CHECK_CLAUSE)
FROM {info}.CHECK_CONSTRAINTS x WHERE x.CONSTRAINT_SCHEMA IN ({these})"),
        format!("SELECT x.TABLE_SCHEMA, 'view', '', x.TABLE_NAME, 'definition', x.VIEW_DEFINITION FROM {info}.VIEWS x WHERE {is}"),
        format!("SELECT x.TRIGGER_SCHEMA, 'trigger', x.EVENT_OBJECT_TABLE, x.TRIGGER_NAME, 'definition',
concat_ws(' ', x.ACTION_TIMING, x.EVENT_MANIPULATION, x.ACTION_STATEMENT) FROM {info}.TRIGGERS x WHERE x.TRIGGER_SCHEMA IN ({these})"),
        format!("SELECT x.ROUTINE_SCHEMA, 'routine', '', x.ROUTINE_NAME, 'definition', concat_ws(' ', lower(x.ROUTINE_TYPE),
(SELECT group_concat(concat_ws(' ', p.PARAMETER_MODE, p.PARAMETER_NAME, p.DTD_IDENTIFIER) ORDER BY p.ORDINAL_POSITION SEPARATOR ', ')
FROM {info}.PARAMETERS p WHERE p.SPECIFIC_SCHEMA = x.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = x.SPECIFIC_NAME), x.ROUTINE_DEFINITION)
FROM {info}.ROUTINES x WHERE x.ROUTINE_SCHEMA IN ({these})"),
        format!("SELECT x.EVENT_SCHEMA, 'routine', '', concat('event ', x.EVENT_NAME), 'definition',
concat_ws(' ', x.EXECUTE_AT, x.INTERVAL_VALUE, x.INTERVAL_FIELD, x.EVENT_DEFINITION) FROM {info}.EVENTS x WHERE x.EVENT_SCHEMA IN ({these})"),
    ]
}

pub(super) fn structures(databases: &[String], answers: Vec<Answer>) -> Vec<Structure> {
    let rows = answers.into_iter().flat_map(|answer| answer.rows);
    gather(databases, rows, |own, text| {
        without_qualifier(text, &ident(own), "")
    })
}

/// A database of its own in which migrations are tried out, and which is dropped whatever comes of it.
/// Its name says when it was made: what a killed run left is dropped by a later one.
pub(super) struct Scratch<'a> {
    connection: MySqlConnection,
    options: &'a EngineOptions,
    prefix: String,
}

/// No scratch is in use for so long.
const LEFT_OVER: Duration = Duration::from_secs(600);

/// What the names of all scratches of a ledger begin with.
pub(super) fn scratch_prefix(ledger: &str) -> String {
    format!("{ledger}_scratch_")
}

impl<'a> Scratch<'a> {
    pub(super) fn new(connection: MySqlConnection, options: &'a EngineOptions, ledger: &str) -> Self {
        Self {
            connection,
            options,
            prefix: scratch_prefix(ledger),
        }
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Answer>, EngineError> {
        let sent = connect::send(&mut self.connection, sql, &self.options.redactor).await;
        sent.map_err(|failed| failed.error)
    }

    pub(super) async fn learn(&mut self, migrations: &[&Migration]) -> Result<Structure, NotMade> {
        let now = self.drop_left_over().await?;
        let name = format!("{}{now:x}_{:08x}", self.prefix, fastrand::u32(..));
        self.send(format!("CREATE DATABASE {}", ident(&name))).await?;
        let learnt = self.try_out(&name, migrations).await;
        let dropped = self.send(format!("DROP DATABASE {}", ident(&name))).await;
        let structure = learnt?;
        dropped?;
        Ok(structure)
    }

    /// The present by the server's clock.
    async fn drop_left_over(&mut self) -> Result<u64, EngineError> {
        let text = format!(
            "SELECT UNIX_TIMESTAMP();SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE left(SCHEMA_NAME, {}) = {}",
            self.prefix.chars().count(),
            literal(&self.prefix)
        );
        let answers = self.send(text).await?;
        let now = answers
            .first()
            .and_then(|answer| answer.value()?.parse().ok())
            .unwrap_or(0);
        let rows = answers.into_iter().nth(1).unwrap_or_default().rows;
        for name in rows.into_iter().filter_map(|row| row.into_iter().next()?) {
            let made = name
                .strip_prefix(&self.prefix)
                .and_then(|rest| rest.split('_').next());
            let made = made.and_then(|hex| u64::from_str_radix(hex, 16).ok());
            if made.is_some_and(|made| made.saturating_add(LEFT_OVER.as_secs()) < now) {
                self.send(format!("DROP DATABASE IF EXISTS {}", ident(&name)))
                    .await?;
            }
        }
        Ok(now)
    }

    async fn try_out(&mut self, name: &str, migrations: &[&Migration]) -> Result<Structure, NotMade> {
        for (index, migration) in migrations.iter().enumerate() {
            for statement in &migration.statements {
                if passed_over(&statement.sql, EngineKind::Mysql) {
                    continue;
                }
                let sql = statement
                    .sql
                    .trim_end_matches(|c: char| c == ';' || c.is_whitespace());
                let sent = self.send(format!("USE {};{sql}", ident(name))).await;
                sent.map_err(|error| NotMade {
                    error,
                    migration: Some(index),
                })?;
            }
        }
        let names = [name.to_owned()];
        let mut answers = Vec::new();
        for statement in statements(&names) {
            answers.extend(self.send(statement).await?);
        }
        Ok(structures(&names, answers).remove(0))
    }
}
