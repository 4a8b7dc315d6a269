//! A run of the program: while it lives, and what it left.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::normalise::normalise;

/// What a run must not tell, and what a snapshot of it must not depend on.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub secrets: Vec<String>,
    pub replacements: Vec<(String, String)>,
    /// No file below it may begin to hold a secret.
    pub folder: Option<PathBuf>,
}

impl Known {
    /// The files that hold a secret: the test's own, before a run.
    fn telling_files(&self) -> BTreeSet<PathBuf> {
        let files = self.folder.iter().flat_map(|folder| files_below(folder));
        let tells = |path: &PathBuf| {
            // A draft may be renamed while we look.
            let content = fs::read(path).unwrap_or_default();
            self.secrets
                .iter()
                .any(|secret| contains(&content, secret.as_bytes()))
        };
        files.filter(tells).collect()
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

fn contains(content: &[u8], secret: &[u8]) -> bool {
    content.windows(secret.len()).any(|window| window == secret)
}

/// A process under way. Dropped, it is killed.
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
    report: Option<PathBuf>,
    known: Known,
    /// Files that held a secret before.
    telling: BTreeSet<PathBuf>,
    timeout: Duration,
    what: String,
}

impl Running {
    pub(super) fn start(command: Command, report: Option<PathBuf>, known: Known, timeout: Duration) -> Self {
        Self::start_with(command, None, report, known, timeout)
    }

    /// With a text on standard input.
    pub(super) fn start_with(
        mut command: Command,
        input: Option<&str>,
        report: Option<PathBuf>,
        known: Known,
        timeout: Duration,
    ) -> Self {
        let what = format!("{command:?}");
        let stdin = input.map_or_else(Stdio::null, |_| Stdio::piped());
        let telling = known.telling_files();
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // It may end without reading.
            drop(stdin.write_all(text.as_bytes()));
        }
        Self {
            telling,
            stdout: Stream::read(child.stdout.take().unwrap()),
            stderr: Stream::read(child.stderr.take().unwrap()),
            child,
            report,
            known,
            timeout,
            what,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until something is true, for example of the database.
    pub fn wait_until(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        let end = Instant::now() + self.timeout;
        while !condition() {
            if !self.is_running() {
                panic!("it ended before {what}\n{}", self.outputs());
            }
            if Instant::now() > end {
                panic!("not within {:?}: {what}\n{}", self.timeout, self.outputs());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until stderr contains a text.
    pub fn wait_for_stderr(&mut self, text: &str) {
        let stderr = self.stderr.clone_text();
        self.wait_until(&format!("stderr has {text:?}"), || {
            String::from_utf8_lossy(&stderr.lock().unwrap()).contains(text)
        });
    }

    /// Sends a signal by name, `INT` or `TERM`.
    pub fn signal(&mut self, name: &str) {
        // The shell's own kill: the program of that name is not everywhere.
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success(), "{kill}");
    }

    /// SIGKILL, as when the machine is taken away.
    pub fn kill(mut self) -> Run {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for its end, and panics when that takes too long or when a secret was told.
    pub fn wait(mut self) -> Run {
        let end = Instant::now() + self.timeout;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                self.child.kill().unwrap();
                panic!("not done within {:?}\n{}", self.timeout, self.outputs());
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.finish(status)
    }

    fn finish(&mut self, status: ExitStatus) -> Run {
        let stdout = self.stdout.finish();
        let stderr = self.stderr.finish();
        let text = self
            .report
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok());
        for secret in &self.known.secrets {
            for (place, text) in [
                ("stdout", Some(&stdout)),
                ("stderr", Some(&stderr)),
                ("the report", text.as_ref()),
            ] {
                if text.is_some_and(|text| text.contains(secret)) {
                    panic!(
                        "{} told the secret {secret:?} in {place}\n{stdout}\n{stderr}",
                        self.what
                    );
                }
            }
        }
        if let Some(file) = self.known.telling_files().difference(&self.telling).next() {
            panic!(
                "{} told a secret in {}\n{stdout}\n{stderr}",
                self.what,
                file.display()
            );
        }
        Run {
            code: status.code(),
            signal: status.signal(),
            report: text.map(|text| {
                serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("the report is no JSON: {error}\n{text}"))
            }),
            stdout,
            stderr,
            known: self.known.clone(),
            what: self.what.clone(),
        }
    }

    fn outputs(&self) -> String {
        let text = |stream: &Stream| String::from_utf8_lossy(&stream.text.lock().unwrap()).into_owned();
        format!(
            "{}\n--- stdout\n{}\n--- stderr\n{}",
            self.what,
            text(&self.stdout),
            text(&self.stderr)
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Run {
    /// Absent where a signal ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// Absent where the command writes none, or did not come to it.
    pub report: Option<Value>,
    known: Known,
    what: String,
}

impl Run {
    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.everything());
        self
    }

    #[track_caller]
    pub fn report(&self) -> &Value {
        match &self.report {
            Some(report) => report,
            None => panic!("no report was written\n{}", self.everything()),
        }
    }

    /// A check of the report by its id.
    #[track_caller]
    pub fn check(&self, id: &str) -> &Value {
        let checks = self.report()["checks"].as_array();
        match checks.and_then(|checks| checks.iter().find(|check| check["id"] == id)) {
            Some(check) => check,
            None => panic!("the report has no check {id}\n{}", self.everything()),
        }
    }

    /// The ids of the checks with this status (`failed`), in the report's order.
    #[track_caller]
    pub fn checks_that(&self, status: &str) -> Vec<&str> {
        let checks = self.report()["checks"].as_array().unwrap();
        let matching = checks.iter().filter(|check| check["status"] == status);
        matching.filter_map(|check| check["id"].as_str()).collect()
    }

    /// Exit code, stdout and stderr without what differs from run to run: for snapshots.
    pub fn snapshot(&self) -> String {
        let code = match (self.code, self.signal) {
            (Some(code), _) => format!("exit {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        };
        let text = format!(
            "{code}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.stdout.trim_end(),
            self.stderr.trim_end()
        );
        self.normalise(&text)
    }

    pub fn normalise(&self, text: &str) -> String {
        normalise(text, &self.known.replacements)
    }

    fn everything(&self) -> String {
        let report = self.report.as_ref().map(|report| format!("{report:#}"));
        format!(
            "{}\nexit {:?}, signal {:?}\n--- stdout\n{}\n--- stderr\n{}\n--- report\n{}",
            self.what,
            self.code,
            self.signal,
            self.stdout,
            self.stderr,
            report.unwrap_or_default()
        )
    }
}

/// Reads a pipe to its end, so that the process never waits for us.
struct Stream {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                written.lock().unwrap().extend_from_slice(&buffer[..length]);
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn clone_text(&self) -> Arc<Mutex<Vec<u8>>> {
        Arc::clone(&self.text)
    }

    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }
}
