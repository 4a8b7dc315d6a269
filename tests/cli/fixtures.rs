//! The fixtures of the real servers, from dev to prod.

use crate::harness::{Project, Server, TestDatabase};

const KEYS: [&str; 3] = [
    "kq3!Lr8-vN0zXw5Bs2Ym7Hd4Ct9Gf6Jp1Ae_Ui+Oo=Rk%Wb@Zn",
    "Vx6?Tg1-bH9cSd4Kf7Lm2Qw5Er8Yu3Io0Pa_Zx+Cv=Nn%Mm@Jk",
    "Dm2$Fp7-nK5vGh8Rt1Xz4Bc9Wq6Jy3Lu0Os_Ea+Ti=Yr%Un@Pw",
];

#[test]
fn meats_on_postgresql_goes_from_dev_to_prod() {
    let mut project = Project::fixture("meats");
    let databases: Vec<TestDatabase> = (0..3).map(|_| Server::Postgres.fresh_database()).collect();
    for ((prefix, key), database) in ["DEV", "UAT", "PROD"].iter().zip(KEYS).zip(&databases) {
        project.database(&format!("{prefix}_DB_URL"), database);
        project.secret(&format!("{prefix}_SECRET_KEY"), key);
        let settings = format!("projectmeats.settings.{}", prefix.to_lowercase());
        project.env(&format!("{prefix}_DJANGO_SETTINGS_MODULE"), settings);
    }
    let run = |environment: &str| {
        project.tenantgate(&["run", "--environment", environment, "--evidence", "evidence"])
    };
    run("uat").assert_code(1);
    for (environment, database) in ["dev", "uat", "prod"].iter().zip(&databases) {
        let first = run(environment);
        first.assert_code(0);
        assert_eq!(first.report()["tenants"]["migrated"], 6);
        // The super tenant goes first, and alone.
        assert_eq!(
            database.query_value(
                "SELECT tenant FROM tenantgate.ledger WHERE scope = 'tenant' ORDER BY applied_at LIMIT 1"
            ),
            "super_tenant"
        );
        let halal = database.tenant("prairie_beef");
        assert_eq!(
            halal.query_value("SELECT count(*) FROM suppliers WHERE halal_certified"),
            "0"
        );
        assert_eq!(
            database.query_value("SELECT count(*) FROM tenants_domain WHERE domain LIKE 'admin.%'"),
            "1"
        );
        let again = run(environment);
        again.assert_code(0);
        assert_eq!(again.report()["tenants"]["up_to_date"], 6);
    }
    let validated = project.tenantgate(&["validate", "--environment", "prod"]);
    validated.assert_code(0);
    databases[2].tenant("lamb_and_sons").execute(
        "DROP INDEX purchase_orders_supplier_ordered; DELETE FROM products WHERE species = 'pork'; \
                  ALTER TABLE purchase_orders DROP CONSTRAINT purchase_orders_supplier_id_fk",
    );
    let broken = project.tenantgate(&["validate", "--environment", "prod"]);
    broken.assert_code(1);
    assert_eq!(
        broken.checks_that("failed"),
        [
            "drift.tenant",
            "expect.indexes",
            "expect.foreign-keys",
            "expect.assertions"
        ]
    );
    assert_eq!(
        broken.check("expect.indexes")["findings"][0]["tenant"],
        "lamb_and_sons"
    );
}

#[test]
fn captions_on_mariadb_goes_from_dev_to_prod() {
    let mut project = Project::fixture("captions");
    let databases: Vec<TestDatabase> = (0..3).map(|_| Server::Mariadb.fresh_database()).collect();
    for (((prefix, key), database), word) in ["DEV", "STAGING", "PROD"]
        .iter()
        .zip(KEYS)
        .zip(&databases)
        .zip(["one", "two", "three"])
    {
        project.database(&format!("{prefix}_DB_URL"), database);
        project.secret(&format!("{prefix}_SESSION_KEY"), key);
        project.secret(
            &format!("{prefix}_REDIS_URL"),
            &format!("rediss://:cache-{word}@cache.example:6379/0"),
        );
        project.env(&format!("{prefix}_CAPTION_PROVIDER"), "local");
    }
    let run = |environment: &str| {
        project.tenantgate(&["run", "--environment", environment, "--evidence", "evidence"])
    };
    // `{shared}_{tenant}`: all three environments are on one server.
    let tenant = |database: &TestDatabase, name: &str| {
        let shared = database.query_value("SELECT database()");
        database.at_location(&format!("{shared}_{name}"))
    };
    for (environment, database) in ["dev", "staging", "prod"].iter().zip(&databases) {
        let first = run(environment);
        first.assert_code(0);
        assert_eq!(first.report()["tenants"]["migrated"], 5);
        let museum = tenant(database, "city_museum");
        museum.execute("CALL raise_alert('queue_wait_seconds', 400)");
        assert_eq!(museum.query_value("SELECT count(*) FROM system_alerts"), "1");
        let again = run(environment);
        again.assert_code(0);
        assert_eq!(again.report()["tenants"]["up_to_date"], 5);
    }
    tenant(&databases[2], "platform").execute("DELETE FROM users");
    tenant(&databases[2], "open_archive").execute("ALTER TABLE users MODIFY email varchar(300) NOT NULL");
    let broken = run("prod");
    broken.assert_code(1);
    assert_eq!(
        broken.checks_that("failed"),
        ["drift.tenant", "expect.columns", "expect.assertions"]
    );
}

/// The serving role is the server's, and other tests' too.
#[test]
fn rows_on_postgresql_goes_from_dev_to_prod() {
    let mut project = Project::fixture("rows");
    let databases: Vec<TestDatabase> = (0..2).map(|_| Server::Postgres.fresh_database()).collect();
    let role = format!("{}_app", databases[0].name());
    let gate = format!("{role}_gate");
    databases[0]
        .admin()
        .execute(&format!("CREATE ROLE {role}; CREATE ROLE {gate}"));
    for file in [
        "tenantgate.toml",
        "migrations/0003_row_level_security.sql",
        "migrations/0004_published_courses.sql",
    ] {
        project.replace(file, "courses_app", &role);
    }
    project.replace("migrations/0003_row_level_security.sql", "courses_gate", &gate);
    for (prefix, database) in ["DEV", "PROD"].iter().zip(&databases) {
        let name = database.name();
        database.admin().execute(&format!(
            "GRANT {role}, {gate} TO {name}; GRANT CREATE ON SCHEMA public TO {name}"
        ));
        project.database(&format!("{prefix}_DB_URL"), database);
    }
    let run = |environment: &str| {
        project.tenantgate(&["run", "--environment", environment, "--evidence", "evidence"])
    };
    run("prod").assert_code(1);
    for environment in ["dev", "prod"] {
        let first = run(environment);
        first.assert_code(0);
        assert_eq!(first.report()["tenants"]["up_to_date"], 3);
        assert_eq!(first.checks_that("warned"), Vec::<&str>::new());
        run(environment).assert_code(0);
    }
    let validate = || project.tenantgate(&["validate", "--environment", "prod"]);
    validate().assert_code(0);
    databases[1].execute("ALTER VIEW published_courses SET (security_invoker = false)");
    assert_eq!(validate().check("isolation.row-views")["status"], "warned");
    databases[1].execute(
        "DROP POLICY own ON lessons; CREATE POLICY own ON lessons USING (EXISTS (SELECT 1 FROM courses WHERE \
         courses.organisation_id = (SELECT current_organisation())))",
    );
    let broken = validate();
    broken.assert_code(1);
    assert_eq!(broken.check("isolation.row-try")["status"], "failed");
}
