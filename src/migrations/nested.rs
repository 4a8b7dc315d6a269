//! SQL in folders of the migrations' folder, as Diesel and Prisma keep it: it would never run.

use std::path::Path;

use crate::domain::Finding;
use crate::domain::words::count;

/// A subfolder with SQL files, and how many.
pub(super) struct Nested {
    folder: String,
    files: usize,
    /// `up.sql`, as Diesel has it.
    has_up: bool,
}

/// Absent where there are none.
pub(super) fn sql_in(folder: &Path, shown: String) -> Option<Nested> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "sql"))
        .count();
    (files > 0).then(|| Nested {
        folder: shown,
        files,
        has_up: folder.join("up.sql").exists(),
    })
}

/// A folder with nothing else in it would pass, and nothing would ever run.
pub(super) fn finding(nested: &[Nested], folder: &str, alone: bool) -> Option<Finding> {
    let first = nested.first()?;
    let files: usize = nested.iter().map(|it| it.files).sum();
    let (files, folders) = (count(files, "SQL file"), count(nested.len(), "subfolder"));
    let message = match nested {
        [_] => format!("{files} in this subfolder are not part of the migration set"),
        _ => format!("{files} in {folders} are not part of the migration set"),
    };
    let finding = if alone {
        Finding::error(format!("{message}, and the folder has no others"))
    } else {
        Finding::warning(message)
    };
    let hint = if first.has_up {
        let name = Path::new(&first.folder)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let (version, rest) = name.split_once('_').unwrap_or((&name, "name"));
        let version: String = version.chars().filter(char::is_ascii_digit).collect();
        format!(
            "migrations lie directly in the folder that the config names: {name}/up.sql becomes {version}_{rest}.sql, its down.sql {version}_{rest}.down.sql"
        )
    } else {
        "migrations lie directly in the folder that the config names, as <version>_<name>.sql".to_owned()
    };
    let place = if nested.len() == 1 { &first.folder } else { folder };
    Some(finding.hint(hint).file(place))
}
