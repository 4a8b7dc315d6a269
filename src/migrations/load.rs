//! Folders of files become the migration set, with a finding for all that is wrong in them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::database_url::EngineKind;
use crate::domain::{
    Check, CheckDefinition, Checksum, Direction, Finding, Migration, MigrationSet, Scope, Version, shown_path,
};

use super::batch;
use super::directive::{self, Mode};
use super::file_name::{self, FileName};
use super::{
    BATCH, CHECKS, DIRECTIVE, DOWN, DUPLICATE, EMPTY, ENCODING, GAP, NAME, SYNTAX, TRANSACTION, lint, marker,
    nested, statements,
};

/// A folder that the config names and that cannot be read: a wrong configuration.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the {scope} migrations in `{}`", folder.display())]
pub struct FolderError {
    pub scope: Scope,
    pub folder: PathBuf,
    #[source]
    pub source: io::Error,
}

/// The set, and what was found while it was read. Where a check failed the set may lack files.
#[derive(Debug)]
pub struct Loaded {
    pub set: MigrationSet,
    pub checks: Vec<Check>,
}

/// Reads both folders. Without `kind` the statements are not told apart: enough for a digest.
pub fn load(
    shared: Option<&Path>,
    tenant: Option<&Path>,
    kind: Option<EngineKind>,
) -> Result<Loaded, FolderError> {
    let mut found = Findings::default();
    let set = MigrationSet {
        shared: load_folder(Scope::Shared, shared, kind, &mut found)?,
        tenant: load_folder(Scope::Tenant, tenant, kind, &mut found)?,
    };
    Ok(Loaded {
        set,
        checks: found.into_checks(),
    })
}

#[derive(Default)]
struct Findings(BTreeMap<&'static str, Vec<Finding>>);

impl Findings {
    fn add(&mut self, check: CheckDefinition, finding: Finding) {
        self.0.entry(check.id).or_default().push(finding);
    }

    fn into_checks(mut self) -> Vec<Check> {
        let answer =
            |check: &CheckDefinition| Check::answered(check, self.0.remove(check.id).unwrap_or_default());
        CHECKS.iter().map(answer).collect()
    }
}

fn load_folder(
    scope: Scope,
    folder: Option<&Path>,
    kind: Option<EngineKind>,
    found: &mut Findings,
) -> Result<Vec<Migration>, FolderError> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let failed = |source| FolderError {
        scope,
        folder: folder.to_owned(),
        source,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    let mut migrations = Vec::new();
    let mut downs = Vec::new();
    let mut folders = Vec::new();
    for path in paths {
        let shown = shown_path(&path);
        if path.is_dir() {
            folders.extend(nested::sql_in(&path, shown));
            continue;
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        match file_name::parse(&file_name) {
            FileName::Other => {}
            FileName::Bad(why) => found.add(
                NAME,
                Finding::error(format!("this file would never run: {why}"))
                    .hint("name it <version>_<name>.sql, for example 0042_add_priority.sql")
                    .file(shown),
            ),
            FileName::Migration { version, name } => {
                let bytes = std::fs::read(&path).map_err(failed)?;
                let named = (scope, version, name, Direction::Forward);
                migrations.extend(read(named, shown, bytes, kind, found));
            }
            FileName::Down { version, name } => {
                let bytes = std::fs::read(&path).map_err(failed)?;
                let named = (scope, version, name, Direction::Back);
                downs.extend(read(named, shown, bytes, kind, found));
            }
        }
    }
    if let Some(finding) = nested::finding(&folders, &shown_path(folder), migrations.is_empty()) {
        found.add(NAME, finding);
    }
    migrations.sort_by_key(|migration| migration.version);
    order_findings(&migrations, found);
    for down in downs {
        give_way_back(&mut migrations, down, found);
    }
    Ok(migrations)
}

/// Puts a down file to its migration.
fn give_way_back(migrations: &mut [Migration], down: Migration, found: &mut Findings) {
    let of_version = migrations.iter_mut().find(|it| it.version == down.version);
    let why = match of_version {
        None => format!("there is no migration {} that it could take back", down.version),
        Some(migration) if migration.name != down.name => {
            format!("the migration of its version is called {}", migration.label())
        }
        Some(migration) => match &migration.down {
            None => {
                migration.down = Some(Box::new(down));
                return;
            }
            Some(other) => format!("{} takes back the same migration", other.file),
        },
    };
    found.add(
        DOWN,
        Finding::error(format!("this down file would never run: {why}"))
            .hint("name it as its migration is, with `.down.sql` in place of `.sql`, or delete it")
            .file(down.file),
    );
}

fn read(
    (scope, version, name, direction): (Scope, Version, String, Direction),
    file: String,
    bytes: Vec<u8>,
    kind: Option<EngineKind>,
    found: &mut Findings,
) -> Option<Migration> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let (line, column) = end_of(&String::from_utf8_lossy(good));
            found.add(
                ENCODING,
                Finding::error("this file is not UTF-8")
                    .hint("save it as UTF-8")
                    .file(file)
                    .at(line, column),
            );
            return None;
        }
    };
    let sql = normalise(&text);
    if let Some(at) = sql.find('\0') {
        let (line, column) = end_of(&sql[..at]);
        let finding = Finding::error("this file holds a NUL character, which no engine reads");
        found.add(
            ENCODING,
            finding
                .hint("save it as UTF-8, not UTF-16")
                .file(file)
                .at(line, column),
        );
        return None;
    }
    let (mode, wrong) = directive::read(&sql, &file);
    wrong.into_iter().for_each(|it| found.add(DIRECTIVE, it));
    if direction == Direction::Forward
        && let Some(finding) = marker::way_back(&sql, &file)
    {
        found.add(DOWN, finding);
    }
    let mut migration = Migration {
        scope,
        version,
        name,
        file,
        checksum: Checksum::of(&sql),
        sql,
        statements: Vec::new(),
        transactional: mode != Mode::NoTransaction,
        batch: None,
        direction,
        down: None,
    };
    // Blank files are found without knowing the engine.
    let any = kind.unwrap_or(EngineKind::Postgres);
    match statements::split(&migration.sql, any) {
        Ok(statements) if statements.is_empty() => found.add(
            EMPTY,
            Finding::error("this migration has no statement")
                .hint("write it or delete the file; `SELECT 1;` does nothing on purpose")
                .file(&migration.file),
        ),
        Ok(statements) if kind.is_some() => migration.statements = statements,
        // PostgreSQL gets the file whole, and says itself what it does not understand: but only where
        // no statement in it can end the transaction.
        Err(error)
            if kind.is_some_and(|kind| {
                let whole = mode == Mode::Transaction && !lint::may_control(&migration.sql);
                kind != EngineKind::Postgres || !whole
            }) =>
        {
            let finding = Finding::error(format!("cannot tell its statements apart: {error}"));
            found.add(SYNTAX, finding.file(&migration.file).at(error.line, error.column));
        }
        Err(error) if kind.is_some() && error.message.contains("nterminated") => {
            let finding = Finding::warning(format!("PostgreSQL will refuse this: {error}"));
            found.add(SYNTAX, finding.file(&migration.file).at(error.line, error.column));
        }
        Ok(_) | Err(_) => {}
    }
    if let Some(kind) = kind {
        for finding in lint::transaction_findings(&migration, kind) {
            found.add(TRANSACTION, finding);
        }
        if let (Mode::Batch(_), Direction::Back) = (&mode, direction) {
            found.add(
                DIRECTIVE,
                Finding::error("a down file is no batch: what it takes back goes in one piece")
                    .hint("take the first line out, or write the way back as a migration of its own")
                    .file(&migration.file)
                    .at(1, 1),
            );
        } else if let Mode::Batch(directive) = mode {
            cut_batch(&directive, &mut migration, kind, found);
        }
    }
    Some(migration)
}

fn cut_batch(
    directive: &batch::Directive,
    migration: &mut Migration,
    kind: EngineKind,
    found: &mut Findings,
) {
    // A file without statements, or one that cannot be split, has its finding already.
    if migration.statements.is_empty() {
        return;
    }
    match batch::cut(directive, &migration.statements, kind) {
        Ok(batch) => migration.batch = Some(batch),
        Err(refusal) => {
            let mut finding = Finding::error(refusal.message)
                .hint(refusal.hint)
                .file(&migration.file);
            if let Some(statement) = migration.statements.get(refusal.statement) {
                finding = finding.at(statement.line, statement.column);
            }
            found.add(BATCH, finding);
        }
    }
}

/// CRLF read as LF, BOM dropped: what an editor or Git may change without changing the migration.
fn normalise(text: &str) -> String {
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n")
}

fn order_findings(migrations: &[Migration], found: &mut Findings) {
    for pair in migrations.windows(2) {
        let [first, second] = pair else { continue };
        if first.version == second.version {
            found.add(
                DUPLICATE,
                Finding::error(format!(
                    "version {} is also the version of {}",
                    second.version, first.file
                ))
                .hint("give one of them the next free number")
                .file(&second.file),
            );
        }
        // Timestamps have gaps by nature; numbers that people count do not.
        let missing = second.version.0.saturating_sub(first.version.0 + 1);
        if second.version.0 < 1_000_000 && missing > 0 {
            found.add(
                GAP,
                Finding::warning(format!(
                    "{} {} missing between {} and this file",
                    missing,
                    if missing == 1 { "number is" } else { "numbers are" },
                    first.version
                ))
                .hint("if a migration was deleted, restore it: environments that applied it will be blocked")
                .file(&second.file),
            );
        }
    }
}

/// Line and column just behind a text, from 1.
fn end_of(text: &str) -> (usize, usize) {
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (text.matches('\n').count() + 1, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CheckStatus;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn with(files: &[(&str, &[u8])]) -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            for (name, content) in files {
                std::fs::write(folder.path().join(name), content).expect("written");
            }
            Self(folder)
        }

        fn load(&self, kind: EngineKind) -> Loaded {
            load(None, Some(self.0.path()), Some(kind)).expect("a readable folder")
        }
    }

    fn status(loaded: &Loaded, check: CheckDefinition) -> (CheckStatus, Vec<Finding>) {
        let check = loaded.checks.iter().find(|it| it.id == check.id).expect("asked");
        (check.status, check.findings.clone())
    }

    #[test]
    fn a_clean_folder_passes_every_check() {
        let folder = Folder::with(&[
            ("1_a.sql", b"create table a(b int);"),
            (
                "0002_b.sql",
                b"-- tenantgate: no-transaction\ncreate index concurrently i on a(b);",
            ),
            ("0002_b.down.sql", b"drop index i;"),
            ("README.md", b"notes"),
        ]);
        let loaded = folder.load(EngineKind::Postgres);
        assert!(
            loaded
                .checks
                .iter()
                .all(|check| check.status == CheckStatus::Passed),
            "{:?}",
            loaded.checks
        );
        let versions: Vec<u64> = loaded.set.tenant.iter().map(|it| it.version.0).collect();
        assert_eq!(versions, [1, 2]);
        assert!(loaded.set.tenant[0].transactional && !loaded.set.tenant[1].transactional);
    }

    #[test]
    fn each_fault_is_found_with_its_place() {
        let folder = Folder::with(&[
            ("1_a.sql", b"select 1"),
            ("01_b.sql", b"select 1"),
            ("V2__c.sql", b"select 1"),
            ("4_d.sql", b"-- nothing\n"),
            ("5_e.sql", b"select 1;\nselect '\xff'"),
            ("6_f.sql", b"select 1;\n  commit;"),
            ("7_g.sql", b"create index concurrently i on a(b)"),
            (
                "8_h.sql",
                b"-- tenantgate: no-transaction\ncreate index concurrently on a(b)",
            ),
            ("9_i.sql", b"--Tenantgate:\nselect 1;\n-- tenantgate: x"),
        ]);
        let loaded = folder.load(EngineKind::Postgres);
        for check in [DUPLICATE, NAME, EMPTY, ENCODING, DIRECTIVE] {
            let (status, findings) = status(&loaded, check);
            let number = if check == DIRECTIVE { 2 } else { 1 };
            assert_eq!((status, findings.len()), (CheckStatus::Failed, number));
        }
        let (gap, findings) = status(&loaded, GAP);
        assert_eq!((gap, findings.len()), (CheckStatus::Warned, 2));
        assert_eq!(status(&loaded, ENCODING).1[0].line, Some(2));
        let (transaction, findings) = status(&loaded, TRANSACTION);
        assert_eq!(transaction, CheckStatus::Failed);
        let places: Vec<_> = findings.iter().map(|it| (it.line, it.column)).collect();
        assert_eq!(
            places,
            [(Some(2), Some(3)), (Some(1), Some(1)), (Some(2), Some(1))]
        );
    }

    #[test]
    fn statements_that_cannot_be_split_are_found_where_they_must_be() {
        let folder = Folder::with(&[("1_a.sql", b"select 1;\nselect 'open")]);
        assert_eq!(
            status(&folder.load(EngineKind::Mysql), SYNTAX).0,
            CheckStatus::Failed
        );
        assert_eq!(
            status(&folder.load(EngineKind::Postgres), SYNTAX).0,
            CheckStatus::Warned
        );
        let batch = b"-- tenantgate: batch key=id size=5\nupdate a set b = 'open";
        let loaded = Folder::with(&[("1_a.sql", batch)]).load(EngineKind::Postgres);
        assert_eq!(status(&loaded, SYNTAX).0, CheckStatus::Failed, "not all at once");
    }

    #[test]
    fn a_folder_of_folders_is_one_finding_with_the_remedy() {
        let folder = Folder::with(&[]);
        for name in ["2023-08-02-174444_fix", "2023-08-03-101010_more"] {
            let nested = folder.0.path().join(name);
            std::fs::create_dir(&nested).expect("made");
            for file in ["up.sql", "down.sql"] {
                std::fs::write(nested.join(file), "select 1;").expect("written");
            }
        }
        let (alone, findings) = status(&folder.load(EngineKind::Postgres), NAME);
        assert_eq!((alone, findings.len()), (CheckStatus::Failed, 1), "{findings:?}");
        assert!(
            findings[0].message.starts_with("4 SQL files in 2 subfolders"),
            "{findings:?}"
        );
        let hint = findings[0].hint.as_deref().expect("a remedy");
        assert!(hint.contains("becomes 20230802174444_fix.sql"), "{hint}");
        std::fs::write(folder.0.path().join("1_a.sql"), "select 1;").expect("written");
        let (beside, findings) = status(&folder.load(EngineKind::Postgres), NAME);
        assert_eq!((beside, findings.len()), (CheckStatus::Warned, 1), "{findings:?}");
    }

    #[test]
    fn a_file_with_both_ways_is_refused() {
        let both = b"-- +goose Up\ncreate table a(b int);\n-- +goose Down\ndrop table a;";
        let (down, findings) = status(&Folder::with(&[("1_a.sql", both)]).load(EngineKind::Sqlite), DOWN);
        assert_eq!((down, findings[0].line), (CheckStatus::Failed, Some(3)));
    }

    #[test]
    fn line_ends_and_bom_do_not_change_the_digest() {
        let unix = Folder::with(&[("1_a.sql", b"select 1;\nselect 2;\n")]);
        let windows = Folder::with(&[("0001_a.sql", b"\xef\xbb\xbfselect 1;\r\nselect 2;\r\n")]);
        let other = Folder::with(&[("1_a.sql", b"select 1;\nselect 3;\n")]);
        let digest = |folder: &Folder| folder.load(EngineKind::Sqlite).set.digest();
        assert_eq!(digest(&unix), digest(&windows));
        assert_ne!(digest(&unix), digest(&other));
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_it() {
        let error = load(Some(Path::new("no/such/folder")), None, None).expect_err("missing");
        assert!(
            error
                .to_string()
                .contains("shared migrations in `no/such/folder`"),
            "{error}"
        );
    }
}
