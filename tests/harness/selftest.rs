//! The harness itself: what the scenarios stand on.

use std::time::Duration;

use super::normalise::normalise;
use super::{Database, Project, Server};

#[test]
fn every_server_gives_fresh_databases_with_tenants() {
    for server in Server::ALL {
        let database = server.fresh_database();
        let other = server.fresh_database();
        database.execute("CREATE TABLE things (id int, name varchar(20))");
        database.execute("INSERT INTO things VALUES (1, 'one'); INSERT INTO things VALUES (2, NULL)");
        assert_eq!(
            database.query_rows("SELECT id, name FROM things ORDER BY id"),
            [
                [Some("1".to_owned()), Some("one".to_owned())],
                [Some("2".to_owned()), None],
            ],
            "{server:?}"
        );
        assert!(other.session().try_query("SELECT * FROM things").is_err());

        let tenant = database.create_tenant("acme");
        tenant.execute("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)");
        assert_eq!(
            database.tenant("acme").query_column("SELECT id FROM orders"),
            ["7"]
        );
        assert!(database.session().try_query("SELECT * FROM orders").is_err());
    }
}

#[test]
fn the_url_of_each_server_can_be_used_as_it_is() {
    for server in Server::ALL {
        let database = server.fresh_database();
        let through = Database::at(database.url());
        assert_eq!(through.query_value("SELECT 40 + 2"), "42", "{server:?}");
    }
}

#[test]
fn pgbouncer_keeps_no_session() {
    let database = Server::Pgbouncer.fresh_database();
    let through = Database::at(database.url());
    let (mut first, mut second) = (through.session(), through.session());
    let process = "SELECT pg_backend_pid()";
    assert_eq!(first.query_value(process), second.query_value(process));

    let refused = sqlx_through(database.url());
    assert!(refused.contains("extra_float_digits"), "{refused}");
}

/// The error of sqlx with the options that it has unless told.
fn sqlx_through(url: &str) -> String {
    use sqlx::Connection;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(sqlx::PgConnection::connect(url)) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_user_is_an_ordinary_one() {
    let postgres = Server::Postgres.fresh_database();
    let superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user";
    assert_eq!(postgres.query_value(superuser), "f");
    assert_eq!(postgres.admin().query_value(superuser), "t");

    let mariadb = Server::Mariadb.fresh_database();
    let users = "SELECT count(*) > 0 FROM mysql.user";
    assert!(mariadb.session().try_query(users).is_err());
    assert_eq!(mariadb.admin().query_value(users), "1");
}

#[test]
fn a_dropped_database_leaves_nothing() {
    for (server, listing) in [
        (
            Server::Postgres,
            "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles",
        ),
        (
            Server::Mariadb,
            "SELECT schema_name FROM information_schema.schemata UNION SELECT user FROM mysql.user",
        ),
    ] {
        let database = server.fresh_database();
        let name = database.name().to_owned();
        database.create_tenant("acme");
        let session = database.session();
        drop(database);
        drop(session);
        let other = server.fresh_database();
        let left = other.admin().query_column(listing);
        assert!(left.iter().all(|left| !left.starts_with(&name)), "{left:?}");
    }
}

#[tokio::test]
async fn an_async_test_may_use_the_blocking_session() {
    let database = Server::Sqlite.fresh_database();
    assert_eq!(database.query_value("SELECT 'yes'"), "yes");
}

#[test]
fn a_project_runs_the_program_with_nothing_but_its_own_environment() {
    let project = Project::fixture("quickstart");
    assert!(project.read("tenantgate.toml").contains("[environments.dev]"));
    project.write("notes/a.txt", "one");
    project.replace("notes/a.txt", "one", "two");
    assert_eq!(project.read("notes/a.txt"), "two");

    let run = project.tenantgate(&["--version"]);
    assert_eq!(run.signal, None);
}

#[test]
#[should_panic = "told the secret"]
fn a_secret_that_is_told_fails_the_test() {
    let mut project = Project::new();
    project.secret("DEV_SECRET_KEY", "a-value-nobody-may-see");
    let mut command = std::process::Command::new("echo");
    command.arg("it is a-value-nobody-may-see");
    super::process::Running::start(command, None, project.known().clone(), Duration::from_secs(10)).wait();
}

#[test]
#[should_panic = "told a secret in"]
fn a_secret_that_is_written_to_a_file_fails_the_test() {
    let mut project = Project::new();
    project.secret("DEV_SECRET_KEY", "a-value-nobody-may-see");
    project.write("there-before.env", "DEV_SECRET_KEY=a-value-nobody-may-see");
    let run = |script: String| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]);
        let known = project.known().clone();
        super::process::Running::start(command, None, known, Duration::from_secs(10)).wait();
    };
    run("true".to_owned());
    let file = project.path("trace.log");
    run(format!(
        "printf 'key=a-value-%s' nobody-may-see > {}",
        file.display()
    ));
}

#[test]
#[should_panic = "not done within"]
fn a_run_that_hangs_fails_the_test() {
    let mut command = std::process::Command::new("sleep");
    command.arg("60");
    super::process::Running::start(command, None, Default::default(), Duration::from_millis(50)).wait();
}

#[test]
fn a_snapshot_has_nothing_that_differs_from_run_to_run() {
    let text = "2026-01-02T03:04:05.678Z sha256:0123456789abcdef, 12ms, 1.5 s, \"duration_ms\": 7, \
                127.0.0.1:5432, PostgreSQL 15.20 (Debian 15.20-0+deb12u1), /tmp/x/y";
    insta::assert_snapshot!(
        normalise(text, &[("/tmp/x".to_owned(), "[ROOT]".to_owned())]),
        @r#"[TIMESTAMP] sha256:[DIGEST], [DURATION], [DURATION], "duration_ms": [MS], 127.0.0.1:[PORT], PostgreSQL [VERSION], [ROOT]/y"#
    );
}
