//! How each rule is looked for; squawk looks for its own.

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
mod update_without_where;

use super::seen::{Hit, Seen};

pub(super) use narrowing_type::{in_utc, only_widens, rewrites_nothing};

/// What squawk's parser does not understand. Found where squawk is called.
pub(super) const UNREADABLE: &str = "unreadable-statement";

type Check = fn(&Seen<'_>) -> Vec<Hit>;

/// Ours, and how each is looked for.
pub(super) const OURS: &[(&str, Check)] = &[
    ("other-tenant", other_tenant::check),
    ("other-schema", other_schema::check),
    ("shared-touches-tenant", shared_touches_tenant::check),
    ("shared-schema-in-tenant", shared_schema_in_tenant::check),
    ("creates-shared-object", creates_shared_object::check),
    ("search-path", search_path::check),
    ("lock-over-all-tenants", lock_over_all_tenants::check),
    ("shared-foreign-key", shared_foreign_key::check),
    ("truncate-data", truncate_data::check),
    ("delete-without-where", delete_without_where::check),
    ("update-without-where", update_without_where::check),
    ("narrowing-type", narrowing_type::check),
    ("seed-not-idempotent", seed_not_idempotent::check),
    ("non-transactional-engine", non_transactional_engine::check),
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
