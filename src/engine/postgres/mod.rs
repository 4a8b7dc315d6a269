//! PostgreSQL: a schema per tenant, DDL in transactions, through a pooler too.

mod concurrently;
mod connect;
mod inspect;
mod isolation;
mod ledger;
mod mend;
mod pooler;
mod prints;
mod ranges;
mod revert;
mod row_facts;
mod row_pairs;
mod row_trial;
mod row_unused;
mod scratch;
mod script;
mod session;
mod sql;
mod structure;
mod trying;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;
use tokio::sync::Mutex;

use crate::database_url::{DatabaseUrl, EngineKind};
use crate::domain::{Batch, Difference, Locations, Migration, Print, ServerName, Structure};

use super::isolation::{Attempt, Borderline, Borders, Crossed};
use super::row_security::{RowFacts, RowQuestion, Trial, Tried};
use super::{
    Engine, EngineError, EngineOptions, ErrorKind, FoundTable, Given, InvalidIndex, NotMade, PATIENCE,
    RangeKey, RegistryRow, Scratch, Session, Target, Underway,
};
use connect::Row;
use scratch::PostgresScratch;
use sql::{ident, literal};

/// One PostgreSQL database.
pub(super) struct Postgres {
    url: DatabaseUrl,
    /// Past a pooler.
    direct_url: Option<DatabaseUrl>,
    options: EngineOptions,
    ledger: String,
    /// For everything but migrations; made when first needed, thrown away after an error.
    control: Mutex<Option<PgConnection>>,
}

impl Postgres {
    pub(super) fn new(url: DatabaseUrl, direct_url: Option<DatabaseUrl>, options: EngineOptions) -> Self {
        let ledger = options.ledger.clone().unwrap_or_else(|| "tenantgate".to_owned());
        Self {
            url,
            direct_url,
            options,
            ledger,
            control: Mutex::new(None),
        }
    }

    async fn connect(&self, direct: bool) -> Result<PgConnection, EngineError> {
        let url = self.direct_url.as_ref().filter(|_| direct).unwrap_or(&self.url);
        connect::connect(url, self.timeout(url), &self.options.redactor).await
    }

    fn timeout(&self, url: &DatabaseUrl) -> Duration {
        url.connect_timeout.unwrap_or(self.options.connect_timeout)
    }

    /// Sends text over the control connection.
    async fn send(&self, sql: String) -> Result<Vec<Vec<Row>>, EngineError> {
        let mut control = self.control.lock().await;
        let mut connection = match control.take() {
            Some(connection) => connection,
            None => self.connect(false).await?,
        };
        let redactor = &self.options.redactor;
        let patience = self.timeout(&self.url) * PATIENCE;
        let sent = connect::send(&mut connection, sql, redactor);
        let answer = tokio::time::timeout(patience, sent).await;
        let results = answer.map_err(|_| EngineError::silence(patience, redactor))??;
        *control = Some(connection);
        Ok(results)
    }

    /// One message beside the other, where the server has a connection left for it.
    async fn send_both(&self, one: String, other: String) -> Result<[Vec<Vec<Row>>; 2], EngineError> {
        let redactor = &self.options.redactor;
        let patience = self.timeout(&self.url) * PATIENCE;
        let Ok(mut connection) = self.connect(false).await else {
            return Ok([self.send(one).await?, self.send(other).await?]);
        };
        let beside = tokio::time::timeout(patience, connect::send(&mut connection, other, redactor));
        let (sent, beside) = tokio::join!(self.send(one), beside);
        let beside = beside.map_err(|_| EngineError::silence(patience, redactor))??;
        Ok([sent?, beside])
    }

    async fn open_scratch(&self, real: bool) -> Result<PostgresScratch, EngineError> {
        let connection = self.connect(false).await?;
        let patience = self.timeout(&self.url) * PATIENCE;
        PostgresScratch::open(connection, self.options.clone(), real, patience).await
    }

    /// Runs one query that must not write, with the shared schema in the search path.
    async fn read(&self, sql: &str) -> Result<Vec<Row>, EngineError> {
        let text = format!(
            "BEGIN READ ONLY;{}\n{sql}\n;COMMIT",
            self.search_path(Target::Shared)
        );
        let mut results = self.send(text).await?;
        // BEGIN, SET, the query's own statements, COMMIT.
        results.pop();
        Ok(results.into_iter().skip(2).next_back().unwrap_or_default())
    }

    /// The same for our own tables, which may not be there yet.
    async fn read_own(&self, sql: &str) -> Result<Option<Vec<Row>>, EngineError> {
        match self.read(sql).await {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if error.kind == ErrorKind::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn structures_of(&self, schemas: &[String]) -> Result<Vec<Structure>, EngineError> {
        let shared = [self.options.shared_schema.as_str()];
        let text = structure::fill(&structure::statement(schemas), &self.options, &shared);
        let results = self.send(format!("BEGIN READ ONLY;{text}COMMIT")).await?;
        let rows = results.into_iter().nth(3).unwrap_or_default();
        Ok(structure::structures(schemas, &shared, rows))
    }

    fn schema(&self, target: Target<'_>) -> String {
        match target {
            Target::Shared => self.options.shared_schema.clone(),
            Target::Tenant(tenant) => tenant.location.clone(),
        }
    }

    fn search_path(&self, target: Target<'_>) -> String {
        let shared = ident(&self.options.shared_schema);
        match target {
            Target::Shared => format!("SET LOCAL search_path = {shared};"),
            Target::Tenant(tenant) => {
                format!("SET LOCAL search_path = {}, {shared};", ident(&tenant.location))
            }
        }
    }
}

#[async_trait]
impl Engine for Postgres {
    fn kind(&self) -> EngineKind {
        EngineKind::Postgres
    }

    fn rolls_back_ddl(&self) -> bool {
        true
    }

    fn applies_together(&self) -> bool {
        true
    }

    async fn needs_direct_url(&self, _server: Option<&ServerName>) -> bool {
        self.direct_url.is_none() && (self.url.pooled || self.finds_pooler().await)
    }

    fn location(&self, tenant: &str) -> String {
        self.options.location.replace("{tenant}", tenant)
    }

    fn reserved(&self, location: &str) -> Option<&'static str> {
        if location.len() > 63 {
            return Some("is longer than the 63 bytes of a PostgreSQL name");
        }
        if location.starts_with("pg_") || location == "information_schema" {
            return Some("belongs to PostgreSQL");
        }
        if location == self.options.shared_schema {
            return Some("is the shared schema");
        }
        (location == self.ledger).then_some("is the ledger")
    }

    async fn server(&self) -> Result<String, EngineError> {
        let rows = self.read("SHOW server_version").await?;
        let version = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten())
            .unwrap_or_default();
        let number = version.split_whitespace().next().unwrap_or_default();
        Ok(format!("PostgreSQL {number}"))
    }

    async fn registry(&self, query: &str) -> Result<Vec<RegistryRow>, EngineError> {
        // As JSON every column keeps its name whatever the query; PostgreSQL 13 has it all.
        let named = format!("SELECT to_jsonb(registry) FROM (\n{query}\n) AS registry");
        let rows = self.read(&named).await?;
        let rows = rows
            .into_iter()
            .map(|row| row.into_iter().next().flatten().unwrap_or_default());
        rows.map(|json| registry_row(&json, self)).collect()
    }

    async fn locations(&self) -> Result<Locations, EngineError> {
        let sql = format!(
            "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
AND nspname <> {} AND nspname <> {}",
            literal(&self.options.shared_schema),
            literal(&self.ledger)
        );
        let rows = self.read(&sql).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect())
    }

    async fn register(&self, sql: &str, tenant: &str) -> Result<(), EngineError> {
        let limits = sql::limits(self.options.lock_timeout, self.options.statement_timeout);
        let sql = sql.replace("{tenant}", &literal(tenant));
        let text = format!(
            "BEGIN;{limits}{}\n{sql}\n;COMMIT",
            self.search_path(Target::Shared)
        );
        self.send(text).await.map(|_| ())
    }

    async fn inspect(
        &self,
        targets: &[Target<'_>],
        tables: &[&str],
    ) -> Result<Vec<Vec<FoundTable>>, EngineError> {
        let schemas: Vec<String> = targets.iter().map(|target| self.schema(*target)).collect();
        let results = self.send(inspect::statements(&schemas, tables)).await?;
        Ok(inspect::tables(&schemas, results))
    }

    async fn invalid_indexes(&self) -> Result<Vec<InvalidIndex>, EngineError> {
        let rows = self.read(concurrently::INVALID).await?;
        let index = |row: Vec<Option<String>>| {
            let [location, table, name] = row.try_into().ok()?;
            Some(InvalidIndex {
                server: None,
                location: location?,
                table: table?,
                name: name?,
            })
        };
        Ok(rows.into_iter().filter_map(index).collect())
    }

    async fn borders(&self, line: &Borderline<'_>) -> Result<Vec<Borders>, EngineError> {
        let (shared, path) = (&self.options.shared_schema, self.search_path(Target::Shared));
        let questions = isolation::statements(shared, &self.ledger, &line.roles());
        let answers = self
            .send(format!(
                "BEGIN READ ONLY;{path}{}\n{questions};COMMIT",
                isolation::SETTINGS
            ))
            .await?;
        // BEGIN and the settings come first.
        Ok(vec![isolation::borders(shared, answers.into_iter().skip(3))])
    }

    async fn attempt(&self, attempts: &[Attempt<'_>]) -> Result<Option<Vec<Crossed>>, EngineError> {
        let limits = sql::lock_limits(self.options.lock_timeout, self.options.statement_timeout);
        let before = limits.matches(';').count() + 1;
        let text = trying::statements(attempts, &self.options.shared_schema, &limits);
        let answers = self.send(text).await?;
        let of_each = answers
            .into_iter()
            .skip(before + 1)
            .step_by(trying::STATEMENTS_EACH);
        Ok(Some(
            of_each
                .take(attempts.len())
                .map(|rows| trying::tried(&rows))
                .collect(),
        ))
    }

    async fn range_key(&self, target: Target<'_>, batch: &Batch) -> Result<RangeKey, EngineError> {
        RangeKey::of(self.ask(&[target], &ranges::key(batch)).await?)
    }

    async fn ranges_underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError> {
        let rows = self.read_own(&session::progress(&self.ledger).read_all()).await?;
        Ok(super::ranges::underway(targets, &rows.unwrap_or_default()))
    }

    async fn ask(&self, targets: &[Target<'_>], query: &str) -> Result<Vec<Given>, EngineError> {
        let one = |target: &Target<'_>| {
            let schema = match target {
                Target::Shared => &self.options.shared_schema,
                Target::Tenant(tenant) => &tenant.location,
            };
            format!("{}{}\n{query}\n;", self.search_path(*target), sql::usable(schema))
        };
        let all: String = targets.iter().map(one).collect();
        let results = self.send(format!("BEGIN READ ONLY;{all}COMMIT")).await?;
        // BEGIN, then SET, the look at the schema and the query for each.
        let answers = results.into_iter().skip(3).step_by(3).take(targets.len());
        let given = |rows: Vec<Row>| {
            let (number, row) = (rows.len(), rows.into_iter().next().unwrap_or_default());
            Given {
                rows: number,
                columns: row.len(),
                first: row.into_iter().next().flatten(),
            }
        };
        Ok(answers.map(given).collect())
    }

    async fn row_facts(&self, question: &RowQuestion) -> Result<RowFacts, EngineError> {
        let results = self.send(row_facts::statements(question)).await?;
        row_facts::read(results, &self.options.redactor)
    }

    async fn try_rows(&self, trial: &Trial<'_>) -> Result<Tried, EngineError> {
        // Past a pooler, where that is known: its connections have been somebody's before.
        let connection = self.connect(true).await?;
        row_trial::Trying::new(connection, &self.options, trial)
            .all()
            .await
    }

    async fn prints(&self, targets: &[Target<'_>], comments: bool) -> Result<Vec<Print>, EngineError> {
        let schemas: Vec<String> = targets.iter().map(|target| self.schema(*target)).collect();
        let fill = |text: String| structure::fill(&text, &self.options, &[&self.options.shared_schema]);
        let [half, others] = prints::messages(&schemas, comments).map(fill);
        let answers = if schemas.len() > prints::MANY {
            self.send_both(half, others).await?
        } else {
            [self.send(half).await?, self.send(others).await?]
        };
        Ok(prints::prints(&schemas, answers))
    }

    async fn structures(&self, targets: &[Target<'_>]) -> Result<Vec<Structure>, EngineError> {
        let schemas: Vec<String> = targets.iter().map(|target| self.schema(*target)).collect();
        // The server locks what it writes out, and has room for so many locks only.
        let (mut at_once, mut found) = (schemas.len(), Vec::new());
        while found.len() < schemas.len() {
            let rest = &schemas[found.len()..];
            let chunk = &rest[..at_once.min(rest.len())];
            match self.structures_of(chunk).await {
                Ok(structures) => found.extend(structures),
                Err(error) if error.kind == ErrorKind::Exhausted && at_once > 1 => at_once /= 2,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn closed(&self, targets: &[Target<'_>]) -> Result<Vec<Option<String>>, EngineError> {
        let schemas: Vec<String> = targets.iter().map(|target| self.schema(*target)).collect();
        let sql = format!(
            "SELECT nspname, current_user FROM pg_catalog.pg_namespace
WHERE nspname = ANY ({}) AND NOT has_schema_privilege(oid, 'USAGE')",
            sql::array(schemas.iter().map(String::as_str))
        );
        let rows = self.read(&sql).await?.into_iter();
        let closed: BTreeMap<Option<String>, Option<String>> = rows
            .filter_map(|row| <[Option<String>; 2]>::try_from(row).ok())
            .map(|[schema, role]| (schema, role))
            .collect();
        let role = |schema: String| closed.get(&Some(schema)).cloned().flatten();
        Ok(schemas.into_iter().map(role).collect())
    }

    fn mend(&self, target: Target<'_>, expected: &Structure, differences: &[Difference]) -> String {
        let schema = self.schema(target);
        let place = mend::Place::new(&schema, target, &self.options.shared_schema);
        mend::mend(&place, expected, differences)
    }

    /// First without the real shared schema; what its extensions keep there may be needed after all.
    async fn made(&self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        match self.open_scratch(false).await?.learn(shared, own).await {
            Err(not) if not.migration.is_some() && not.error.kind.is_refusal() => {
                self.open_scratch(true).await?.learn(shared, own).await
            }
            learnt => learnt,
        }
    }

    async fn scratch(&self, real: bool) -> Result<Box<dyn Scratch>, EngineError> {
        Ok(Box::new(self.open_scratch(real).await?))
    }

    async fn session(
        &self,
        _server: Option<&ServerName>,
        direct: bool,
    ) -> Result<Box<dyn Session>, EngineError> {
        let connection = self.connect(direct).await?;
        Ok(Box::new(session::PostgresSession::new(
            connection,
            self.options.clone(),
            &self.ledger,
        )))
    }
}

fn registry_row(json: &str, engine: &Postgres) -> Result<RegistryRow, EngineError> {
    let wrong = |why: &str| EngineError::new(ErrorKind::Statement, why, &engine.options.redactor);
    let row: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(json).map_err(|_| wrong("it gave a row that is not readable"))?;
    super::registry_row(row.iter().map(|(name, value)| {
        let text = match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        (name.as_str(), text)
    }))
    .ok_or_else(|| wrong("it has no column named `tenant`"))
}
