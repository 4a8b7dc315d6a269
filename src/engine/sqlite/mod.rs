//! SQLite: one shared file, a file per tenant.

mod connect;
mod files;
mod inspect;
mod ledger;
mod mend;
mod ranges;
mod scratch;
mod session;
mod sql;
mod structure;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Mutex;

use crate::database_url::{DatabaseUrl, EngineKind};
use crate::domain::{Batch, Difference, Locations, Migration, Print, ServerName, Structure};

use super::{
    Engine, EngineError, EngineOptions, ErrorKind, FoundTable, Given, NotMade, RangeKey, RegistryRow,
    Scratch, Session, Target, Underway,
};
use connect::{Access, Row, first};
use sql::literal;
use structure::Raw;

/// A shared file and the tenants' files beside it.
pub(super) struct Sqlite {
    shared: PathBuf,
    options: EngineOptions,
    /// For the lease and the label; made when first needed, thrown away after an error.
    control: Mutex<Option<SqliteConnection>>,
}

impl Sqlite {
    pub(super) fn new(url: DatabaseUrl, options: EngineOptions) -> Self {
        Self {
            shared: PathBuf::from(url.database),
            options,
            control: Mutex::new(None),
        }
    }

    fn path<'a>(&'a self, target: &Target<'a>) -> &'a Path {
        match target {
            Target::Shared => &self.shared,
            Target::Tenant(tenant) => Path::new(&tenant.location),
        }
    }

    async fn open(&self, path: &Path, access: Access) -> Result<SqliteConnection, EngineError> {
        connect::open(path, access, self.options.lock_timeout, &self.options.redactor).await
    }

    /// Runs statements that must not write; none where the file is not there yet.
    async fn read(&self, path: &Path, sql: String) -> Result<Option<Vec<Row>>, EngineError> {
        if !path.exists() {
            return Ok(None);
        }
        let mut connection = self.open(path, Access::Read).await?;
        let sent = connect::send(&mut connection, sql, &self.options.redactor).await;
        sent.map(Some).map_err(|error| {
            // What may not be written here is the query's fault, not the file's.
            let of_the_file = match error.kind {
                ErrorKind::ReadOnly => false,
                kind => kind.is_operational() || kind == ErrorKind::Contended,
            };
            if of_the_file { in_file(error, path) } else { error }
        })
    }

    /// The same for our own tables, which may not be there yet.
    async fn read_own(&self, path: &Path, sql: String) -> Result<Option<Vec<Row>>, EngineError> {
        match self.read(path, sql).await {
            Err(error) if error.kind == ErrorKind::Missing => Ok(None),
            other => other,
        }
    }

    /// Writes to the shared file, making it where it is missing.
    async fn write(&self, sql: String) -> Result<Vec<Row>, EngineError> {
        let mut control = self.control.lock().await;
        let mut connection = match control.take() {
            Some(connection) => connection,
            None => self.open(&self.shared, Access::Create).await?,
        };
        let rows = connect::send(&mut connection, sql, &self.options.redactor).await?;
        *control = Some(connection);
        Ok(rows)
    }

    /// What each file is made of; nothing where there is none.
    async fn read_structures<T>(
        &self,
        targets: &[Target<'_>],
        of: fn(&Raw) -> T,
    ) -> Result<Vec<T>, EngineError> {
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        let shares = targets.chunks(targets.len().div_ceil(readers).max(1));
        let read = shares.map(|share| async move {
            let mut connection = structure::reader(&self.options).await?;
            let mut found = Vec::with_capacity(share.len());
            for target in share {
                let path = self.path(target);
                let raw = structure::read(&mut connection, path, &self.options.redactor).await;
                let raw = raw.map_err(|error| in_file(error, path))?;
                found.push(of(&raw.unwrap_or_default()));
            }
            Ok::<_, EngineError>(found)
        });
        Ok(try_join_all(read).await?.into_iter().flatten().collect())
    }

    fn missing(&self, path: &Path) -> EngineError {
        let message = format!("there is no file `{}` yet", path.display());
        EngineError::new(ErrorKind::Missing, message, &self.options.redactor)
    }
}

/// Of many files, which.
fn in_file(mut error: EngineError, path: &Path) -> EngineError {
    error.message = format!("cannot read `{}`: {}", path.display(), error.message);
    if error.kind == ErrorKind::NoDatabase {
        error.server_hint = Some("restore it from a backup, or mend the path".to_owned());
    }
    error
}

#[async_trait]
impl Engine for Sqlite {
    fn kind(&self) -> EngineKind {
        EngineKind::Sqlite
    }

    fn rolls_back_ddl(&self) -> bool {
        true
    }

    fn location(&self, tenant: &str) -> String {
        files::location(&self.shared, &self.options.location, tenant)
    }

    fn reserved(&self, location: &str) -> Option<&'static str> {
        (Path::new(location) == self.shared).then_some("is the shared file")
    }

    async fn server(&self) -> Result<String, EngineError> {
        // Without a file the library still answers; with one, this tells whether it can be opened.
        let path = if self.shared.exists() {
            self.shared.as_path()
        } else {
            Path::new(":memory:")
        };
        let mut connection = self.open(path, Access::Read).await?;
        let sql = "SELECT sqlite_version(), (SELECT count(*) FROM sqlite_schema)".to_owned();
        let rows = connect::send(&mut connection, sql, &self.options.redactor).await?;
        Ok(format!("SQLite {}", first(&rows).unwrap_or_default()))
    }

    async fn registry(&self, query: &str) -> Result<Vec<RegistryRow>, EngineError> {
        let rows = self
            .read(&self.shared, query.to_owned())
            .await?
            .ok_or_else(|| self.missing(&self.shared))?;
        let wrong = "it has no column named `tenant`";
        let row = |row: Row| {
            super::registry_row(row.iter().map(|(name, value)| (name.as_str(), value.clone())))
                .ok_or_else(|| EngineError::new(ErrorKind::Statement, wrong, &self.options.redactor))
        };
        rows.into_iter().map(row).collect()
    }

    async fn locations(&self) -> Result<Locations, EngineError> {
        let existing = files::existing(&self.shared, &self.options.location).map_err(|error| {
            EngineError::new(
                ErrorKind::Forbidden,
                format!("cannot list the tenants' files: {error}"),
                &self.options.redactor,
            )
        })?;
        Ok(existing.into_iter().collect())
    }

    async fn register(&self, sql: &str, tenant: &str) -> Result<(), EngineError> {
        let sql = sql.replace("{tenant}", &literal(tenant));
        self.write(format!("BEGIN IMMEDIATE;\n{sql}\n;COMMIT"))
            .await
            .map(|_| ())
    }

    async fn inspect(
        &self,
        targets: &[Target<'_>],
        tables: &[&str],
    ) -> Result<Vec<Vec<FoundTable>>, EngineError> {
        let mut found = Vec::with_capacity(targets.len());
        for target in targets {
            let mut results = Vec::new();
            for statement in inspect::statements(tables) {
                results.push(self.read(self.path(target), statement).await?.unwrap_or_default());
            }
            found.push(inspect::tables(results));
        }
        Ok(found)
    }

    async fn range_key(&self, target: Target<'_>, batch: &Batch) -> Result<RangeKey, EngineError> {
        RangeKey::of(self.ask(&[target], &ranges::key(batch)).await?)
    }

    async fn ranges_underway(&self, targets: &[Target<'_>]) -> Result<Vec<Underway>, EngineError> {
        self.underway(targets).await
    }

    async fn ask(&self, targets: &[Target<'_>], query: &str) -> Result<Vec<Given>, EngineError> {
        let mut given = Vec::with_capacity(targets.len());
        for target in targets {
            let path = self.path(target);
            let rows = self
                .read(path, query.to_owned())
                .await?
                .ok_or_else(|| self.missing(path))?;
            let columns = rows.first().map_or(0, Vec::len);
            given.push(Given {
                rows: rows.len(),
                columns,
                first: first(&rows),
            });
        }
        Ok(given)
    }

    async fn prints(&self, targets: &[Target<'_>], _comments: bool) -> Result<Vec<Print>, EngineError> {
        self.read_structures(targets, Raw::print).await
    }

    async fn structures(&self, targets: &[Target<'_>]) -> Result<Vec<Structure>, EngineError> {
        self.read_structures(targets, Raw::structure).await
    }

    fn mend(&self, target: Target<'_>, expected: &Structure, differences: &[Difference]) -> String {
        mend::mend(self.path(&target), expected, differences)
    }

    /// A tenant's migrations see no other file, so shared ones are not needed.
    async fn made(&self, shared: &[&Migration], own: &[&Migration]) -> Result<Structure, NotMade> {
        let learnt = structure::learn(own, &self.options).await;
        learnt.map_err(|not| not.behind(shared.len()))
    }

    async fn scratch(&self, _real: bool) -> Result<Box<dyn Scratch>, EngineError> {
        let made = scratch::SqliteScratch::open(self.shared.clone(), self.options.clone()).await?;
        Ok(Box::new(made))
    }

    async fn session(
        &self,
        _server: Option<&ServerName>,
        _direct: bool,
    ) -> Result<Box<dyn Session>, EngineError> {
        Ok(Box::new(session::SqliteSession::new(
            self.shared.clone(),
            self.options.clone(),
        )))
    }
}
