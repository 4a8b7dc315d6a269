//! Migrations tried out in one transaction, which is never committed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;

use crate::baseline::passed_over;
use crate::database_url::{DatabaseUrl, EngineKind};
use crate::domain::{Migration, Scope, Structure, Tenant, differences};
use crate::engine::{Engine as _, EngineError, EngineOptions, Scratch, Target};
use crate::migrations::without_concurrently;

use super::connect::{self, Row};
use super::session::RESET;
use super::sql::{self, ident, literal};
use super::{Postgres, structure};

pub(super) struct PostgresScratch {
    connection: PgConnection,
    url: DatabaseUrl,
    options: EngineOptions,
    shared: String,
    own: String,
    /// With the real shared schema behind the others, for what extensions keep there.
    real: bool,
}

impl PostgresScratch {
    pub(super) async fn open(
        connection: PgConnection,
        url: DatabaseUrl,
        options: EngineOptions,
        real: bool,
    ) -> Result<Self, EngineError> {
        let own = format!("tenantgate_scratch_{:016x}", fastrand::u64(..));
        let mut scratch = Self {
            connection,
            url,
            options,
            shared: format!("{own}_shared"),
            own,
            real,
        };
        let places = [&scratch.own, &scratch.shared].map(|name| format!("CREATE SCHEMA {};", ident(name)));
        let text = format!("BEGIN;{}{}", scratch.limits(), places.concat());
        scratch.send(text).await?;
        Ok(scratch)
    }

    fn limits(&self) -> String {
        sql::limits(self.options.lock_timeout, self.options.statement_timeout)
    }

    fn place(&self, scope: Scope) -> &str {
        match scope {
            Scope::Shared => &self.shared,
            Scope::Tenant => &self.own,
        }
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Vec<Row>>, EngineError> {
        let sent = connect::send(&mut self.connection, sql, &self.options.redactor).await;
        sent.map_err(|failed| failed.error)
    }

    /// Carries a text out as a whole, or leaves everything as it was.
    async fn step(&mut self, scope: Scope, text: &str) -> Result<(), EngineError> {
        let below = ident(&self.shared);
        let path = match scope {
            Scope::Shared => below,
            Scope::Tenant => format!("{}, {below}", ident(&self.own)),
        };
        let real = match self.real {
            true => format!(", {}", ident(&self.options.shared_schema)),
            false => String::new(),
        };
        let prefix = format!(
            "SAVEPOINT step;{RESET}{}SET LOCAL search_path = {path}{real};",
            self.limits()
        );
        let carried = match self.send(format!("{prefix}{text}")).await {
            // What is deferred to the end of a transaction is asked now: this one has no end.
            Ok(_) => self.send("SET CONSTRAINTS ALL IMMEDIATE".to_owned()).await,
            Err(error) => Err(error),
        };
        let end = match carried {
            Ok(_) => format!("{RESET}SET CONSTRAINTS ALL DEFERRED;RELEASE SAVEPOINT step"),
            Err(_) => "ROLLBACK TO SAVEPOINT step;RELEASE SAVEPOINT step".to_owned(),
        };
        let ended = self.send(end).await;
        carried?;
        ended.map(|_| ())
    }

    /// Whatever was written to, or changed, is locked by this transaction.
    async fn refuse_real_writes(&mut self) -> Result<(), EngineError> {
        let results = self
            .send(structure::written_to([&self.own, &self.shared]))
            .await?;
        structure::refuse_written(
            results.into_iter().next_back().unwrap_or_default(),
            &self.options.redactor,
        )
    }
}

#[async_trait]
impl Scratch for PostgresScratch {
    async fn carry_out(&mut self, migration: &Migration) -> Result<(), EngineError> {
        self.step(migration.scope, &text(migration)).await
    }

    async fn copy(&mut self, live: Target<'_>, structure: &Structure) -> Result<bool, EngineError> {
        // Whatever is called the shared schema is the one of the scratch here.
        let options = EngineOptions {
            shared_schema: self.shared.clone(),
            ..self.options.clone()
        };
        let engine = Postgres::new(self.url.clone(), None, options);
        let tenant;
        let target = match live {
            Target::Shared => Target::Shared,
            Target::Tenant(live) => {
                tenant = Tenant {
                    location: self.own.clone(),
                    ..live.clone()
                };
                Target::Tenant(&tenant)
            }
        };
        let missing = differences(structure, &Structure::default());
        let text = engine.mend(target, structure, &missing);
        if text.is_empty() {
            return Ok(missing.is_empty());
        }
        self.step(live.scope(), &text).await.map(|()| true)
    }

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        self.refuse_real_writes().await?;
        let names = [self.place(scope).to_owned()];
        let text = format!("{RESET}{}", structure::statement(&names));
        let results = self.send(text).await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let shared = [self.shared.as_str(), self.options.shared_schema.as_str()];
        Ok(structure::structures(&names, &shared, rows).remove(0))
    }

    async fn rows(&mut self, scope: Scope) -> Result<BTreeMap<String, u64>, EngineError> {
        let place = self.place(scope).to_owned();
        let text = format!(
            "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = {} AND c.relkind IN ('r', 'p')",
            literal(&place)
        );
        let results = self.send(text).await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let names: Vec<String> = rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
            .collect();
        let count = |name: &String| format!("SELECT count(*) FROM {}.{};", ident(&place), ident(name));
        let text: String = names.iter().map(count).collect();
        if text.is_empty() {
            return Ok(BTreeMap::new());
        }
        let counts = self.send(text).await?;
        let number = |rows: Vec<Row>| rows.into_iter().next()?.into_iter().next()??.parse().ok();
        let counts = counts.into_iter().map(|rows| number(rows).unwrap_or(0));
        Ok(names.into_iter().zip(counts).collect())
    }

    async fn close(mut self: Box<Self>) -> Result<(), EngineError> {
        self.send("ROLLBACK".to_owned()).await.map(|_| ())
    }
}

/// As it can run inside a transaction: an index that would be built concurrently is the same index.
fn text(migration: &Migration) -> String {
    if migration.transactional {
        return migration.sql.clone();
    }
    let statements = migration.statements.iter();
    let kept = statements.filter(|it| !passed_over(&it.sql, EngineKind::Postgres));
    let kept: Vec<String> = kept.map(|it| without_concurrently(&it.sql)).collect();
    kept.join("\n;")
}
