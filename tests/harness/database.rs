//! A blocking look into any of the databases, so that scenarios read plainly.

use std::str::FromStr;
use std::thread;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Row, raw_sql};
use tokio::runtime::{Builder, Runtime};

/// No statement of a test takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows with every value as the server writes it; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// Where to look: a database, a file, or a schema of a database.
#[derive(Debug, Clone)]
pub struct Database {
    url: String,
    schema: Option<String>,
}

impl Database {
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
        }
    }

    /// PostgreSQL: the same database, looked at with this `search_path`.
    pub fn in_schema(&self, schema: &str) -> Self {
        Self {
            url: self.url.clone(),
            schema: Some(schema.to_owned()),
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection that stays: for locks, transactions and settings. Several may be open.
    pub fn session(&self) -> Session {
        let mut session = Session::open(&self.url);
        if let Some(schema) = &self.schema {
            let quoted = schema.replace('"', "\"\"");
            session.execute(&format!("SET search_path TO \"{quoted}\""));
        }
        session
    }

    /// True where a server takes connections.
    pub fn answers(url: &str) -> bool {
        OwnedRuntime::new().wait(|| Connection::open(url)).is_ok()
    }

    /// Runs one or more statements.
    pub fn execute(&self, sql: &str) {
        self.session().execute(sql);
    }

    pub fn query_rows(&self, sql: &str) -> Rows {
        self.session().query_rows(sql)
    }

    pub fn query_value(&self, sql: &str) -> String {
        self.session().query_value(sql)
    }

    pub fn query_column(&self, sql: &str) -> Vec<String> {
        self.session().query_column(sql)
    }
}

/// One connection. It may be used in async tests too, which it then blocks.
pub struct Session {
    // Dropped in this order: the connection belongs to the runtime.
    connection: Connection,
    runtime: OwnedRuntime,
}

enum Connection {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
    Sqlite(SqliteConnection),
}

impl Session {
    fn open(url: &str) -> Self {
        let runtime = OwnedRuntime::new();
        let connection = runtime
            .wait(|| Connection::open(url))
            .unwrap_or_else(|error| panic!("the test's own connection failed: {error}"));
        Self { connection, runtime }
    }

    /// Runs one or more statements as one message, and gives all their rows.
    pub fn try_query(&mut self, sql: &str) -> Result<Rows, sqlx::Error> {
        let connection = &mut self.connection;
        self.runtime.wait(|| connection.query(sql))
    }

    pub fn query_rows(&mut self, sql: &str) -> Rows {
        self.try_query(sql)
            .unwrap_or_else(|error| panic!("{error}, in the test's own SQL:\n{sql}"))
    }

    pub fn execute(&mut self, sql: &str) {
        self.query_rows(sql);
    }

    /// The only value of the only row; NULL is `NULL`.
    pub fn query_value(&mut self, sql: &str) -> String {
        let mut values = self.query_column(sql);
        assert_eq!(values.len(), 1, "expected one row from:\n{sql}");
        values.remove(0)
    }

    /// The only value of every row; NULL is `NULL`.
    pub fn query_column(&mut self, sql: &str) -> Vec<String> {
        let only = |mut row: Vec<Option<String>>| {
            assert_eq!(row.len(), 1, "expected one column from:\n{sql}");
            row.remove(0).unwrap_or_else(|| "NULL".to_owned())
        };
        self.query_rows(sql).into_iter().map(only).collect()
    }
}

impl Connection {
    async fn open(url: &str) -> Result<Self, sqlx::Error> {
        Ok(match url.split(':').next() {
            Some("postgres" | "postgresql") => {
                // As PgBouncer wants it: no such parameter, no named statements.
                let options = PgConnectOptions::from_str(url)?
                    .extra_float_digits(None)
                    .statement_cache_capacity(0);
                Self::Postgres(options.connect().await?)
            }
            Some("mysql" | "mariadb") => Self::Mysql(MySqlConnectOptions::from_str(url)?.connect().await?),
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url)?.create_if_missing(true);
                Self::Sqlite(options.connect().await?)
            }
            _ => panic!("the harness knows no such URL: {url}"),
        })
    }

    async fn query(&mut self, sql: &str) -> Result<Rows, sqlx::Error> {
        let sql = raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Postgres(connection) => sql.fetch_all(connection).await?.iter().map(texts).collect(),
            Self::Mysql(connection) => sql.fetch_all(connection).await?.iter().map(texts).collect(),
            Self::Sqlite(connection) => sql.fetch_all(connection).await?.iter().map(texts).collect(),
        }
    }
}

/// The simple query protocols, and SQLite, give every type as text.
fn texts<'r, R>(row: &'r R) -> Result<Vec<Option<String>>, sqlx::Error>
where
    R: Row,
    usize: sqlx::ColumnIndex<R>,
    Option<String>: sqlx::Decode<'r, R::Database>,
{
    (0..row.len()).map(|index| row.try_get_unchecked(index)).collect()
}

struct OwnedRuntime(Option<Runtime>);

impl OwnedRuntime {
    fn new() -> Self {
        Self(Some(Builder::new_current_thread().enable_all().build().unwrap()))
    }

    /// Waits on a thread of its own: inside an async test, this one must not.
    fn wait<F, Fut, T>(&self, work: F) -> Result<T, sqlx::Error>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<T, sqlx::Error>>,
        T: Send,
    {
        let runtime = self.0.as_ref().expect("it is taken on drop only");
        let wait = || {
            runtime.block_on(async {
                let slow = "the test's own SQL or connection takes too long";
                tokio::time::timeout(PATIENCE, work()).await.expect(slow)
            })
        };
        thread::scope(|scope| {
            scope
                .spawn(wait)
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for OwnedRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
