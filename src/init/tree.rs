//! The files of a project: a walk with bounds that leaves out what Git ignores.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

/// More than this is not looked at: what tells something about a project is near its root.
const MOST_FILES: usize = 20_000;
const DEEPEST: usize = 8;
const LONGEST_FILE: u64 = 256 * 1024;

/// Folders of other people's code and of what was built.
const SKIPPED: &[&str] = &[
    ".git",
    "node_modules",
    "bower_components",
    "vendor",
    "target",
    "dist",
    "build",
    "venv",
    ".venv",
    "env",
    "site-packages",
    "__pycache__",
    ".tox",
    ".mypy_cache",
    ".next",
    ".terraform",
];

/// The files below a folder by their paths, in order.
#[derive(Debug, Default)]
pub(super) struct Tree {
    root: PathBuf,
    /// Relative, with `/`.
    pub(super) files: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Tree {
    /// Links are not followed, and what cannot be read is noted.
    pub(super) fn read(root: &Path) -> Self {
        let mut tree = Self {
            root: root.to_owned(),
            ..Self::default()
        };
        let mut unreadable = 0_usize;
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .ignore(false)
            .max_depth(Some(DEEPEST))
            .sort_by_file_name(Ord::cmp)
            .filter_entry(wanted)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    match tree.relative(entry.path()) {
                        Some(file) => tree.files.push(file),
                        None => unreadable += 1,
                    }
                }
                Ok(_) => {}
                Err(_) => unreadable += 1,
            }
            if tree.files.len() >= MOST_FILES {
                tree.notes.push(format!(
                    "only the first {MOST_FILES} files were looked at; `--dir` or `--config` with a folder of this \
                     repository looks at less"
                ));
                break;
            }
        }
        if unreadable > 0 {
            let noun = if unreadable == 1 {
                "folder or file"
            } else {
                "folders and files"
            };
            tree.notes.push(format!(
                "{unreadable} {noun} left out: it cannot be read, or its name cannot be written down"
            ));
        }
        tree
    }

    /// None where the name cannot stand in the config: a line end would end its comment.
    fn relative(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        let file = parts?.join("/");
        (!file.contains(char::is_control)).then_some(file)
    }

    /// A small text file; anything else is none. An env file that may hold real values is never opened.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        if holds_values(file) {
            return None;
        }
        let mut text = String::new();
        let file = File::open(self.root.join(file)).ok()?;
        file.take(LONGEST_FILE).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Those with this file name.
    pub(super) fn named<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(move |file| file_name(file) == name)
    }
}

fn wanted(entry: &DirEntry) -> bool {
    let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    let skipped = entry
        .file_name()
        .to_str()
        .is_some_and(|name| SKIPPED.contains(&name));
    entry.depth() == 0 || !(folder && skipped)
}

/// `.env`, `.env.local`, `prod.env`: everything of that kind but examples.
fn holds_values(file: &str) -> bool {
    let name = file_name(file);
    let of_the_kind = name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    of_the_kind && !is_example(name)
}

/// An env file that is made to be committed.
pub(super) fn is_example(file: &str) -> bool {
    let name = file_name(file);
    let parts = ["example", "sample", "template", "dist"];
    name.contains("env") && name.split(['.', '-', '_']).any(|part| parts.contains(&part))
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Empty at the root.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
