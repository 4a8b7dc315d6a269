//! Where migrations are, and whose.

use std::collections::BTreeMap;

use crate::migrations::is_migration;

use super::tree::{Tree, file_name, folder_of};
use super::{Layout, Other};

const SHARED: &[&str] = &[
    "shared", "public", "common", "global", "main", "master", "core", "system", "central", "landlord",
    "platform", "control",
];
const TENANT: &[&str] = &[
    "tenant",
    "tenants",
    "per_tenant",
    "per-tenant",
    "client",
    "clients",
    "customer",
    "customers",
    "organisation",
    "organisations",
    "organization",
    "organizations",
    "company",
    "companies",
];
/// Folders with these parts hold no migrations of the project.
const ASIDE: &[&str] = &[
    "test", "tests", "fixtures", "examples", "example", "testdata", "seeds", "seed",
];

/// What makes SQL another tool's: it has both ways in one file, or its names are not ours.
const DBMATE: Other = other(
    "dbmate",
    "each file has its way back below `-- migrate:down`, which would run, too: keep \
     only what is above it, as <version>_<name>.sql",
);
const GOOSE: Other = other(
    "goose",
    "each file has its way back below `-- +goose Down`, which would run, too: keep \
     only what is above it, as <version>_<name>.sql",
);
const SQL_MIGRATE: Other = other(
    "sql-migrate",
    "each file has its way back below `-- +migrate Down`, which would run, \
     too: keep only what is above it, as <version>_<name>.sql",
);
const FLYWAY: Other = other(
    "Flyway",
    "rename V1__name.sql to 1_name.sql; R__ scripts have no counterpart here",
);
const PRISMA: Other = other(
    "Prisma",
    "copy each <version>_<name>/migration.sql to a file <version>_<name>.sql",
);
const DRIZZLE: Other = other(
    "Drizzle",
    "versions begin at 1 here: copy 0000_name.sql to 0001_name.sql, and so on",
);
const DJANGO: Other = other(
    "Django",
    "Django's own migrations are not run by this version: \
     `manage.py sqlmigrate APP NUMBER` prints one as SQL",
);
const ALEMBIC: Other = other(
    "Alembic",
    "migrations in Python are not run: `alembic upgrade A:B --sql` prints them as SQL",
);
const RAILS: Other = other("Rails", "migrations in Ruby are not run: write their SQL");
const LARAVEL: Other = other(
    "Laravel",
    "migrations in PHP are not run: `artisan migrate --pretend` prints their SQL",
);
const LIQUIBASE: Other = other(
    "Liquibase",
    "changelogs are not run: `liquibase update-sql` prints their SQL",
);
const SUPABASE: Other = other(
    "Supabase",
    "its files fit; where row-level security keeps tenants apart say mode = \"row\"; \
     Supabase's own history is not read",
);

const DIESEL: Other = other(
    "Diesel",
    "copy each <version>_<name>/up.sql to a file <version>_<name>.sql",
);
const UNNAMED: Other = other(
    "SQL files with other names",
    "they are not used: rename each to <version>_<name>.sql, so 20240101120000-init.sql to 20240101120000_init.sql",
);
static JAVASCRIPT: Other = other(
    "JavaScript (knex, Sequelize, TypeORM)",
    "migrations in code are not run: write their SQL to files <version>_<name>.sql",
);
static CODE: Other = other(
    "migrations in code",
    "they are not run: write their SQL to files <version>_<name>.sql",
);
const CODE_ENDS: &[&str] = &[
    "cs", "ex", "exs", "go", "java", "kt", "php", "py", "rb", "rs", "scala",
];

const fn other(what: &'static str, advice: &'static str) -> Other {
    Other {
        what,
        folder: String::new(),
        advice,
    }
}

fn in_folder(other: &Other, folder: &str) -> Other {
    Other {
        folder: folder.to_owned(),
        ..other.clone()
    }
}

pub(super) fn find(tree: &Tree) -> Layout {
    let mut others = code(tree);
    let mut plain = Vec::new();
    for (folder, files) in sql_folders(tree) {
        match whose(tree, folder, &files) {
            Some(other) => others.push(in_folder(&other, folder)),
            None if files.iter().any(|file| is_migration(file_name(file))) => plain.push(folder),
            None if is_unnamed(folder, &files) => others.push(in_folder(&UNNAMED, folder)),
            None => {}
        }
    }
    others.sort_by(|a, b| (a.what, &a.folder).cmp(&(b.what, &b.folder)));
    others.dedup_by(|a, b| a.what == b.what && a.what == DJANGO.what);
    choose(plain, others, tree)
}

/// The best pair; else the best single folder; else a pair to be made.
fn choose(mut plain: Vec<&str>, mut others: Vec<Other>, tree: &Tree) -> Layout {
    plain.sort_by_key(|folder| (!folder.contains("migrat"), folder.matches('/').count(), *folder));
    let supabase = plain
        .iter()
        .find(|folder| folder.ends_with("supabase/migrations"));
    others.extend(supabase.map(|folder| in_folder(&SUPABASE, folder)));
    if let Some((shared, tenant)) = plain.iter().find_map(|folder| pair(folder, &plain)) {
        return Layout {
            shared: Some(shared),
            tenant: Some(tenant),
            to_make: false,
            others,
        };
    }
    if let Some(folder) = plain.first() {
        let is_shared = folder.split('/').any(|part| SHARED.contains(&part));
        let is_supabase = supabase == Some(folder);
        let folder = Some((*folder).to_owned());
        let (shared, tenant) = if is_shared || is_supabase {
            (folder, None)
        } else {
            (None, folder)
        };
        return Layout {
            shared,
            tenant,
            to_make: false,
            others,
        };
    }
    // Where `migrations` is another tool's, ours do not lie among them.
    let taken = tree.files.iter().any(|file| file.starts_with("migrations/"));
    let folder = if taken { "tenantgate" } else { "migrations" };
    Layout {
        shared: Some(format!("{folder}/shared")),
        tenant: Some(format!("{folder}/tenant")),
        to_make: true,
        others,
    }
}

/// `db/shared/migrations` and `db/tenant/migrations`: two folders that differ in one part.
fn pair(folder: &str, all: &[&str]) -> Option<(String, String)> {
    let parts: Vec<&str> = folder.split('/').collect();
    let shared = parts.iter().position(|part| SHARED.contains(part))?;
    TENANT.iter().find_map(|word| {
        let mut tenant = parts.clone();
        tenant[shared] = word;
        let tenant = tenant.join("/");
        all.contains(&tenant.as_str())
            .then(|| (folder.to_owned(), tenant))
    })
}

/// Folders with SQL, without those that are made for tests.
fn sql_folders(tree: &Tree) -> BTreeMap<&str, Vec<&str>> {
    let mut folders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in &tree.files {
        let folder = folder_of(file);
        let aside = folder.split('/').any(|part| ASIDE.contains(&part));
        if file.to_ascii_lowercase().ends_with(".sql") && !aside && can_stand(folder) {
            folders.entry(folder).or_default().push(file);
        }
    }
    folders
}

/// What the config takes for a folder.
fn can_stand(folder: &str) -> bool {
    !folder.is_empty() && !folder.contains("://") && !folder.contains(char::is_control)
}

fn whose(tree: &Tree, folder: &str, files: &[&str]) -> Option<Other> {
    let journal = format!("{folder}/meta/_journal.json");
    if tree.files.contains(&journal) {
        return Some(DRIZZLE);
    }
    if files.iter().any(|file| is_flyway(file_name(file))) {
        return Some(FLYWAY);
    }
    let first = files.iter().find(|file| is_migration(file_name(file)))?;
    let text = tree.text(first)?;
    let marker = |marker: &str| text.lines().any(|line| line.trim().starts_with(marker));
    [
        ("-- migrate:up", DBMATE),
        ("-- +goose Up", GOOSE),
        ("-- +migrate Up", SQL_MIGRATE),
    ]
    .into_iter()
    .find_map(|(text, other)| marker(text).then_some(other))
}

/// SQL that somebody means for migrations: `20240101120000-init.sql`, or anything in a folder of that name.
fn is_unnamed(folder: &str, files: &[&str]) -> bool {
    let last = file_name(folder);
    let numbered = |file: &&str| file_name(file).starts_with(|c: char| c.is_ascii_digit());
    let of_one_migration = last.starts_with(|c: char| c.is_ascii_digit());
    !of_one_migration && (names_migrations(last) || files.iter().any(numbered))
}

fn names_migrations(folder: &str) -> bool {
    folder.to_ascii_lowercase().contains("migrat")
}

/// `V1__name.sql`, `V2026.01.02__name.sql`, `R__name.sql`
fn is_flyway(name: &str) -> bool {
    let Some((head, _)) = name.split_once("__") else {
        return false;
    };
    head == "R"
        || head
            .strip_prefix('V')
            .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()))
}

/// Tools whose migrations are not files of SQL in one folder.
fn code(tree: &Tree) -> Vec<Other> {
    let mut found = BTreeMap::new();
    for file in &tree.files {
        let (folder, name) = (folder_of(file), file_name(file));
        let last = file_name(folder);
        let above = folder_of(folder);
        let numbered = name.starts_with(|c: char| c.is_ascii_digit());
        let (other, folder) = match name {
            "migration.sql" if numbered_folder(last) => (&PRISMA, above),
            "up.sql" if last.starts_with(|c: char| c.is_ascii_digit()) => (&DIESEL, above),
            _ if numbered && name.ends_with(".py") && last == "migrations" => (&DJANGO, folder),
            "env.py" if tree.files.iter().any(|it| it.ends_with("alembic.ini")) => (&ALEMBIC, folder),
            _ if numbered && name.ends_with(".rb") && last == "migrate" => (&RAILS, folder),
            _ if numbered && name.ends_with(".php") && last == "migrations" => (&LARAVEL, folder),
            _ if name.contains("changelog")
                && [".xml", ".yaml", ".yml"].iter().any(|end| name.ends_with(end)) =>
            {
                (&LIQUIBASE, folder)
            }
            _ if names_migrations(last) => match in_code(name) {
                Some(other) => (other, folder),
                None => continue,
            },
            _ => continue,
        };
        found
            .entry((other.what, folder))
            .or_insert_with(|| in_folder(other, folder));
    }
    found.into_values().collect()
}

/// `20240101120000_init.js`, `Version20240101.php`, `1700000000000-Init.ts`
fn in_code(name: &str) -> Option<&'static Other> {
    let (stem, end) = name.rsplit_once('.')?;
    let begins = |head: &str| {
        let rest = stem.strip_prefix(head);
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if !["", "V", "Version", "Migration"].into_iter().any(begins) {
        return None;
    }
    match end {
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" => Some(&JAVASCRIPT),
        _ => CODE_ENDS.contains(&end).then_some(&CODE),
    }
}

fn numbered_folder(name: &str) -> bool {
    name.split_once('_')
        .is_some_and(|(digits, _)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
