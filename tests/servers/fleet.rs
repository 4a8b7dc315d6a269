//! An environment with three servers.

use std::ops::{Deref, DerefMut};

use crate::harness::{Database, Project, Run, Server, TestDatabase};

/// Tenants and the server each is on; the empty name is the environment's own.
pub const TENANTS: [(&str, &str); 6] = [
    ("amber", ""),
    ("birch", "eu"),
    ("cedar", "us"),
    ("delta", "eu"),
    ("elder", ""),
    ("fern", "us"),
];

/// Two databases on one server are two servers to the program.
pub struct Fleet {
    pub project: Project,
    pub own: TestDatabase,
    pub eu: TestDatabase,
    pub us: TestDatabase,
}

impl Fleet {
    pub fn new(server: Server) -> Self {
        Self::with_tenants(server, &TENANTS)
    }

    /// By the names of the config.
    pub fn with_tenants(server: Server, tenants: &[(&str, &str)]) -> Self {
        let rows: Vec<String> = tenants
            .iter()
            .map(|(tenant, server)| match *server {
                "" => format!("('{tenant}', NULL)"),
                server => format!("('{tenant}', '{server}')"),
            })
            .collect();
        let fleet = Self::bare(server);
        fleet.write("tenantgate.toml", &config(&fleet.own, "server"));
        fleet.shared("0001_clients.sql", &clients("server", &rows));
        fleet
    }

    /// By URLs that the registry holds; the config names no server.
    pub fn by_url(server: Server) -> Self {
        let fleet = Self::bare(server);
        let rows: Vec<String> = TENANTS
            .iter()
            .map(|(tenant, server)| match *server {
                "" => format!("('{tenant}', NULL)"),
                server => format!("('{tenant}', '{}')", fleet.at(server).url()),
            })
            .collect();
        let config = config(&fleet.own, "database_url");
        let begin = config.find("[environments.dev.servers.eu]").unwrap();
        let end = config.find("[environments.uat]").unwrap();
        fleet.write(
            "tenantgate.toml",
            &format!("{}{}", &config[..begin], &config[end..]),
        );
        // The registry holds secrets, so it is the test that fills it, not a file of the project.
        fleet.shared("0001_clients.sql", &clients("database_url", &[]));
        fleet.replace("tenantgate.toml", "[migrations]", "min = 0\n[migrations]");
        fleet.tenantgate(&["migrate", "--scope", "shared"]).assert_code(0);
        fleet
            .own
            .execute(&format!("INSERT INTO clients VALUES {}", rows.join(", ")));
        fleet
    }

    fn bare(server: Server) -> Self {
        let (own, eu, us) = (
            server.fresh_database(),
            server.fresh_database(),
            server.fresh_database(),
        );
        let mut project = Project::new();
        project.tenant(
            "0001_orders.sql",
            "CREATE TABLE orders (id int, note varchar(50));\n",
        );
        project.tenant("0002_total.sql", "ALTER TABLE orders ADD COLUMN total int;\n");
        for (name, database) in [("DEV_DB_URL", &own), ("DEV_EU_URL", &eu), ("US_URL", &us)] {
            project.database(name, database);
        }
        project.env("TENANTGATE_ENVIRONMENT", "dev");
        Self { project, own, eu, us }
    }

    pub fn at(&self, server: &str) -> &TestDatabase {
        match server {
            "eu" => &self.eu,
            "us" => &self.us,
            _ => &self.own,
        }
    }

    pub fn databases(&self) -> [&TestDatabase; 3] {
        [&self.own, &self.eu, &self.us]
    }

    /// Where a tenant's tables are.
    pub fn location(&self, server: &str, tenant: &str) -> String {
        let database = self.at(server);
        match database.server() {
            Server::Mariadb => format!("{}_shared_{tenant}", database.name()),
            _ => tenant.to_owned(),
        }
    }

    pub fn tenant_at(&self, server: &str, tenant: &str) -> Database {
        self.at(server).at_location(&self.location(server, tenant))
    }

    /// Applied rows of the ledger that a server keeps, as `tenant version`.
    pub fn ledger(&self, server: &str) -> Vec<String> {
        let database = self.at(server);
        let ledger = match database.server() {
            Server::Mariadb => format!("`{}_shared_tenantgate`.ledger", database.name()),
            _ => "tenantgate.ledger".to_owned(),
        };
        database.query_column(&format!(
            "SELECT concat(tenant, ' ', version) FROM {ledger} WHERE scope = 'tenant' AND state = 'applied' ORDER BY tenant, version"
        ))
    }

    /// Schemas or databases that are tenants', or the ledger, anywhere.
    pub fn everything(&self) -> Vec<String> {
        let of = |database: &TestDatabase| {
            let sql = match database.server() {
                Server::Mariadb => format!(
                    "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_schema LIKE '{}%' ORDER BY 1",
                    database.name()
                ),
                _ => "SELECT schemaname || '.' || relname || n_tup_ins || ' ' || n_tup_upd FROM pg_stat_user_tables ORDER BY 1".to_owned(),
            };
            database.admin().query_column(&sql)
        };
        self.databases().into_iter().flat_map(of).collect()
    }

    /// The outcomes as `tenant server state`, in the order of the tenants.
    pub fn outcomes(run: &Run) -> Vec<String> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
        let mut outcomes: Vec<String> = run.report()["outcomes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| [&it["tenant"], &it["server"], &it["state"]].map(text).join(" "))
            .collect();
        outcomes.sort();
        outcomes
    }
}

impl Deref for Fleet {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

impl DerefMut for Fleet {
    fn deref_mut(&mut self) -> &mut Project {
        &mut self.project
    }
}

fn config(own: &TestDatabase, column: &str) -> String {
    let tenancy = match own.server() {
        Server::Mariadb => "mode = \"database\"\ndatabase = \"{shared}_{tenant}\"\n",
        _ => "mode = \"schema\"\n",
    };
    format!(
        "name = \"desk\"\n\
         [environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n\
         [environments.dev.servers.eu]\ndatabase_url = \"{{ENV}}_EU_URL\"\n\
         [environments.dev.servers.us]\ndatabase_url = \"US_URL\"\nconcurrency = 2\n\
         [environments.uat]\ndatabase_url = \"UAT_DB_URL\"\n\
         [tenancy]\n{tenancy}registry = \"SELECT name AS tenant, {column} FROM clients ORDER BY name\"\n\
         [migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n\
         [rollout]\nconcurrency = 4\nlease_ttl = \"1s\"\nlease_wait = \"20s\"\n"
    )
}

fn clients(column: &str, rows: &[String]) -> String {
    let insert = match rows {
        [] => String::new(),
        rows => format!("INSERT INTO clients VALUES {};\n", rows.join(", ")),
    };
    format!("CREATE TABLE clients (name varchar(250), {column} varchar(500));\n{insert}")
}
