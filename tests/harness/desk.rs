//! The smallest whole project on any of the servers: a registry made by a shared migration, five
//! tenants, two tenant migrations, three environments of which `dev` is chosen.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use super::project::collect_files;
use super::{Project, Run, Server, TestDatabase};

/// In the order of their names, which is the registry's.
pub const TENANTS: [&str; 5] = ["amber", "birch", "cedar", "delta", "elder"];

/// A [`Project`] and the database of its environment `dev`.
pub struct Desk {
    pub project: Project,
    pub database: TestDatabase,
}

impl Desk {
    pub fn new(server: Server) -> Self {
        let database = server.fresh_database();
        let mut project = Project::new();
        project.write("tenantgate.toml", &config(&database));
        project.shared("0001_clients.sql", &clients(&TENANTS));
        project.tenant(
            "0001_orders.sql",
            "CREATE TABLE orders (id int, note varchar(50));\n",
        );
        project.tenant("0002_total.sql", "ALTER TABLE orders ADD COLUMN total int;\n");
        project.database("DEV_DB_URL", &database);
        project.env("TENANTGATE_ENVIRONMENT", "dev");
        Self { project, database }
    }

    /// One on each of the three engines.
    pub fn on_all() -> impl Iterator<Item = Self> {
        [Server::Sqlite, Server::Postgres, Server::Mariadb]
            .into_iter()
            .map(Self::new)
    }

    /// The same, migrated to its head.
    pub fn migrated(server: Server) -> Self {
        let desk = Self::new(server);
        desk.tenantgate(&["run"]).assert_code(0);
        desk
    }

    pub fn server(&self) -> Server {
        self.database.server()
    }

    /// Replaces the first shared migration's tenants, before anything ran.
    pub fn with_tenants(self, tenants: &[&str]) -> Self {
        self.project.shared("0001_clients.sql", &clients(tenants));
        self
    }

    /// Adds lines under a heading that the config has.
    pub fn configure(&self, heading: &str, lines: &str) {
        let heading = format!("[{heading}]\n");
        self.project
            .replace("tenantgate.toml", &heading, &format!("{heading}{lines}\n"));
    }

    /// Adds tables at the config's end.
    pub fn configure_more(&self, text: &str) {
        let config = self.project.read("tenantgate.toml");
        self.project
            .write("tenantgate.toml", &format!("{config}\n{text}"));
    }

    /// Where everybody stands, asked of the program: versions by tenant, `(shared)` among them.
    pub fn heads(&self) -> BTreeMap<String, Option<u64>> {
        let run = self.tenantgate(&["status"]);
        run.assert_code(0);
        let standings = run.report()["standings"].as_array().unwrap().iter();
        let head = |standing: &serde_json::Value| {
            let who = standing["tenant"].as_str().unwrap_or("(shared)").to_owned();
            (who, standing["head"].as_u64())
        };
        standings.map(head).collect()
    }

    /// Asserts each tenant's head, in their order.
    #[track_caller]
    pub fn assert_heads(&self, expected: [Option<u64>; 5]) {
        let heads = self.heads();
        let found = TENANTS.map(|tenant| heads[tenant]);
        assert_eq!(found, expected, "{:?}", self.server());
    }

    /// Names of a tenant's tables without our own, asked of the server.
    pub fn tables(&self, tenant: &str) -> Vec<String> {
        let location = self.database.location(tenant);
        match self.server() {
            Server::Postgres | Server::Pgbouncer => self.database.query_column(&format!(
                "SELECT tablename FROM pg_tables WHERE schemaname = '{location}' ORDER BY 1"
            )),
            Server::Mariadb => self.database.query_column(&format!(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = '{location}' ORDER BY 1"
            )),
            Server::Sqlite => {
                if !self.database.folder().path().join(location).exists() {
                    return Vec::new();
                }
                let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'tenantgate%' \
                              ORDER BY 1";
                self.database.tenant(tenant).query_column(tables)
            }
        }
    }

    /// All there is: every schema, database or file of this test, every table, and its content.
    pub fn everything(&self) -> Vec<String> {
        let rows = |rows: super::database::Rows| -> Vec<String> {
            let line = |row: Vec<Option<String>>| format!("{row:?}");
            rows.into_iter().map(line).collect()
        };
        match self.server() {
            Server::Postgres | Server::Pgbouncer => {
                let names = "SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' \
                             UNION ALL SELECT relkind::text, n.nspname, relname FROM pg_class c \
                             JOIN pg_namespace n ON n.oid = relnamespace \
                             WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2, 3";
                let content = "SELECT table_schema, table_name, query_to_xml(format('SELECT * FROM %I.%I ', \
                               table_schema, table_name), true, false, '')::text FROM information_schema.tables \
                               WHERE table_type = 'BASE TABLE' AND table_schema !~ '^(pg_|information_schema)' \
                               ORDER BY 1, 2";
                let admin = self.database.admin();
                [rows(admin.query_rows(names)), rows(admin.query_rows(content))].concat()
            }
            Server::Mariadb => {
                let admin = self.database.admin();
                let prefix = format!("{}_", self.database.name());
                let ours = format!("LEFT(schema_name, {}) = '{prefix}'", prefix.len());
                let mut all = admin.query_column(&format!(
                    "SELECT schema_name FROM information_schema.schemata WHERE {ours} ORDER BY 1"
                ));
                let tables = admin.query_column(&format!(
                    "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables \
                     WHERE {} ORDER BY 1",
                    ours.replace("schema_name", "table_schema")
                ));
                if !tables.is_empty() {
                    all.extend(rows(
                        admin.query_rows(&format!("CHECKSUM TABLE {}", tables.join(", "))),
                    ));
                }
                all
            }
            Server::Sqlite => {
                let mut files = BTreeMap::new();
                collect_files(self.database.folder().path(), &mut files);
                files.into_iter().map(|file| format!("{file:?}")).collect()
            }
        }
    }

    /// The text of every row that this test's databases hold, our own tables among them.
    pub fn stored_text(&self) -> String {
        match self.server() {
            Server::Postgres | Server::Pgbouncer => return self.everything().join("\n"),
            Server::Sqlite => {
                let mut files = BTreeMap::new();
                collect_files(self.database.folder().path(), &mut files);
                let text = |content: &Vec<u8>| String::from_utf8_lossy(content).into_owned();
                return files.values().map(text).collect();
            }
            Server::Mariadb => {}
        }
        let admin = self.database.admin();
        let prefix = format!("{}_", self.database.name());
        let tables = admin.query_rows(&format!(
            "SELECT CONCAT('`', table_schema, '`.`', table_name, '`'), \
             GROUP_CONCAT(CONCAT('COALESCE(`', column_name, '`, '''')')) FROM information_schema.columns \
             WHERE LEFT(table_schema, {}) = '{prefix}' GROUP BY 1",
            prefix.len()
        ));
        let mut text = String::new();
        for table in tables {
            let [Some(table), Some(columns)] = &table[..] else {
                continue;
            };
            let lines = admin.query_column(&format!("SELECT CONCAT_WS(' ', {columns}) FROM {table}"));
            text.push_str(&lines.join("\n"));
        }
        text
    }
}

impl Deref for Desk {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl DerefMut for Desk {
    fn deref_mut(&mut self) -> &mut Project {
        &mut self.project
    }
}

fn config(database: &TestDatabase) -> String {
    format!(
        "name = \"desk\"\n\
         [environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n\
         [environments.uat]\ndatabase_url = \"UAT_DB_URL\"\nafter = \"dev\"\n\
         [environments.prod]\ndatabase_url = \"PROD_DB_URL\"\nafter = \"uat\"\n\
         [tenancy]\n{}registry = \"SELECT name AS tenant FROM clients ORDER BY name\"\n\
         [migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n\
         [promotion]\nevidence = \"evidence\"\n\
         [rollout]\nconcurrency = 1\nlock_timeout = \"5s\"\n",
        database.tenancy()
    )
}

fn clients(tenants: &[&str]) -> String {
    let rows: Vec<String> = tenants.iter().map(|tenant| format!("('{tenant}')")).collect();
    let insert = format!("INSERT INTO clients (name) VALUES {};\n", rows.join(", "));
    let insert = if tenants.is_empty() { "" } else { &insert };
    format!("CREATE TABLE clients (name varchar(250));\n{insert}")
}

/// The findings of one check, as `tenant: message`.
#[track_caller]
pub fn findings(run: &Run, id: &str) -> Vec<String> {
    let findings = run.check(id)["findings"].as_array().unwrap().iter();
    let line = |finding: &serde_json::Value| {
        let message = finding["message"].as_str().unwrap();
        match finding["tenant"].as_str() {
            Some(tenant) => format!("{tenant}: {message}"),
            None => message.to_owned(),
        }
    };
    findings.map(line).collect()
}
