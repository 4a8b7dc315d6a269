//! `fixtures/sharded`: the steps of its workflow, as the workflow has them, carried out as processes.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tenantgate::domain::{Shard, TenantName};

use crate::action::lint::assert_clean;
use crate::harness::{Project, Run, Running, Server, TestDatabase};

const WORKFLOW: &str = include_str!("../../fixtures/sharded/.github/workflows/deploy.yml");

#[test]
fn the_linters_find_nothing_in_it() {
    assert_clean(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sharded"));
}

#[test]
fn its_actions_are_those_that_this_repository_pins() {
    let ours = ["gate.yml", "release.yml", "ci.yml", "action-test.yml"].map(|file| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".github/workflows")
            .join(file);
        fs::read_to_string(path).unwrap()
    });
    for line in WORKFLOW.lines().filter(|line| line.contains("uses: actions/")) {
        let line = line.trim();
        assert!(ours.iter().any(|text| text.contains(line)), "{line}");
    }
}

/// The command line that the action makes of the step with this name: its own flags first, then `args`.
fn step(name: &str, shard: Option<&str>, report: &str) -> Vec<String> {
    let (_, rest) = WORKFLOW
        .split_once(&format!("- name: {name}\n"))
        .expect("the step is there");
    let step = rest.split("- name: ").next().unwrap();
    let value = |key: &str| {
        let line = step.lines().find_map(|line| line.trim().strip_prefix(key));
        line.map(|text| text.split(" #").next().unwrap().trim().to_owned())
    };
    let mut arguments = vec![
        value("command: ").expect("a command"),
        "--format=github".to_owned(),
    ];
    arguments.extend(["--report".to_owned(), report.to_owned()]);
    arguments.extend(value("environment: ").map(|name| format!("--environment={name}")));
    match value("args: ").as_deref() {
        Some("|") => {
            let lines = step.lines().skip_while(|line| line.trim() != "args: |").skip(1);
            let lines = lines.take_while(|line| line.starts_with("            "));
            arguments.extend(lines.map(|line| line.trim().to_owned()));
        }
        Some(one) => arguments.push(one.replace("${{ matrix.shard }}", shard.unwrap_or_default())),
        None => {}
    }
    arguments
}

const NUMBER: &str = "Number the shards";
const SHARED: &str = "Migrate the shared schema";
const SHARD: &str = "Migrate this shard's tenants";
const JOIN: &str = "Join them into one verdict";
const LAST: &str = "Validate, and keep the evidence";

/// The fixture with a database of its own, and what its workflow leaves.
struct Deployment {
    project: Project,
    database: TestDatabase,
    shards: Vec<String>,
}

impl Deployment {
    fn new(server: Server) -> Self {
        let database = server.fresh_database();
        let mut project = Project::fixture("sharded");
        project.database("UAT_DB_URL", &database);
        project.replace("tenantgate.toml", "mode = \"schema\"\n", &database.tenancy());
        // The moment that a killed run's lease is in the way.
        project.replace(
            "tenantgate.toml",
            "[rollout]\n",
            "[rollout]\nlease_ttl = \"5s\"\n",
        );
        let mut deployment = Self {
            project,
            database,
            shards: Vec::new(),
        };
        deployment.number();
        deployment
    }

    /// What `fromJSON` makes of the step's output.
    fn number(&mut self) {
        let output = self.project.path("output");
        self.project.env("GITHUB_REPOSITORY", "acme/shelves");
        self.project.env("GITHUB_OUTPUT", output.to_str().unwrap());
        let run = self.run(&step(NUMBER, None, "matrix.json"));
        run.assert_code(0);
        self.project.remove_env("GITHUB_OUTPUT");
        self.project.remove_env("GITHUB_REPOSITORY");
        let written = fs::read_to_string(output).unwrap();
        let line = written
            .lines()
            .find_map(|line| line.strip_prefix("matrix="))
            .unwrap();
        assert_eq!(run.stdout, format!("{line}\n"), "one line, the same");
        let matrix: Value = serde_json::from_str(line).unwrap();
        let shards = matrix["shard"].as_array().unwrap();
        self.shards = shards.iter().map(|it| it.as_str().unwrap().to_owned()).collect();
        assert_eq!(self.shards.first().unwrap(), "1/8");
        assert_eq!(self.shards.len(), 8);
    }

    fn run(&self, arguments: &[String]) -> Run {
        self.spawn(arguments).wait()
    }

    fn spawn(&self, arguments: &[String]) -> Running {
        self.project
            .spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn shared(&self) -> Run {
        self.run(&step(SHARED, None, "reports/tenantgate-shared/report.json"))
    }

    /// A folder for each artifact, as `download-artifact` makes them.
    fn shard(&self, shard: &str) -> Running {
        let index = shard.split('/').next().unwrap();
        let report = format!("reports/tenantgate-shard-{index}/report.json");
        self.spawn(&step(SHARD, Some(shard), &report))
    }

    fn join(&self) -> Run {
        self.run(&step(JOIN, None, "joined.json"))
    }

    fn last(&self) -> Run {
        let mut arguments = step(LAST, None, "last.json");
        arguments.push("--evidence=evidence".to_owned());
        self.run(&arguments)
    }

    /// A new workflow run has no artifacts.
    fn forget(&self) {
        let reports = self.project.path("").ancestors().nth(2).unwrap().join("reports");
        fs::remove_dir_all(reports).unwrap();
    }

    fn shard_of(&self, tenant: &str) -> String {
        let name = TenantName::parse(tenant).unwrap();
        let has = |shard: &&String| shard.parse::<Shard>().unwrap().has(&name);
        self.shards.iter().find(has).unwrap().clone()
    }

    fn slow(&self) -> &str {
        match self.database.server() {
            Server::Sqlite => {
                "CREATE TABLE slow AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT count(*) AS x FROM c;\n"
            }
            _ => "SELECT pg_sleep(0.5);\n",
        }
    }
}

fn deployed_in_shards(server: Server) {
    let deployment = Deployment::new(server);
    first_deployment(&deployment);
    deployment.forget();
    troubled_deployment(&deployment);
}

/// From an empty database: every job passes, and the last run only looks.
fn first_deployment(deployment: &Deployment) {
    let database = &deployment.database;
    deployment.shared().assert_code(0);
    // Between the jobs a library joins, and one leaves.
    database.execute("INSERT INTO libraries (name, town) VALUES ('mossy_end', 'Mossy End')");
    database.execute("DELETE FROM libraries WHERE name = 'birchwood'");
    let jobs: Vec<Running> = deployment
        .shards
        .iter()
        .map(|shard| deployment.shard(shard))
        .collect();
    for job in jobs {
        job.wait().assert_code(0);
    }
    let joined = deployment.join();
    joined.assert_code(0);
    let report = joined.report();
    assert_eq!(report["tenants"]["discovered"], 13, "{}", report["tenants"]);
    assert_eq!(report["tenants"]["migrated"], 13);
    assert_eq!(report["merged"]["parts"].as_array().unwrap().len(), 9);
    // The shared schema and every library once.
    assert_eq!(report["outcomes"].as_array().unwrap().len(), 14);
    assert!(
        joined.stdout.contains("8 shards, the longest job"),
        "{}",
        joined.stdout
    );
    let last = deployment.last();
    last.assert_code(0);
    assert_eq!(last.report()["tenants"]["up_to_date"], 13);
    assert!(last.report()["outcomes"].as_array().unwrap().is_empty());
    assert!(last.report()["evidence"].is_string());
}

/// One library's books stand in the way, one job is killed, others come and go; then all is mended.
fn troubled_deployment(deployment: &Deployment) {
    let (project, database) = (&deployment.project, &deployment.database);
    let books = "INSERT INTO books (id, title, isbn) VALUES (1, 'One', 'x'), (2, 'Two', 'x')";
    database.tenant("harrow").execute(books);
    let unique = format!(
        "{}CREATE UNIQUE INDEX books_isbn ON books (isbn);\n",
        deployment.slow()
    );
    project.tenant("0004_unique_isbn.sql", &unique);
    project.shared(
        "0003_towns.sql",
        "CREATE INDEX libraries_town ON libraries (town);\n",
    );
    let failing = deployment.shard_of("harrow");
    let killed = deployment.shards.iter().find(|shard| {
        let tenants = ["alder_hill", "cedar_falls", "dunmore", "eastbrook"];
        **shard != failing && tenants.iter().any(|name| deployment.shard_of(name) == **shard)
    });
    let killed = killed.unwrap();
    deployment.shared().assert_code(0);
    database.execute("DELETE FROM libraries WHERE name = 'fernside'");
    match database.server() {
        Server::Sqlite => {
            let file = database.folder().path().join(database.location("fernside"));
            fs::remove_file(file).unwrap();
        }
        _ => database.execute("DROP SCHEMA fernside CASCADE"),
    }
    let mut victim = deployment.shard(killed);
    let own = match database.server() {
        Server::Sqlite => "tenantgate_lease",
        _ => "tenantgate.lease",
    };
    let held = format!("SELECT count(*) FROM {own} WHERE part = '{killed}'");
    victim.wait_until("it has its lease", || {
        database
            .session()
            .try_query(&held)
            .is_ok_and(|rows| rows[0][0].as_deref() == Some("1"))
    });
    let _ = victim.kill();
    let others = deployment.shards.iter().filter(|shard| *shard != killed);
    let jobs: Vec<_> = others.map(|shard| (shard, deployment.shard(shard))).collect();
    database.execute("INSERT INTO libraries (name, town) VALUES ('northgate', 'Northgate')");
    for (shard, job) in jobs {
        job.wait().assert_code(i32::from(*shard == failing));
    }
    let joined = deployment.join();
    joined.assert_code(1);
    assert_eq!(
        joined.checks_that("failed"),
        ["rollout.tenants", "merge.complete"]
    );
    assert_eq!(joined.check("rollout.tenants")["findings"][0]["tenant"], "harrow");
    let missing = joined.check("merge.complete")["findings"][0]["message"]
        .as_str()
        .unwrap();
    assert_eq!(missing, format!("shard {killed} left no report"));
    assert_eq!(joined.report()["tenants"]["failed"], 1);
    // Mended, and the failed jobs are run again.
    database
        .tenant("harrow")
        .execute("DELETE FROM books WHERE id = 2");
    let again: Vec<_> = [&failing, killed].map(|shard| deployment.shard(shard)).into();
    for job in again {
        job.wait().assert_code(0);
    }
    let joined = deployment.join();
    joined.assert_code(0);
    let evidence = deployment.last();
    evidence.assert_code(0);
    let report = evidence.report();
    assert_eq!(report["tenants"]["discovered"], 13);
    assert!(report["evidence"].is_string(), "{report}");
    let log = format!("{}ledger", own.trim_end_matches("lease"));
    if database.server() == Server::Postgres {
        let rows = database.query_value(&format!("SELECT count(*) FROM {log} WHERE version = 4"));
        assert_eq!(rows, "13", "every library once, and none that left before");
    }
}

#[test]
fn deployed_in_shards_on_sqlite() {
    deployed_in_shards(Server::Sqlite);
}

#[test]
fn deployed_in_shards_on_postgresql() {
    deployed_in_shards(Server::Postgres);
}
