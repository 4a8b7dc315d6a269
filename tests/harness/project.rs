//! A project in a temporary folder, and the program run in it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::normalise::normalise;
use super::process::{Known, Run, Running};
use super::servers::{Server, TestDatabase};

/// The commands that take `--report`.
const REPORTING: [&str; 13] = [
    "check", "relabel", "plan", "run", "migrate", "validate", "promote", "status", "relabel", "rollback",
    "baseline", "lint", "snapshot",
];

/// A project of one test. Its environment holds `PATH` and what [`Project::env`] was told, no more.
pub struct Project {
    /// Holds the project and the reports.
    root: TempDir,
    folder: PathBuf,
    working_directory: PathBuf,
    config: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    known: Known,
    timeout: Duration,
    runs: Cell<usize>,
    /// A command that runs the program.
    entrance: Vec<String>,
}

impl Project {
    /// An empty folder, which is also the working directory.
    pub fn new() -> Self {
        Self::in_folder("project")
    }

    /// A copy of `fixtures/<case>`, used as from a clone of this repository: the working directory
    /// is two folders above, the config is named by `--config`.
    pub fn fixture(case: &str) -> Self {
        let path = Path::new("fixtures").join(case);
        let mut project = Self::in_folder(path.to_str().unwrap());
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(&path),
            &project.folder,
        );
        project.working_directory = project.root.path().join("root");
        project.config = Some(path.join("tenantgate.toml"));
        project
    }

    fn in_folder(folder: &str) -> Self {
        let root = tempfile::Builder::new()
            .prefix("tenantgate-test-")
            .tempdir()
            .unwrap();
        let folder = root.path().join("root").join(folder);
        fs::create_dir_all(&folder).unwrap();
        let mut project = Self {
            working_directory: folder.clone(),
            folder,
            config: None,
            variables: BTreeMap::new(),
            known: Known::default(),
            timeout: Duration::from_secs(120),
            runs: Cell::new(0),
            entrance: Vec::new(),
            root,
        };
        project.known.folder = Some(project.root.path().to_owned());
        let real = fs::canonicalize(project.root.path()).unwrap();
        for root in [project.root.path().to_owned(), real] {
            project.hide(root.join("root").to_str().unwrap(), "[ROOT]");
            project.hide(root.to_str().unwrap(), "[TEMP]");
        }
        project
    }

    // --- its files, by paths inside the project ---

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Replaces a text in a file, which must have it.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}");
        self.write(path, &text.replace(from, to));
    }

    /// Writes `migrations/shared/<file>`.
    pub fn shared(&self, file: &str, sql: &str) {
        self.write(&format!("migrations/shared/{file}"), sql);
    }

    /// Writes `migrations/tenant/<file>`.
    pub fn tenant(&self, file: &str, sql: &str) {
        self.write(&format!("migrations/tenant/{file}"), sql);
    }

    // --- its environment ---

    pub fn env(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub fn remove_env(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Sets a variable that no run may tell: every later one that does panics.
    pub fn secret(&mut self, name: &str, value: &str) {
        self.guard(value);
        self.env(name, value);
    }

    /// Sets a variable to the database's URL, and guards it and its password.
    pub fn database(&mut self, name: &str, database: &TestDatabase) {
        self.env(name, database.url());
        if let Some(password) = database.password() {
            self.guard(&password);
        }
        if database.server() == Server::Sqlite {
            let folder = database.folder().path().to_str().unwrap().to_owned();
            self.hide(&folder, "[FOLDER]");
        }
        let number = self.known.replacements.iter();
        let number = number.filter(|(_, to)| to.starts_with("[DATABASE")).count();
        let placeholder = if number == 0 {
            "[DATABASE]".to_owned()
        } else {
            format!("[DATABASE-{}]", number + 1)
        };
        self.hide(database.name(), &placeholder);
    }

    /// No later run may tell this text.
    pub fn guard(&mut self, secret: &str) {
        self.known.secrets.push(secret.to_owned());
    }

    /// Snapshots show the placeholder for this text.
    pub fn hide(&mut self, text: &str, placeholder: &str) {
        let pair = (text.to_owned(), placeholder.to_owned());
        self.known.replacements.push(pair);
    }

    pub fn known(&self) -> &Known {
        &self.known
    }

    /// How long a run may take, 120 s unless told.
    pub fn timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub fn normalise(&self, text: &str) -> String {
        normalise(text, &self.known.replacements)
    }

    // --- running the program ---

    /// Has another command run it, which takes it and its arguments as its last ones.
    pub fn through(&mut self, entrance: Vec<String>) {
        self.entrance = entrance;
    }

    /// Runs to the end.
    pub fn tenantgate(&self, arguments: &[&str]) -> Run {
        self.spawn(arguments).wait()
    }

    /// The same with a text on standard input.
    pub fn tenantgate_with_input(&self, arguments: &[&str], input: &str) -> Run {
        let (command, report) = self.command(arguments);
        Running::start_with(command, Some(input), report, self.known.clone(), self.timeout).wait()
    }

    /// Every file below the project's root, reports included, with its content.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect_files(self.root.path(), &mut files);
        files
    }

    /// Starts, for tests that kill, signal or watch it.
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        let (command, report) = self.command(arguments);
        Running::start(command, report, self.known.clone(), self.timeout)
    }

    /// The command, and the report that it will write.
    pub fn command(&self, arguments: &[&str]) -> (Command, Option<PathBuf>) {
        let entrance = self.entrance.iter().map(String::as_str);
        let mut words = entrance.chain([env!("CARGO_BIN_EXE_tenantgate")]);
        let mut command = Command::new(words.next().expect("there is the program at least"));
        command
            .args(words)
            .args(arguments)
            .current_dir(&self.working_directory)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .envs(&self.variables);
        let is_command = arguments.first().is_some_and(|first| !first.starts_with('-'));
        if let Some(config) = self.config.as_ref().filter(|_| is_command)
            && !arguments.contains(&"--config")
        {
            command.arg("--config").arg(config);
        }
        let named = arguments.iter().position(|argument| *argument == "--report");
        let report = if let Some(position) = named {
            let file = arguments.get(position + 1);
            file.map(|file| self.working_directory.join(file))
        } else if arguments.first().is_some_and(|first| REPORTING.contains(first)) {
            let number = self.runs.get() + 1;
            self.runs.set(number);
            let report = self.root.path().join(format!("report-{number}.json"));
            command.arg("--report").arg(&report);
            Some(report)
        } else {
            None
        };
        (command, report)
    }
}

/// Every file below a folder with its content.
pub fn collect_files(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.is_file() {
            let content = fs::read(&path).unwrap();
            files.insert(path, content);
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
