//! Lists of names or globs.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::document::Document;
use super::error::SettingsError;

/// Names or globs under one key of one table.
pub(super) fn resolve_globs(
    document: &Document<'_>,
    path: [&str; 2],
    patterns: &[String],
) -> Result<GlobSet, SettingsError> {
    let [table, key] = path;
    let mut set = GlobSetBuilder::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let index = index.to_string();
        set.add(Glob::new(pattern).map_err(|error| {
            let message = format!("`{key}` has an item that is not a glob: {}", error.kind());
            document.error(&[table, key, &index], message)
        })?);
    }
    set.build()
        .map_err(|error| document.error(&path, format!("`{key}`: {}", error.kind())))
}
