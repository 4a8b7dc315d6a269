//! One file by every rule.

use std::collections::{HashSet, VecDeque};

use crate::database_url::EngineKind;
use crate::domain::{Finding, Migration, Statement};
use crate::rules::{Level, Rule, named, rules};

use super::accepted::Accepted;
use super::allow::Allows;
use super::catalog::{Catalog, Which};
use super::pending::Options;
use super::read::acts;
use super::rules::{ALIKE, OURS, UNREADABLE};
use super::seen::{Hit, Seen};
use super::squawk;
use super::theirs::Theirs;
use super::tokens::pieces;
use super::world::World;

/// What was found in one file.
pub(super) struct File<'m> {
    pub(super) migration: &'m Migration,
    pub(super) found: Vec<Found>,
    /// About its allow comments.
    pub(super) comments: Vec<Finding>,
}

pub(super) struct Found {
    pub(super) rule: &'static Rule,
    pub(super) level: Level,
    pub(super) hit: Hit,
    pub(super) accepted: Accepted,
}

/// One file at a time.
pub(super) struct Reader<'a, 'm> {
    pub(super) world: &'a World,
    pub(super) options: Options<'a>,
    pub(super) which: Which,
    pub(super) migration: &'m Migration,
    pub(super) tenants_tables: &'a HashSet<String>,
    pub(super) fresh: &'a dyn Fn(Which) -> bool,
}

impl<'m> Reader<'_, 'm> {
    pub(super) fn read(&self, catalog: &mut Catalog) -> File<'m> {
        let (allows, mut comments) = Allows::of(self.migration);
        let mut found = Vec::new();
        let mut squawks = VecDeque::from(self.squawk());
        let mut of_none = Vec::new();
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
            let (begin, end) = extent(statement);
            let mut its = Vec::new();
            while let Some(hit) = squawks.pop_front_if(|(_, hit)| (hit.line, hit.column) <= end) {
                let within = begin <= (hit.1.line, hit.1.column);
                if within { its.push(hit) } else { of_none.push(hit) }
            }
            found.extend(self.theirs(&seen, its, &allows));
            for act in &acts {
                catalog.apply(self.which, act, self.world);
            }
        }
        // Of no statement: of comments, or of what was not told apart.
        for (rule, hit) in of_none.into_iter().chain(squawks) {
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
        let own = OURS.iter().map(|(id, check)| (*id, check));
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
        hits.sort_by_key(|(_, hit): &(&Rule, Hit)| (hit.line, hit.column));
        hits
    }

    fn theirs(&self, seen: &Seen<'_>, hits: Vec<(&'static Rule, Hit)>, allows: &Allows<'_>) -> Vec<Found> {
        let is_off = |id: &str| named(id).is_none_or(|rule| self.level(rule) == Level::Off);
        let theirs = Theirs::of(seen, &hits, is_off);
        let mut found = Vec::new();
        for (rule, hit) in hits {
            if allows.allow(rule.id, Some(seen.statement)) {
                continue;
            }
            let hit = theirs.weigh(rule, hit);
            found.extend(hit.map(|hit| self.found(rule, hit, Some(seen.statement))));
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
    named(UNREADABLE)
}

/// Lines and columns of a statement's begin and end.
fn extent(statement: &Statement) -> ((usize, usize), (usize, usize)) {
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
    ((statement.line, statement.column), end)
}
