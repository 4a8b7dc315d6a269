//! Migrations tried out in one transaction, which is never committed.
//!
//! Nobody is to wait for it: whatever a migration names of the shared schema is the scratch's own, and after each
//! one it is asked what else was touched. A foreign key to a table of the shared schema that no migration makes
//! locks that table against writers: at once the migration is rolled back, and carried out again with an empty
//! table like that one in the scratch. What writes to anything else, or refers to a table of a third schema, is
//! rolled back and not tried out.

mod names;
mod sequences;
mod touched;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, ObjectKind, Redactor, Scope, Structure, differences};
use crate::engine::{EngineError, EngineOptions, ErrorKind, NotMade, Scratch, Target};
use crate::migrations::without_concurrently;

use super::connect::{self, Row};
use super::script::END;
use super::session::RESET;
use super::sql::{self, ident, literal};
use super::{mend, structure};
use touched::Touched;

pub(super) struct PostgresScratch {
    connection: PgConnection,
    options: EngineOptions,
    /// What runs on nothing takes no longer, where somebody is there to run it.
    patience: Duration,
    shared: String,
    own: String,
    /// With the real shared schema behind the others, for what extensions keep there.
    real: bool,
    /// What the scratch's shared schema has.
    names: BTreeSet<String>,
    /// Those of them that stand for real tables that no migration makes.
    stand_ins: BTreeSet<String>,
    /// The last step can still be taken back.
    open: bool,
}

/// What is carried out as a whole, or not at all.
struct Step<'a> {
    scope: Scope,
    path: String,
    text: &'a str,
    /// Where it ends is known, so more may stand behind it.
    readable: bool,
}

impl PostgresScratch {
    pub(super) async fn open(
        connection: PgConnection,
        options: EngineOptions,
        real: bool,
        patience: Duration,
    ) -> Result<Self, EngineError> {
        let own = format!("tenantgate_scratch_{:016x}", fastrand::u64(..));
        let mut scratch = Self {
            connection,
            options,
            patience,
            shared: format!("{own}_shared"),
            own,
            real,
            names: BTreeSet::new(),
            stand_ins: BTreeSet::new(),
            open: false,
        };
        let places = [&scratch.own, &scratch.shared].map(|name| format!("CREATE SCHEMA {};", ident(name)));
        let text = format!("BEGIN;{}{}", scratch.limits(), places.concat());
        scratch.send(text).await?;
        Ok(scratch)
    }

    /// What migrations of one scope make, on top of `shared`; then it is gone.
    pub(super) async fn learn(
        mut self,
        shared: &[&Migration],
        own: &[&Migration],
    ) -> Result<Structure, NotMade> {
        let learnt = self.make(shared, own).await;
        // Where the connection is gone, or this fails, the transaction is gone with it.
        let gone = |not: &NotMade| not.error.kind == ErrorKind::Disconnected;
        if !learnt.as_ref().is_err_and(gone) {
            let _ = self.send("ROLLBACK".to_owned()).await;
        }
        learnt
    }

    async fn make(&mut self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        for (index, migration) in shared.iter().chain(own).enumerate() {
            let carried = self.carry_out(migration).await;
            carried.map_err(|error| NotMade {
                error,
                migration: Some(index),
            })?;
        }
        let scope = own.first().map_or(Scope::Tenant, |it| it.scope);
        Ok(self.structure(scope).await?)
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

    /// Behind the place itself `second`, then the scratch's shared schema.
    fn path(&self, scope: Scope, second: &str) -> String {
        let shared = match scope {
            Scope::Shared => String::new(),
            Scope::Tenant => format!(", {}", ident(&self.shared)),
        };
        let real = match self.real {
            true => format!(", {}", ident(&self.options.shared_schema)),
            false => String::new(),
        };
        format!("{}{second}{shared}{real}", ident(self.place(scope)))
    }

    async fn send(&mut self, sql: String) -> Result<Vec<Vec<Row>>, EngineError> {
        let redactor = &self.options.redactor;
        let sent = connect::send(&mut self.connection, sql, redactor);
        let sent = tokio::time::timeout(self.patience, sent).await;
        let sent = sent.map_err(|_| EngineError::silence(self.patience, redactor))?;
        sent.map_err(|failed| failed.error)
    }

    /// Carries a text out as a whole, or leaves everything as it was.
    async fn step(&mut self, step: &Step<'_>) -> Result<(), EngineError> {
        let mut touched = self.attempt(step).await?;
        if touched.written.is_empty() && !touched.referred.is_empty() {
            let there = |it: &String| self.names.contains(it);
            if !touched.referred.iter().any(there) {
                self.stand_in(&touched.referred).await?;
                touched = self.attempt(step).await?;
            }
        }
        if touched.nothing() {
            return Ok(());
        }
        let redactor: &Redactor = &self.options.redactor;
        Err(touched.refused(&self.options.shared_schema, redactor))
    }

    /// Where something outside was touched it has been taken back, and its locks with it.
    async fn attempt(&mut self, step: &Step<'_>) -> Result<Touched, EngineError> {
        let sent = self.carry(step).await;
        let results = match sent {
            Ok(results) => results,
            Err(error) => {
                self.take_back().await?;
                return Err(error);
            }
        };
        let mut results = results.into_iter().rev();
        let (names, rows) = (results.next(), results.next());
        let touched = Touched::read(rows.unwrap_or_default(), &self.options.shared_schema);
        if !touched.nothing() {
            self.take_back().await?;
            return Ok(touched);
        }
        let names = names.unwrap_or_default().into_iter();
        self.names = names.filter_map(|row| row.into_iter().next()?).collect();
        Ok(touched)
    }

    /// The last two results are what was touched, and what is there.
    async fn carry(&mut self, step: &Step<'_>) -> Result<Vec<Vec<Row>>, EngineError> {
        let real = &self.options.shared_schema;
        let mut those = self.names.clone();
        if step.scope == Scope::Shared {
            those.extend(names::created(step.text, real));
        }
        let text = names::moved(step.text, real, &those, &ident(&self.shared));
        self.begin(&step.path).await?;
        let setting = sequences::Setting {
            real: &self.options.shared_schema,
            is_seen: self.real,
            place: self.place(step.scope),
            shared: &self.shared,
            scratch: [&self.own, &self.shared],
            of_shared: &self.names,
            makes_shared: step.scope == Scope::Shared,
        };
        let Some(text) = setting.moved(&text) else {
            let message =
                "it sets a sequence that need not be the scratch's, and a rollback does not take that back";
            return Err(EngineError::new(
                ErrorKind::Statement,
                message,
                &self.options.redactor,
            ));
        };
        // What is deferred to the end of a transaction is asked now: this one has no end.
        let rest = format!(
            "SET CONSTRAINTS ALL IMMEDIATE;{RESET}SET CONSTRAINTS ALL DEFERRED;{}{}",
            touched::statement([&self.own, &self.shared]),
            self.in_shared()
        );
        if step.readable {
            return self.send(format!("{text}{END}{rest}")).await;
        }
        self.send(text).await?;
        self.send(rest).await
    }

    /// In a message of its own: of one with an error of syntax nothing is carried out, so that there would be
    /// nothing to go back to.
    async fn begin(&mut self, path: &str) -> Result<(), EngineError> {
        let release = if self.open { "RELEASE SAVEPOINT step;" } else { "" };
        let text = format!(
            "{release}SAVEPOINT step;{RESET}{}SET LOCAL search_path = {path}",
            self.limits()
        );
        self.send(text).await?;
        self.open = true;
        Ok(())
    }

    async fn take_back(&mut self) -> Result<(), EngineError> {
        self.open = false;
        let text = "ROLLBACK TO SAVEPOINT step;RELEASE SAVEPOINT step".to_owned();
        self.send(text).await.map(|_| ())
    }

    /// Names of what the scratch's shared schema has. By what depends on it: the catalog has no index by schema.
    fn in_shared(&self) -> String {
        let each = [
            ("pg_class", "relname"),
            ("pg_proc", "proname"),
            ("pg_type", "typname"),
        ];
        let each = each.map(|(table, name)| {
            format!(
                "SELECT x.{name} FROM o CROSS JOIN LATERAL (SELECT {name} FROM pg_catalog.{table} WHERE oid = o.objid OFFSET 0) x
WHERE o.classid = 'pg_catalog.{table}'::regclass"
            )
        });
        format!(
            "WITH o AS MATERIALIZED (SELECT classid, objid FROM pg_catalog.pg_depend
    WHERE refclassid = 'pg_catalog.pg_namespace'::regclass AND refobjid = {}::regnamespace)
SELECT i.relname FROM o CROSS JOIN LATERAL (SELECT indexrelid FROM pg_catalog.pg_index WHERE indrelid = o.objid OFFSET 0) x
CROSS JOIN LATERAL (SELECT relname FROM pg_catalog.pg_class WHERE oid = x.indexrelid OFFSET 0) i
WHERE o.classid = 'pg_catalog.pg_class'::regclass UNION {}",
            literal(&ident(&self.shared)),
            each.join(" UNION ")
        )
    }

    /// Makes empty tables like these in the scratch, which takes no lock that anybody waits for.
    async fn stand_in(&mut self, tables: &[String]) -> Result<(), EngineError> {
        let real = ident(&self.options.shared_schema);
        let like = |table: &String| {
            let table = ident(table);
            let place = ident(&self.shared);
            format!("CREATE TABLE {place}.{table} (LIKE {real}.{table} INCLUDING INDEXES);")
        };
        let text: String = tables.iter().map(like).collect();
        self.begin("pg_catalog").await?;
        if let Err(error) = self.send(text).await {
            self.take_back().await?;
            return Err(error);
        }
        self.names.extend(tables.iter().cloned());
        self.stand_ins.extend(tables.iter().cloned());
        Ok(())
    }
}

#[async_trait]
impl Scratch for PostgresScratch {
    async fn carry_out(&mut self, migration: &Migration) -> Result<(), EngineError> {
        let step = Step {
            scope: migration.scope,
            path: self.path(migration.scope, ""),
            text: &text(migration),
            readable: !migration.statements.is_empty(),
        };
        self.step(&step).await
    }

    async fn copy(&mut self, live: Target<'_>, structure: &Structure) -> Result<bool, EngineError> {
        let missing = differences(structure, &Structure::default());
        let shared = self.options.shared_schema.clone();
        let (place, scope) = (self.place(live.scope()).to_owned(), live.scope());
        let schema = mend::Place::new(&place, live, &shared);
        let text = mend::statements(&schema, structure, &missing);
        if text.is_empty() {
            return Ok(missing.is_empty());
        }
        let step = Step {
            scope,
            // As the structure was read.
            path: self.path(scope, ", pg_catalog"),
            text: &text,
            readable: true,
        };
        self.step(&step).await.map(|()| true)
    }

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        let names = [self.place(scope).to_owned()];
        let real = self.options.shared_schema.as_str();
        let alike = [self.shared.as_str(), real];
        let text = structure::fill(&structure::statement(&names), &self.options, &alike);
        let results = self.send(format!("{RESET}{text}")).await?;
        let rows = results.into_iter().next_back().unwrap_or_default();
        let alike = [self.shared.as_str(), self.options.shared_schema.as_str()];
        let mut structure = structure::structures(&names, &alike, rows).remove(0);
        if scope == Scope::Shared {
            let is = |name: &String| self.stand_ins.contains(name);
            structure.facts.retain(|fact| {
                let of = &fact.object;
                !(is(&of.table) || of.kind == ObjectKind::Table && is(&of.name))
            });
        }
        Ok(structure)
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
        let names = rows.into_iter().filter_map(|row| row.into_iter().next()?);
        let names: Vec<String> = names
            .filter(|name| scope == Scope::Tenant || !self.stand_ins.contains(name))
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
