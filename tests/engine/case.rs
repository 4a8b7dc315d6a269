//! One environment with some tenants on one server, and what its ledgers and logs say.
//!
//! Every migration writes its own name into a table `ran`, which has no unique key: a migration that
//! ran twice is there twice.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Project, Run, Running, Server, TestDatabase};

pub struct Case {
    pub project: Project,
    pub db: TestDatabase,
    pub server: Server,
    pub tenants: Vec<String>,
}

/// Statements that every engine understands.
pub const CREATE_RAN: &str = "CREATE TABLE ran (name VARCHAR(80) NOT NULL);";

impl Case {
    /// Three migrations for each of so many tenants; nothing has run yet.
    pub fn new(server: Server, tenants: usize) -> Self {
        Self::on(server.fresh_database(), tenants)
    }

    /// The same in a database that is there.
    pub fn on(db: TestDatabase, tenants: usize) -> Self {
        let server = db.server();
        let mut project = Project::new();
        project.database("DEV_DB_URL", &db);
        project.env("DEV_DIRECT_URL", db.direct_url());
        let names = (1..=tenants).map(|number| format!("t{number:02}")).collect();
        let mut case = Self {
            project,
            db,
            server,
            tenants: names,
        };
        case.config("");
        let rows: Vec<String> = case.tenants.iter().map(|name| format!("('{name}', 1)")).collect();
        let registry = format!(
            "CREATE TABLE tenants (name VARCHAR(80) NOT NULL, active INT NOT NULL);\nINSERT INTO tenants VALUES {};",
            rows.join(", ")
        );
        case.shared(1, "registry", &registry);
        case.tenant(1, "ran", CREATE_RAN);
        case.tenant(2, "items", "CREATE TABLE items (id INT PRIMARY KEY, label VARCHAR(40));\nINSERT INTO items VALUES (1, 'one');");
        case.tenant(
            3,
            "items_total",
            "ALTER TABLE items ADD COLUMN total INT;\nUPDATE items SET total = id;",
        );
        case.project.timeout(Duration::from_secs(180));
        case
    }

    /// Writes the config; `more` is added to `[tenancy]` and after it.
    pub fn config(&mut self, more: &str) {
        let pooled = if self.server == Server::Pgbouncer {
            "direct_url = \"DEV_DIRECT_URL\"\n"
        } else {
            ""
        };
        let config = format!(
            "name = \"suite\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n{pooled}\n[migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n\n[rollout]\nconcurrency = 4\nlease_ttl = \"1s\"\nlock_timeout = \"1s\"\n\n[tenancy]\nregistry = \"SELECT name AS tenant, active FROM tenants\"\n{}{more}",
            self.db.tenancy()
        );
        self.project.write("tenantgate.toml", &config);
    }

    /// Replaces or adds a key of `[rollout]`.
    pub fn rollout(&self, key: &str, value: &str) {
        let config = self.project.read("tenantgate.toml");
        let kept: Vec<&str> = config
            .lines()
            .filter(|line| !line.starts_with(&format!("{key} = ")))
            .collect();
        let with = format!("[rollout]\n{key} = {value}");
        self.project
            .write("tenantgate.toml", &kept.join("\n").replace("[rollout]", &with));
    }

    pub fn shared(&self, version: u32, name: &str, sql: &str) {
        self.project
            .shared(&format!("{version:04}_{name}.sql"), &format!("{sql}\n"));
    }

    /// A tenant migration that says in `ran` that it ran.
    pub fn tenant(&self, version: u32, name: &str, sql: &str) {
        let log = format!("INSERT INTO ran VALUES ('{version:04}_{name}');");
        self.project
            .tenant(&format!("{version:04}_{name}.sql"), &format!("{sql}\n{log}\n"));
    }

    pub fn run(&self) -> Run {
        self.project.tenantgate(&["run"])
    }

    pub fn spawn(&self) -> Running {
        self.project.spawn(&["run"])
    }

    /// What ran in one tenant, in order.
    pub fn ran(&self, tenant: &str) -> Vec<String> {
        let mut names = self.db.tenant(tenant).query_column("SELECT name FROM ran");
        names.sort();
        names
    }

    /// Every tenant has run each migration exactly once, and the ledger says so.
    pub fn assert_all_at_head(&self, migrations: &[&str]) {
        for tenant in &self.tenants {
            assert_eq!(self.ran(tenant), migrations, "{:?} {tenant}", self.server);
        }
        let status = self.project.tenantgate(&["status"]);
        status.assert_code(0);
        for standing in status.report()["standings"].as_array().unwrap() {
            assert_eq!(standing["pending"], 0, "{standing}");
        }
    }

    /// Leases that are still in somebody's way.
    pub fn leases(&self) -> usize {
        let live = match self.server {
            Server::Postgres | Server::Pgbouncer => "tenantgate.lease WHERE expires_at > now()".to_owned(),
            Server::Mariadb => format!("{}.lease WHERE expires_at > UTC_TIMESTAMP(6)", self.ledger()),
            Server::Sqlite => "tenantgate_lease WHERE expires_at > unixepoch('subsec') * 1000".to_owned(),
        };
        self.db
            .query_value(&format!("SELECT count(*) FROM {live}"))
            .parse()
            .unwrap()
    }

    /// However a run ended, nobody waits for its lease longer than the second that it lives.
    pub fn assert_no_lease_is_stuck(&self) {
        let begun = Instant::now();
        while self.leases() > 0 {
            assert!(
                begun.elapsed() < Duration::from_millis(1500),
                "a lease outlives its expiry"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// MariaDB's ledger database.
    pub fn ledger(&self) -> String {
        format!("{}_tenantgate", self.db.query_value("SELECT database()"))
    }

    /// A statement that takes a while on the server.
    pub fn slow(&self, seconds: f32) -> String {
        match self.server {
            Server::Postgres | Server::Pgbouncer => format!("SELECT pg_sleep({seconds});"),
            Server::Mariadb => format!("DO SLEEP({seconds});"),
            // About 15 million steps a second in a debug build of the library's interpreter.
            Server::Sqlite => format!(
                "CREATE TABLE slow AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {}) SELECT count(*) AS x FROM c;\nDROP TABLE slow;",
                (seconds * 8_000_000.0) as u64
            ),
        }
    }
}

/// A `#[test]` for each server.
macro_rules! on_all_servers {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use crate::harness::Server;

            #[test]
            fn postgres() {
                super::$scenario(Server::Postgres);
            }

            #[test]
            fn pgbouncer() {
                super::$scenario(Server::Pgbouncer);
            }

            #[test]
            fn mariadb() {
                super::$scenario(Server::Mariadb);
            }

            #[test]
            fn sqlite() {
                super::$scenario(Server::Sqlite);
            }
        }
    )+};
}
pub(crate) use on_all_servers;

/// A `#[test]` for PostgreSQL, and one through PgBouncer.
macro_rules! on_postgres {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use crate::harness::Server;

            #[test]
            fn postgres() {
                super::$scenario(Server::Postgres);
            }

            #[test]
            fn pgbouncer() {
                super::$scenario(Server::Pgbouncer);
            }
        }
    )+};
}
pub(crate) use on_postgres;
