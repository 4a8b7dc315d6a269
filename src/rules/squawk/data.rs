//! What loses data, or fails where there are some.

use super::super::rule::{Group, Level, Levels, Rule};
use super::squawk;

pub(super) const RULES: &[Rule] = &[
    Rule {
        levels: Levels {
            postgres: Some(Level::Warning),
            mysql: Some(Level::Warning),
            sqlite: Some(Level::Warning),
        },
        ..squawk(
            Group::Data,
            Level::Off,
            "adding-required-field",
            "a column is added that is NOT NULL and has no default",
            "it fails where there are rows, and the running application does not fill it",
            "give it a default; or add it nullable, fill it, and set NOT NULL in a later migration",
        )
    },
    Rule {
        levels: Levels {
            postgres: Some(Level::Warning),
            mysql: Some(Level::Warning),
            sqlite: Some(Level::Warning),
        },
        ..squawk(
            Group::Data,
            Level::Off,
            "ban-drop-column",
            "a column is dropped",
            "its data are lost, and the running application may still read it",
            "stop using it first, and drop it in a later release",
        )
    },
    Rule {
        levels: Levels {
            postgres: Some(Level::Error),
            mysql: Some(Level::Error),
            sqlite: None,
        },
        ..squawk(
            Group::Data,
            Level::Off,
            "ban-drop-database",
            "a database is dropped",
            "everything in it is lost",
            "drop it by hand, when nobody uses it",
        )
    },
    squawk(
        Group::Data,
        Level::Warning,
        "ban-drop-schema",
        "a schema is dropped",
        "everything in it is lost",
        "drop it by hand, when nobody uses it",
    ),
    Rule {
        levels: Levels {
            postgres: Some(Level::Warning),
            mysql: Some(Level::Warning),
            sqlite: Some(Level::Warning),
        },
        ..squawk(
            Group::Data,
            Level::Off,
            "ban-drop-table",
            "a table is dropped",
            "its rows are lost, and the running application may still use it",
            "stop using it first, and drop it in a later release",
        )
    },
    squawk(
        Group::Data,
        Level::Warning,
        "ban-duplicate-column-assignments",
        "one column is given twice",
        "PostgreSQL refuses it, or one of the two was meant for another column",
        "give it once",
    ),
    squawk(
        Group::Data,
        Level::Warning,
        "ban-truncate-cascade",
        "tables are emptied with all that point to them",
        "rows of tables are lost that are not even named",
        "name the tables, without CASCADE",
    ),
];
