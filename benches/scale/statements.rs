//! How many statements a server carried out, by its own count.

use crate::fleet::Fleet;
use crate::harness::Server;

/// Counts from now on.
pub struct Count<'a> {
    fleet: &'a Fleet,
    by: By,
    before: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// PostgreSQL's extension: every statement of this database's user.
    PgStatStatements,
    /// Where it is missing: transactions of this database.
    PgStatDatabase,
    /// MariaDB's status.
    Questions,
}

impl<'a> Count<'a> {
    /// None: nobody counts for SQLite, where each file is read.
    pub fn new(fleet: &'a Fleet) -> Option<Self> {
        let by = match fleet.server {
            Server::Sqlite => return None,
            Server::Mariadb => By::Questions,
            Server::Postgres | Server::Pgbouncer => {
                let name = fleet.db.name();
                let extend = format!(
                    "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset();
                     ALTER DATABASE {name} SET pg_stat_statements.track = 'all'"
                );
                match fleet.db.admin().session().try_query(&extend) {
                    Ok(_) => By::PgStatStatements,
                    Err(_) => By::PgStatDatabase,
                }
            }
        };
        let mut count = Self { fleet, by, before: 0 };
        count.before = count.now();
        Some(count)
    }

    pub fn what(&self) -> &'static str {
        match self.by {
            By::PgStatStatements => "statements (pg_stat_statements)",
            By::PgStatDatabase => "transactions (pg_stat_database)",
            By::Questions => "statements (Questions)",
        }
    }

    pub fn taken(&self) -> u64 {
        // MariaDB counts this question too.
        let own = u64::from(self.by == By::Questions);
        self.now() - self.before - own
    }

    fn now(&self) -> u64 {
        let admin = self.fleet.db.admin();
        let name = self.fleet.db.name();
        let text = match self.by {
            By::PgStatStatements => admin.query_value(&format!(
                "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
                 WHERE r.rolname = '{name}'"
            )),
            By::PgStatDatabase => {
                // The server's processes hand their counts on after a while.
                std::thread::sleep(std::time::Duration::from_millis(1500));
                admin.query_value(&format!(
                    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{name}'"
                ))
            }
            By::Questions => {
                let rows = admin.query_rows("SHOW GLOBAL STATUS LIKE 'Questions'");
                rows[0][1].clone().unwrap()
            }
        };
        text.parse().unwrap()
    }
}
