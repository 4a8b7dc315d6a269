//! Migrations tried out in databases of their own, which are dropped whatever comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Scope, Structure};
use crate::engine::{EngineError, EngineOptions, Scratch, Target};

use super::connect::{self, Answer};
use super::sql::{PLAIN_MODE, ident, literal};
use super::structure::{Place, Reader};
use super::{database_of, structure};

pub(super) struct MysqlScratch {
    connection: MySqlConnection,
    options: EngineOptions,
    /// The real one.
    shared_database: String,
    shared: String,
    own: String,
    /// What runs on nothing takes no longer, where somebody is there to run it.
    patience: Duration,
}

impl MysqlScratch {
    pub(super) async fn open(
        connection: MySqlConnection,
        shared_database: String,
        options: EngineOptions,
        ledger: &str,
        patience: Duration,
    ) -> Result<Self, EngineError> {
        let prefix = structure::scratch_prefix(ledger);
        let mut scratch = Self {
            connection,
            options,
            shared_database,
            shared: String::new(),
            own: String::new(),
            patience,
        };
        let now = scratch.drop_left_over(&prefix).await?;
        let name = format!("{prefix}{now:x}_{:08x}", fastrand::u32(..));
        scratch.shared = format!("{name}_s");
        scratch.own = format!("{name}_t");
        scratch
            .send(format!("CREATE DATABASE {}", ident(&scratch.shared)))
            .await?;
        let made = scratch
            .send(format!("CREATE DATABASE {}", ident(&scratch.own)))
            .await;
        if let Err(error) = made {
            let _ = scratch
                .send(format!("DROP DATABASE {}", ident(&scratch.shared)))
                .await;
            return Err(error);
        }
        Ok(scratch)
    }

    fn place(&self, scope: Scope) -> &str {
        match scope {
            Scope::Shared => &self.shared,
            Scope::Tenant => &self.own,
        }
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Answer>, EngineError> {
        let redactor = &self.options.redactor;
        let sent = connect::send(&mut self.connection, sql, redactor);
        let sent = tokio::time::timeout(self.patience, sent).await;
        let sent = sent.map_err(|_| EngineError::silence(self.patience, redactor))?;
        sent.map_err(|failed| failed.error)
    }

    /// One column of a query's rows.
    async fn column(&mut self, sql: String, index: usize) -> Result<Vec<String>, EngineError> {
        let answer = self.send(sql).await?.into_iter().next_back().unwrap_or_default();
        let value = |row: Vec<Option<String>>| row.into_iter().nth(index)?;
        Ok(answer.rows.into_iter().filter_map(value).collect())
    }

    /// Drops what killed runs left: none takes so long. Gives the present by the server's clock.
    async fn drop_left_over(&mut self, prefix: &str) -> Result<u64, EngineError> {
        let now = self.column("SELECT UNIX_TIMESTAMP()".to_owned(), 0).await?;
        let now: u64 = now.first().and_then(|it| it.parse().ok()).unwrap_or(0);
        let text = format!(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE left(SCHEMA_NAME, {}) = {}",
            prefix.chars().count(),
            literal(prefix)
        );
        for name in self.column(text, 0).await? {
            let made = name.strip_prefix(prefix).and_then(|rest| rest.split('_').next());
            let made = made.and_then(|hex| u64::from_str_radix(hex, 16).ok());
            if made.is_some_and(|made| made.saturating_add(LEFT_OVER.as_secs()) < now) {
                self.send(format!("DROP DATABASE IF EXISTS {}", ident(&name)))
                    .await?;
            }
        }
        Ok(now)
    }

    /// Says again in one database what made another, as a dump does: where that one is current, its name is in
    /// no text.
    async fn recreate(&mut self, from: &str, place: &str) -> Result<(), EngineError> {
        let info = "information_schema";
        let schema = literal(from);
        let tables = |kind: &str| {
            format!(
                "SELECT TABLE_NAME FROM {info}.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_TYPE = '{kind}'"
            )
        };
        let routines = |kind: &str| {
            format!(
                "SELECT ROUTINE_NAME FROM {info}.ROUTINES WHERE ROUTINE_SCHEMA = {schema} AND ROUTINE_TYPE = '{kind}'"
            )
        };
        let triggers = format!(
            "SELECT TRIGGER_NAME FROM {info}.TRIGGERS WHERE TRIGGER_SCHEMA = {schema} ORDER BY ACTION_ORDER"
        );
        // In the order in which they need one another; the last is where the text is in the answer.
        let kinds = [
            ("TABLE", tables("BASE TABLE"), 1),
            ("FUNCTION", routines("FUNCTION"), 2),
            ("VIEW", tables("VIEW"), 1),
            ("PROCEDURE", routines("PROCEDURE"), 2),
            ("TRIGGER", triggers, 2),
        ];
        let charset = format!(
            "SELECT concat(' CHARACTER SET ', DEFAULT_CHARACTER_SET_NAME, ' COLLATE ', DEFAULT_COLLATION_NAME)
FROM {info}.SCHEMATA WHERE SCHEMA_NAME = {schema}"
        );
        for charset in self.column(charset, 0).await? {
            self.send(format!("ALTER DATABASE {}{charset}", ident(place)))
                .await?;
        }
        self.send("SET SESSION foreign_key_checks = 0".to_owned()).await?;
        for (kind, names, at) in kinds {
            for name in self.column(names, 0).await? {
                let text = format!("USE {};SHOW CREATE {kind} {}", ident(from), ident(&name));
                for text in self.column(text, at).await? {
                    let text = without_definer(&text);
                    self.send(format!("USE {};{text}", ident(place))).await?;
                }
            }
        }
        Ok(())
    }
}

/// None is in use for so long.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// Only some users may say that another one made something.
fn without_definer(text: &str) -> String {
    let Some(at) = text.find(" DEFINER=") else {
        return text.to_owned();
    };
    // `user`@`host`: what is in quotes may have anything in it.
    let rest = &text[at + " DEFINER=".len()..];
    let mut quoted = false;
    let end = rest.find(|c: char| {
        quoted ^= c == '`';
        !quoted && c == ' '
    });
    format!("{}{}", &text[..at], &rest[end.unwrap_or(rest.len())..])
}

#[async_trait]
impl Scratch for MysqlScratch {
    async fn carry_out(&mut self, migration: &Migration) -> Result<(), EngineError> {
        let place = ident(self.place(migration.scope));
        for statement in &migration.statements {
            if passed_over(&statement.sql, EngineKind::Mysql) {
                continue;
            }
            let sql = statement
                .sql
                .trim_end_matches(|c: char| c == ';' || c.is_whitespace());
            self.send(format!("USE {place};{sql}")).await?;
        }
        Ok(())
    }

    async fn copy(&mut self, live: Target<'_>, _structure: &Structure) -> Result<bool, EngineError> {
        // Another server's databases are not seen from here.
        if live.server().is_some() {
            return Ok(false);
        }
        let from = database_of(&self.shared_database, live);
        let place = self.place(live.scope()).to_owned();
        let made = self.recreate(&from, &place).await;
        self.send("SET SESSION foreign_key_checks = 1".to_owned()).await?;
        made.map(|()| true)
    }

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        let place = Place {
            database: self.place(scope).to_owned(),
            tenant: None,
        };
        let (shared, redactor) = (self.shared.clone(), &self.options.redactor);
        let mut reader = Reader::new(&mut self.connection, &shared, redactor);
        let mut found = reader.structures(&[place]).await?;
        // What comes next is made in the mode in which it is really made, not in the reader's.
        self.send(format!("SET SESSION sql_mode = DEFAULT;{PLAIN_MODE}"))
            .await?;
        Ok(found.pop().unwrap_or_default())
    }

    async fn rows(&mut self, scope: Scope) -> Result<BTreeMap<String, u64>, EngineError> {
        let place = self.place(scope).to_owned();
        let text = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_TYPE = 'BASE TABLE'",
            literal(&place)
        );
        let answer = self.send(text).await?.into_iter().next().unwrap_or_default();
        let names = answer.rows.into_iter().filter_map(|row| row.into_iter().next()?);
        let names: Vec<String> = names.collect();
        let count = |name: &String| format!("SELECT count(*) FROM {}.{}", ident(&place), ident(name));
        let text: Vec<String> = names.iter().map(count).collect();
        if text.is_empty() {
            return Ok(BTreeMap::new());
        }
        let counts = self.send(text.join(";")).await?;
        let number = |answer: &Answer| answer.value()?.parse().ok();
        let counts = counts.iter().map(|answer| number(answer).unwrap_or(0));
        Ok(names.into_iter().zip(counts).collect())
    }

    async fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        // Both, whatever becomes of the first.
        let names = [self.own.clone(), self.shared.clone()];
        let mut dropped = Ok(());
        for name in names {
            let sent = self.send(format!("DROP DATABASE {}", ident(&name))).await;
            dropped = dropped.and(sent.map(|_| ()));
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definer_is_taken_out() {
        assert_eq!(
            without_definer("CREATE DEFINER=`a b`@`%` PROCEDURE `p`() SELECT ' DEFINER=x'"),
            "CREATE PROCEDURE `p`() SELECT ' DEFINER=x'"
        );
        assert_eq!(
            without_definer("CREATE TABLE `t` (`a` int)"),
            "CREATE TABLE `t` (`a` int)"
        );
    }
}
