//! libpq, asked through the C program beside this file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The five fields, with host and port as libpq uses them when it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) hosts: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
}

pub(super) struct Libpq {
    program: PathBuf,
    keywords: Vec<String>,
    // Removed with the value.
    folder: tempfile::TempDir,
}

impl Libpq {
    pub(super) fn build() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the program");
        let program = folder.path().join("libpq_reader");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/database_url/libpq_reader.c");
        let config = |flag: &str| {
            let output = Command::new("pg_config")
                .arg(flag)
                .output()
                .expect("pg_config (libpq-dev) is needed");
            String::from_utf8(output.stdout)
                .expect("a path")
                .trim()
                .to_owned()
        };
        let (include, library) = (config("--includedir"), config("--libdir"));
        let output = Command::new("cc")
            .args([source, "-O1", "-o"])
            .arg(&program)
            .args([
                format!("-I{include}"),
                format!("-L{library}"),
                format!("-Wl,-rpath,{library}"),
            ])
            .arg("-lpq")
            .output()
            .expect("a C compiler is needed");
        assert!(
            output.status.success(),
            "cc: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let keywords = Command::new(&program)
            .arg("--keywords")
            .output()
            .expect("it runs");
        let keywords = String::from_utf8(keywords.stdout).expect("keywords are text");
        Self {
            program,
            keywords: keywords.lines().map(str::to_owned).collect(),
            folder,
        }
    }

    /// The URL with libpq's own scheme, and without the parameters that it does not know.
    pub(super) fn strip(&self, text: &str) -> String {
        let (scheme, rest) = text.split_once("://").expect("it was accepted");
        let scheme = if matches!(scheme, "postgres" | "postgresql") {
            scheme
        } else {
            "postgresql"
        };
        let Some((before, query)) = rest.split_once('?') else {
            return format!("{scheme}://{rest}");
        };
        let known = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or(pair);
            self.keywords.iter().any(|keyword| keyword == name)
        };
        let all = query.split('&').all(|pair| known(&pair));
        let kept: Vec<&str> = query.split('&').filter(known).collect();
        match kept.as_slice() {
            _ if all => format!("{scheme}://{rest}"),
            [] => format!("{scheme}://{before}"),
            kept => format!("{scheme}://{before}?{}", kept.join("&")),
        }
    }

    /// What libpq makes of each URL; none where it refuses.
    pub(super) fn read(&self, urls: &[String]) -> Vec<Option<Reading>> {
        let mut input = String::new();
        for url in urls {
            url.bytes()
                .for_each(|byte| write!(input, "{byte:02x}").expect("a string takes all"));
            input.push('\n');
        }
        let questions = self.folder.path().join("urls");
        std::fs::write(&questions, input).expect("the folder is ours");
        let output = Command::new(&self.program)
            .stdin(std::fs::File::open(&questions).expect("it was just written"))
            .stderr(Stdio::inherit())
            .output()
            .expect("it runs");
        assert!(output.status.success());
        let answers = String::from_utf8(output.stdout).expect("hexadecimal is text");
        answers.lines().map(reading).collect()
    }
}

fn reading(line: &str) -> Option<Reading> {
    if line == "refused" {
        return None;
    }
    let fields: Vec<Option<String>> = line.split(' ').map(field).collect();
    let [host, port, user, password, database] = fields.try_into().expect("five fields");
    let hosts: Vec<String> = host.unwrap_or_default().split(',').map(str::to_owned).collect();
    let ports: Vec<String> = port.unwrap_or_default().split(',').map(str::to_owned).collect();
    let number = |text: &String| {
        if text.is_empty() {
            5432
        } else {
            text.parse().unwrap_or(0)
        }
    };
    let ports = match ports.as_slice() {
        [one] => vec![number(one); hosts.len()],
        several => several.iter().map(number).collect(),
    };
    Some(Reading {
        hosts,
        ports,
        user,
        password,
        database,
    })
}

fn field(text: &str) -> Option<String> {
    let digits = text.strip_prefix('=')?;
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
