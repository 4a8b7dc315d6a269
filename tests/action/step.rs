//! The action's step as the runner would start it: inputs through the expressions of `action.yml`, a
//! script file under bash, the runner's variables and files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use super::mirror::{Release, executable};

/// A program that tells how it was called, appends outputs, and exits as `STUB_EXIT` says.
pub const STUB: &str = r#"#!/bin/bash
printf '%s\0' "$@" >"$STUB_FOLDER/arguments"
env -0 >"$STUB_FOLDER/environment"
pwd >"$STUB_FOLDER/folder"
ls -a >"$STUB_FOLDER/files"
echo "stub ran"
printf 'verdict=passed\ntenants-migrated=2\nexit-code=%s\n' "${STUB_EXIT:-0}" >>"$GITHUB_OUTPUT"
if [ -n "${STUB_WAITS:-}" ]; then
    trap 'echo "stub was told to stop"; exit 9' INT
    : >"$STUB_FOLDER/waiting"
    while :; do sleep 0.05; done
fi
exit "${STUB_EXIT:-0}"
"#;

/// `action.yml`, as far as one step needs it.
struct Definition {
    /// Input to default.
    defaults: BTreeMap<String, String>,
    /// Variable to expression.
    variables: BTreeMap<String, String>,
    run: String,
}

impl Definition {
    /// Reads the plain YAML that the file keeps to; a test of the executor reads it as YAML.
    fn read(action: &Path) -> Self {
        let text = fs::read_to_string(action.join("action.yml")).unwrap();
        let inputs = &text[text.find("\ninputs:\n").unwrap()..text.find("\noutputs:\n").unwrap()];
        let mut defaults = BTreeMap::new();
        let mut input = String::new();
        for line in inputs.lines() {
            if let Some(name) = line.strip_prefix("  ").filter(|it| !it.starts_with(' ')) {
                input = name.trim_end_matches(':').to_owned();
                defaults.insert(input.clone(), String::new());
            } else if let Some(value) = line.strip_prefix("    default: ") {
                defaults.insert(input.clone(), value.trim_matches('\'').to_owned());
            }
        }
        let step = &text[text.find("\nruns:\n").unwrap()..];
        let value_of = |line: &str| {
            let (name, value) = line.trim().split_once(": ${{ ")?;
            Some((name.to_owned(), value.strip_suffix(" }}")?.to_owned()))
        };
        let run = step.lines().find_map(|line| line.strip_prefix("      run: "));
        Self {
            variables: step.lines().filter_map(value_of).collect(),
            defaults,
            run: run.unwrap().to_owned(),
        }
    }
}

pub struct Step<'r> {
    release: &'r Release,
    with: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    pub job: TempDir,
}

impl<'r> Step<'r> {
    /// A step that takes the program from the release's server, on a Linux runner.
    pub fn new(release: &'r Release) -> Self {
        let job = tempfile::Builder::new()
            .prefix("tenantgate-job-")
            .tempdir()
            .unwrap();
        for folder in ["work space", "temp", "cache", "stub"] {
            fs::create_dir(job.path().join(folder)).unwrap();
        }
        let mut step = Self {
            release,
            with: BTreeMap::new(),
            variables: BTreeMap::new(),
            job,
        };
        let path = |name: &str| step.job.path().join(name).to_str().unwrap().to_owned();
        let variables = [
            ("RUNNER_OS", "Linux".to_owned()),
            ("RUNNER_ARCH", "X64".to_owned()),
            ("RUNNER_TEMP", path("temp")),
            ("RUNNER_TOOL_CACHE", path("cache")),
            ("GITHUB_ACTIONS", "true".to_owned()),
            (
                "GITHUB_ACTION_PATH",
                release.action().to_str().unwrap().to_owned(),
            ),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("STUB_FOLDER", path("stub")),
        ];
        for (name, value) in variables {
            step.env(name, &value);
        }
        step.with("download-url", &release.url);
        step
    }

    pub fn with(&mut self, input: &str, value: &str) -> &mut Self {
        self.with.insert(input.to_owned(), value.to_owned());
        self
    }

    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn workspace(&self) -> PathBuf {
        self.job.path().join("work space")
    }

    /// The program in the tool cache.
    pub fn cached(&self) -> PathBuf {
        let below = format!(
            "cache/tenantgate/{}/{}/tenantgate",
            super::mirror::VERSION,
            super::mirror::TARGET
        );
        self.job.path().join(below)
    }

    fn evaluate(&self, expression: &str, definition: &Definition) -> String {
        match expression {
            "github.token" => "the-jobs-token".to_owned(),
            "github.action_repository" => "mirrored/tenantgate".to_owned(),
            _ => {
                let input = expression.strip_prefix("inputs.").unwrap();
                let default = definition.defaults.get(input);
                let default = default.unwrap_or_else(|| panic!("{input} is no input"));
                let value = self.with.get(input).unwrap_or(default);
                match value.strip_prefix("${{ ").and_then(|it| it.strip_suffix(" }}")) {
                    Some(inner) if !self.with.contains_key(input) => self.evaluate(inner, definition),
                    _ => value.clone(),
                }
            }
        }
    }

    fn command(&self) -> Command {
        let definition = Definition::read(&self.release.action());
        for input in self.with.keys() {
            assert!(definition.defaults.contains_key(input), "{input} is no input");
        }
        let script = self.job.path().join("temp/step.sh");
        fs::write(&script, format!("{}\n", definition.run)).unwrap();
        // As the runner's `shell: bash`.
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(script);
        command
            .current_dir(self.workspace())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, expression) in &definition.variables {
            command.env(name, self.evaluate(expression, &definition));
        }
        command
    }

    pub fn spawn(&self) -> Child {
        self.command().spawn().unwrap()
    }

    pub fn run(&self) -> Ended {
        Ended::of(self.command().output().unwrap())
    }

    /// The arguments that the stub got.
    pub fn arguments(&self) -> Vec<String> {
        zero_separated(&self.job.path().join("stub/arguments"))
    }

    /// The variables that the stub got.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let pairs = zero_separated(&self.job.path().join("stub/environment"));
        let pair = |line: &String| {
            line.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        pairs.iter().filter_map(pair).collect()
    }

    pub fn stub_ran(&self) -> bool {
        self.job.path().join("stub/arguments").exists()
    }

    pub fn outputs(&self) -> String {
        fs::read_to_string(self.job.path().join("output")).unwrap_or_default()
    }

    /// A PATH with these programs and no others.
    pub fn only(&mut self, programs: &[&str]) -> &mut Self {
        let folder = self.job.path().join("programs");
        fs::create_dir_all(&folder).unwrap();
        for program in programs {
            let found = Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .output()
                .unwrap();
            let found = String::from_utf8(found.stdout).unwrap();
            std::os::unix::fs::symlink(found.trim(), folder.join(program)).unwrap();
        }
        self.env("PATH", folder.to_str().unwrap())
    }

    /// A program of this name before all others on the PATH.
    pub fn shadow(&mut self, program: &str, script: &str) -> &mut Self {
        let folder = self.job.path().join("shadows");
        executable(&folder.join(program), script.as_bytes());
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        self.env("PATH", &path)
    }
}

fn zero_separated(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut items: Vec<_> = text.split('\0').map(str::to_owned).collect();
    items.pop();
    items
}

/// What the runner sees of a step.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// It was refused with one annotation that has these texts.
    #[track_caller]
    pub fn assert_refused(&self, code: i32, texts: &[&str]) -> &Self {
        self.assert_code(code);
        let annotations: Vec<_> = self
            .stdout
            .lines()
            .filter(|line| line.starts_with("::error"))
            .collect();
        assert_eq!(annotations.len(), 1, "{self:#?}");
        for text in texts {
            assert!(annotations[0].contains(text), "no {text:?} in {self:#?}");
        }
        self
    }
}
