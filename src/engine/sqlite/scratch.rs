//! Migrations tried out in memory, where no file is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;

use crate::baseline::passed_over;
use crate::database_url::EngineKind;
use crate::domain::{Migration, Scope, Structure};
use crate::engine::{EngineError, EngineOptions, Scratch, Target};

use super::connect::{self, Access};
use super::sql::literal;
use super::structure;

pub(super) struct SqliteScratch {
    /// The real shared file.
    file: PathBuf,
    shared: SqliteConnection,
    own: SqliteConnection,
    options: EngineOptions,
}

impl SqliteScratch {
    pub(super) async fn open(file: PathBuf, options: EngineOptions) -> Result<Self, EngineError> {
        let memory = Path::new(":memory:");
        let (busy, redactor) = (options.lock_timeout, options.redactor.clone());
        Ok(Self {
            file,
            shared: connect::open(memory, Access::Write, busy, &redactor).await?,
            own: connect::open(memory, Access::Write, busy, &redactor).await?,
            options,
        })
    }

    fn place(&mut self, scope: Scope) -> &mut SqliteConnection {
        match scope {
            Scope::Shared => &mut self.shared,
            Scope::Tenant => &mut self.own,
        }
    }

    async fn send(&mut self, scope: Scope, sql: String) -> Result<Vec<connect::Row>, EngineError> {
        let redactor = self.options.redactor.clone();
        connect::send(self.place(scope), sql, &redactor).await
    }
}

#[async_trait]
impl Scratch for SqliteScratch {
    async fn carry_out(&mut self, migration: &Migration) -> Result<(), EngineError> {
        let scope = migration.scope;
        if migration.transactional {
            self.send(scope, "BEGIN".to_owned()).await?;
        }
        for statement in &migration.statements {
            if passed_over(&statement.sql, EngineKind::Sqlite) {
                continue;
            }
            if let Err(error) = self.send(scope, statement.sql.clone()).await {
                if migration.transactional {
                    // Some errors have ended the transaction already.
                    let _ = self.send(scope, "ROLLBACK".to_owned()).await;
                }
                return Err(error);
            }
        }
        if migration.transactional {
            self.send(scope, "COMMIT".to_owned()).await?;
        }
        Ok(())
    }

    async fn copy(&mut self, live: Target<'_>, _structure: &Structure) -> Result<bool, EngineError> {
        let path = match live {
            Target::Shared => self.file.clone(),
            Target::Tenant(tenant) => PathBuf::from(&tenant.location),
        };
        let (busy, redactor) = (self.options.lock_timeout, self.options.redactor.clone());
        let mut file = connect::open(&path, Access::Read, busy, &redactor).await?;
        let raw = structure::raw(&mut file, &redactor).await?;
        for text in raw.makers() {
            self.send(live.scope(), text.to_owned()).await?;
        }
        Ok(true)
    }

    async fn structure(&mut self, scope: Scope) -> Result<Structure, EngineError> {
        let redactor = self.options.redactor.clone();
        structure::of(self.place(scope), &redactor).await
    }

    async fn rows(&mut self, scope: Scope) -> Result<BTreeMap<String, u64>, EngineError> {
        let redactor = self.options.redactor.clone();
        let raw = structure::raw(self.place(scope), &redactor).await?;
        let count = |name: &str| {
            let quoted = name.replace('"', "\"\"");
            format!("SELECT {}, count(*) FROM \"{quoted}\";", literal(name))
        };
        let text: String = raw.tables().into_iter().map(count).collect();
        if text.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = self.send(scope, text).await?;
        let number = |row: connect::Row| {
            let mut values = row.into_iter().map(|(_, value)| value);
            Some((values.next()??, values.next()??.parse().ok()?))
        };
        Ok(rows.into_iter().filter_map(number).collect())
    }

    async fn close(self: Box<Self>) -> Result<(), EngineError> {
        Ok(())
    }
}
