//! What PostgreSQL's schemas are made of, against its own dump, and every kind of change to one of many tenants.

mod drift;
mod grammar;
mod harmless;
mod mutations;
mod oracle;

use tenantgate::database_url;
use tenantgate::domain::{Print, Redactor, Structure, Tenant, TenantName};
use tenantgate::engine::{Engine, EngineOptions, Target};

use std::time::Duration;

use crate::harness::{Server, Session, TestDatabase};

/// Something of every kind of object.
const BASE: &str = include_str!("base.sql");

/// Tenants that are all made by [`BASE`], and the engine that looks at them.
struct Fleet {
    db: TestDatabase,
    engine: Box<dyn Engine>,
    tenants: Vec<Tenant>,
}

impl Fleet {
    fn new(names: &[String]) -> Self {
        let db = Server::Postgres.fresh_database();
        let tenant = |name: &String| Tenant {
            name: TenantName::parse(name).unwrap(),
            server: None,
            location: name.clone(),
            active: true,
        };
        let mut fleet = Self {
            engine: engine(&db),
            tenants: names.iter().map(tenant).collect(),
            db,
        };
        fleet.db.admin().execute(&format!(
            "CREATE ROLE {0}; CREATE ROLE {1}; CREATE TABLE public.plans (id bigint PRIMARY KEY)",
            fleet.role("READER"),
            fleet.role("WRITER")
        ));
        for name in names {
            let mut session = fleet.db.admin().session();
            fleet.rebuild(&mut session, name);
        }
        fleet.engine = engine(&fleet.db);
        fleet
    }

    /// Roles belong to the whole server.
    fn role(&self, role: &str) -> String {
        format!("{}_{}", self.db.name(), role.to_lowercase())
    }

    /// SQL with the names that it has in one tenant's schema.
    fn of(&self, sql: &str, tenant: &str) -> String {
        sql.replace("READER", &self.role("READER"))
            .replace("WRITER", &self.role("WRITER"))
            .replace("SELF", &format!("\"{tenant}\""))
    }

    /// Makes a tenant's schema anew. The session's search path is the schema afterwards.
    fn rebuild(&self, session: &mut Session, tenant: &str) {
        session.execute(&format!(
            "SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"{tenant}\" CASCADE;
             CREATE SCHEMA \"{tenant}\"; SET search_path = \"{tenant}\""
        ));
        session.execute(&self.of(BASE, tenant));
    }

    fn targets(&self) -> Vec<Target<'_>> {
        self.tenants.iter().map(Target::Tenant).collect()
    }

    fn prints(&self) -> Vec<Print> {
        wait(self.engine.prints(&self.targets(), true)).unwrap()
    }

    fn structures(&self) -> Vec<Structure> {
        wait(self.engine.structures(&self.targets())).unwrap()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let mut session = self.db.admin().session();
        for role in ["READER", "WRITER"] {
            let role = self.role(role);
            drop(session.try_query(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")));
        }
    }
}

fn engine(db: &TestDatabase) -> Box<dyn Engine> {
    let options = EngineOptions {
        shared_schema: "public".to_owned(),
        ledger: None,
        location: "{tenant}".to_owned(),
        lock_timeout: Duration::from_secs(2),
        statement_timeout: None,
        connect_timeout: Duration::from_secs(10),
        run: "test".to_owned(),
        redactor: Redactor::default(),
    };
    let url = database_url::parse(db.admin().url()).unwrap();
    tenantgate::engine::open(url, None, options)
}

/// The engine keeps its connection on the runtime that first used it.
fn wait<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}
