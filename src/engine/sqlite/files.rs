//! Which file is whose.

use std::collections::BTreeSet;
use std::io;
use std::path::{Component, Path, PathBuf};

const TENANT: &str = "{tenant}";

/// The full path of a tenant's file; a relative template begins at the shared file's folder.
pub(super) fn location(shared: &Path, template: &str, tenant: &str) -> String {
    let folder = shared.parent().unwrap_or(Path::new("."));
    folder
        .join(template.replace(TENANT, tenant))
        .to_string_lossy()
        .into_owned()
}

/// All files that the template could have made.
pub(super) fn existing(shared: &Path, template: &str) -> io::Result<BTreeSet<String>> {
    let folder = shared.parent().unwrap_or(Path::new("."));
    let template = folder.join(template);
    let mut fixed = PathBuf::new();
    let mut rest = template.components();
    let varying = loop {
        match rest.next() {
            Some(Component::Normal(part)) if part.to_string_lossy().contains(TENANT) => {
                break part.to_string_lossy().into_owned();
            }
            Some(part) => fixed.push(part),
            None => return Ok(BTreeSet::new()),
        }
    };
    let (prefix, suffix) = varying.split_once(TENANT).unwrap_or((&varying, ""));
    let entries = match std::fs::read_dir(&fixed) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let mut found = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let tenant = name
            .strip_prefix(prefix)
            .and_then(|name| name.strip_suffix(suffix));
        let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) else {
            continue;
        };
        let path = PathBuf::from(location(shared, &template.to_string_lossy(), tenant));
        if path.is_file() && path != shared {
            found.insert(path.to_string_lossy().into_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_template_are_found_and_no_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let shared = folder.path().join("shared.db");
        std::fs::create_dir(folder.path().join("tenants")).expect("made");
        for name in ["acme.db", "acme.db-wal", "notes.txt", "zeta.db"] {
            std::fs::write(folder.path().join("tenants").join(name), "").expect("written");
        }
        let found = existing(&shared, "tenants/{tenant}.db").expect("listed");
        let expected: BTreeSet<String> = ["acme", "zeta"]
            .map(|tenant| location(&shared, "tenants/{tenant}.db", tenant))
            .into();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_folder_is_no_tenant() {
        let folder = tempfile::tempdir().expect("a folder");
        let found = existing(&folder.path().join("shared.db"), "tenants/{tenant}/data.db");
        assert!(found.expect("listed").is_empty());
    }
}
