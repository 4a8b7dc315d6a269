//! A project with many tenants on one server, filled by plain SQL where that is quicker.

use std::fs;
use std::process::Command;

use crate::harness::{Project, Server, TestDatabase};
use crate::measure::{self, Measured};

pub struct Fleet {
    pub project: Project,
    pub db: TestDatabase,
    pub server: Server,
    pub tenants: Vec<String>,
}

/// Statements that go out in one message.
const AT_ONCE: usize = 200;

impl Fleet {
    /// An empty registry, made by the shared migration; no tenant yet.
    pub fn new(server: Server, concurrency: &str) -> Self {
        let db = server.fresh_database();
        let mut project = Project::new();
        project.database("DEV_DB_URL", &db);
        let fleet = Self {
            project,
            db,
            server,
            tenants: Vec::new(),
        };
        fleet.concurrency(concurrency);
        let registry =
            "CREATE TABLE tenants (name varchar(63) NOT NULL PRIMARY KEY, active integer NOT NULL);\n";
        fleet.project.shared("0001_registry.sql", registry);
        fs::create_dir_all(fleet.project.path("migrations/tenant")).unwrap();
        fleet.project.tenant("0001_item.sql", &crate::work::one_table(1));
        fleet.migrate_with(&["--scope", "shared"]).assert_passed();
        fs::remove_file(fleet.project.path("migrations/tenant/0001_item.sql")).unwrap();
        fleet
    }

    /// Writes the config; a word such as `auto` comes with its quotes.
    pub fn concurrency(&self, concurrency: &str) {
        let config = format!(
            "name = \"scale\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n
[migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n
[rollout]\nconcurrency = {concurrency}\n
[tenancy]\nmin = 0\nregistry = \"SELECT name AS tenant, active FROM tenants\"\n{}",
            self.db.tenancy()
        );
        self.project.write("tenantgate.toml", &config);
    }

    /// Adds tenants to the registry until there are so many.
    pub fn register(&mut self, total: usize) {
        let first = self.tenants.len() + 1;
        self.tenants
            .extend((first..=total).map(|number| format!("tenant_{number:05}")));
        for names in self.tenants[first - 1..].chunks(1_000) {
            let rows: Vec<String> = names.iter().map(|name| format!("('{name}', 1)")).collect();
            self.db
                .execute(&format!("INSERT INTO tenants VALUES {}", rows.join(", ")));
        }
    }

    /// Makes the tenants from this index on what the first one is: their places with the given content,
    /// and their rows of the ledger.
    pub fn copy_first(&self, from: usize, content: &str) {
        let new = &self.tenants[from..];
        match self.server {
            Server::Postgres | Server::Pgbouncer => {
                let each = |name: &String| {
                    let inside = if content.is_empty() {
                        String::new()
                    } else {
                        format!("SET search_path = \"{name}\";{content}")
                    };
                    format!("CREATE SCHEMA \"{name}\";{inside}")
                };
                // What is made in one transaction is locked until its end.
                let at_once = (AT_ONCE / content.matches("CREATE").count().max(1).pow(2)).max(2);
                self.each_in_messages(new, at_once, each);
                self.copy_ledger("tenantgate", "tenantgate.ledger");
            }
            Server::Mariadb => {
                let each = |name: &String| {
                    let place = self.db.location(name);
                    let inside = if content.is_empty() {
                        String::new()
                    } else {
                        format!("USE `{place}`;{content}")
                    };
                    format!("CREATE DATABASE `{place}`;{inside}")
                };
                self.each_in_messages(new, AT_ONCE, each);
                let ledger = format!("{}_tenantgate", self.db.query_value("SELECT database()"));
                self.copy_ledger(&ledger, &format!("`{ledger}`.ledger"));
            }
            Server::Sqlite => {
                let first = self.file(&self.tenants[0]);
                for name in new {
                    fs::copy(&first, self.file(name)).unwrap();
                    let rename =
                        format!("PRAGMA synchronous = OFF; UPDATE tenantgate_ledger SET tenant = '{name}'");
                    self.db.tenant(name).execute(&rename);
                }
                self.db
                    .execute("INSERT OR IGNORE INTO tenantgate_tenant SELECT name, 'copied', 0 FROM tenants");
            }
        }
    }

    fn each_in_messages(&self, names: &[String], at_once: usize, each: impl Fn(&String) -> String) {
        let mut session = self.db.session();
        for chunk in names.chunks(at_once) {
            session.execute(&chunk.iter().map(&each).collect::<String>());
        }
    }

    fn copy_ledger(&self, place: &str, ledger: &str) {
        let columns = self.db.query_column(&format!(
            "SELECT column_name FROM information_schema.columns
             WHERE table_schema = '{place}' AND table_name = 'ledger' AND column_name <> 'tenant'"
        ));
        let columns = columns.join(", ");
        let old: Vec<String> = columns.split(", ").map(|name| format!("old.{name}")).collect();
        let first = &self.tenants[0];
        // In the order in which fifty rollouts would have written them.
        self.db.execute(&format!(
            "INSERT INTO {ledger} (tenant, {columns}) SELECT tenants.name, {} FROM {ledger} old, tenants
             WHERE old.tenant = '{first}' AND old.scope = 'tenant'
             AND NOT EXISTS (SELECT 1 FROM {ledger} AS own WHERE own.scope = 'tenant' AND own.tenant = tenants.name)
             ORDER BY old.version, md5(tenants.name)",
            old.join(", ")
        ));
    }

    pub fn file(&self, tenant: &str) -> std::path::PathBuf {
        self.db.folder().path().join(self.db.location(tenant))
    }

    /// What a server has gathered is for it to settle before the next is timed.
    pub fn settle(&self) {
        if self.server == Server::Postgres {
            self.db.admin().execute("CHECKPOINT");
        }
    }

    pub fn migrate(&self) -> Measured {
        self.migrate_with(&[])
    }

    pub fn migrate_with(&self, more: &[&str]) -> Measured {
        let mut arguments = vec!["migrate", "--environment", "dev"];
        arguments.extend(more);
        let (command, _): (Command, _) = self.project.command(&arguments);
        measure::run(command)
    }
}
