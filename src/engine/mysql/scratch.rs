//! Migrations tried out in databases of their own, which are dropped whatever comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::MySqlConnection;

use crate::baseline::{passed_over, reaches_out};
use crate::database_url::EngineKind;
use crate::domain::{Migration, Scope, Structure};
use crate::engine::{EngineError, EngineOptions, ErrorKind, Scratch, Target};

use super::connect::{self, Answer};
use super::sql::{PLAIN_MODE, ident, literal};
use super::structure::{Names, Place, Reader};
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
        let mut scratch = Self {
            connection,
            options,
            shared_database,
            shared: String::new(),
            own: String::new(),
            patience,
        };
        let now = scratch.drop_left_over(ledger).await?;
        let name = structure::scratch_name(ledger, now);
        let [shared, own] = structure::PARTS;
        scratch.shared = format!("{name}{shared}");
        scratch.own = format!("{name}{own}");
        scratch.send(structure::in_use(&name)).await?;
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

    /// Drops what killed runs left. Gives the present by the server's clock.
    async fn drop_left_over(&mut self, ledger: &str) -> Result<u64, EngineError> {
        let answers = self.send(structure::not_in_use(ledger)).await?;
        let (now, names) = structure::left_over(ledger, &answers);
        for name in names {
            self.send(format!("DROP DATABASE IF EXISTS {}", ident(&name)))
                .await?;
        }
        Ok(now)
    }

    /// Says again in one database what made another, as a dump does: where that one is current, its name is in
    /// no text.
    async fn recreate(&mut self, from: &str, place: &str) -> Result<(), EngineError> {
        let charset = format!(
            "SELECT concat(' CHARACTER SET ', DEFAULT_CHARACTER_SET_NAME, ' COLLATE ', DEFAULT_COLLATION_NAME)
FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
            literal(from)
        );
        for charset in self.column(charset, 0).await? {
            self.send(format!("ALTER DATABASE {}{charset}", ident(place)))
                .await?;
        }
        for kind in KINDS {
            let mut left = self.column(kind.names(from), 0).await?;
            // A view may be built on one that comes later: what makes no progress any more is wrong.
            while !left.is_empty() {
                let before = left.len();
                let mut refused = Vec::new();
                let mut why = None;
                for name in left {
                    match self.make_again(kind, &name, from, place).await {
                        Ok(()) => {}
                        Err(error) if kind.what == "VIEW" && error.kind.is_refusal() => {
                            refused.push(name);
                            why = Some(error);
                        }
                        Err(error) => return Err(error),
                    }
                }
                left = refused;
                if let (Some(why), true) = (why, left.len() == before) {
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    async fn make_again(
        &mut self,
        kind: Kind,
        name: &str,
        from: &str,
        place: &str,
    ) -> Result<(), EngineError> {
        let text = format!(
            "{COPYING}USE {};SHOW CREATE {} {}",
            ident(from),
            kind.what,
            ident(name)
        );
        let answer = self.send(text).await?.pop().unwrap_or_default();
        let of = |column: &str| {
            let at = answer.columns.iter().position(|it| it == column)?;
            answer.rows.first()?.get(at)?.clone()
        };
        let text = answer.rows.first().and_then(|row| row.get(kind.text)?.clone());
        let message = |what: String| {
            let message = format!(
                "the {} {}.{} {what}",
                kind.what.to_lowercase(),
                ident(from),
                ident(name)
            );
            EngineError::new(ErrorKind::Statement, message, &self.options.redactor)
        };
        let text = text.ok_or_else(|| message("cannot be read".to_owned()))?;
        let names = Names {
            own: from,
            shared: None,
        };
        let text = without_definer(&names.neutral(&text));
        // Whatever it does is done for good, and here it would be done by a copy.
        if let Some(what) = reaches_out(&text) {
            return Err(message(format!("reaches out of its database: `{what}`")));
        }
        let mut before = String::new();
        if let Some(mode) = of("sql_mode") {
            before += &format!("SET SESSION sql_mode = {};", literal(&mode));
        }
        if let Some(zone) = of("time_zone") {
            before += &format!("SET SESSION time_zone = {};", literal(&zone));
        }
        self.send(format!("USE {};{before}{text}", ident(place))).await?;
        Ok(())
    }
}

/// Texts are written alike, and tables made before those that they point to.
const COPYING: &str = "SET SESSION sql_mode = '', sql_quote_show_create = 1, foreign_key_checks = 0;";

/// What migrations find on a connection of their own.
const AS_CONNECTED: &str = "SET SESSION sql_mode = DEFAULT, sql_quote_show_create = DEFAULT, time_zone = DEFAULT, foreign_key_checks = DEFAULT;";

/// A kind of thing that is made again.
#[derive(Debug, Clone, Copy)]
struct Kind {
    what: &'static str,
    /// Which column of the answer the text is in.
    text: usize,
    /// The column with the name, where it is listed, the database's, and which of them.
    listed: (&'static str, &'static str, &'static str, &'static str),
}

impl Kind {
    fn names(self, database: &str) -> String {
        let (name, list, schema, rest) = self.listed;
        format!(
            "SELECT {name} FROM information_schema.{list} WHERE {schema} = {} {rest}",
            literal(database)
        )
    }
}

/// In the order in which they need one another.
const KINDS: [Kind; 7] = [
    Kind {
        what: "SEQUENCE",
        text: 1,
        listed: (
            "TABLE_NAME",
            "TABLES",
            "TABLE_SCHEMA",
            "AND TABLE_TYPE = 'SEQUENCE'",
        ),
    },
    Kind {
        what: "TABLE",
        text: 1,
        listed: ("TABLE_NAME", "TABLES", "TABLE_SCHEMA", OF_ROWS),
    },
    Kind {
        what: "FUNCTION",
        text: 2,
        listed: (
            "ROUTINE_NAME",
            "ROUTINES",
            "ROUTINE_SCHEMA",
            "AND ROUTINE_TYPE = 'FUNCTION'",
        ),
    },
    Kind {
        what: "VIEW",
        text: 1,
        listed: ("TABLE_NAME", "TABLES", "TABLE_SCHEMA", "AND TABLE_TYPE = 'VIEW'"),
    },
    Kind {
        what: "PROCEDURE",
        text: 2,
        listed: (
            "ROUTINE_NAME",
            "ROUTINES",
            "ROUTINE_SCHEMA",
            "AND ROUTINE_TYPE = 'PROCEDURE'",
        ),
    },
    Kind {
        what: "TRIGGER",
        text: 2,
        listed: (
            "TRIGGER_NAME",
            "TRIGGERS",
            "TRIGGER_SCHEMA",
            "ORDER BY ACTION_ORDER",
        ),
    },
    Kind {
        what: "EVENT",
        text: 3,
        listed: ("EVENT_NAME", "EVENTS", "EVENT_SCHEMA", ""),
    },
];

/// Tables that have rows of their own.
const OF_ROWS: &str = "AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')";

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
        // What was read before has set them otherwise.
        self.send(format!("{AS_CONNECTED}{PLAIN_MODE}")).await?;
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
        self.recreate(&from, &place).await.map(|()| true)
    }

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        let place = Place {
            database: self.place(scope).to_owned(),
            tenant: None,
        };
        let (shared, redactor) = (self.shared.clone(), &self.options.redactor);
        let mut reader = Reader::new(&mut self.connection, &shared, redactor);
        let mut found = reader.structures(&[place]).await?;
        Ok(found.pop().unwrap_or_default())
    }

    async fn rows(&mut self, scope: Scope) -> Result<BTreeMap<String, u64>, EngineError> {
        let place = self.place(scope).to_owned();
        let text = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} {OF_ROWS}",
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
