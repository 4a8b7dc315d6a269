//! Every command in every format, and the failures of servers and files.

use super::detector::encoded;
use super::scene::{FORMATS, KEY, PASSWORD, Scene};
use crate::harness::Server;

const SERVERS: [Server; 3] = [Server::Sqlite, Server::Postgres, Server::Mariadb];

const COMMANDS: [&[&str]; 17] = [
    &["check"],
    &["url", "--environment", "dev"],
    &["url", "DEV_DB_URL"],
    &["url", "UAT_DB_URL"],
    &["plan", "--sql"],
    &["run", "--dry-run"],
    &["migrate", "--dry-run"],
    &["run"],
    &["migrate", "--tenant", "amber"],
    &["validate"],
    &["promote", "--environment", "prod"],
    &["status"],
    &["relabel"],
    &["rollback", "--to", "0"],
    &["rollback", "--to", "1", "--dry-run"],
    &["baseline", "--version", "1"],
    &["schema", "config"],
];

/// All commands, formats in turn so that each command meets each of them over a few calls.
fn run_all(scene: &Scene, turn: usize) {
    for (index, arguments) in COMMANDS.iter().enumerate() {
        let format = FORMATS[(index + turn) % FORMATS.len()];
        scene.run(&[*arguments, &["--format", format]].concat());
    }
}

#[test]
fn commands_that_pass() {
    for server in SERVERS {
        let scene = Scene::new(server);
        for turn in 0..FORMATS.len() {
            run_all(&scene, turn);
        }
        scene.run(&["run", "--report", "kept.json"]).assert_code(0);
        for format in FORMATS {
            scene
                .run(&["report", "kept.json", "--format", format])
                .assert_code(0);
        }
        scene.search_database();
        assert!(scene.desk.path("evidence/dev").exists());
        assert!(scene.desk.path("summary.md").exists());
    }
}

#[test]
fn secrets_that_are_wrong() {
    for server in SERVERS {
        let mut scene = Scene::new(server);
        scene.spoil_secrets();
        for format in FORMATS {
            let run = scene.run(&["run", "--format", format]);
            run.assert_code(1);
            assert_eq!(
                run.checks_that("failed"),
                [
                    "secrets.length",
                    "secrets.pattern",
                    "secrets.one-of",
                    "secrets.reused"
                ]
            );
        }
        run_all(&scene, 1);
    }
}

#[test]
fn servers_that_refuse() {
    for server in [Server::Postgres, Server::Mariadb] {
        let mut scene = Scene::new(server);
        let url = scene.desk.database.url().to_owned();
        let right = scene.desk.database.password().unwrap();
        let (start, end) = url.split_once(&right).unwrap();
        let scheme = url.split_once(':').unwrap().0;
        let marked = encoded(PASSWORD);
        let mixed = encoded(PASSWORD).to_lowercase();
        for wrong in [
            // A wrong password: the marked one, spelled differently.
            format!("{start}x{marked}{end}"),
            format!("{start}{mixed}{end}"),
            format!("{scheme}://app:{marked}@127.0.0.1:1/app"),
            format!("{scheme}://app:{marked}@nowhere.invalid/app"),
            format!("{start}{marked}{end}_missing"),
            format!("{scheme}://{marked}:{marked}@127.0.0.1:1/app"),
            format!(
                "{}?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch.pem",
                url.replace(&right, &marked)
            ),
        ] {
            scene.desk.env("DEV_DB_URL", wrong);
            for (index, command) in ["run", "plan", "status", "validate", "relabel"]
                .iter()
                .enumerate()
            {
                scene.run(&[command, "--format", FORMATS[index % 4]]);
            }
        }
    }
}

#[test]
fn places_that_cannot_be_written() {
    let mut scene = Scene::new(Server::Sqlite);
    scene.desk.write("evidence", "a file");
    scene.run(&["run"]).assert_code(3);
    scene
        .run(&["run", "--report", "evidence/report.json"])
        .assert_code(3);
    scene.desk.env("GITHUB_STEP_SUMMARY", "/dev/full");
    scene.run(&["run"]).assert_code(3);
    scene.desk.env("GITHUB_ENV", "/dev/full");
    // Masks are commands to the runner, and come before: the export itself was asked for.
    scene
        .desk
        .env("DEV_DB_URL", "postgres://app:plain-word@127.0.0.1/app");
    scene
        .run(&["url", "DEV_DB_URL", "--export", "github"])
        .assert_code(3);
}

#[test]
fn an_export_tells_only_its_own_url() {
    let scene = Scene::new(Server::Postgres);
    for format in ["json", "dotenv"] {
        let run = scene.desk.tenantgate(&["url", "DEV_DB_URL", "--export", format]);
        run.assert_code(0);
        // The detector is not blind: here the password is, and should be.
        assert!(
            scene
                .detector
                .find(run.stdout.as_bytes())
                .unwrap()
                .starts_with("DEV_DB_URL")
        );
        assert!(!run.stdout.contains(KEY));
        assert_eq!(run.stderr, "");
    }
}

#[test]
#[should_panic = "told DEV_KEY"]
fn a_leak_on_stdout_is_noticed() {
    let scene = Scene::new(Server::Sqlite);
    scene.desk.write("leak.sql", "");
    scene
        .desk
        .tenant("0003_leak.sql", &format!("SELECT '{}';\n", &KEY[3..12]));
    // A piece of a key that stands in a migration is not known to be one: the plan shows it.
    scene.run(&["plan", "--sql"]);
}

#[test]
#[should_panic = "wrote DEV_DB_URL"]
fn a_leak_in_a_file_is_noticed() {
    let mut scene = Scene::new(Server::Postgres);
    scene.desk.write("github.env", "");
    let file = scene.desk.path("github.env").to_str().unwrap().to_owned();
    scene.desk.env("GITHUB_ENV", file);
    // An export in disguise: the masks on stdout are left out of the search.
    let before = scene.desk.files();
    scene
        .desk
        .tenantgate(&["url", "DEV_DB_URL", "--export", "github"]);
    for (path, content) in scene.desk.files() {
        if before.get(&path) != Some(&content)
            && let Some(leak) = scene.detector.find(&content)
        {
            panic!("wrote {leak}");
        }
    }
}

#[test]
#[should_panic = "the database holds DEV_KEY"]
fn a_leak_in_the_database_is_noticed() {
    let scene = Scene::new(Server::Sqlite);
    scene.run(&["run"]).assert_code(0);
    let planted = KEY.replace('\'', "''");
    scene
        .desk
        .database
        .execute(&format!("UPDATE tenantgate_ledger SET run = '{planted}'"));
    scene.search_database();
}

#[test]
fn a_secret_that_is_a_name_or_a_word_of_ours_does_no_harm() {
    for word in [
        "amber", "passed", "migrated", "2026", "note", "sha256", "rollout", "true",
    ] {
        let mut desk = crate::harness::Desk::new(Server::Sqlite);
        desk.configure_more("[secrets.\"{ENV}_WORD\"]\n");
        desk.env("DEV_WORD", word);
        let run = desk.tenantgate(&["run"]);
        run.assert_code(0);
        assert_eq!(run.report()["outcomes"][1]["tenant"], "amber", "{word}");
        desk.tenantgate(&["promote", "--environment", "uat"])
            .assert_code(0);
    }
}
