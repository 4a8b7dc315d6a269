//! What Git's own files say: where the repository begins and which branches it has. Git is not started.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const DEEPEST: usize = 6;
const MOST: usize = 2_000;

/// The folder with `.git` at or above a folder.
pub(crate) fn repository_root(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    let root = folder.ancestors().find(|it| it.join(".git").exists())?;
    Some(root.to_owned())
}

/// Local branches and those of remotes by their names without the remote's, sorted. A branch without a
/// commit is one, too: HEAD names it.
pub(super) fn branches(root: &Path) -> Vec<String> {
    let mut found = BTreeSet::new();
    let Some(folder) = git_folder(root) else {
        return Vec::new();
    };
    let common = common_folder(&folder);
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    if let Some(head) = read(folder.join("HEAD")).trim().strip_prefix("ref: refs/heads/") {
        found.insert(head.to_owned());
    }
    for line in read(common.join("packed-refs")).lines() {
        let reference = line.split(' ').nth(1).unwrap_or_default();
        found.extend(branch_of(reference));
    }
    for kind in ["heads", "remotes"] {
        loose(
            &common.join("refs").join(kind),
            &format!("refs/{kind}"),
            0,
            &mut found,
        );
    }
    // With the reftable format this stands in for the names that HEAD has not.
    found.remove(".invalid");
    found.into_iter().collect()
}

/// `.git` is a folder, or in a linked work tree a file that names one.
fn git_folder(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = fs::read_to_string(&git).ok()?;
    Some(root.join(text.trim().strip_prefix("gitdir: ")?))
}

fn common_folder(folder: &Path) -> PathBuf {
    match fs::read_to_string(folder.join("commondir")) {
        Ok(text) => folder.join(text.trim()),
        Err(_) => folder.to_owned(),
    }
}

fn loose(folder: &Path, prefix: &str, depth: usize, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let reference = format!("{prefix}/{name}");
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth < DEEPEST {
            loose(&entry.path(), &reference, depth + 1, found);
        } else if !is_folder && found.len() < MOST {
            found.extend(branch_of(&reference));
        }
    }
}

fn branch_of(reference: &str) -> Option<String> {
    if let Some(branch) = reference.strip_prefix("refs/heads/") {
        return Some(branch.to_owned());
    }
    let (_, branch) = reference.strip_prefix("refs/remotes/")?.split_once('/')?;
    (branch != "HEAD").then(|| branch.to_owned())
}

/// Whether a name can stand in a workflow's filter as it is: there `*`, `?`, `+`, `[` and `!` are a pattern's.
pub(super) fn is_plain(branch: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    !branch.is_empty() && branch.chars().all(plain)
}
