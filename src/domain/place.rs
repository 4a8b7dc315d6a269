//! How a path is shown to people and to GitHub.

use std::path::{Component, Path, PathBuf};

/// Relative to the working directory where it is below it, without `..`, with `/` on every system.
pub fn shown_path(path: &Path) -> String {
    let full = std::path::absolute(path).map(|full| straight(&full));
    let below = full.as_ref().ok().and_then(|full| {
        let here = std::env::current_dir().ok()?;
        full.strip_prefix(here).ok()
    });
    let shown = below.or(full.as_deref().ok()).unwrap_or(path);
    shown.to_string_lossy().replace('\\', "/")
}

/// Takes `a/..` out by the letter: good enough for showing, not for opening.
fn straight(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_here() {
        assert_eq!(
            shown_path(Path::new("fixtures/a/../../target/x.json")),
            "target/x.json"
        );
        assert_eq!(shown_path(Path::new("/else/where/../x.json")), "/else/x.json");
    }
}
