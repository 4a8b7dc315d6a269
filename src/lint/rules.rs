//! All rules: ours, and squawk's.

mod adding_required_field;
mod changing_column_type;
mod creates_shared_object;
mod delete_without_where;
mod drop_column;
mod drop_database;
mod drop_table;
mod lock_over_all_tenants;
mod narrowing_type;
mod non_transactional_engine;
mod other_schema;
mod other_tenant;
mod renaming_column;
mod renaming_table;
mod search_path;
mod seed_not_idempotent;
mod shared_foreign_key;
mod shared_schema_in_tenant;
mod shared_touches_tenant;
mod truncate_data;
mod unreadable_statement;
mod update_without_where;

use std::sync::LazyLock;

use super::rule::Rule;
use super::seen::{Hit, Seen};
use super::squawk_rules::squawk_rules;

pub(super) use narrowing_type::{in_utc, only_widens, rewrites_nothing};
pub(super) use unreadable_statement::RULE as UNREADABLE;

type Check = fn(&Seen<'_>) -> Vec<Hit>;

/// Ours, and how each is looked for.
pub(super) const OURS: &[(Rule, Check)] = &[
    (other_tenant::RULE, other_tenant::check),
    (other_schema::RULE, other_schema::check),
    (shared_touches_tenant::RULE, shared_touches_tenant::check),
    (shared_schema_in_tenant::RULE, shared_schema_in_tenant::check),
    (creates_shared_object::RULE, creates_shared_object::check),
    (search_path::RULE, search_path::check),
    (lock_over_all_tenants::RULE, lock_over_all_tenants::check),
    (shared_foreign_key::RULE, shared_foreign_key::check),
    (truncate_data::RULE, truncate_data::check),
    (delete_without_where::RULE, delete_without_where::check),
    (update_without_where::RULE, update_without_where::check),
    (narrowing_type::RULE, narrowing_type::check),
    (seed_not_idempotent::RULE, seed_not_idempotent::check),
    (non_transactional_engine::RULE, non_transactional_engine::check),
];

/// Where squawk does not read: its names, our reading.
pub(super) const ALIKE: &[(&str, Check)] = &[
    ("ban-drop-table", drop_table::check),
    ("ban-drop-column", drop_column::check),
    ("ban-drop-database", drop_database::check),
    ("adding-required-field", adding_required_field::check),
    ("changing-column-type", changing_column_type::check),
    ("renaming-table", renaming_table::check),
    ("renaming-column", renaming_column::check),
];

/// Every rule, sorted by name.
pub fn rules() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let ours = OURS.iter().map(|(rule, _)| *rule);
        let mut all: Vec<Rule> = squawk_rules().copied().chain(ours).collect();
        all.push(UNREADABLE);
        all.sort_by_key(|rule| rule.id);
        all
    });
    &ALL
}

/// The rule of that name.
pub fn named(id: &str) -> Option<&'static Rule> {
    let all = rules();
    let at = all.binary_search_by_key(&id, |rule| rule.id).ok()?;
    all.get(at)
}
