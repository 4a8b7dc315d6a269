//! The list of statements in src/engine/STATEMENTS.md is what the program says to a server.

use std::collections::BTreeSet;

use crate::harness::{Project, Run, Server, TestDatabase, Wire};
use crate::rows::Rows;

const LIST: &str = include_str!("../../src/engine/STATEMENTS.md");

/// Every statement of a test's own has this in a name that is not quoted.
const MINE: &str = "zz_";

#[test]
fn all_that_is_said_to_postgres_is_listed() {
    compare("PostgreSQL", Server::Postgres);
}

#[test]
fn all_that_is_said_to_mariadb_is_listed() {
    compare("MySQL and MariaDB", Server::Mariadb);
}

fn compare(section: &str, server: Server) {
    let sent = sent(server);
    let core = listed(section, "### Core path");
    let recovery = listed(section, "### Recovery");
    let sometimes = listed(section, "### Now and then");
    let known = |it: &&String| {
        [&core, &recovery, &sometimes]
            .iter()
            .any(|list| list.contains(*it))
    };
    let unlisted: Vec<&String> = sent.iter().filter(|it| !known(it)).collect();
    assert!(
        unlisted.is_empty(),
        "STATEMENTS.md lacks, under {section}: {unlisted:#?}"
    );
    let unsent: Vec<&String> = core.iter().filter(|it| !sent.contains(*it)).collect();
    assert!(
        unsent.is_empty(),
        "STATEMENTS.md lists what nobody sends: {unsent:#?}"
    );
    assert!(!core.is_empty() && !recovery.is_empty());
}

/// What is said beside that where row-level security keeps tenants apart.
#[test]
fn all_that_is_said_where_tenants_share_tables_is_listed() {
    let mut rows = Rows::good(Server::Postgres);
    let wire = Wire::before(rows.db.url());
    rows.project.env("DEV_DB_URL", wire.url());
    rows.validate().assert_code(0);
    let sent: BTreeSet<String> = wire.said().iter().flat_map(|text| forms(text)).collect();
    let core = listed("PostgreSQL", "### Core path");
    let own = listed("PostgreSQL", "### Where tenants share tables");
    let unlisted: Vec<&String> = sent
        .iter()
        .filter(|it| !core.contains(*it) && !own.contains(*it))
        .collect();
    assert!(unlisted.is_empty(), "STATEMENTS.md lacks: {unlisted:#?}");
    let unsent: Vec<&String> = own.iter().filter(|it| !sent.contains(*it)).collect();
    assert!(
        unsent.is_empty(),
        "STATEMENTS.md lists what nobody sends: {unsent:#?}"
    );
    assert!(!own.is_empty());
}

/// The forms in the tables of a part: the first cells.
fn listed(section: &str, part: &str) -> BTreeSet<String> {
    let section = LIST
        .split("\n## ")
        .find(|it| it.starts_with(section))
        .unwrap_or_default();
    let part = section.split_once(part).map_or("", |it| it.1);
    let part = part.split("\n##").next().unwrap();
    let cells = part
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    cells.map(|it| it.0.to_owned()).collect()
}

/// All that a run, a rerun, failures, and looking do.
fn sent(server: Server) -> BTreeSet<String> {
    let db = server.fresh_database();
    let wire = Wire::before(db.url());
    let project = project(server, &db, &wire);
    let run = |arguments: &[&str]| project.tenantgate(arguments);
    run(&["plan"]).assert_code(0);
    run(&["plan", "--prove"]).assert_code(0);
    run(&["run"]).assert_code(0);
    run(&["run"]).assert_code(0);
    tried_out(server, &db, &project, &run);
    run(&["status"]).assert_code(0);
    run(&["validate"]).assert_code(0);
    run(&["relabel"]).assert_code(0);
    refused_then_mended(server, &project, &run);
    let said = wire.said();
    assert!(said.len() > 20, "the proxy heard {said:?}");
    said.iter().flat_map(|text| forms(text)).collect()
}

fn project(server: Server, db: &TestDatabase, wire: &Wire) -> Project {
    let mut project = Project::new();
    project.database("DEV_DB_URL", db);
    project.env("DEV_DB_URL", wire.url());
    let config = format!(
        "name = \"list\"\n[environments.dev]\ndatabase_url = \"DEV_DB_URL\"\ndirect_url = \"DEV_DB_URL\"\n\
         [migrations]\nshared = \"migrations/shared\"\ntenant = \"migrations/tenant\"\n\
         [rollout]\nlock_timeout = \"1s\"\nstatement_timeout = \"20s\"\n\
         [expect.tenant.tables.zz_a]\ncolumns = {{ id = \"INT\" }}\n\
         [tenancy]\nregistry = \"SELECT zz_name AS tenant FROM zz_tenants\"\nensure = [\"boss\"]\n\
         ensure_sql = \"INSERT INTO zz_tenants VALUES ({{tenant}})\"\n{}",
        db.tenancy()
    );
    // Who may do what is asked where the application's user is known: the gate's own does for that.
    project.env("APP_URL", wire.url());
    let grants = match server {
        Server::Mariadb => {
            let name = db.name();
            db.admin()
                .execute(&format!("GRANT SELECT ON mysql.* TO `{name}`@`%`"));
            format!("serving_role = \"{name}\"\n[isolation]\ngrants = \"warning\"\ntry_url = \"APP_URL\"\n")
        }
        _ => String::new(),
    };
    project.write("tenantgate.toml", &format!("{config}\n{grants}"));
    project.shared(
        "0001_registry.sql",
        "CREATE TABLE zz_tenants (zz_name VARCHAR(80) NOT NULL);\nINSERT INTO zz_tenants VALUES ('t1');\n",
    );
    project.tenant(
        "0001_first.sql",
        "CREATE TABLE zz_a (id INT NOT NULL);\nCREATE INDEX zz_i ON zz_a (id);\nINSERT INTO zz_a VALUES (1);\n\
         ALTER TABLE zz_a ADD COLUMN b INT;\nCREATE VIEW zz_v AS SELECT id FROM zz_a;\n",
    );
    match server {
        Server::Mariadb => project.tenant(
            "0002_more.sql",
            "SET @zz_x = 1;\nCREATE PROCEDURE zz_p() SELECT 1 AS zz_y;\nDROP TABLE IF EXISTS zz_b;\n\
             CREATE TRIGGER zz_t BEFORE INSERT ON zz_a FOR EACH ROW SET NEW.id = 1;\n",
        ),
        _ => project.tenant(
            "0002_index.sql",
            "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY zz_c ON zz_a (b);\n",
        ),
    }
    project
}

/// What is pending is tried on a copy of a tenant that is not what it should be, beside what is not the gate's.
fn tried_out(server: Server, db: &TestDatabase, project: &Project, run: &dyn Fn(&[&str]) -> Run) {
    db.execute("CREATE TABLE zz_others (id INT PRIMARY KEY)");
    db.tenant("t1").execute("ALTER TABLE zz_a ADD COLUMN zz_more INT");
    let refers = match server {
        Server::Mariadb => "CREATE TABLE zz_e (id INT);",
        _ => "CREATE TABLE zz_e (id INT REFERENCES zz_others (id));",
    };
    project.tenant("0009_refers.sql", &format!("{refers}\n"));
    run(&["plan", "--prove"]).assert_code(0);
    project.remove("migrations/tenant/0009_refers.sql");
    db.tenant("t1").execute("ALTER TABLE zz_a DROP COLUMN zz_more");
    db.execute("DROP TABLE zz_others");
}

/// A migration that cannot be rolled back is refused in the middle, and goes on from there.
fn refused_then_mended(server: Server, project: &Project, run: &dyn Fn(&[&str]) -> Run) {
    let (file, begin) = match server {
        Server::Mariadb => ("0003_half.sql", "ALTER TABLE zz_a ADD COLUMN c INT;\n"),
        _ => (
            "0003_half.sql",
            "-- tenantgate: no-transaction\nCREATE INDEX CONCURRENTLY zz_d ON zz_a (b);\n",
        ),
    };
    project.tenant(
        file,
        &format!("{begin}INSERT INTO zz_a (id, zz_nosuch) VALUES (2, 2);\n"),
    );
    run(&["run"]).assert_code(1);
    project.tenant(file, &format!("{begin}INSERT INTO zz_a (id, b) VALUES (2, 2);\n"));
    run(&["run"]).assert_code(0);
}

/// What each statement of a text is like: the first of its words in capitals, as the program writes
/// SQL's own, its functions and the server's own tables, without other names and values.
fn forms(text: &str) -> Vec<String> {
    // What ends a migration's text for a server that quotes differently: a quote in a comment.
    let bare = without_quoted(&text.replace("/*'*/", ""));
    let ours = bare.split(';').filter(|it| !it.contains(MINE));
    ours.map(form).filter(|it| !it.is_empty()).collect()
}

fn form(statement: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = statement;
    while let Some(at) = rest.find(is_name) {
        let end = rest[at..].find(|c| !is_name(c)).map_or(rest.len(), |it| at + it);
        let (word, called) = (&rest[at..end], rest[end..].starts_with('('));
        let capitals = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let own = word.starts_with("pg_") && word != "pg_catalog";
        if called && !capitals && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            words.push(format!("{word}()"));
        } else if capitals || own {
            words.push(word.to_owned());
        }
        rest = &rest[end..];
    }
    words.truncate(8);
    words.join(" ")
}

fn without_quoted(text: &str) -> String {
    let mut bare = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"' | '`') => quote = Some(c),
            None => bare.push(c),
        }
    }
    bare
}

#[test]
fn forms_have_neither_names_nor_values() {
    let text =
        "SET LOCAL lock_timeout = 5;SELECT \"A;B\", 'C' FROM `D` FOR UPDATE; INSERT INTO zz_a VALUES (1)";
    assert_eq!(forms(text), ["SET LOCAL", "SELECT FROM FOR UPDATE"]);
}
