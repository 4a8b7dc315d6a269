//! A project whose every secret is marked, and runs that are searched for the marks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::detector::{Detector, encoded};
use crate::harness::{Desk, Run, Server};

/// Of the database's own user.
pub const PASSWORD: &str = "Kz7#qVm@9Zt/Lw%2:Rp?x&Gd";
const UAT_PASSWORD: &str = "Uj4:nHc/8Ys@Pb#5%Fk?w+Me";
const PROD_PASSWORD: &str = "Tg6/mRx?3Vb#Dq@1:Jh&z%Na";
pub const KEY: &str = "yW3$sLf8\"pQe6!uIo1^aZc5*vBn0";
const UAT_KEY: &str = "eH5!kSd9<jXm2>rTw7_oGb4|iLq";
const SHORT_KEY: &str = "oD8~hJt2;";
const MODULE: &str = "Nv9 iFa4 cMu7 bYp2";
pub const PEM: &str = "-----BEGIN KEY-----\nQxRvJ2mNw8sKzHd5cTyL\nEaGf7uPbXo3iVnSk6jWe\n-----END KEY-----\n";

pub const FORMATS: [&str; 4] = ["text", "json", "markdown", "github"];

pub struct Scene {
    pub desk: Desk,
    pub detector: Detector,
}

impl Scene {
    pub fn new(server: Server) -> Self {
        let mut desk = Desk::new(server);
        let url = marked_url(&desk);
        desk.env("DEV_DB_URL", url);
        for (name, password) in [("UAT", UAT_PASSWORD), ("PROD", PROD_PASSWORD)] {
            let url = format!("postgres://app:{}@127.0.0.1:1/{name}", encoded(password));
            desk.env(&format!("{name}_DB_URL"), url);
        }
        for (name, value) in [
            ("DEV_KEY", KEY),
            ("UAT_KEY", UAT_KEY),
            ("DEV_PEM", PEM),
            ("GITHUB_ACTIONS", "true"),
        ] {
            desk.env(name, value);
        }
        desk.configure_more(
            "[secrets.\"{ENV}_KEY\"]\nmin_length = 20\n[secrets.\"{ENV}_PEM\"]\nmin_length = 20\noptional = true\n\
             [secrets.\"{ENV}_SHORT\"]\nmin_length = 30\noptional = true\n\
             [secrets.\"{ENV}_MODULE\"]\npattern = '^app\\.settings$'\noptional = true\n\
             [secrets.\"{ENV}_MODE\"]\none_of = [\"on\", \"off\"]\noptional = true\n",
        );
        let summary = desk.path("summary.md").to_str().unwrap().to_owned();
        desk.env("GITHUB_STEP_SUMMARY", summary);
        let mut detector = Detector::default();
        for (name, secret) in [
            ("DEV_DB_URL", PASSWORD),
            ("UAT_DB_URL", UAT_PASSWORD),
            ("PROD_DB_URL", PROD_PASSWORD),
            ("DEV_KEY", KEY),
            ("UAT_KEY", UAT_KEY),
            ("DEV_SHORT", SHORT_KEY),
            ("DEV_MODULE", MODULE),
            ("DEV_PEM", "QxRvJ2mNw8sKzHd5cTyL"),
            ("DEV_PEM", "EaGf7uPbXo3iVnSk6jWe"),
        ] {
            detector.add(name, secret);
        }
        Self { desk, detector }
    }

    /// Makes every rule for secrets fail.
    pub fn spoil_secrets(&mut self) {
        for name in ["DEV_SHORT", "DEV_MODE"] {
            self.desk.env(name, SHORT_KEY);
        }
        self.desk.env("DEV_MODULE", MODULE);
        self.desk.env("UAT_KEY", KEY);
    }

    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = self.desk.files();
        if self.desk.server() == Server::Sqlite {
            crate::harness::collect_files(self.desk.database.folder().path(), &mut files);
        }
        files
    }

    /// Runs, and panics where anything that it says or writes holds a mark. A bug's exit is one too.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.search(arguments, || self.desk.tenantgate(arguments))
    }

    #[track_caller]
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        self.search(arguments, || self.desk.tenantgate_with_input(arguments, input))
    }

    #[track_caller]
    fn search(&self, arguments: &[&str], run: impl FnOnce() -> Run) -> Run {
        let before = self.files();
        let run = run();
        let said = [("stdout", &run.stdout), ("stderr", &run.stderr)];
        for (place, text) in said {
            if let Some(leak) = self.detector.find(text.as_bytes()) {
                panic!("{arguments:?} told {leak} on {place}:\n{text}");
            }
        }
        for (path, content) in self.files() {
            // What the test itself planted may be written again: SQLite's file is one.
            let known = |before: &Vec<u8>| *before == content || self.detector.find(before).is_some();
            if before.get(&path).is_some_and(known) {
                continue;
            }
            if let Some(leak) = self.detector.find(&content) {
                let text = String::from_utf8_lossy(&content);
                panic!("{arguments:?} wrote {leak} to {}:\n{text}", path.display());
            }
        }
        assert!(
            matches!(run.code, Some(0..=3)),
            "{arguments:?} ended with {:?}:\n{}",
            run.code,
            run.stderr
        );
        run
    }

    /// Panics where a mark is in any table of the database.
    #[track_caller]
    pub fn search_database(&self) {
        let text = self.desk.stored_text();
        assert!(
            text.contains("orders"),
            "the ledger itself must be among what is searched"
        );
        if let Some(leak) = self.detector.find(text.as_bytes()) {
            panic!("the database holds {leak}:\n{text}");
        }
    }
}

/// The database's user gets the marked password; SQLite has none, so the file is not named by a mark.
fn marked_url(desk: &Desk) -> String {
    let url = desk.database.url().to_owned();
    let Some(password) = desk.database.password() else {
        return url;
    };
    let user = desk.database.name();
    desk.database.admin().execute(&match desk.server() {
        Server::Mariadb => format!("ALTER USER `{user}`@`%` IDENTIFIED BY '{PASSWORD}'"),
        _ => format!("ALTER ROLE {user} PASSWORD '{PASSWORD}'"),
    });
    url.replace(&password, &encoded(PASSWORD))
}
