//! Fresh databases on the servers that `tests/run` started.
//!
//! Tests run in parallel, so every name is unique. What a test gets is an ordinary user's: owner
//! of the database, nothing else, as in most production setups. [`TestDatabase::admin`] may do more.

use std::env;
use std::ops::Deref;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use url::Url;

use super::database::Database;

/// What a scenario can run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Postgres,
    /// PostgreSQL through PgBouncer in transaction mode.
    Pgbouncer,
    Mariadb,
    Sqlite,
}

impl Server {
    pub const ALL: [Server; 4] = [
        Server::Postgres,
        Server::Pgbouncer,
        Server::Mariadb,
        Server::Sqlite,
    ];

    /// An empty database that is dropped with the value, and all its tenants with it.
    pub fn fresh_database(self) -> TestDatabase {
        match self {
            Server::Postgres => self.fresh_database_of(&required("TENANTGATE_TEST_POSTGRES")),
            Server::Pgbouncer => {
                let mut database = self.fresh_database_of(&required("TENANTGATE_TEST_POSTGRES"));
                let pooler = with_path(&required("TENANTGATE_TEST_PGBOUNCER"), &database.name);
                let password = database.password().unwrap();
                database.url = with_user(&pooler, &database.name, &password);
                database
            }
            Server::Mariadb => self.fresh_database_of(&required("TENANTGATE_TEST_MARIADB")),
            Server::Sqlite => fresh_sqlite(unique_name()),
        }
    }

    /// The same on another server, by its superuser's URL.
    pub fn fresh_database_of(self, admin_url: &str) -> TestDatabase {
        match self {
            Server::Postgres | Server::Pgbouncer => fresh_postgres(self, admin_url, unique_name()),
            Server::Mariadb => fresh_mariadb(admin_url, unique_name()),
            Server::Sqlite => panic!("SQLite has no servers"),
        }
    }
}

/// A database of one test. Through `Deref` it is the [`Database`] of the shared schema.
pub struct TestDatabase {
    server: Server,
    name: String,
    url: String,
    shared: Database,
    admin: Database,
    /// Where the database is dropped in the end; empty where it ends with its server, or its folder.
    admin_url: String,
    /// SQLite: the folder of all files.
    folder: Option<TempDir>,
}

impl TestDatabase {
    pub fn server(&self) -> Server {
        self.server
    }

    /// The value for a DATABASE_URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same without the pooler.
    pub fn direct_url(&self) -> &str {
        self.shared.url()
    }

    /// The password in the URL, where it has one.
    pub fn password(&self) -> Option<String> {
        let url = Url::parse(&self.url).ok()?;
        url.password().map(str::to_owned)
    }

    /// What is unique to this test: the database's name on PostgreSQL (and its owner's), the
    /// beginning of all databases' names on MariaDB.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It ends with its server, which may be down by then.
    pub fn undropped(mut self) -> Self {
        self.admin_url.clear();
        self
    }

    /// The same database as a superuser; for SQLite the same.
    pub fn admin(&self) -> &Database {
        &self.admin
    }

    /// The keys of `[tenancy]` that depend on the server: `mode` and the template of locations.
    pub fn tenancy(&self) -> String {
        let mode = match self.server {
            Server::Postgres | Server::Pgbouncer => "schema",
            Server::Mariadb | Server::Sqlite => "database",
        };
        let location = self.location("{tenant}");
        format!("mode = \"{mode}\"\n{mode} = \"{location}\"\n")
    }

    /// The schema, database or file of a tenant, by the template of [`TestDatabase::tenancy`].
    pub fn location(&self, tenant: &str) -> String {
        match self.server {
            Server::Postgres | Server::Pgbouncer => tenant.to_owned(),
            Server::Mariadb => format!("{}_{tenant}", self.name),
            Server::Sqlite => format!("tenants/{tenant}.db"),
        }
    }

    /// A tenant's own schema, database or file. It need not exist yet, but on MariaDB and SQLite
    /// it must to be looked into.
    pub fn tenant(&self, tenant: &str) -> Database {
        self.at_location(&self.location(tenant))
    }

    /// Another schema, another database of the server, or a file beside the shared one.
    pub fn at_location(&self, location: &str) -> Database {
        match self.server {
            Server::Postgres | Server::Pgbouncer => self.shared.in_schema(location),
            Server::Mariadb => Database::at(with_path(self.shared.url(), location)),
            Server::Sqlite => Database::at(sqlite_url(self.folder(), location)),
        }
    }

    /// Makes a tenant's empty schema, database or file, as somebody else might have.
    pub fn create_tenant(&self, tenant: &str) -> Database {
        let location = self.location(tenant);
        match self.server {
            Server::Postgres | Server::Pgbouncer => {
                self.shared.execute(&format!("CREATE SCHEMA \"{location}\""));
            }
            Server::Mariadb => self.shared.execute(&format!("CREATE DATABASE `{location}`")),
            Server::Sqlite => {
                let file = self.folder().path().join(&location);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, "").unwrap();
            }
        }
        self.tenant(tenant)
    }

    /// SQLite: the folder that everything is in.
    pub fn folder(&self) -> &TempDir {
        self.folder.as_ref().expect("only SQLite has a folder")
    }
}

impl Deref for TestDatabase {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.shared
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = &self.name;
        if self.admin_url.is_empty() {
            return;
        }
        let mut admin = Database::at(&self.admin_url).session();
        let statements = if self.server == Server::Mariadb {
            let ours = format!(
                "SELECT schema_name FROM information_schema.schemata \
                 WHERE LEFT(schema_name, CHAR_LENGTH('{name}_')) = '{name}_'"
            );
            let databases = admin.try_query(&ours).unwrap_or_default();
            let names = databases.into_iter().flatten().flatten();
            let mut statements: Vec<_> = names.map(|name| format!("DROP DATABASE `{name}`")).collect();
            statements.push(format!("DROP USER `{name}`@`%`"));
            statements
        } else {
            vec![
                format!("DROP DATABASE {name} WITH (FORCE)"),
                format!("DROP ROLE {name}"),
            ]
        };
        for sql in statements {
            // The servers end with the tests: what can't be dropped is no reason to fail.
            drop(admin.try_query(&sql));
        }
    }
}

fn fresh_postgres(server: Server, admin_url: &str, name: String) -> TestDatabase {
    let password = unique_password();
    let mut admin = Database::at(admin_url).session();
    admin.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"));
    admin.execute(&format!("CREATE DATABASE {name} OWNER {name}"));

    let direct = with_user(&with_path(admin_url, &name), &name, &password);
    TestDatabase {
        server,
        url: direct.clone(),
        shared: Database::at(direct),
        admin: Database::at(with_path(admin_url, &name)),
        admin_url: admin_url.to_owned(),
        name,
        folder: None,
    }
}

fn fresh_mariadb(admin_url: &str, name: String) -> TestDatabase {
    let password = unique_password();
    let shared = format!("{name}_shared");
    // In a grant `_` is a wildcard.
    let pattern = format!("{name}_").replace('_', "\\_");
    let mut admin = Database::at(admin_url).session();
    for sql in [
        format!("CREATE DATABASE `{shared}`"),
        format!("CREATE USER `{name}`@`%` IDENTIFIED BY '{password}'"),
        format!("GRANT ALL ON `{pattern}%`.* TO `{name}`@`%`"),
    ] {
        admin.execute(&sql);
    }

    let url = with_user(&with_path(admin_url, &shared), &name, &password);
    TestDatabase {
        server: Server::Mariadb,
        url: url.clone(),
        shared: Database::at(url),
        admin: Database::at(with_path(admin_url, &shared)),
        admin_url: admin_url.to_owned(),
        name,
        folder: None,
    }
}

fn fresh_sqlite(name: String) -> TestDatabase {
    let folder = tempfile::Builder::new()
        .prefix("tenantgate-test-")
        .tempdir()
        .unwrap();
    let url = sqlite_url(&folder, "shared.db");
    TestDatabase {
        server: Server::Sqlite,
        url: url.clone(),
        shared: Database::at(url.clone()),
        admin: Database::at(url),
        admin_url: String::new(),
        name,
        folder: Some(folder),
    }
}

/// Three slashes: an absolute path.
fn sqlite_url(folder: &TempDir, file: &str) -> String {
    format!("sqlite://{}", folder.path().join(file).display())
}

fn with_path(url: &str, path: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    url.set_path(path);
    url.into()
}

fn with_user(url: &str, user: &str, password: &str) -> String {
    let mut url = Url::parse(url).unwrap();
    url.set_username(user).unwrap();
    url.set_password(Some(password)).unwrap();
    url.into()
}

pub(super) fn required(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: start the tests with tests/run, which starts the servers")
    })
}

/// Short enough to be a user's name everywhere, and to leave room for a tenant's.
fn unique_name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("tg{}_{number}_{:04x}", process::id(), fastrand::u16(..))
}

/// Random, so that a search for it in an output finds nothing but a leak.
pub(super) fn unique_password() -> String {
    format!("pw{:016x}", fastrand::u64(..))
}
