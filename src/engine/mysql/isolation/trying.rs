//! What the application's user may do, found out by connecting as it. Reads end after a row, and writes are only
//! explained, which takes the same privileges: nothing is written.
//! [EXPLAIN](https://mariadb.com/kb/en/explain/)

use std::collections::{BTreeMap, BTreeSet};

use sqlx::mysql::MySqlConnection;

use crate::database_url::DatabaseUrl;
use crate::engine::isolation::{Attempt, Crossed, NotTried};
use crate::engine::{EngineError, ErrorKind};

use super::super::Mysql;
use super::super::connect::{self, Answer};
use super::super::sql::{self, ident, literal};
use super::{read_only, text};

/// How many tables of a database are tried.
const TABLES: usize = 20;
/// Statements about each place.
const EACH: usize = 2;
const SERVER: &str = "SELECT concat_ws(':', @@hostname, @@port)";

/// A table, and its first column.
struct Table {
    name: String,
    column: String,
}

impl Mysql {
    /// Absent: there is no URL to connect by.
    pub(in super::super) async fn try_users(
        &self,
        attempts: &[Attempt<'_>],
    ) -> Result<Option<Vec<Crossed>>, EngineError> {
        let urls: Option<Vec<&DatabaseUrl>> = attempts.iter().map(|it| it.url.as_ref()).collect();
        let Some(urls) = urls else { return Ok(None) };
        let (server, tables) = self.what_to_try(attempts).await?;
        let mut all = Vec::new();
        for (attempt, url) in attempts.iter().zip(urls) {
            let tried = self.try_user(attempt, url, &server, &tables).await;
            all.push(tried.map_err(|mut error| {
                error.message = format!("as the user of tenant {}: {}", attempt.own.name, error.message);
                error
            })?);
        }
        Ok(Some(all))
    }

    /// Which server this is, and tables by their databases: as the gate's own user, who sees them all.
    async fn what_to_try(
        &self,
        attempts: &[Attempt<'_>],
    ) -> Result<(String, BTreeMap<String, Vec<Table>>), EngineError> {
        let of = |it: &Attempt<'_>| [Some(it.own), it.other].map(|it| it.map(|it| it.location.clone()));
        let places: BTreeSet<String> = attempts.iter().flat_map(of).flatten().collect();
        let mut questions = vec![SERVER.to_owned()];
        questions.extend(places.iter().flat_map(|place| {
            let place = literal(place);
            // One database each is looked up, and not looked for.
            [
                format!(
                    "SELECT TABLE_NAME FROM information_schema.TABLES
WHERE TABLE_SCHEMA = {place} AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME LIMIT {TABLES}"
                ),
                format!(
                    "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = {place} AND ORDINAL_POSITION = 1"
                ),
            ]
        }));
        let mut connection = self.connect_to_read().await?;
        let redactor = &self.options.redactor;
        let answers = connect::send(&mut connection, read_only(&questions), redactor).await?;
        let mut answers = answers.into_iter().skip(2);
        let server = answers.next().unwrap_or_default();
        let server = server.value().unwrap_or_default().to_owned();
        let answers: Vec<Answer> = answers.collect();
        let tables = places.into_iter().zip(answers.chunks(EACH)).map(|(place, pair)| {
            let columns = pair.get(1).map_or(&[][..], |it| &it.rows);
            let columns: BTreeMap<String, String> =
                columns.iter().map(|row| (text(row, 0), text(row, 1))).collect();
            let names = pair[0].rows.iter().map(|row| text(row, 0));
            let table = |name: String| Table {
                column: columns.get(&name).cloned().unwrap_or_default(),
                name,
            };
            (place, names.map(table).collect())
        });
        Ok((server, tables.collect()))
    }

    async fn try_user(
        &self,
        attempt: &Attempt<'_>,
        url: &DatabaseUrl,
        server: &str,
        tables: &BTreeMap<String, Vec<Table>>,
    ) -> Result<Crossed, EngineError> {
        let redactor = &self.options.redactor;
        let mut connection = connect::connect(url, self.timeout(url), redactor).await?;
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let first = format!(
            "{limits};START TRANSACTION;{SERVER};SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
        );
        let answers = connect::send(&mut connection, first, redactor).await?;
        let mut answers = answers.into_iter().skip(2);
        let mut tried = Crossed::default();
        if answers.next().unwrap_or_default().value() != Some(server) {
            tried.not_tried = Some(NotTried::OtherServer);
            return Ok(tried);
        }
        let seen = answers.next().unwrap_or_default();
        tried.sees = seen.rows.iter().map(|row| text(row, 0)).collect();
        let none = Vec::new();
        let own = &attempt.own.location;
        for table in tables.get(own).unwrap_or(&none) {
            let reads = format!("SELECT 1 FROM {}.{} LIMIT 1", ident(own), ident(&table.name));
            match self.may(&mut connection, reads, &mut tried.failed).await? {
                Some(true) => tried.reads += 1,
                Some(false) => tried.unreadable.push(table.name.clone()),
                None => {}
            }
        }
        let Some(other) = attempt.other.map(|it| &it.location) else {
            return Ok(tried);
        };
        for table in tables.get(other).unwrap_or(&none) {
            let name = format!("{}.{}", ident(other), ident(&table.name));
            let reads = format!("SELECT 1 FROM {name} LIMIT 1");
            if self.may(&mut connection, reads, &mut tried.failed).await? == Some(true) {
                tried.read.push(table.name.clone());
            }
            let writes = [
                format!("EXPLAIN INSERT INTO {name} () VALUES ()"),
                format!("EXPLAIN DELETE FROM {name} WHERE false"),
                format!(
                    "EXPLAIN UPDATE {name} SET {} = NULL WHERE false",
                    ident(&table.column)
                ),
            ];
            for text in writes {
                let may = self.may(&mut connection, text, &mut tried.failed).await?;
                if may == Some(true) && tried.written.last() != Some(&table.name) {
                    tried.written.push(table.name.clone());
                }
            }
        }
        connect::send(&mut connection, "ROLLBACK".to_owned(), redactor).await?;
        Ok(tried)
    }

    /// None: something else was in the way, and is noted.
    async fn may(
        &self,
        connection: &mut MySqlConnection,
        text: String,
        failed: &mut Vec<String>,
    ) -> Result<Option<bool>, EngineError> {
        match connect::send(connection, text, &self.options.redactor).await {
            Ok(_) => Ok(Some(true)),
            Err(it) if it.error.kind == ErrorKind::Forbidden => Ok(Some(false)),
            Err(it) if it.error.kind == ErrorKind::Disconnected => Err(it.error),
            Err(it) => {
                let code = it
                    .number
                    .map_or_else(|| "nothing".to_owned(), |it| it.to_string());
                if !failed.contains(&code) {
                    failed.push(code);
                }
                Ok(None)
            }
        }
    }
}
