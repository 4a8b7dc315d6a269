//! Every chosen migration by every rule, in the order in which they run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::domain::{Check, Finding, Migration, MigrationSet, Scope};
use crate::rules::{Group, Level};
use crate::settings::Lint;

use super::accepted::Accepted;
use super::catalog::{Catalog, Which};
use super::file::{File, Found, Reader};
use super::read::{Act, acts};
use super::tokens::pieces;
use super::world::World;
use super::{ALLOW, MOST_ACCEPTED};

/// Which migrations are looked at, by their indexes. The others are what came before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    pub shared: BTreeSet<usize>,
    pub tenant: BTreeSet<usize>,
}

impl Chosen {
    /// The whole set.
    pub fn all(set: &MigrationSet) -> Self {
        Self {
            shared: (0..set.shared.len()).collect(),
            tenant: (0..set.tenant.len()).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.tenant.is_empty()
    }

    fn has(&self, (scope, index): Which) -> bool {
        match scope {
            Scope::Shared => self.shared.contains(&index),
            Scope::Tenant => self.tenant.contains(&index),
        }
    }
}

/// How findings are weighed.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    pub settings: &'a Lint,
    /// `PostgreSQL 15.18`, where it is known.
    pub server: Option<&'a str>,
    /// What the environment before has passed with, and its name.
    pub accepted: Option<(&'a str, &'a [Accepted])>,
}

/// What was found.
#[derive(Debug)]
pub struct Linted {
    /// One for each group, in their order, then that of the comments.
    pub checks: Vec<Check>,
    /// Tables that the chosen migrations make: they are taken for empty, and for nobody's.
    pub new_tables: usize,
}

/// Looks at the chosen migrations. Nothing to look at is answered, too.
pub fn lint(set: &MigrationSet, chosen: &Chosen, world: &World, options: Options<'_>) -> Linted {
    let mut findings: BTreeMap<Group, Vec<Finding>> = BTreeMap::new();
    let mut about_comments = Vec::new();
    let mut new_tables = 0;
    if !chosen.is_empty() {
        let fresh = |_: Which, made_by: Which| chosen.has(made_by);
        let (files, catalog) = walk(set, chosen, world, options, &fresh);
        new_tables = catalog.made(|made_by| chosen.has(made_by));
        for file in files {
            about_comments.extend(file.comments);
            for found in file.found {
                let group = findings.entry(found.rule.group).or_default();
                group.push(weigh(found, file.migration, options));
            }
        }
    }
    let answer = |group: &Group| Check::answered(group.check(), findings.remove(group).unwrap_or_default());
    let mut checks: Vec<Check> = Group::ALL.iter().map(answer).collect();
    checks.push(Check::answered(&ALLOW, about_comments));
    Linted { checks, new_tables }
}

/// The warnings that whoever passes with this set has passed with, the newest migrations' first. Of each
/// migration as if it came alone: nobody knows which of them the next environment lacks.
pub fn warnings(set: &MigrationSet, world: &World, options: Options<'_>) -> Vec<Accepted> {
    let alone = |current: Which, made_by: Which| current == made_by;
    let newest = |scope| {
        let count = set.of(scope).len();
        (count.saturating_sub(NEWEST)..count).collect()
    };
    let chosen = Chosen {
        shared: newest(Scope::Shared),
        tenant: newest(Scope::Tenant),
    };
    let (mut files, _) = walk(set, &chosen, world, options, &alone);
    files.sort_by_key(|file| std::cmp::Reverse(file.migration.version));
    let mut accepted: Vec<Accepted> = Vec::new();
    for found in files.into_iter().flat_map(|file| file.found) {
        let is_new = found.level == Level::Warning && !accepted.contains(&found.accepted);
        if is_new && accepted.len() < MOST_ACCEPTED {
            accepted.push(found.accepted);
        }
    }
    accepted
}

/// Older ones have passed long ago.
const NEWEST: usize = 100;

/// Whether a table that the second migration made is new to the first.
type Fresh<'f> = &'f dyn Fn(Which, Which) -> bool;

fn walk<'m>(
    set: &'m MigrationSet,
    chosen: &Chosen,
    world: &World,
    options: Options<'_>,
    fresh: Fresh<'_>,
) -> (Vec<File<'m>>, Catalog) {
    let tenants_tables = tenants_tables(set, world);
    let mut catalog = Catalog::default();
    let mut files = Vec::new();
    for scope in Scope::ALL {
        for (index, migration) in set.of(scope).iter().enumerate() {
            let which = (scope, index);
            if !chosen.has(which) {
                for statement in &migration.statements {
                    for act in acts(&pieces(statement, world.kind)) {
                        catalog.apply(which, &act, world);
                    }
                }
                continue;
            }
            let reader = Reader {
                world,
                options,
                which,
                migration,
                tenants_tables: &tenants_tables,
                fresh: &|made_by| fresh(which, made_by),
            };
            files.push(reader.read(&mut catalog));
        }
    }
    (files, catalog)
}

/// Those that the shared migrations do not make, in small letters.
fn tenants_tables(set: &MigrationSet, world: &World) -> HashSet<String> {
    let made = |scope| {
        let mut names = HashSet::new();
        for statement in set.of(scope).iter().flat_map(|it| &it.statements) {
            for act in acts(&pieces(statement, world.kind)) {
                match act {
                    Act::CreateTable { table, .. } if table.schema.is_none() => {
                        names.insert(table.name.to_lowercase());
                    }
                    Act::RenameTable { to, .. } => {
                        names.insert(to.to_lowercase());
                    }
                    _ => {}
                }
            }
        }
        names
    };
    &made(Scope::Tenant) - &made(Scope::Shared)
}

fn weigh(found: Found, migration: &Migration, options: Options<'_>) -> Finding {
    let before = options
        .accepted
        .filter(|(_, accepted)| found.level == Level::Warning && accepted.contains(&found.accepted));
    let accepted = before.map_or_else(String::new, |(name, _)| format!(" (accepted in {name})"));
    let message = format!("{}{accepted} [{}]", found.hit.message, found.rule.id);
    let finding = match (found.level, before) {
        (_, Some(_)) | (Level::Note | Level::Off, _) => Finding::note(message),
        (level, None) if level >= options.settings.fail_on => Finding::error(message),
        (_, None) => Finding::warning(message),
    };
    finding
        .hint(found.hit.safe.unwrap_or(found.rule.safe))
        .file(&migration.file)
        .at(found.hit.line, found.hit.column)
}
