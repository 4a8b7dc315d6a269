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

/// The working directory as seen from a folder above it, with `/` on every system; none where it is that
/// folder, or not below it.
pub fn here_below(folder: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    // The one may be written through a link where the other is not.
    let below = here.strip_prefix(folder).map(Path::to_owned).ok().or_else(|| {
        let folder = folder.canonicalize().ok()?;
        Some(here.canonicalize().ok()?.strip_prefix(folder).ok()?.to_owned())
    })?;
    let shown = below.to_string_lossy().replace('\\', "/");
    (!shown.is_empty()).then_some(shown)
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
