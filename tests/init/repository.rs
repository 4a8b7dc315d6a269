//! A small repository, and what `init` makes of it.

use std::fs;

use crate::action::lint;
use crate::harness::{Project, Run};

/// A commit that no release has: for workflows that name one.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// An empty repository with branches, the first of which is checked out.
pub fn repository(branches: &[&str]) -> Project {
    let project = Project::new();
    project.write(
        ".git/HEAD",
        &format!("ref: refs/heads/{}\n", branches.first().unwrap_or(&"main")),
    );
    project.write(".git/config", "[core]\n\tbare = false\n");
    let (packed, loose) = branches.split_at(branches.len() / 2);
    let lines: Vec<String> = packed
        .iter()
        .map(|branch| format!("{COMMIT} refs/remotes/origin/{branch}\n"))
        .collect();
    project.write(
        ".git/packed-refs",
        &format!("# pack-refs with: peeled\n{}", lines.concat()),
    );
    for branch in loose {
        project.write(&format!(".git/refs/heads/{branch}"), &format!("{COMMIT}\n"));
    }
    project
}

/// Runs `init` with a commit for the action.
#[track_caller]
pub fn init(project: &Project, arguments: &[&str]) -> Run {
    let mut all = vec!["init", "--action-ref", COMMIT];
    all.extend(arguments);
    let run = project.tenantgate(&all);
    run.assert_code(0);
    run
}

/// The workflows that `init` wrote, apart from those that were there, have no finding.
#[track_caller]
pub fn assert_clean(project: &Project) {
    let folder = tempfile::tempdir().unwrap();
    let workflows = folder.path().join(".github/workflows");
    fs::create_dir_all(&workflows).unwrap();
    let mut count = 0;
    for entry in fs::read_dir(project.path(".github/workflows")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_str().unwrap().starts_with("tenantgate") {
            fs::copy(entry.path(), workflows.join(entry.file_name())).unwrap();
            count += 1;
        }
    }
    assert!(count >= 2, "{count} workflows were written");
    lint::assert_clean(folder.path());
}

/// What was printed, and some of the files.
pub fn seen(run: &Run, project: &Project, files: &[&str]) -> String {
    let mut text = run.snapshot();
    for file in files {
        text.push_str(&format!("\n=== {file}\n{}", project.read(file)));
    }
    text
}
