//! Each rule has an example of what it finds, and one of what it leaves alone, in `tests/lint/examples`.

#![allow(clippy::unwrap_used, reason = "a test that is surprised should panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use globset::GlobSet;

mod told;

use super::*;
use crate::database_url::EngineKind;
use crate::domain::{MigrationSet, Severity};
use crate::migrations;
use crate::settings::{Lint, Tenancy, TenancyMode};

fn tenancy(kind: EngineKind) -> Tenancy {
    let by_schema = kind == EngineKind::Postgres;
    Tenancy {
        mode: if by_schema {
            TenancyMode::Schema
        } else {
            TenancyMode::Database
        },
        registry: String::new(),
        ensure: Vec::new(),
        ensure_sql: None,
        location: if by_schema {
            "{tenant}"
        } else {
            "{shared}_{tenant}"
        }
        .to_owned(),
        shared_schema: "public".to_owned(),
        ledger: None,
        ignore: GlobSet::empty(),
        serving_role: None,
        min: 1,
        row: None,
        max_change: None,
        domains: None,
    }
}

fn world(kind: EngineKind) -> World {
    let known = [("acme".to_owned(), "acme".to_owned())];
    World::new(kind, &tenancy(kind), Some("shop"), known)
}

/// Files by scope and name; the chosen ones are those whose names say so.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for scope in ["shared", "tenant"] {
            fs::create_dir(folder.path().join(scope)).unwrap();
        }
        Self { folder }
    }

    fn write(&self, scope: &str, name: &str, sql: &str) {
        fs::write(self.folder.path().join(scope).join(name), sql).unwrap();
    }

    fn load(&self, kind: EngineKind) -> MigrationSet {
        let at = |scope| self.folder.path().join(scope);
        let (shared, tenant) = (at("shared"), at("tenant"));
        migrations::load(Some(&shared), Some(&tenant), Some(kind))
            .unwrap()
            .set
    }
}

fn chosen(set: &MigrationSet, is_pending: impl Fn(&str) -> bool) -> Chosen {
    let of = |migrations: &[crate::domain::Migration]| {
        let named = migrations
            .iter()
            .enumerate()
            .filter(|(_, it)| is_pending(&it.name));
        named.map(|(index, _)| index).collect()
    };
    Chosen {
        shared: of(&set.shared),
        tenant: of(&set.tenant),
    }
}

fn messages(set: &MigrationSet, chosen: &Chosen, kind: EngineKind, settings: &Lint) -> Vec<String> {
    let options = Options {
        settings,
        // The newest that a rule asks for.
        server: Some("PostgreSQL 19.0"),
        accepted: None,
    };
    let linted = lint(set, chosen, &world(kind), options);
    let findings = linted.checks.into_iter().flat_map(|check| check.findings);
    findings
        .map(|it| format!("{:?}: {}", it.severity, it.message))
        .collect()
}

/// What the one rule finds in an example.
fn found(file: &Path, rule: &Rule, kind: EngineKind) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let project = Project::new();
    let mut sql = String::new();
    let mut scope = "tenant";
    for line in text.lines() {
        if let Some(given) = line.strip_prefix("-- given shared: ") {
            project.write("shared", "0001_given.sql", given);
        } else if let Some(given) = line.strip_prefix("-- given tenant: ") {
            project.write("tenant", "0001_given.sql", given);
        } else if line == "-- scope: shared" {
            scope = "shared";
        } else {
            sql.push_str(line);
            sql.push('\n');
        }
    }
    project.write(scope, "0002_example.sql", &sql);
    let set = project.load(kind);
    let settings = Lint::only(rule.id, Level::Warning);
    messages(&set, &chosen(&set, |name| name == "example"), kind, &settings)
}

#[test]
fn every_rule_has_a_bad_and_a_good_example() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/examples");
    let folders: BTreeSet<String> = fs::read_dir(&examples)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let names: BTreeSet<String> = rules().iter().map(|rule| rule.id.to_owned()).collect();
    assert_eq!(folders, names, "folders of examples, and rules");
    let mut wrong = Vec::new();
    for rule in rules() {
        let engines = [
            (EngineKind::Postgres, "", rule.levels.postgres),
            (EngineKind::Mysql, ".mysql", rule.levels.mysql),
            (EngineKind::Sqlite, ".sqlite", rule.levels.sqlite),
        ];
        let mut tried = 0;
        for (kind, ending, level) in engines {
            let at = |name: &str| -> PathBuf { examples.join(rule.id).join(format!("{name}{ending}.sql")) };
            let (bad, good) = (at("bad"), at("good"));
            // Ours are the same for all engines: one example is enough.
            let needed = rule.squawk && level.is_some();
            if !(bad.exists() && good.exists()) {
                if needed || bad.exists() != good.exists() {
                    wrong.push(format!("{}: no pair of examples for {kind:?}", rule.id));
                }
                continue;
            }
            tried += 1;
            let of_it = format!("[{}]", rule.id);
            if !found(&bad, rule, kind).iter().any(|it| it.ends_with(&of_it)) {
                wrong.push(format!("{}: {kind:?}: the bad example passes", rule.id));
            }
            let harmless = found(&good, rule, kind);
            if !harmless.is_empty() {
                wrong.push(format!(
                    "{}: {kind:?}: the good example fails: {harmless:?}",
                    rule.id
                ));
            }
        }
        if tried == 0 {
            wrong.push(format!("{}: no examples", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn squawks_rules_are_all_there() {
    // Another name for two of them is no rule.
    let theirs: BTreeSet<String> = enum_iterator::all::<squawk_linter::Rule>()
        .filter(|rule| rule.expands_to().is_empty())
        .map(|rule| rule.to_string())
        .collect();
    let ours: BTreeSet<String> = rules()
        .iter()
        .filter(|rule| rule.squawk)
        .map(|rule| rule.id.to_owned())
        .collect();
    assert_eq!(ours, theirs);
    let names: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
    assert_eq!(names.len(), rules().len(), "no name twice");
}

const TABLE: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);";

fn findings_of(old: &[&str], pending: &[&str], settings: &Lint) -> Vec<String> {
    let project = Project::new();
    for (index, sql) in old.iter().enumerate() {
        project.write("tenant", &format!("{:04}_old.sql", index + 1), sql);
    }
    for (index, sql) in pending.iter().enumerate() {
        project.write("tenant", &format!("{:04}_new.sql", index + 101), sql);
    }
    let set = project.load(EngineKind::Postgres);
    messages(
        &set,
        &chosen(&set, |name| name == "new"),
        EngineKind::Postgres,
        settings,
    )
}

#[test]
fn only_what_is_pending_is_looked_at() {
    let drop = "ALTER TABLE orders DROP COLUMN note;";
    let settings = Lint::default();
    assert_eq!(
        findings_of(&[TABLE, drop], &["SELECT 1;"], &settings),
        Vec::<String>::new()
    );
    let found = findings_of(&[TABLE], &[drop], &settings);
    assert_eq!(
        found,
        ["Warning: `orders`.`note`: dropping a column may break existing clients [ban-drop-column]"]
    );
}

#[test]
fn a_table_that_is_made_on_the_way_is_new() {
    let later = "CREATE INDEX orders_note ON orders (note);\nALTER TABLE orders DROP COLUMN note;";
    assert_eq!(
        findings_of(&[], &[TABLE, later], &Lint::default()),
        Vec::<String>::new()
    );
    assert_eq!(findings_of(&[TABLE], &[later], &Lint::default()).len(), 2);
}

#[test]
fn comments_allow_with_a_reason() {
    let settings = Lint::default();
    let allowed = |sql: &str| findings_of(&[TABLE], &[sql], &settings);
    for quiet in [
        "-- tenantgate: allow(ban-drop-column) because nobody reads it since May\nALTER TABLE orders DROP COLUMN note;",
        "SELECT 1;\n\n-- tenantgate: allow(ban-drop-column, renaming-table) because both are unused\n\
         ALTER TABLE orders DROP COLUMN note, RENAME TO purchases;",
        "-- tenantgate: allow-file(ban-drop-column) because it is a clean-up\nSELECT 1;\nALTER TABLE orders DROP COLUMN note;",
        "-- squawk-ignore ban-drop-column\nALTER TABLE orders DROP COLUMN note;",
    ] {
        let found = allowed(quiet);
        let unexpected: Vec<_> = found.iter().filter(|it| it.contains("[ban-")).collect();
        assert!(unexpected.is_empty(), "{quiet}: {found:?}");
    }
    let other = "-- tenantgate: allow(ban-drop-column) because of the first\nSELECT 1;\nALTER TABLE orders DROP COLUMN note;";
    let found = allowed(other);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[1].starts_with("Warning: `ban-drop-column` finds nothing here"),
        "{found:?}"
    );
    let found = allowed("-- tenantgate: allow(ban-drop-colum) because why\nSELECT 1;");
    assert_eq!(found, ["Error: there is no rule `ban-drop-colum`"]);
    let found = allowed("SELECT 1;\n-- tenantgate: allow-file(ban-drop-table) because why\nSELECT 2;");
    assert_eq!(found, ["Error: `allow-file` stands before the first statement"]);
}

#[test]
fn a_comment_is_of_use_where_its_migration_comes_alone() {
    let drop =
        "-- tenantgate: allow(ban-drop-column) because it is empty\nALTER TABLE orders DROP COLUMN note;";
    assert_eq!(
        findings_of(&[], &[TABLE, drop], &Lint::default()),
        Vec::<String>::new()
    );
    let update =
        "-- tenantgate: allow(update-without-where) because it is small\nUPDATE orders SET note = '';";
    assert_eq!(
        findings_of(&[], &[TABLE, update], &Lint::default()),
        Vec::<String>::new()
    );
}

#[test]
fn what_the_environment_before_passed_with_is_a_note() {
    let project = Project::new();
    project.write("tenant", "0001_old.sql", TABLE);
    project.write("tenant", "0002_new.sql", "ALTER TABLE orders DROP COLUMN note;");
    let set = project.load(EngineKind::Postgres);
    let settings = Lint::default();
    let mut options = Options {
        settings: &settings,
        server: None,
        accepted: None,
    };
    let world = world(EngineKind::Postgres);
    let warnings = warnings(&set, &world, options);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    options.accepted = Some(("dev", &warnings));
    let of = |set: &MigrationSet| {
        let linted = lint(set, &chosen(set, |name| name == "new"), &world, options);
        let findings: Vec<_> = linted.checks.into_iter().flat_map(|it| it.findings).collect();
        assert_eq!(findings.len(), 1);
        (findings[0].severity, findings[0].message.clone())
    };
    let (severity, message) = of(&set);
    assert_eq!(severity, Severity::Note);
    assert!(
        message.ends_with("(accepted in dev) [ban-drop-column]"),
        "{message}"
    );
    // Another statement is another finding.
    project.write("tenant", "0002_new.sql", "ALTER TABLE orders DROP COLUMN id;");
    assert_eq!(of(&project.load(EngineKind::Postgres)).0, Severity::Warning);
}

#[test]
fn places_are_those_of_the_file() {
    let project = Project::new();
    project.write("tenant", "0001_old.sql", TABLE);
    let sql = "-- é\nSELECT 'ü'; ALTER TABLE orders\n  DROP COLUMN note;\n\n  DELETE FROM orders;";
    project.write("tenant", "0002_new.sql", sql);
    let set = project.load(EngineKind::Postgres);
    let settings = Lint::default();
    let options = Options {
        settings: &settings,
        server: Some("PostgreSQL 15.18"),
        accepted: None,
    };
    let linted = lint(
        &set,
        &chosen(&set, |name| name == "new"),
        &world(EngineKind::Postgres),
        options,
    );
    let places: BTreeMap<_, _> = linted
        .checks
        .iter()
        .flat_map(|it| &it.findings)
        .map(|it| (it.line.unwrap(), it.column.unwrap()))
        .collect();
    assert_eq!(places, BTreeMap::from([(3, 3), (5, 3)]));
}
