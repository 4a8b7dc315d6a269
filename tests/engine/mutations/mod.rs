//! One change each to one of many tenants: found by name, mended by the SQL that the finding has, and what is no
//! difference not reported.

mod dump;
mod mariadb;
mod mariadb_rows;
mod sqlite;

use tenantgate::database_url::EngineKind;
use tenantgate::migrations::split;

use crate::harness::{Desk, Server};

/// What is changed at one tenant, and what must be said of it.
type Mutation = (&'static str, &'static str);

/// Tenants of whom each has one change, and some that have none.
struct Suite {
    desk: Desk,
    mutations: &'static [Mutation],
    /// Mutations that no SQL mends, by what is said.
    unmended: &'static [&'static str],
}

impl Suite {
    fn new(
        server: Server,
        tables: &str,
        mutations: &'static [Mutation],
        unmended: &'static [&'static str],
    ) -> Self {
        let names: Vec<String> = (0..mutations.len().max(50) + 5).map(name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let desk = Desk::new(server).with_tenants(&names);
        desk.project
            .replace("tenantgate.toml", "concurrency = 1", "concurrency = 4");
        desk.configure_more("[validate]\ncomments = true\n");
        desk.project.tenant("0003_all.sql", tables);
        desk.tenantgate(&["run"]).assert_code(0);
        Self {
            desk,
            mutations,
            unmended,
        }
    }

    /// Statements at one tenant.
    fn execute(&self, tenant: &str, sql: &str) {
        match self.desk.server() {
            Server::Mariadb => {
                let location = self.desk.database.location(tenant);
                // Who has all rights is another definer.
                let mut session = match sql.contains("root@localhost") {
                    true => self.desk.database.admin().session(),
                    false => self.desk.database.session(),
                };
                session.execute(&format!(
                    "SET SESSION sql_mode = @@GLOBAL.sql_mode, time_zone = @@GLOBAL.time_zone; USE `{location}`"
                ));
                for statement in split(sql, EngineKind::Mysql).expect("statements") {
                    session.execute(&statement.sql);
                }
            }
            _ => self.desk.database.tenant(tenant).execute(sql),
        }
    }

    /// Each is found, and nothing else; then each is mended.
    fn check(&self) {
        for (index, (sql, _)) in self.mutations.iter().enumerate() {
            self.execute(&name(index), sql);
        }
        let run = self.desk.tenantgate(&["validate"]);
        let found = run.check("drift.tenant")["findings"]
            .as_array()
            .expect("findings")
            .clone();
        let mut wrong = Vec::new();
        let mut mended = Vec::new();
        for (index, (sql, expected)) in self.mutations.iter().enumerate() {
            let of: Vec<_> = found.iter().filter(|it| it["tenant"] == name(index)).collect();
            let message = of
                .first()
                .map_or("nothing", |it| it["message"].as_str().expect("a message"));
            let expected = expected.replace("{role}", &format!("{}@%", self.desk.database.name()));
            if message != expected {
                wrong.push(format!("{sql}\n    {message}"));
            }
            if !self.unmended.contains(&expected.as_str()) {
                let sql = of
                    .first()
                    .and_then(|it| it["sql"].as_str())
                    .unwrap_or_default()
                    .to_owned();
                mended.push((index, sql));
            }
        }
        let others = found.iter().filter(|it| it["tenant"].is_null());
        let others: Vec<_> = others.collect();
        assert!(
            wrong.is_empty() && others.is_empty(),
            "not as expected: {others:#?}\n{}",
            wrong.join("\n")
        );
        assert_eq!(found.len(), self.mutations.len(), "{found:#?}");
        for (index, sql) in &mended {
            self.execute(&name(*index), &with_what_loses_data(sql));
        }
        let run = self.desk.tenantgate(&["validate"]);
        let left = run.check("drift.tenant")["findings"]
            .as_array()
            .expect("findings")
            .iter();
        let left: Vec<String> = left
            .filter(|it| {
                !self
                    .unmended
                    .contains(&it["message"].as_str().unwrap_or_default())
            })
            .map(|it| {
                let tenant = it["tenant"].as_str().unwrap_or_default();
                let sql = mended.iter().find(|(index, _)| name(*index) == tenant);
                format!("{}\nby\n{}", it["message"], sql.map_or("", |(_, sql)| sql))
            })
            .collect();
        assert!(left.is_empty(), "not mended:\n{}", left.join("\n\n"));
    }

    /// None of these is reported, each at a tenant that is as it should be.
    fn harmless(&self, changes: &[&str]) {
        for (index, sql) in changes.iter().enumerate() {
            self.execute(&name(index), sql);
        }
        let run = self.desk.tenantgate(&["validate"]);
        let found = crate::harness::findings(&run, "drift.tenant");
        let found: Vec<&String> = found
            .iter()
            .filter(|it| !self.unmended.iter().any(|not| it.ends_with(not)))
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        assert_eq!(run.report()["schema"]["differing"], self.unmended.len());
    }
}

fn name(index: usize) -> String {
    format!("m{index:02}")
}

/// Statements that are commented out because they lose data, and not what is said about them.
fn with_what_loses_data(sql: &str) -> String {
    let line = |line: &str| match line.strip_prefix("-- ") {
        Some(rest)
            if !["/", "What is in", "no SQL"]
                .iter()
                .any(|it| rest.starts_with(it)) =>
        {
            format!("{rest}\n")
        }
        _ => format!("{line}\n"),
    };
    sql.lines().map(line).collect()
}
