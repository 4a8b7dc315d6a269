//! Servers that repeat in an error what a table, a query or a migration holds.

use super::scene::{FORMATS, KEY, PASSWORD, PEM, Scene};
use crate::harness::Server;

fn literal(text: &str) -> String {
    text.replace('\'', "''")
}

/// A long token, of which servers show only the beginning.
fn token() -> String {
    (0..300u32)
        .map(|index| {
            char::from(
                b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
                    [(index * index * 7 + index * 13) as usize % 56],
            )
        })
        .collect()
}

/// Given secrets that are stored in a table, as applications do.
fn scene_with_stored_secrets(server: Server) -> (Scene, Vec<String>) {
    let mut scene = Scene::new(server);
    let token = token();
    scene.desk.env("DEV_TOKEN", token.clone());
    scene
        .desk
        .configure_more("[secrets.\"{ENV}_TOKEN\"]\nmin_length = 100\nmin_distinct = 8\n");
    scene.detector.add("DEV_TOKEN", &token);
    let mut secrets = vec![KEY.to_owned(), PEM.to_owned(), token];
    if server != Server::Sqlite {
        // There the URL has no password, and this one is none of this run's.
        secrets.push(PASSWORD.to_owned());
    }
    let rows: Vec<String> = secrets.iter().map(|it| format!("('{}')", literal(it))).collect();
    scene.desk.database.admin().execute(&format!(
        "CREATE TABLE vault (secret varchar(500)); INSERT INTO vault VALUES {}",
        rows.join(", ")
    ));
    if server == Server::Postgres {
        let grant = "GRANT SELECT ON vault TO PUBLIC";
        scene.desk.database.admin().execute(grant);
    }
    (scene, secrets)
}

const SERVERS: [Server; 3] = [Server::Sqlite, Server::Postgres, Server::Mariadb];

#[test]
fn assertions_that_find_a_secret() {
    for server in SERVERS {
        let (scene, _) = scene_with_stored_secrets(server);
        for (index, function) in ["min(secret)", "max(secret)", "min(lower(secret))"]
            .iter()
            .enumerate()
            .take(2)
        {
            scene.desk.configure_more(&format!(
                "[[expect.shared.assertions]]\nname = \"a{index}\"\nsql = \"SELECT {function} FROM vault\"\nequals = 1\n\
                 [[expect.shared.assertions]]\nname = \"b{index}\"\nequals = 1\n\
                 sql = \"SELECT {} FROM vault\"\n",
                match server {
                    Server::Mariadb => format!("concat(repeat('x', 45), {function})"),
                    _ => format!("'{}' || {function}", "x".repeat(45)),
                }
            ));
        }
        for format in FORMATS {
            let run = scene.run(&["run", "--format", format]);
            run.assert_code(1);
            assert_eq!(run.checks_that("failed"), ["expect.assertions"]);
        }
    }
}

#[test]
fn a_registry_that_lists_a_secret() {
    for server in SERVERS {
        let (scene, _) = scene_with_stored_secrets(server);
        let padded = match server {
            Server::Mariadb => "concat('padding padding padding ', secret)",
            _ => "'padding padding padding ' || secret",
        };
        for query in [
            "SELECT secret AS tenant FROM vault",
            &format!("SELECT {padded} AS tenant FROM vault"),
        ] {
            scene.desk.replace(
                "tenantgate.toml",
                "SELECT name AS tenant FROM clients ORDER BY name",
                query,
            );
            for format in FORMATS {
                let run = scene.run(&["plan", "--format", format]);
                run.assert_code(1);
                assert_eq!(run.checks_that("failed"), ["tenants.name"]);
            }
            scene.desk.replace(
                "tenantgate.toml",
                query,
                "SELECT name AS tenant FROM clients ORDER BY name",
            );
        }
    }
}

#[test]
fn migrations_whose_errors_quote_a_secret() {
    for server in SERVERS {
        let (scene, secrets) = scene_with_stored_secrets(server);
        scene.run(&["run"]).assert_code(0);
        let mut failing: Vec<String> = vec![
            // A duplicate key is quoted in the detail.
            "CREATE TABLE twice (k varchar(500)); INSERT INTO twice SELECT secret FROM vault; \
             INSERT INTO twice SELECT secret FROM vault; CREATE UNIQUE INDEX twice_k ON twice (k);"
                .to_owned(),
        ];
        for (index, secret) in secrets.iter().enumerate() {
            // A name has one line.
            let name = secret.lines().nth(1).unwrap_or(secret);
            let secret = literal(secret);
            failing.push(format!("CREATE TABLE number{index} (n int NOT NULL, k varchar(500) PRIMARY KEY); \
                 INSERT INTO number{index} (k, n) VALUES ('{secret}', 1); INSERT INTO number{index} (k, n) VALUES ('{secret}', 1);"));
            failing.push(format!("SELECT 1; SELEC '{secret}' FROM vault;"));
            failing.push(format!("SELECT nobody, '{secret}' FROM vault;"));
            match server {
                Server::Postgres => {
                    failing.push(format!("SELECT '{secret}'::int;"));
                    failing.push(format!("DO $$ BEGIN RAISE EXCEPTION 'no %', '{secret}' USING HINT = '{secret}', DETAIL = '{secret}'; END $$;"));
                    failing.push(format!("SELECT * FROM \"{}\";", name.replace('"', "\"\"")));
                    failing.push("SELECT secret::date FROM vault OFFSET 1;".to_owned());
                }
                Server::Mariadb => {
                    failing.push(format!(
                        "CREATE TABLE strict{index} (n int); INSERT INTO strict{index} VALUES ('{secret}');"
                    ));
                    let start: String = name.chars().take(60).collect();
                    failing.push(format!("SELECT * FROM `{start}`;"));
                }
                _ => failing.push(format!("SELECT \"x\".'{secret}';")),
            }
        }
        for (index, sql) in failing.iter().enumerate() {
            let file = format!("migrations/tenant/{:04}_echo.sql", 100 + index);
            scene.desk.write(&file, sql);
            let run = scene.run(&["migrate", "--tenant", "amber", "--format", FORMATS[index % 4]]);
            assert_ne!(run.code, Some(0), "{sql}");
            // MariaDB keeps its place in what failed: the next one starts anew.
            scene.desk.remove(&file);
            if server == Server::Mariadb {
                let ledger = scene.desk.database.location("shared_tenantgate");
                scene
                    .desk
                    .database
                    .admin()
                    .execute(&format!("DELETE FROM `{ledger}`.ledger WHERE state <> 'applied'"));
            }
        }
    }
}
