//! MySQL and MariaDB: a database per tenant. DDL commits by itself, so every migration is carried out
//! statement by statement, each recorded in the ledger.

mod carry;
mod connect;
mod effect;
mod inspect;
mod isolation;
mod ledger;
mod mend;
mod message;
mod ownership;
mod parts;
mod place;
mod probe;
mod ranges;
mod scratch;
mod session;
mod sql;
mod structure;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use sqlx::mysql::MySqlConnection;
use tokio::sync::Mutex;

use crate::database_url::{DatabaseUrl, EngineKind};
use crate::domain::{Batch, Difference, Locations, Migration, Print, ServerName, Structure};

use super::history::RECORD;
use super::isolation::{Attempt, Borderline, Borders, Crossed};
use super::{
    Engine, EngineError, EngineOptions, ErrorKind, FoundTable, Given, NotMade, PATIENCE, RangeKey,
    RegistryRow, Scratch, Session, Target, Underway, Unseen, registry_row,
};
use connect::Answer;
use sql::{END_READ, READ_ONLY, ident, literal};
use structure::{Place, Reader};

/// [Identifier length limits](https://dev.mysql.com/doc/refman/8.0/en/identifier-length.html), in characters.
const LONGEST_NAME: usize = 64;

/// Connections that print many databases at once.
const PRINTERS: usize = 2;
/// So many are printed over one.
const PRINTED_ALONE: usize = 50;

/// One server, seen from the shared database.
pub(super) struct Mysql {
    url: DatabaseUrl,
    /// Past a pooler.
    direct_url: Option<DatabaseUrl>,
    options: EngineOptions,
    ledger: String,
    /// For everything but migrations; made when first needed, thrown away after an error.
    control: Mutex<Option<MySqlConnection>>,
}

impl Mysql {
    /// The ledger's database is named after the shared one: a server may have several projects'
    /// and environments' databases, and a grant on `` `shared\_%` `` covers it.
    pub(super) fn new(url: DatabaseUrl, direct_url: Option<DatabaseUrl>, options: EngineOptions) -> Self {
        let default = || format!("{}_tenantgate", url.database);
        let ledger = options.ledger.clone().unwrap_or_else(default);
        Self {
            url,
            direct_url,
            options,
            ledger,
            control: Mutex::new(None),
        }
    }

    async fn connect(&self, direct: bool) -> Result<MySqlConnection, EngineError> {
        let url = self.direct_url.as_ref().filter(|_| direct).unwrap_or(&self.url);
        connect::connect(url, self.timeout(url), &self.options.redactor).await
    }

    fn timeout(&self, url: &DatabaseUrl) -> Duration {
        url.connect_timeout.unwrap_or(self.options.connect_timeout)
    }

    /// A connection of its own: what reads for long is not to hold up the lease.
    async fn connect_to_read(&self) -> Result<MySqlConnection, EngineError> {
        let mut connection = self.connect(false).await?;
        let limits = sql::limits(self.options.lock_timeout, None);
        connect::send(&mut connection, limits, &self.options.redactor).await?;
        Ok(connection)
    }

    fn places(&self, targets: &[Target<'_>]) -> Vec<Place> {
        let place = |target: &Target<'_>| Place::of(*target, &self.url.database);
        targets.iter().map(place).collect()
    }

    fn reader<'a>(&'a self, connection: &'a mut MySqlConnection) -> Reader<'a> {
        Reader::new(connection, &self.url.database, &self.options.redactor)
    }

    /// Sends text over the control connection, where the shared database is the current one.
    async fn send(&self, sql: String) -> Result<Vec<Answer>, EngineError> {
        let mut control = self.control.lock().await;
        let mut connection = match control.take() {
            Some(connection) => connection,
            None => {
                let mut connection = self.connect(false).await?;
                let limits = sql::limits(self.options.lock_timeout, None);
                connect::send(&mut connection, limits, &self.options.redactor).await?;
                connection
            }
        };
        let redactor = &self.options.redactor;
        let patience = self.timeout(&self.url) * PATIENCE;
        let sent = connect::send(&mut connection, sql, redactor);
        let answer = tokio::time::timeout(patience, sent).await;
        let answers = answer.map_err(|_| EngineError::silence(patience, redactor))??;
        *control = Some(connection);
        Ok(answers)
    }

    /// Runs one query that must not write.
    async fn read(&self, sql: &str) -> Result<Answer, EngineError> {
        let mut answers = self
            .send(format!("{READ_ONLY}\n{sql}\n{END_READ}"))
            .await
            .map_err(|error| error.without(END_READ))?;
        answers.truncate(answers.len().saturating_sub(2));
        Ok(answers.into_iter().skip(2).next_back().unwrap_or_default())
    }

    /// The same for our own tables, which may not be there yet.
    async fn read_own(&self, sql: &str) -> Result<Option<Answer>, EngineError> {
        match self.read(sql).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same for histories, which `group_concat` would cut off at its default of 1024 bytes (MySQL).
    async fn read_histories(&self, sql: &str) -> Result<Option<Answer>, EngineError> {
        self.read_own(&format!("SET SESSION group_concat_max_len = 4294967295;\n{sql}"))
            .await
    }

    fn wrong(&self, kind: ErrorKind, message: &str) -> EngineError {
        EngineError::new(kind, message, &self.options.redactor)
    }

    /// `group_concat` is also cut off at `max_allowed_packet`, with no more than a warning.
    fn check_whole(&self, text: &str, count: &str) -> Result<(), EngineError> {
        let parts = if text.is_empty() && count == "0" {
            0
        } else {
            text.split(RECORD).count()
        };
        if parts.to_string() == count {
            return Ok(());
        }
        let message = "the server cut the ledger off: raise its `max_allowed_packet`";
        Err(self.wrong(ErrorKind::Exhausted, message))
    }
}

#[async_trait]
impl Engine for Mysql {
    fn kind(&self) -> EngineKind {
        EngineKind::Mysql
    }

    fn rolls_back_ddl(&self) -> bool {
        false
    }

    fn location(&self, tenant: &str) -> String {
        self.options.location.replace("{tenant}", tenant)
    }

    fn reserved(&self, location: &str) -> Option<&'static str> {
        if location.chars().count() > LONGEST_NAME {
            return Some("is longer than the 64 characters of a MySQL name");
        }
        let is = |name: &str| location.eq_ignore_ascii_case(name);
        if ["mysql", "sys", "information_schema", "performance_schema"]
            .into_iter()
            .any(is)
        {
            return Some("belongs to the server");
        }
        if is(&self.url.database) {
            return Some("is the shared database");
        }
        if location.starts_with(&structure::scratch_prefix(&self.ledger)) {
            return Some("is what a baseline tries migrations out in");
        }
        is(&self.ledger).then_some("is the ledger")
    }

    async fn server(&self) -> Result<String, EngineError> {
        let answer = self.read("SELECT version()").await?;
        let version = answer.value().unwrap_or_default();
        let number = version.split('-').next().unwrap_or_default();
        let product = if version.contains("MariaDB") {
            "MariaDB"
        } else {
            "MySQL"
        };
        Ok(format!("{product} {number}"))
    }

    async fn registry(&self, query: &str) -> Result<Vec<RegistryRow>, EngineError> {
        let answer = self.read(query).await?;
        let columns = &answer.columns;
        let rows = answer
            .rows
            .into_iter()
            .map(|row| registry_row(columns.iter().map(String::as_str).zip(row)));
        rows.collect::<Option<_>>().ok_or_else(|| {
            let message = "it has no column named `tenant`";
            self.wrong(ErrorKind::Statement, message)
        })
    }

    async fn locations(&self) -> Result<Locations, EngineError> {
        let (prefix, suffix) = self.options.location.split_once("{tenant}").unwrap_or_default();
        let answer = self
            .read("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
            .await?;
        let names = answer
            .rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten());
        let looks_like = |name: &String| {
            let middle = name.strip_prefix(prefix).and_then(|it| it.strip_suffix(suffix));
            middle.is_some_and(|it| !it.is_empty()) && self.reserved(name).is_none()
        };
        Ok(names.filter(looks_like).collect())
    }

    async fn register(&self, sql: &str, tenant: &str) -> Result<(), EngineError> {
        let sql = sql.replace("{tenant}", &literal(tenant));
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        // A connection of its own: the limits are not for the others.
        let mut connection = self.connect(false).await?;
        let sql = sql.trim().trim_end_matches(';');
        let text = format!("{limits};START TRANSACTION;\n{sql}\n;COMMIT");
        match connect::send(&mut connection, text, &self.options.redactor).await {
            Ok(_) => Ok(()),
            Err(failed) => Err(failed.error.without(";COMMIT")),
        }
    }

    async fn inspect(
        &self,
        targets: &[Target<'_>],
        tables: &[&str],
    ) -> Result<Vec<Vec<FoundTable>>, EngineError> {
        if targets.is_empty() || tables.is_empty() {
            return Ok(vec![Vec::new(); targets.len()]);
        }
        let databases: Vec<String> = targets.iter().map(|it| database(&self.url, *it)).collect();
        let answers = self.send(inspect::statements(&databases, tables)).await?;
        Ok(inspect::tables(&databases, answers))
    }

    async fn borders(&self, line: &Borderline<'_>) -> Result<Vec<Borders>, EngineError> {
        Ok(vec![self.borders_of(line).await?])
    }

    async fn attempt(&self, attempts: &[Attempt<'_>]) -> Result<Option<Vec<Crossed>>, EngineError> {
        self.try_users(attempts).await
    }

    fn quoted(&self, name: &str) -> String {
        ident(name)
    }

    async fn range_key(&self, target: Target<'_>, batch: &Batch) -> Result<RangeKey, EngineError> {
        RangeKey::of(
            self.ask(&[target], &ranges::key(batch, &database(&self.url, target)))
                .await?,
        )
    }

    async fn ranges_underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError> {
        let answer = self.read_own(&ranges::progress(&self.ledger).read_all()).await?;
        Ok(super::ranges::underway(targets, &answer.unwrap_or_default().rows))
    }

    async fn ask(&self, targets: &[Target<'_>], query: &str) -> Result<Vec<Given>, EngineError> {
        let one = |it: &Target<'_>| format!("USE {};\n{query}\n;", ident(&database(&self.url, *it)));
        let all: String = targets.iter().map(one).collect();
        let tail = format!("USE {}{END_READ}", ident(&self.url.database));
        let sent = self.send(format!("{READ_ONLY}{all}{tail}")).await;
        let answers = sent.map_err(|error| error.without(&format!(";{tail}")))?;
        // Two that open the transaction, then a USE and a query each.
        let answers = answers.into_iter().skip(3).step_by(2).take(targets.len());
        let given = |answer: Answer| Given {
            rows: answer.rows.len(),
            columns: answer.columns.len(),
            first: answer.value().map(str::to_owned),
        };
        Ok(answers.map(given).collect())
    }

    async fn prints(&self, targets: &[Target<'_>], _comments: bool) -> Result<Vec<Print>, EngineError> {
        let places = self.places(targets);
        let share = places.len().div_ceil(PRINTERS).max(PRINTED_ALONE);
        let print = |places| async move {
            let mut connection = self.connect_to_read().await?;
            let mut reader = self.reader(&mut connection);
            reader.prints(places).await
        };
        let found = try_join_all(places.chunks(share).map(print)).await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn structures(&self, targets: &[Target<'_>]) -> Result<Vec<Structure>, EngineError> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let places = self.places(targets);
        let mut connection = self.connect_to_read().await?;
        self.reader(&mut connection).structures(&places).await
    }

    async fn unseen(&self, target: Target<'_>) -> Result<Vec<Unseen>, EngineError> {
        let answer = self
            .read(&structure::privileges(&database(&self.url, target)))
            .await?;
        Ok(structure::unseen(&answer))
    }

    fn mend(&self, target: Target<'_>, expected: &Structure, differences: &[Difference]) -> String {
        let place = Place::of(target, &self.url.database);
        mend::mend(&place, &self.url.database, expected, differences)
    }

    /// Names without a database are the tenant's own on these servers, so shared migrations are not needed.
    async fn made(&self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        let mut connection = self.connect(true).await?;
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let sent = connect::send(&mut connection, limits, &self.options.redactor).await;
        sent.map_err(EngineError::from)?;
        let patience = self.timeout(&self.url) * PATIENCE;
        let shared_database = &self.url.database;
        structure::Scratch::new(connection, &self.options, &self.ledger, shared_database, patience)
            .learn(own)
            .await
            .map_err(|not| not.behind(shared.len()))
    }

    async fn scratch(&self, _real: bool) -> Result<Box<dyn Scratch>, EngineError> {
        let mut connection = self.connect(true).await?;
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let (patience, redactor) = (self.timeout(&self.url) * PATIENCE, &self.options.redactor);
        let sent = tokio::time::timeout(patience, connect::send(&mut connection, limits, redactor)).await;
        sent.map_err(|_| EngineError::silence(patience, redactor))??;
        let (shared, options) = (self.url.database.clone(), self.options.clone());
        let made = scratch::MysqlScratch::open(connection, shared, options, &self.ledger, patience).await?;
        Ok(Box::new(made))
    }

    async fn session(
        &self,
        _server: Option<&ServerName>,
        direct: bool,
    ) -> Result<Box<dyn Session>, EngineError> {
        let connection = self.connect(direct).await?;
        let shared = self.url.database.clone();
        let ledger = self.ledger.clone();
        let session = session::MysqlSession::open(connection, self.options.clone(), shared, ledger);
        Ok(Box::new(session.await?))
    }
}

fn database(url: &DatabaseUrl, target: Target<'_>) -> String {
    database_of(&url.database, target)
}

fn database_of(shared: &str, target: Target<'_>) -> String {
    match target {
        Target::Shared => shared.to_owned(),
        Target::Tenant(tenant) => tenant.location.clone(),
    }
}
