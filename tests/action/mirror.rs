//! A release of the action, made up for a test: its tree with checksums, and a server with the archive.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

pub const VERSION: &str = "9.8.7";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const TARGET: &str = "x86_64-unknown-linux-musl";

pub fn sha256(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

pub fn executable(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// What an answer is instead of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Another archive of the same length.
    Altered,
    /// The connection ends in the middle of it.
    Half,
    NotFound,
    /// A redirect to the same path below `/moved`.
    Moved,
    /// The first request of two is answered 503.
    BusyOnce,
}

pub struct Release {
    pub folder: TempDir,
    /// `http://127.0.0.1:port`
    pub url: String,
    archive: Vec<u8>,
    trouble: Arc<Mutex<Option<Trouble>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Release {
    /// Whose program is this.
    pub fn of(program: &[u8]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tenantgate-action-")
            .tempdir()
            .unwrap();
        let original = folder.path().join("program");
        executable(&original, program);
        let arguments = [
            VERSION.as_ref(),
            TARGET.as_ref(),
            original.as_os_str(),
            folder.path().as_os_str(),
        ];
        let lines = script("pack.sh", &arguments, "");
        let release = Self {
            archive: fs::read(folder.path().join(Self::file_name())).unwrap(),
            url: String::new(),
            trouble: Arc::default(),
            requests: Arc::default(),
            folder,
        };
        release.write_tree(&lines);
        release.serve()
    }

    /// The action's tree, as a job finds it below `_actions`.
    pub fn action(&self) -> PathBuf {
        self.folder.path().join("action tree")
    }

    pub fn file_name() -> String {
        format!("tenantgate-{VERSION}-{TARGET}.tar.gz")
    }

    pub fn checksums(&self) -> PathBuf {
        self.action().join(".github/action/checksums.txt")
    }

    fn write_tree(&self, lines: &str) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = self.action().join(".github/action");
        fs::create_dir_all(&scripts).unwrap();
        fs::copy(root.join("action.yml"), self.action().join("action.yml")).unwrap();
        for entry in fs::read_dir(root.join(".github/action")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, scripts.join(path.file_name().unwrap())).unwrap();
        }
        let list = script("list.sh", &[VERSION.as_ref(), COMMIT.as_ref()], lines);
        fs::write(self.checksums(), list).unwrap();
    }

    pub fn trouble(&self, trouble: impl Into<Option<Trouble>>) {
        *self.trouble.lock().unwrap() = trouble.into();
    }

    /// The request lines since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }

    fn serve(mut self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        self.url = format!("http://{}", listener.local_addr().unwrap());
        let (archive, trouble) = (self.archive.clone(), Arc::clone(&self.trouble));
        let requests = Arc::clone(&self.requests);
        // It ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let trouble = Arc::clone(&trouble);
                let requests = Arc::clone(&requests);
                let archive = archive.clone();
                thread::spawn(move || answer(stream, &archive, &trouble, &requests));
            }
        });
        self
    }
}

/// Runs a script of the release workflow.
pub fn script(name: &str, arguments: &[&OsStr], input: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(".github/release")
        .join(name);
    let mut child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{name}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn answer(
    mut stream: TcpStream,
    archive: &[u8],
    trouble: &Mutex<Option<Trouble>>,
    requests: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
        line.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    requests.lock().unwrap().push(path.clone());

    let current = *trouble.lock().unwrap();
    let mut body = archive.to_vec();
    let mut status = "200 OK".to_owned();
    match current {
        Some(Trouble::Altered) => *body.last_mut().unwrap() ^= 1,
        Some(Trouble::NotFound) => (status, body) = ("404 Not Found".to_owned(), b"no".to_vec()),
        Some(Trouble::BusyOnce) => {
            *trouble.lock().unwrap() = None;
            (status, body) = ("503 Busy\r\nRetry-After: 1".to_owned(), b"busy".to_vec());
        }
        Some(Trouble::Moved) if !path.starts_with("/moved") => {
            (status, body) = (format!("302 Found\r\nLocation: /moved{path}"), Vec::new());
        }
        _ => {}
    }
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if current == Some(Trouble::Half) {
        body.truncate(body.len() / 2);
    }
    // The other side may have had enough.
    drop(stream.write_all(head.as_bytes()));
    drop(stream.write_all(&body));
}
