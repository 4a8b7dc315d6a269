//! What each command does where tenants share tables.

use super::{ACME, Rows, told};
use crate::harness::{Project, Server};

#[test]
fn tenants_are_counted_and_a_promotion_believes_it() {
    let mut rows = Rows::unmigrated(Server::Postgres.fresh_database());
    let plan = rows.project.tenantgate(&["plan"]);
    plan.assert_code(0);
    rows.configure(
        "[migrations]",
        "[environments.prod]\nafter = \"dev\"\ndatabase_url = \"PROD_DB_URL\"\n[migrations]",
    );
    let prod = Server::Postgres.fresh_database();
    prod.admin().execute(&format!(
        "GRANT {} TO {}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE, USAGE ON SCHEMA public TO {1}; GRANT USAGE ON SCHEMA public TO PUBLIC",
        rows.role,
        prod.name()
    ));
    rows.project.database("PROD_DB_URL", &prod);
    let run = |environment: &str| {
        let arguments = ["run", "--environment", environment, "--evidence", "evidence"];
        rows.project.tenantgate(&arguments)
    };
    run("prod").assert_code(1);
    let first = run("dev");
    first.assert_code(0);
    assert_eq!(first.report()["tenants"]["discovered"], 2);
    assert_eq!(first.report()["tenants"]["up_to_date"], 2);
    run("prod").assert_code(0);
}

#[test]
fn what_picks_tenants_is_refused() {
    let rows = Rows::good(Server::Postgres);
    for (arguments, what) in [
        (&["migrate", "--tenant", "somebody"][..], "--tenant picks tenants"),
        (&["snapshot", "--from", "largest"], "--from largest picks tenants"),
        (&["migrate", "--shard", "1/2"], "--shard picks tenants"),
        (&["migrate", "--scope", "tenant"], "--scope tenant picks tenants"),
        (&["rollback", "--to", "0"], "`rollback` without --scope"),
        (&["baseline", "--version", "1"], "`baseline` without --scope"),
        (
            &["baseline", "--version", "1", "--tenant", "x"],
            "--tenant picks tenants",
        ),
    ] {
        let run = rows.project.tenantgate(arguments);
        run.assert_code(2);
        assert!(run.stderr.contains(what), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn shared_migrations_go_and_come_back() {
    let rows = Rows::good(Server::Postgres);
    rows.project
        .shared("0002_more.sql", "CREATE TABLE plan2 (name text)");
    rows.project.shared("0002_more.down.sql", "DROP TABLE plan2");
    let behind = rows.validate();
    behind.assert_code(1);
    assert_eq!(behind.checks_that("failed"), ["schema.complete"]);
    rows.project.tenantgate(&["migrate"]).assert_code(0);
    rows.project.tenantgate(&["run"]).assert_code(0);
    rows.project
        .tenantgate(&["rollback", "--to", "1", "--scope", "shared"])
        .assert_code(0);
    rows.project
        .tenantgate(&["migrate", "--scope", "shared"])
        .assert_code(0);
    assert_eq!(rows.admin().query_value("SELECT count(*) FROM plan2"), "0");
}

#[test]
fn an_ensured_tenant_is_registered() {
    let rows = Rows::good(Server::Postgres);
    let third = "0a3f5f0e-5b0e-4c9e-8a55-6d3c7a0e1a03";
    rows.plant("CREATE POLICY registers ON orgs FOR INSERT TO {owner} WITH CHECK (true)");
    rows.configure(
        "global_tables",
        &format!("ensure = [\"{third}\"]\nensure_sql = \"INSERT INTO orgs VALUES ({{tenant}}, 'third')\"\nglobal_tables"),
    );
    let run = rows.project.tenantgate(&["run"]);
    run.assert_code(0);
    assert_eq!(run.report()["tenants"]["discovered"], 3);
}

#[test]
fn other_engines_are_refused() {
    for server in [Server::Sqlite, Server::Mariadb] {
        let db = server.fresh_database();
        let mut project = Project::new();
        project.database("DEV_DB_URL", &db);
        project.shared("0001_a.sql", "CREATE TABLE a (id int)");
        project.write(
            "tenantgate.toml",
            "name = \"rows\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\n[migrations]\nshared = \"migrations/shared\"\n\
             [tenancy]\nmode = \"row\"\nregistry = \"SELECT 1 AS tenant\"\ncolumn = \"tenant_id\"\nserving_role = \"app\"\n",
        );
        let run = project.tenantgate(&["run"]);
        run.assert_code(1);
        assert!(told(&run, "url.engine")[0].contains("needs the row-level security of PostgreSQL"));
    }
}

/// A registry that names servers means another mode.
#[test]
fn a_registry_with_servers_is_refused() {
    let mut rows = Rows::good(Server::Postgres);
    rows.configure(
        "SELECT id AS tenant FROM orgs",
        "SELECT 'n' || row_number() OVER () AS tenant, 'eu' AS server FROM orgs",
    );
    rows.project.env("UNUSED", ACME);
    let run = rows.validate();
    run.assert_code(1);
    assert!(told(&run, "tenants.name")[0].contains("names a server for it"));
}

/// Numbers and texts are keys as well as uuids.
#[test]
fn keys_may_be_numbers_or_texts() {
    for (kind, one, two) in [("bigint", "1", "20"), ("text", "acme", "zeta.north")] {
        let rows = Rows::unmigrated(Server::Postgres.fresh_database());
        rows.project.shared(
            "0001_all.sql",
            &format!(
                "CREATE TABLE orgs (id {kind} PRIMARY KEY);
                CREATE TABLE notes (tenant_id {kind} NOT NULL, title text NOT NULL, PRIMARY KEY (tenant_id, title));
                INSERT INTO orgs VALUES ('{one}'), ('{two}'); INSERT INTO notes SELECT id, 'x' FROM orgs;
                ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;
                CREATE POLICY own ON notes USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::{kind});
                GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO {role}",
                role = rows.role
            ),
        );
        rows.configure("columns = { orgs = \"id\" }\n", "");
        rows.project.tenantgate(&["run"]).assert_code(0);
        rows.plant(
            "DROP POLICY own ON notes; CREATE POLICY own ON notes USING (tenant_id IS DISTINCT FROM NULL)",
        );
        rows.validate().assert_code(1);
    }
}

/// What is planted in the other tests, seen as drift: the shared schema alone is compared.
#[test]
fn a_policy_that_no_migration_made_is_drift() {
    let rows = Rows::unmigrated(Server::Postgres.fresh_database());
    rows.configure("drift = \"off\"", "drift = \"error\"");
    let run = rows.project.tenantgate(&["run"]);
    run.assert_code(0);
    assert_eq!(run.check("drift.shared")["status"], "passed");
    assert!(run.report()["schema"]["fingerprint"].is_string());
    assert!(!run.stdout.contains("drift.tenant"));
    rows.plant("ALTER POLICY own ON notes USING (tenant_id = current_setting('app.tenant_id')::uuid)");
    let run = rows.validate();
    run.assert_code(1);
    assert_eq!(run.checks_that("failed"), ["drift.shared"]);
    assert!(told(&run, "drift.shared")[0].contains("own"), "{}", run.stdout);
}
