//! Which tables and columns the migrations themselves have made so far.

use std::collections::{HashMap, HashSet};

use crate::domain::Scope;

use super::name::Name;
use super::read::Act;
use super::world::World;

/// A migration by its scope and its index in it.
pub(super) type Which = (Scope, usize);

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Types by name.
    pub(super) columns: HashMap<String, String>,
    /// By which migration.
    pub(super) made_by: Option<Which>,
}

/// Tables of the shared schema and of a tenant's, by name in small letters.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    tables: HashMap<(Scope, String), Table>,
    /// Whose tables indexes are on.
    indexes: HashMap<(Scope, String), Name>,
    /// Names that the migrations themselves have given up.
    gone: HashSet<(Scope, String)>,
}

impl Catalog {
    /// Whose a table is that a migration of the scope names; none where it is another schema's.
    pub(super) fn owner(&self, scope: Scope, table: &Name, world: &World) -> Option<Scope> {
        match &table.schema {
            Some(schema) if world.is_shared(schema) => Some(Scope::Shared),
            Some(_) => None,
            // As on the search path: the tenant's own first.
            None if scope == Scope::Tenant
                && world.sees_shared()
                && self.get(Scope::Tenant, table).is_none()
                && self.get(Scope::Shared, table).is_some() =>
            {
                Some(Scope::Shared)
            }
            None => Some(scope),
        }
    }

    pub(super) fn get(&self, scope: Scope, table: &Name) -> Option<&Table> {
        self.tables.get(&(scope, table.name.to_lowercase()))
    }

    /// As a migration of the scope sees it.
    pub(super) fn find(&self, scope: Scope, table: &Name, world: &World) -> Option<&Table> {
        self.get(self.owner(scope, table, world)?, table)
    }

    /// No table has the name any more: an earlier migration, or statement, has dropped or renamed it.
    pub(super) fn is_gone(&self, scope: Scope, table: &Name, world: &World) -> bool {
        let own = self.owner(scope, table, world);
        own.is_some_and(|own| self.gone.contains(&(own, table.name.to_lowercase())))
    }

    /// How many tables these migrations have made.
    pub(super) fn made(&self, by: impl Fn(Which) -> bool) -> usize {
        let tables = self.tables.values().filter_map(|it| it.made_by);
        tables.filter(|made_by| by(*made_by)).count()
    }

    /// The table of an index that a migration of the scope names.
    pub(super) fn indexed(&self, scope: Scope, index: &Name) -> Option<&Name> {
        self.indexes.get(&(scope, index.name.to_lowercase()))
    }

    pub(super) fn apply(&mut self, which: Which, act: &Act, world: &World) {
        let (scope, _) = which;
        match act {
            Act::CreateTable {
                table,
                columns,
                tolerant,
                ..
            } => {
                let own = match &table.schema {
                    Some(schema) if world.is_shared(schema) => Scope::Shared,
                    Some(_) => return,
                    None => scope,
                };
                let key = (own, table.name.to_lowercase());
                if *tolerant && self.tables.contains_key(&key) {
                    return;
                }
                let columns = columns
                    .iter()
                    .map(|it| (it.name.to_lowercase(), it.data_type.clone()));
                let table = Table {
                    columns: columns.collect(),
                    made_by: Some(which),
                };
                self.gone.remove(&key);
                self.tables.insert(key, table);
            }
            // A materialized view can have indexes.
            Act::CreateOther { name, what, .. } if what == "view" && name.schema.is_none() => {
                let view = Table {
                    made_by: Some(which),
                    ..Table::default()
                };
                self.tables.insert((scope, name.name.to_lowercase()), view);
            }
            Act::CreateIndex {
                table,
                index: Some(index),
            } => {
                self.indexes
                    .insert((scope, index.name.to_lowercase()), table.clone());
            }
            Act::AddColumn { table, column } => {
                let entry = self.known(scope, table, world);
                if let Some(it) = entry {
                    it.columns
                        .insert(column.name.to_lowercase(), column.data_type.clone());
                }
            }
            Act::DropColumn { table, column } => {
                if let Some(it) = self.known(scope, table, world) {
                    it.columns.remove(&column.to_lowercase());
                }
            }
            Act::ChangeColumn {
                table,
                column,
                renamed,
                data_type,
                ..
            } => {
                if let Some(it) = self.known(scope, table, world) {
                    it.columns.remove(&column.to_lowercase());
                    let name = renamed.as_ref().unwrap_or(column).to_lowercase();
                    it.columns.insert(name, data_type.clone());
                }
            }
            Act::RenameColumn { table, column, to } => {
                if let Some(it) = self.known(scope, table, world)
                    && let Some(data_type) = it.columns.remove(&column.to_lowercase())
                {
                    it.columns.insert(to.to_lowercase(), data_type);
                }
            }
            Act::RenameTable { table, to } => {
                if let Some(owner) = self.owner(scope, table, world) {
                    let (from, to_key) = ((owner, table.name.to_lowercase()), (owner, to.to_lowercase()));
                    let is_on_it = |on: &Name| {
                        on.name.eq_ignore_ascii_case(&table.name)
                            && self.owner(scope, on, world) == Some(owner)
                    };
                    let indexes = self.indexes.iter().filter(|(_, on)| is_on_it(on));
                    let indexes: Vec<_> = indexes.map(|(key, _)| key.clone()).collect();
                    for key in indexes {
                        self.indexes.entry(key).and_modify(|on| on.name.clone_from(to));
                    }
                    self.gone.remove(&to_key);
                    if let Some(it) = self.tables.remove(&from) {
                        self.tables.insert(to_key, it);
                    }
                    self.gone.insert(from);
                }
            }
            Act::RenameIndex { index, to } => {
                if let Some(table) = self.indexes.remove(&(scope, index.name.to_lowercase())) {
                    self.indexes.insert((scope, to.to_lowercase()), table);
                }
            }
            Act::DropTable { table, .. } => {
                if let Some(owner) = self.owner(scope, table, world) {
                    let key = (owner, table.name.to_lowercase());
                    self.tables.remove(&key);
                    self.gone.insert(key);
                }
            }
            _ => {}
        }
    }

    fn known(&mut self, scope: Scope, table: &Name, world: &World) -> Option<&mut Table> {
        let owner = self.owner(scope, table, world)?;
        self.tables.get_mut(&(owner, table.name.to_lowercase()))
    }
}
