//! What PostgreSQL's schemas are made of, against its own dump, and every kind of change to one of many tenants.

mod alike;
mod drift;
mod grammar;
mod harmless;
mod mending;
mod mending_rows;
mod mutations;
mod oracle;
mod trying;

use tenantgate::database_url;
use tenantgate::domain::{Print, Redactor, Structure, Tenant, TenantName, differences};
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
            engine: engine(&db, "{tenant}"),
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
        fleet.engine = engine(&fleet.db, "{tenant}");
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

/// Schemas that each have their own SQL, which is run with the schema and then `public` as the search path.
struct Few {
    db: TestDatabase,
    engine: Box<dyn Engine>,
    tenants: Vec<Tenant>,
    roles: Vec<String>,
}

impl Few {
    /// `SELF` in the SQL is the tenant's name, and `OF_DATABASE` the database's.
    fn new(location: &str, names: &[&str], sql: &str) -> Self {
        let db = Server::Postgres.fresh_database();
        let tenant = |name: &&str| Tenant {
            name: TenantName::parse(name).unwrap(),
            server: None,
            location: location.replace("{tenant}", name),
            active: true,
        };
        let few = Self {
            engine: engine(&db, location),
            tenants: names.iter().map(tenant).collect(),
            roles: Vec::new(),
            db,
        };
        for tenant in &few.tenants {
            few.admin()
                .execute(&format!("CREATE SCHEMA \"{}\"", tenant.location));
        }
        for tenant in &few.tenants {
            few.change(tenant, sql);
        }
        few
    }

    fn admin(&self) -> Session {
        self.db.admin().session()
    }

    /// A role of the whole server, which goes with this.
    fn role(&mut self, name: &str) {
        self.admin().execute(&format!("CREATE ROLE \"{name}\""));
        self.roles.push(name.to_owned());
    }

    fn change(&self, tenant: &Tenant, sql: &str) {
        let sql = sql
            .replace("SELF", tenant.name.as_str())
            .replace("OF_DATABASE", self.db.name());
        self.admin().execute(&format!(
            "SET client_min_messages = warning; SET search_path = \"{}\", public; {sql}",
            tenant.location
        ));
    }

    fn targets(&self) -> Vec<Target<'_>> {
        self.tenants.iter().map(Target::Tenant).collect()
    }

    fn structures(&self) -> Vec<Structure> {
        wait(self.engine.structures(&self.targets())).unwrap()
    }

    fn prints(&self) -> Vec<Print> {
        wait(self.engine.prints(&self.targets(), true)).unwrap()
    }

    /// What the last differs in from the first.
    fn told(&self) -> Vec<String> {
        let structures = self.structures();
        let last = structures.last().unwrap();
        let prints = self.prints();
        let found = differences(&structures[0], last);
        if prints.first() == prints.last() {
            assert!(found.is_empty(), "prints are the same: {found:?}");
        }
        found.iter().map(ToString::to_string).collect()
    }

    /// Every tenant is what the first one is.
    #[track_caller]
    fn assert_alike(&self) {
        let structures = self.structures();
        for (structure, tenant) in structures.iter().zip(&self.tenants) {
            let told = differences(&structures[0], structure);
            assert!(told.is_empty(), "{}: {told:#?}", tenant.name);
        }
        let prints = self.prints();
        for (print, tenant) in prints.iter().zip(&self.tenants) {
            assert!(*print == prints[0], "the print of {} is another", tenant.name);
        }
    }

    /// Makes the last what the first is, by the SQL that says so. Gives that.
    #[track_caller]
    fn mend_last(&self) -> String {
        let structures = self.structures();
        let (first, last) = (&structures[0], structures.last().unwrap());
        let target = Target::Tenant(self.tenants.last().unwrap());
        let sql = self.engine.mend(target, first, &differences(first, last));
        if let Err(error) = self.admin().try_query(&sql) {
            panic!("{error} in\n{sql}");
        }
        let left = differences(first, self.structures().last().unwrap());
        assert!(left.is_empty(), "left after\n{sql}\n{left:#?}");
        sql
    }
}

impl Drop for Few {
    fn drop(&mut self) {
        let mut session = self.admin();
        for role in &self.roles {
            drop(session.try_query(&format!("DROP OWNED BY \"{role}\" CASCADE; DROP ROLE \"{role}\"")));
        }
    }
}

/// The server's major version.
fn version() -> u32 {
    let number = Server::Postgres
        .fresh_database()
        .admin()
        .query_value("SHOW server_version_num");
    number.parse::<u32>().unwrap() / 10_000
}

fn engine(db: &TestDatabase, location: &str) -> Box<dyn Engine> {
    engine_at(db.admin().url(), location, Duration::from_secs(10))
}

fn engine_at(url: &str, location: &str, connect_timeout: Duration) -> Box<dyn Engine> {
    let options = EngineOptions {
        shared_schema: "public".to_owned(),
        ledger: None,
        location: location.to_owned(),
        lock_timeout: Duration::from_secs(2),
        statement_timeout: None,
        connect_timeout,
        run: "test".to_owned(),
        redactor: Redactor::default(),
    };
    let url = database_url::parse(url).unwrap();
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
