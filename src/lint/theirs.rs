//! What squawk cannot know of a statement: how the file goes on, what earlier ones have made, and what other rules
//! say of it.

use crate::domain::Scope;
use crate::rules::{Group, Rule};

use super::name::Name;
use super::read::{Act, acts, item_at, says};
use super::replaced::{is_copied, is_made_again};
use super::rules::{in_utc, only_widens, rewrites_nothing};
use super::seen::{Hit, Seen};
use super::tokens::Piece;

/// A message that has room for the table's name.
const SHORT: usize = 120;

const FOREIGN_KEY: &str = "adding-foreign-key-constraint";
const NOT_VALID: &str = "constraint-missing-not-valid";

/// What squawk has found in one statement.
pub(super) struct Theirs<'s, 'a> {
    seen: &'s Seen<'a>,
    tables: Vec<&'s Name>,
    /// Places of foreign keys that are found.
    foreign_keys: Vec<(usize, usize)>,
    /// `lock-over-all-tenants` speaks of it.
    locks_all: bool,
}

impl<'s, 'a> Theirs<'s, 'a> {
    pub(super) fn of(
        seen: &'s Seen<'a>,
        hits: &[(&'static Rule, Hit)],
        is_off: impl Fn(&str) -> bool,
    ) -> Self {
        let scope: Scope = seen.which.0;
        let of_act = |act: &'s Act| match act {
            Act::Index { index } | Act::RenameIndex { index, .. } => seen.catalog.indexed(scope, index),
            act => act.table(),
        };
        let mut tables: Vec<&Name> = seen.acts.iter().filter_map(of_act).collect();
        tables.dedup();
        let foreign_keys = hits.iter().filter(|(rule, _)| rule.id == FOREIGN_KEY);
        let locks = |act: &Act| matches!(act, Act::CreateIndex { table, .. } if seen.is_shared(table));
        Self {
            seen,
            tables,
            foreign_keys: foreign_keys.map(|(_, hit)| (hit.line, hit.column)).collect(),
            locks_all: !is_off("lock-over-all-tenants") && seen.acts.iter().any(locks),
        }
    }

    /// The hit as it is told; none where there is nothing to tell.
    pub(super) fn weigh(&self, rule: &Rule, hit: Hit) -> Option<Hit> {
        let is_new = !self.tables.is_empty() && self.tables.iter().all(|table| self.seen.is_new(table));
        if is_new && rule.group != Group::Style {
            return None;
        }
        let item = item_at(self.seen.pieces, (hit.line, hit.column));
        let hit = match rule.id {
            "ban-drop-table" | "renaming-table" => (!self.is_replaced()).then_some(hit),
            "changing-column-type" => self.changes_type(&item, hit),
            "ban-drop-column" => Some(self.names_column(&item, hit)),
            "require-concurrent-index-creation" => (!self.locks_all).then_some(hit),
            "require-concurrent-index-deletion" => Some(self.names_index(hit)),
            FOREIGN_KEY => Some(self.points_to(&item, hit)),
            NOT_VALID => self.not_valid(&item, hit),
            _ => Some(hit),
        };
        hit.map(|hit| self.with_table(hit))
    }

    fn with_table(&self, mut hit: Hit) -> Hit {
        let is_named = hit.message.starts_with('`');
        if let ([table], true, false) = (self.tables.as_slice(), hit.message.len() < SHORT, is_named) {
            hit.message = format!("`{table}`: {}", hit.message);
        }
        hit
    }

    /// Rows and name live on.
    fn is_replaced(&self) -> bool {
        let seen = self.seen;
        let kind = seen.world.kind;
        let answer = |act: &Act| match act {
            Act::DropTable { table, tolerant } => Some(
                seen.is_new(table)
                    || *tolerant && seen.is_gone(table)
                    || is_copied(seen.migration, table, kind),
            ),
            Act::RenameTable { table, .. } => {
                Some(seen.is_new(table) || is_made_again(seen.migration, table, kind))
            }
            _ => None,
        };
        let mut answers = seen.acts.iter().filter_map(answer).peekable();
        answers.peek().is_some() && answers.all(|it| it)
    }

    fn changes_type(&self, item: &[Piece], mut hit: Hit) -> Option<Hit> {
        let changed = acts(item).into_iter().find_map(|act| match act {
            Act::ChangeColumn {
                table,
                column,
                data_type,
                computed,
                ..
            } => Some((table, column, data_type, computed)),
            _ => None,
        });
        let Some((table, column, data_type, computed)) = changed else {
            return Some(hit);
        };
        let seen = self.seen;
        let known = seen.catalog.find(seen.which.0, &table, seen.world);
        let before = known.and_then(|it| it.columns.get(&column.to_lowercase()));
        let stays = |before: &String| {
            only_widens(before, &data_type)
                || in_utc(seen.migration, seen.statement) && rewrites_nothing(before, &data_type)
        };
        if !computed && before.is_some_and(stays) {
            return None;
        }
        hit.message = match before {
            Some(before) => format!(
                "`{table}`.`{column}` becomes {data_type}, was {before}: the table is written anew under a lock against reads and writes"
            ),
            None => format!(
                "`{table}`.`{column}` becomes {data_type}: the table may be written anew under a lock against reads and writes"
            ),
        };
        Some(hit)
    }

    fn names_column(&self, item: &[Piece], mut hit: Hit) -> Hit {
        for act in acts(item) {
            if let Act::DropColumn { table, column } = act {
                hit.message = format!("`{table}`.`{column}`: {}", hit.message);
            }
        }
        hit
    }

    fn names_index(&self, mut hit: Hit) -> Hit {
        let names = self.seen.acts.iter().filter_map(|act| match act {
            Act::Index { index } => Some(format!("`{index}`")),
            _ => None,
        });
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            let on = match self.tables.as_slice() {
                [table] => format!(" of `{table}`"),
                _ => String::new(),
            };
            hit.message = format!("{}{on}: {}", names.join(", "), hit.message);
        }
        hit
    }

    /// A column that is new and empty has nothing to be looked at: PostgreSQL skips the scan, unless another action
    /// of the statement wants it (`transformAlterTableStmt` in `parse_utilcmd.c`).
    fn points_to(&self, item: &[Piece], hit: Hit) -> Hit {
        let looks = |act: &Act| matches!(act, Act::AddColumn { column, .. } if column.has_default);
        let scans = self.seen.acts.iter().any(looks) || says(self.seen.pieces, &["FOREIGN", "KEY"]);
        let added = acts(item).into_iter().find_map(|act| match act {
            Act::AddColumn { table, column } => Some((table, column.name)),
            _ => None,
        });
        match added {
            Some((table, column)) if !scans => Hit {
                message: format!(
                    "`{table}`.`{column}` points to another table: both are locked against writes until this commits"
                ),
                once: Some(format!(
                    "{}:{}",
                    self.seen.statement.line, self.seen.statement.column
                )),
                safe: Some(
                    "no row is looked at, so it is short where nobody holds a lock for long: keep it apart from long ones",
                ),
                ..hit
            },
            _ => hit,
        }
    }

    /// Only checks and foreign keys can be left for later.
    fn not_valid(&self, item: &[Piece], mut hit: Hit) -> Option<Hit> {
        let is = |word: &str| says(item, &[word]);
        let begins = item.first().map(|it| (it.line, it.column));
        let same = |place: &(usize, usize)| {
            begins.is_some()
                && item_at(self.seen.pieces, *place).last().map(place_of) == item.last().map(place_of)
        };
        let is_told = is("UNIQUE") || is("PRIMARY") || self.foreign_keys.iter().any(same);
        if is_told {
            return None;
        }
        if is("EXCLUDE") {
            hit.message =
                "an EXCLUDE constraint builds an index under a lock against reads and writes".to_owned();
            hit.safe = Some("where the table is large make it anew with the constraint, and copy the rows");
        }
        Some(hit)
    }
}

fn place_of(piece: &Piece) -> (usize, usize) {
    (piece.line, piece.column)
}
