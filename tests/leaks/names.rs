//! A registry that has a URL where a name is expected: nobody is told it.

use super::scene::{FORMATS, Scene};
use crate::harness::Server;

/// Passwords that are in no secret of the run: only their form says what they are.
const CANARY: &str = "Zx8vKp3rTq6wLm2nHy5d";

fn urls() -> Vec<String> {
    vec![
        format!("postgres://app:{CANARY}@db.invalid/acme"),
        format!("mysql://app:{CANARY}@db.invalid:3306/acme?ssl-mode=REQUIRED"),
        format!("jdbc:postgresql://db.invalid/acme?user=app&password={CANARY}"),
        format!("host=db.invalid user=app password={CANARY}"),
        format!("Server=db.invalid;Uid=app;Pwd={CANARY}"),
        format!("app:{CANARY}@db.invalid/acme"),
        format!(" postgres://{CANARY}@h.invalid/d\n"),
    ]
}

#[test]
fn urls_in_the_place_of_names() {
    for server in [Server::Sqlite, Server::Postgres, Server::Mariadb] {
        let mut scene = Scene::new(server);
        scene.detector.add("a registry's URL", CANARY);
        scene.run(&["migrate"]).assert_code(0);
        scene
            .desk
            .tenant("0003_paid.sql", "ALTER TABLE orders ADD COLUMN paid int;\n");
        let config = scene.desk.read("tenantgate.toml");
        for url in urls() {
            let quoted = url.replace('\'', "''");
            scene
                .desk
                .database
                .admin()
                .execute(&format!("INSERT INTO clients (name) VALUES ('{quoted}')"));
            for (index, command) in ["plan", "run", "validate", "status", "migrate"]
                .iter()
                .enumerate()
            {
                let run = scene.run(&[command, "--format", FORMATS[index % FORMATS.len()]]);
                run.assert_code(1);
                assert_eq!(run.checks_that("failed"), ["tenants.name"]);
                let said = run.check("tenants.name")["findings"][0].to_string();
                assert!(
                    said.contains("looks like a URL") && said.contains("row "),
                    "{said}"
                );
            }
            // A good registry, and a wave that asks for the wrong column.
            scene.desk.write(
                "tenantgate.toml",
                &config.replace(
                    "FROM clients ORDER",
                    "FROM clients WHERE name NOT LIKE '%invalid%' ORDER",
                ),
            );
            scene.desk.configure_more(
                "[[rollout.waves]]\nname = \"urls\"\nquery = \"SELECT name AS tenant FROM clients WHERE name LIKE \
                 '%invalid%'\"\n",
            );
            for format in FORMATS {
                let run = scene.run(&["plan", "--format", format]);
                run.assert_code(0);
                assert_eq!(run.checks_that("warned"), ["tenants.waves"]);
            }
            scene.desk.write("tenantgate.toml", &config);
            scene
                .desk
                .database
                .admin()
                .execute("DELETE FROM clients WHERE name LIKE '%invalid%'");
        }
    }
}
