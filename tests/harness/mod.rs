//! What all areas use: servers with fresh databases, projects in temporary folders, runs of the
//! program with their report.
//!
//! ```ignore
//! let database = Server::Postgres.fresh_database();
//! let mut project = Project::new();
//! project.write("tenantgate.toml", "…");
//! project.tenant("0001_orders.sql", "CREATE TABLE orders (id int)");
//! project.database("DEV_DB_URL", &database);
//! let run = project.tenantgate(&["run", "--environment", "dev"]);
//! run.assert_code(0);
//! assert_eq!(run.report()["tenants"]["migrated"], 2);
//! assert_eq!(database.tenant("acme").query_value("SELECT count(*) FROM orders"), "0");
//! ```

#![allow(dead_code, reason = "not every helper has a user at every commit")]

mod cutter;
mod database;
mod desk;
mod normalise;
mod private;
mod process;
mod project;
mod selftest;
mod servers;
mod small_disk;
pub mod soak;
mod wire;

#[allow(unused_imports, reason = "as above")]
pub use self::{
    cutter::{Cutter, Way},
    database::{Database, Session},
    desk::{Desk, TENANTS, findings},
    private::{PrivateServer, postgres_programs},
    process::{Run, Running},
    project::{Project, collect_files},
    servers::{Server, TestDatabase},
    small_disk::SmallDisk,
    wire::Wire,
};
