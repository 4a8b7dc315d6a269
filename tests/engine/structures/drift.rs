//! Every kind of change to one of fifty tenants, found and mended through the program itself.

use std::time::Duration;

use super::BASE;
use super::harmless::HARMLESS;
use super::mutations::{Mutation, all};
use crate::harness::{Project, Run, Server, TestDatabase, findings};

const TENANTS: usize = 50;
/// Tenants that are changed in one round, each by one change: more than half of all stay as they are.
const AT_ONCE: usize = 24;

struct Fifty {
    project: Project,
    db: TestDatabase,
}

impl Fifty {
    fn new() -> Self {
        let db = Server::Postgres.fresh_database();
        let mut project = Project::new();
        project.database("DEV_DB_URL", &db);
        project.timeout(Duration::from_secs(120));
        let config = format!(
            "name = \"fifty\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n\
             [migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n\
             [validate]\ncomments = true\n\
             [tenancy]\nregistry = \"SELECT name AS tenant FROM clients\"\n{}",
            db.tenancy()
        );
        project.write("tenantgate.toml", &config);
        let rows: Vec<String> = (0..TENANTS)
            .map(|number| format!("('{}')", name(number)))
            .collect();
        let shared = format!(
            "CREATE TABLE clients (name text PRIMARY KEY); INSERT INTO clients VALUES {};\n\
             CREATE TABLE plans (id bigint PRIMARY KEY);\n",
            rows.join(", ")
        );
        project.shared("0001_clients.sql", &shared);
        let fifty = Self { project, db };
        // Migrations do not know the name of the schema that they are for.
        let base: Vec<&str> = BASE.lines().filter(|line| !line.contains("SELF")).collect();
        let base = fifty.of(&base.join("\n"), "").replace("public.plans", "plans");
        fifty.project.tenant("0001_everything.sql", &base);
        let role = |role: &str| format!("CREATE ROLE {};", fifty.role(role));
        fifty.db.admin().execute(&(role("READER") + &role("WRITER")));
        fifty.validate_or_run("run").assert_code(0);
        let rest: Vec<&str> = BASE.lines().filter(|line| line.contains("SELF")).collect();
        for number in 0..TENANTS {
            let rest = fifty.of(&rest.join("\n"), &name(number));
            fifty.db.execute(&rest);
        }
        fifty
    }

    fn role(&self, role: &str) -> String {
        format!("{}_{}", self.db.name(), role.to_lowercase())
    }

    fn of(&self, sql: &str, tenant: &str) -> String {
        sql.replace("READER", &self.role("READER"))
            .replace("WRITER", &self.role("WRITER"))
            .replace("ROLE OWNER", &format!("ROLE {}", self.db.name()))
            .replace("TO OWNER", &format!("TO {}", self.db.name()))
            .replace("DATABASE OWNER", &format!("DATABASE {}", self.db.name()))
            .replace("SELF", &format!("\"{tenant}\""))
    }

    fn validate_or_run(&self, command: &str) -> Run {
        self.project.tenantgate(&[command, "--environment", "dev"])
    }

    fn change(&self, number: usize, sql: &str) {
        let tenant = name(number);
        let mut session = self.db.admin().session();
        session.execute(&format!("SET search_path = \"{tenant}\", public"));
        session.execute(&self.of(sql, &tenant));
    }

    /// As somebody who read it, and then ran it. Gives what the server refused.
    fn mend_all(&self, round: &[Mutation], run: &Run) -> Vec<String> {
        let mut refused = Vec::new();
        for finding in run.check("drift.tenant")["findings"].as_array().unwrap() {
            let tenant = finding["tenant"].as_str().unwrap();
            let number: usize = tenant.trim_start_matches("client_").parse().unwrap();
            let (changed, _, is_mended) = round[number];
            let sql = finding["sql"].as_str().unwrap_or_default();
            let mut session = self.db.admin().session();
            if is_mended && let Err(error) = session.try_query(sql) {
                refused.push(format!("after {changed}\n{error} in\n{sql}"));
            }
        }
        refused
    }

    /// The schema anew, as every other is.
    fn rebuild(&self, number: usize) {
        let tenant = name(number);
        let base = BASE.replace("public.plans", "plans");
        let mut session = self.db.session();
        session.execute(&format!(
            "SET client_min_messages = warning; SET search_path = \"{tenant}\", public"
        ));
        let mut admin = self.db.admin().session();
        admin.execute(&format!(
            "SET client_min_messages = warning; DROP SCHEMA \"{tenant}\" CASCADE; CREATE SCHEMA \"{tenant}\" AUTHORIZATION {}",
            self.db.name()
        ));
        session.execute(&self.of(&base, &tenant));
    }
}

impl Drop for Fifty {
    fn drop(&mut self) {
        let mut session = self.db.admin().session();
        for role in ["READER", "WRITER"] {
            let role = self.role(role);
            drop(session.try_query(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")));
        }
    }
}

fn name(number: usize) -> String {
    format!("client_{number:02}")
}

#[test]
fn each_change_is_found_and_named_and_what_mends_it_does() {
    let fifty = Fifty::new();
    let mutations = all();
    assert!(mutations.len() >= 100);
    let mut wrong = Vec::new();
    for round in mutations.chunks(AT_ONCE) {
        for (number, mutation) in round.iter().enumerate() {
            fifty.change(number, mutation.0);
        }
        let run = fifty.validate_or_run("validate");
        run.assert_code(1);
        let found = findings(&run, "drift.tenant");
        let mut touched = 0;
        for (number, (sql, expected, _)) in round.iter().enumerate() {
            let said = of_tenant(&found, number);
            touched += said.len();
            if !said.iter().any(|it| it.contains(expected)) {
                wrong.push(format!("after {sql}\nnothing says {expected}\nbut {said:#?}"));
            }
        }
        assert_eq!(touched, found.len(), "{found:#?}");
        wrong.extend(fifty.mend_all(round, &run));
        let found = findings(&fifty.validate_or_run("validate"), "drift.tenant");
        for (number, (sql, _, is_mended)) in round.iter().enumerate() {
            let left = of_tenant(&found, number);
            if left.is_empty() != *is_mended {
                wrong.push(format!("after {sql}\nand its mending there is left {left:#?}"));
            }
            if !left.is_empty() {
                fifty.rebuild(number);
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    let run = fifty.validate_or_run("validate");
    assert_eq!(findings(&run, "drift.tenant"), Vec::<String>::new());
}

fn of_tenant(findings: &[String], number: usize) -> Vec<&String> {
    let prefix = format!("{}: ", name(number));
    findings.iter().filter(|it| it.starts_with(&prefix)).collect()
}

#[test]
fn what_is_no_difference_is_not_reported() {
    let fifty = Fifty::new();
    assert!(HARMLESS.len() >= 20);
    for (number, sql) in HARMLESS.iter().enumerate() {
        fifty.change(number, sql);
    }
    // Another tenant's names, one after the other, and the same in another order.
    fifty.change(30, "VACUUM orders");
    fifty
        .db
        .admin()
        .execute("CREATE SCHEMA stranger; CREATE TABLE stranger.orders (id int)");
    let run = fifty.validate_or_run("validate");
    assert_eq!(findings(&run, "drift.tenant"), Vec::<String>::new());
    assert_eq!(run.report()["schema"]["groups"], 1);
}
