//! Writing: nothing that exists is touched unless told, and nothing is left half-done.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What every workflow of this command begins with. It tells ours from anybody else's.
const HEADER: &str = "# Made by `tenantgate init`";

/// A file to be, by its path from the repository's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) path: String,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It was not there.
    New,
    /// It is there, with another content, and is replaced.
    Replaced,
    /// It is there, with another content, and stays.
    Kept,
    /// It is there and is somebody else's: it is never replaced.
    Foreign,
    /// It is there as it would be written.
    Same,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`; nothing was written")]
pub(crate) struct WriteError {
    path: String,
    #[source]
    source: io::Error,
}

/// What would become of each file.
pub(crate) fn inspect(root: &Path, drafts: &[Draft], force: bool) -> Vec<State> {
    let state = |draft: &Draft| {
        let path = root.join(&draft.path);
        // A link that leads nowhere is there, too.
        if path.symlink_metadata().is_err() {
            return State::New;
        }
        match fs::read(&path) {
            Ok(content) if content == draft.text.as_bytes() => State::Same,
            Ok(content) if !content.starts_with(HEADER.as_bytes()) => State::Foreign,
            Ok(_) if force => State::Replaced,
            Ok(_) => State::Kept,
            Err(_) => State::Foreign,
        }
    };
    drafts.iter().map(state).collect()
}

/// Writes those that are new or to be replaced; when one cannot be written, the others are taken back.
pub(crate) fn write(root: &Path, drafts: &[Draft], states: &[State]) -> Result<(), WriteError> {
    let mut done: Vec<Undo> = Vec::new();
    for (draft, state) in drafts.iter().zip(states) {
        let result = match state {
            State::Kept | State::Foreign | State::Same => continue,
            State::New => create(root, draft, &mut done),
            State::Replaced => replace(root, draft, &mut done),
        };
        if let Err(source) = result {
            done.into_iter().rev().for_each(Undo::carry_out);
            let path = draft.path.clone();
            return Err(WriteError { path, source });
        }
    }
    Ok(())
}

enum Undo {
    RemoveFile(PathBuf),
    RemoveFolder(PathBuf),
    Restore(PathBuf, Vec<u8>),
}

impl Undo {
    /// As far as it goes: the error that is shown is the first one.
    fn carry_out(self) {
        let _ = match self {
            Self::RemoveFile(path) => fs::remove_file(path),
            Self::RemoveFolder(path) => fs::remove_dir(path),
            Self::Restore(path, content) => fs::write(path, content),
        };
    }
}

fn create(root: &Path, draft: &Draft, done: &mut Vec<Undo>) -> io::Result<()> {
    let path = prepared(root, draft, done)?;
    // It refuses what has come into being meanwhile, links included.
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    done.push(Undo::RemoveFile(path));
    file.write_all(draft.text.as_bytes())
}

fn replace(root: &Path, draft: &Draft, done: &mut Vec<Undo>) -> io::Result<()> {
    let path = prepared(root, draft, done)?;
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a link or a folder, not a file",
        ));
    }
    let old = fs::read(&path)?;
    done.push(Undo::Restore(path.clone(), old));
    fs::write(path, &draft.text)
}

/// Makes the folders above, which must not lead out of the repository.
fn prepared(root: &Path, draft: &Draft, done: &mut Vec<Undo>) -> io::Result<PathBuf> {
    let root = fs::canonicalize(root)?;
    let path = root.join(&draft.path);
    let mut folder = root.clone();
    let parts = Path::new(&draft.path)
        .parent()
        .into_iter()
        .flat_map(Path::components);
    for part in parts {
        folder.push(part);
        match fs::create_dir(&folder) {
            Ok(()) => done.push(Undo::RemoveFolder(folder.clone())),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        if !fs::canonicalize(&folder)?.starts_with(&root) {
            let message = format!("`{}` leads out of the repository", folder.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, message));
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(path: &str, text: &str) -> Draft {
        Draft {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_is_there_stays_unless_forced() {
        let root = tempfile::tempdir().expect("a folder");
        let ours = "# Made by `tenantgate init`; yours to change.\n";
        fs::write(root.path().join("a"), format!("{ours}mine")).expect("written");
        fs::write(root.path().join("foreign"), format!("mine\n{ours}")).expect("written");
        fs::write(root.path().join("b"), "same").expect("written");
        let drafts = [
            draft("a", "theirs"),
            draft("b", "same"),
            draft("foreign", "theirs"),
            draft("x/y/c", "new"),
        ];
        let states = inspect(root.path(), &drafts, false);
        assert_eq!(states, [State::Kept, State::Same, State::Foreign, State::New]);
        write(root.path(), &drafts, &states).expect("written");
        assert_eq!(
            fs::read_to_string(root.path().join("a")).expect("read"),
            format!("{ours}mine")
        );
        assert_eq!(
            fs::read_to_string(root.path().join("x/y/c")).expect("read"),
            "new"
        );
        let states = inspect(root.path(), &drafts, true);
        assert_eq!(
            states,
            [State::Replaced, State::Same, State::Foreign, State::Same]
        );
        write(root.path(), &drafts, &states).expect("written");
        assert_eq!(
            fs::read_to_string(root.path().join("foreign")).expect("read"),
            format!("mine\n{ours}")
        );
        assert_eq!(fs::read_to_string(root.path().join("a")).expect("read"), "theirs");
    }

    #[test]
    fn one_that_fails_takes_the_others_back() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("old"), "mine").expect("written");
        fs::write(root.path().join("file"), "in the way").expect("written");
        let drafts = [
            draft("old", "theirs"),
            draft("x/a", "new"),
            draft("file/b", "new"),
        ];
        let states = [State::Replaced, State::New, State::New];
        let error = write(root.path(), &drafts, &states).expect_err("a file is no folder");
        assert_eq!(error.to_string(), "cannot write `file/b`; nothing was written");
        assert!(!root.path().join("x").exists());
        assert_eq!(fs::read_to_string(root.path().join("old")).expect("read"), "mine");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed_out_of_the_repository() {
        let root = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path(), root.path().join("out")).expect("linked");
        std::os::unix::fs::symlink(outside.path().join("no"), root.path().join("dangling")).expect("linked");
        let drafts = [draft("out/a", "new")];
        write(root.path(), &drafts, &[State::New]).expect_err("it leads out");
        assert_eq!(fs::read_dir(outside.path()).expect("read").count(), 0);
        let dangling = [draft("dangling", "new")];
        assert_eq!(inspect(root.path(), &dangling, true), [State::Foreign]);
        write(root.path(), &dangling, &[State::Replaced]).expect_err("a link is not replaced");
        assert!(!outside.path().join("no").exists());
    }
}
