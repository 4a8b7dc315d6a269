//! Every chosen migration by every rule, in the order in which they run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::database_url::EngineKind;
use crate::domain::{Check, Finding, Migration, MigrationSet, Scope, Statement};
use crate::settings::Lint;

use super::accepted::Accepted;
use super::allow::Allows;
use super::catalog::{Catalog, Which};
use super::name::Name;
use super::read::{Act, acts};
use super::replaced::{is_copied, is_made_again};
use super::rule::{Group, Level, Rule};
use super::rules::{ALIKE, OURS, UNREADABLE, named, only_widens, rules};
use super::seen::{Hit, Seen};
use super::squawk;
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
}

/// Looks at the chosen migrations. Nothing to look at is answered, too.
pub fn lint(set: &MigrationSet, chosen: &Chosen, world: &World, options: Options<'_>) -> Linted {
    let mut findings: BTreeMap<Group, Vec<Finding>> = BTreeMap::new();
    let mut about_comments = Vec::new();
    if !chosen.is_empty() {
        let fresh = |_: Which, made_by: Which| chosen.has(made_by);
        for file in walk(set, chosen, world, options, &fresh) {
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
    Linted { checks }
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
    let mut files = walk(set, &chosen, world, options, &alone);
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

/// What was found in one file.
struct File<'m> {
    migration: &'m Migration,
    found: Vec<Found>,
    /// About its allow comments.
    comments: Vec<Finding>,
}

struct Found {
    rule: &'static Rule,
    level: Level,
    hit: Hit,
    accepted: Accepted,
}

/// Whether a table that the second migration made is new to the first.
type Fresh<'f> = &'f dyn Fn(Which, Which) -> bool;

fn walk<'m>(
    set: &'m MigrationSet,
    chosen: &Chosen,
    world: &World,
    options: Options<'_>,
    fresh: Fresh<'_>,
) -> Vec<File<'m>> {
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
    files
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

/// One file at a time.
struct Reader<'a, 'm> {
    world: &'a World,
    options: Options<'a>,
    which: Which,
    migration: &'m Migration,
    tenants_tables: &'a HashSet<String>,
    fresh: &'a dyn Fn(Which) -> bool,
}

impl<'m> Reader<'_, 'm> {
    fn read(&self, catalog: &mut Catalog) -> File<'m> {
        let (allows, mut comments) = Allows::of(self.migration);
        let mut found = Vec::new();
        let mut squawks = self.squawk();
        for statement in &self.migration.statements {
            let pieces = pieces(statement, self.world.kind);
            let acts = acts(&pieces);
            let seen = Seen {
                world: self.world,
                catalog,
                migration: self.migration,
                which: self.which,
                statement,
                pieces: &pieces,
                acts: &acts,
                tenants_tables: self.tenants_tables,
                fresh: self.fresh,
            };
            found.extend(self.ours(&seen, &allows));
            let (its, others) = squawks.into_iter().partition(|(_, hit)| is_in(hit, statement));
            squawks = others;
            found.extend(self.theirs(&seen, its, &allows));
            for act in &acts {
                catalog.apply(self.which, act, self.world);
            }
        }
        // Of no statement: of comments, or of what was not told apart.
        for (rule, hit) in squawks {
            if !allows.allow(rule.id, None) {
                found.push(self.found(rule, hit, None));
            }
        }
        found.retain(|it| it.level != Level::Off);
        found.sort_by_key(|it| (it.hit.line, it.hit.column));
        let mut said = HashSet::new();
        found.retain(|it| {
            let once = it.hit.once.clone();
            once.is_none_or(|once| said.insert((it.rule.id, once)))
        });
        comments.extend(allows.unused());
        File {
            migration: self.migration,
            found,
            comments,
        }
    }

    fn ours(&self, seen: &Seen<'_>, allows: &Allows<'_>) -> Vec<Found> {
        let own = OURS.iter().map(|(rule, check)| (rule.id, check));
        let read_by_squawk = self.world.kind == EngineKind::Postgres;
        let alike = ALIKE
            .iter()
            .filter(|_| !read_by_squawk)
            .map(|(id, check)| (*id, check));
        let mut found = Vec::new();
        for (id, check) in own.chain(alike) {
            let Some(rule) = named(id).filter(|rule| self.level(rule) != Level::Off) else {
                continue;
            };
            if !allows.is_empty() {
                // Where it comes alone the comment is needed.
                let strict = Seen {
                    fresh: &|_| false,
                    ..*seen
                };
                if !check(&strict).is_empty() && allows.allow(id, Some(seen.statement)) {
                    continue;
                }
            }
            let hits = check(seen).into_iter();
            found.extend(hits.map(|hit| self.found(rule, hit, Some(seen.statement))));
        }
        found
    }

    fn squawk(&self) -> Vec<(&'static Rule, Hit)> {
        if self.world.kind != EngineKind::Postgres {
            return Vec::new();
        }
        let wanted = rules()
            .iter()
            .filter(|rule| rule.squawk && self.level(rule) != Level::Off);
        let read = squawk::read(self.migration, wanted, self.options.server);
        let named = |(id, hit): (String, Hit)| named(&id).map(|rule| (rule, hit));
        let mut hits: Vec<_> = read.hits.into_iter().filter_map(named).collect();
        hits.extend(read.unreadable.and_then(|hit| Some((named_unreadable()?, hit))));
        hits
    }

    fn theirs(&self, seen: &Seen<'_>, hits: Vec<(&'static Rule, Hit)>, allows: &Allows<'_>) -> Vec<Found> {
        let mut tables: Vec<&Name> = seen
            .acts
            .iter()
            .filter_map(|act| match act {
                Act::Index { index } => seen.catalog.indexed(self.which.0, index),
                act => act.table(),
            })
            .collect();
        tables.dedup();
        let is_new = !tables.is_empty() && tables.iter().all(|table| seen.is_new(table));
        let foreign_key = hits
            .iter()
            .any(|(rule, _)| rule.id == "adding-foreign-key-constraint");
        let mut found = Vec::new();
        for (rule, mut hit) in hits {
            // The one says what the other says.
            let twice = foreign_key && rule.id == "constraint-missing-not-valid";
            let spared = is_new && rule.group != Group::Style;
            if allows.allow(rule.id, Some(seen.statement)) || spared || twice || is_harmless(rule, seen) {
                continue;
            }
            if let ([table], true) = (tables.as_slice(), hit.message.len() < SHORT) {
                hit.message = format!("`{table}`: {}", hit.message);
            }
            found.push(self.found(rule, hit, Some(seen.statement)));
        }
        found
    }

    fn found(&self, rule: &'static Rule, hit: Hit, statement: Option<&Statement>) -> Found {
        Found {
            rule,
            level: self.level(rule),
            hit,
            accepted: Accepted::of(rule.id, self.migration, statement),
        }
    }

    fn level(&self, rule: &Rule) -> Level {
        self.options
            .settings
            .level(rule, self.world.kind, &self.migration.file)
    }
}

fn named_unreadable() -> Option<&'static Rule> {
    named(UNREADABLE.id)
}

/// A message that has room for the table's name.
const SHORT: usize = 120;

/// What squawk cannot know: how the file goes on, and what earlier ones have made.
fn is_harmless(rule: &Rule, seen: &Seen<'_>) -> bool {
    let kind = seen.world.kind;
    let each = |harmless: &dyn Fn(&Act) -> Option<bool>| {
        let mut answers = seen.acts.iter().filter_map(harmless).peekable();
        answers.peek().is_some() && answers.all(|it| it)
    };
    match rule.id {
        "ban-drop-table" => each(&|act| match act {
            Act::DropTable { table } => Some(seen.is_new(table) || is_copied(seen.migration, table, kind)),
            _ => None,
        }),
        "renaming-table" => each(&|act| match act {
            Act::RenameTable { table, .. } => Some(is_made_again(seen.migration, table, kind)),
            _ => None,
        }),
        "changing-column-type" => each(&|act| match act {
            Act::ChangeColumn {
                table,
                column,
                data_type,
                ..
            } => {
                let known = seen.catalog.find(seen.which.0, table, seen.world);
                let before = known.and_then(|it| it.columns.get(&column.to_lowercase()));
                Some(before.is_some_and(|before| only_widens(before, data_type)))
            }
            _ => None,
        }),
        _ => false,
    }
}

/// A statement's text is without what stands around it.
fn is_in(hit: &Hit, statement: &Statement) -> bool {
    let lines = statement.sql.matches('\n').count();
    let last = statement
        .sql
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    let end = match lines {
        0 => (statement.line, statement.column + last),
        _ => (statement.line + lines, last + 1),
    };
    (statement.line, statement.column) <= (hit.line, hit.column) && (hit.line, hit.column) <= end
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
        .hint(found.rule.safe)
        .file(&migration.file)
        .at(found.hit.line, found.hit.column)
}
