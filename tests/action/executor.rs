//! The action in a workflow, `uses: ./`, run by wrkflw without containers.
//!
//! What it does otherwise than GitHub's runner, and what is done about that: it stores an input as
//! `INPUT_BINARY-PATH` and looks it up as `INPUT_BINARY_PATH`, so the job sets variables of the second
//! form too; it evaluates no expression in an input's default; it does not set `GITHUB_ACTION_PATH`; an
//! output whose name has a hyphen it takes only from a line `name=value`, not from the form with a delimiter
//! that the program writes, so those are looked at with a stub.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::mirror::{Release, Trouble, executable};
use super::step::STUB;

/// A repository with the action at its top, a project, and one workflow.
#[derive(Clone)]
struct Workflow<'r> {
    release: &'r Release,
    with: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    continue_on_error: bool,
    runner: Arc<tempfile::TempDir>,
}

struct Executed {
    code: Option<i32>,
    log: String,
    /// What a later step of the job saw of the action's outputs, by name.
    outputs: BTreeMap<String, String>,
}

const OUTPUTS: [&str; 6] = [
    "verdict",
    "digest",
    "exit-code",
    "tenants-migrated",
    "evidence",
    "db-host",
];

impl<'r> Workflow<'r> {
    fn new(release: &'r Release) -> Self {
        let runner = tempfile::Builder::new()
            .prefix("tenantgate-runner-")
            .tempdir()
            .unwrap();
        for folder in ["temp", "cache", "stub"] {
            fs::create_dir(runner.path().join(folder)).unwrap();
        }
        let mut workflow = Self {
            release,
            with: BTreeMap::new(),
            variables: BTreeMap::new(),
            continue_on_error: false,
            runner: Arc::new(runner),
        };
        for (name, folder) in [
            ("RUNNER_TEMP", "temp"),
            ("RUNNER_TOOL_CACHE", "cache"),
            ("STUB_FOLDER", "stub"),
        ] {
            let path = workflow.path(folder);
            workflow.env(name, path.to_str().unwrap());
        }
        workflow.with("download-url", &release.url);
        workflow
    }

    fn path(&self, below: &str) -> PathBuf {
        self.runner.path().join(below)
    }

    fn with(&mut self, input: &str, value: &str) -> &mut Self {
        if input.contains('-') {
            let name = input.to_uppercase().replace('-', "_");
            self.env(&format!("INPUT_{name}"), value);
        }
        self.with.insert(input.to_owned(), value.to_owned());
        self
    }

    fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// JSON's strings are YAML's.
    fn text(&self) -> String {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let mut text =
            "name: gate\non: push\npermissions: {}\njobs:\n  gate:\n    runs-on: ubuntu-latest\n    env:\n"
                .to_owned();
        for (name, value) in &self.variables {
            writeln!(text, "      {name}: {}", quoted(value)).unwrap();
        }
        text += "    steps:\n      - uses: actions/checkout@v4\n      - uses: ./\n        id: gate\n        with:\n";
        for (name, value) in &self.with {
            writeln!(text, "          {name}: {}", quoted(value)).unwrap();
        }
        if self.continue_on_error {
            text += "        continue-on-error: true\n";
        }
        text += "      - if: always()\n        run: env -0 >\"$STUB_FOLDER/later\"\n        env:\n";
        for output in OUTPUTS {
            writeln!(
                text,
                "          SEEN_{output}: ${{{{ steps.gate.outputs.{output} }}}}"
            )
            .unwrap();
        }
        text += "          SEEN_outcome: ${{ steps.gate.outcome }}\n";
        text
    }

    /// The arguments that the stub got.
    fn arguments(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("stub/arguments")).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    fn run(&self) -> Executed {
        let repository = self.release.action();
        let file = repository.join(".github/workflows/gate.yml");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, self.text()).unwrap();
        let wrkflw = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/wrkflw");
        let output = Command::new(&wrkflw)
            .args(["run", "--runtime", "emulation", "--verbose"])
            .arg(&file)
            .current_dir(&repository)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.runner.path())
            .env("TMPDIR", self.path("temp"))
            .env("GITHUB_ACTION_PATH", &repository)
            .env("GITHUB_EVENT_PATH", "/dev/null")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}: tests/run action", wrkflw.display()));
        let stdout = String::from_utf8_lossy(&output.stdout);
        let log = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        let later = fs::read_to_string(self.path("stub/later")).unwrap_or_default();
        let seen = |line: &str| {
            let (name, value) = line.strip_prefix("SEEN_")?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        Executed {
            code: output.status.code(),
            outputs: later.split('\0').filter_map(seen).collect(),
            log,
        }
    }
}

fn stub_release() -> Release {
    Release::of(STUB.as_bytes())
}

#[test]
fn it_is_installed_once_and_its_outputs_reach_later_steps() {
    let release = stub_release();
    let mut workflow = Workflow::new(&release);
    workflow.with("environment", "uat");
    let first = workflow.run();
    assert_eq!(first.code, Some(0), "{}", first.log);
    assert_eq!(release.requests(), [format!("/{}", Release::file_name())]);
    for (output, value) in [
        ("verdict", "passed"),
        ("tenants-migrated", "2"),
        ("exit-code", "0"),
        ("db-host", ""),
    ] {
        assert_eq!(first.outputs[output], value, "{output}");
    }
    assert!(workflow.arguments().contains(&"--environment=uat".to_owned()));

    let second = workflow.run();
    assert_eq!(second.code, Some(0), "{}", second.log);
    assert!(release.requests().is_empty());
}

#[test]
fn a_blocked_gate_fails_the_job() {
    let release = stub_release();
    let mut workflow = Workflow::new(&release);
    workflow.env("STUB_EXIT", "1");
    let blocked = workflow.run();
    assert_eq!(blocked.code, Some(1), "{}", blocked.log);
    assert!(blocked.log.contains("Job failed: gate"), "{}", blocked.log);

    workflow.continue_on_error = true;
    let seen = workflow.run();
    assert_eq!(seen.outputs["exit-code"], "1", "{}", seen.log);
    assert_eq!(seen.outputs["outcome"], "failure");
}

#[test]
fn another_archive_is_refused() {
    let release = stub_release();
    release.trouble(Trouble::Altered);
    let workflow = Workflow::new(&release);
    let ran = workflow.run();
    assert_eq!(ran.code, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("::error title=tenantgate: checksum mismatch::"),
        "{}",
        ran.log
    );
    assert!(!workflow.path("stub/arguments").exists());
}

#[test]
fn an_unsupported_cpu_is_refused() {
    let release = stub_release();
    let mut workflow = Workflow::new(&release);
    workflow.env("RUNNER_ARCH", "RISCV64");
    let ran = workflow.run();
    assert_eq!(ran.code, Some(1), "{}", ran.log);
    assert!(
        ran.log.contains("::error title=tenantgate: unsupported runner::"),
        "{}",
        ran.log
    );
    assert!(release.requests().is_empty());
}

#[test]
fn a_program_that_is_there_is_used() {
    let release = stub_release();
    let mut workflow = Workflow::new(&release);
    let program = workflow.path("my gate");
    executable(&program, STUB.as_bytes());
    workflow.with("binary-path", program.to_str().unwrap());
    let ran = workflow.run();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    assert!(workflow.path("stub/arguments").exists());
    assert!(release.requests().is_empty());
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "a'b\"c $(touch pwned) `touch pwned` ; touch pwned # ${HOME} * \\ | && %0A";
    let release = stub_release();
    let mut workflow = Workflow::new(&release);
    for input in ["environment", "config", "evidence", "report", "args"] {
        workflow.with(input, hostile);
    }
    let reason = format!("{hostile}\nsecond line\n::error::x");
    workflow.with("override", &reason);
    let ran = workflow.run();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    let arguments = workflow.arguments();
    for argument in [
        format!("--environment={hostile}"),
        format!("--config={hostile}"),
        format!("--evidence={hostile}"),
        format!("--override={reason}"),
        hostile.to_owned(),
    ] {
        assert!(
            arguments.contains(&argument),
            "{argument:?} is not in {arguments:#?}"
        );
    }
    let files = fs::read_to_string(workflow.path("stub/files")).unwrap();
    assert!(!files.contains("pwned"), "{files}");
}

/// The quickstart in a workflow, with the program itself.
#[test]
fn the_gate_runs_in_a_workflow() {
    let program = fs::read(env!("CARGO_BIN_EXE_tenantgate")).unwrap();
    let release = Release::of(&program);
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/quickstart");
    let status = Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(release.action().join("desk"))
        .status();
    assert!(status.unwrap().success());
    let mut workflow = Workflow::new(&release);
    let database = |environment: &str| {
        format!(
            "sqlite://{}",
            workflow.path(environment).join("shared.db").display()
        )
    };
    let (dev, uat) = (database("dev"), database("uat"));
    let evidence = workflow.path("evidence");
    let report = workflow.path("report.json");
    workflow
        .env("DEV_DB_URL", &dev)
        .env("UAT_DB_URL", &uat)
        .with("working-directory", "desk")
        .with("evidence", evidence.to_str().unwrap())
        .with("report", report.to_str().unwrap());
    let verdict = || {
        let text = fs::read_to_string(&report).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        fs::remove_file(workflow.path("report.json")).unwrap();
        (report["environment"].clone(), report["verdict"].clone())
    };
    let run = |environment: &str| workflow.clone().with("environment", environment).run();

    // UAT wants DEV's evidence.
    let blocked = run("uat");
    assert_eq!(blocked.code, Some(1), "{}", blocked.log);
    assert_eq!(verdict(), ("uat".into(), "blocked".into()));
    let passed = run("dev");
    assert_eq!(passed.code, Some(0), "{}", passed.log);
    assert_eq!(verdict(), ("dev".into(), "passed".into()));
    assert_eq!(passed.outputs["verdict"], "passed", "{:?}", passed.outputs);
    assert!(
        passed.outputs["digest"].starts_with("sha256:"),
        "{:?}",
        passed.outputs
    );
    assert!(
        passed.outputs["evidence"].contains("evidence"),
        "{:?}",
        passed.outputs
    );
    let passed = run("uat");
    assert_eq!(passed.code, Some(0), "{}", passed.log);
    assert_eq!(verdict(), ("uat".into(), "passed".into()));
    assert_eq!(release.requests().len(), 1, "the cache serves the later runs");
}
