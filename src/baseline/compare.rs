//! What tells a structure apart, told in words, without the books of other tools. Pure.

use crate::domain::words::clip;
use crate::domain::{COLUMN_ORDER, COMMENT, Change, Difference, Object, ObjectKind, Structure};

/// Tables in which other tools keep their own books: a database that is adopted has one of them.
const BOOKS: [&str; 17] = [
    "__drizzle_migrations",
    "__efmigrationshistory",
    "_prisma_migrations",
    "_sqlx_migrations",
    "alembic_version",
    "ar_internal_metadata",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "doctrine_migration_versions",
    "flyway_schema_history",
    "goose_db_version",
    "knex_migrations",
    "knex_migrations_lock",
    "refinery_schema_history",
    "schema_migrations",
    "sequelizemeta",
];

/// What a database must have in common with what migrations make, to be taken for made by them: not who owns
/// it, nor comments, nor which column was added first.
pub fn adoptable(structure: &Structure) -> Structure {
    let mut structure = structure.portable();
    structure
        .facts
        .retain(|it| !matches!(it.attribute.as_str(), COMMENT | COLUMN_ORDER));
    structure
}

/// What would have to change for `found` to be `expected`. Tables of other tools' own books are passed over,
/// unless they are expected.
pub fn differences(expected: &Structure, found: &Structure) -> Vec<Difference> {
    let mut differences = crate::domain::differences(expected, found);
    differences.retain(|it| it.change != Change::Extra || !is_in_books(&it.object));
    differences
}

fn is_in_books(object: &Object) -> bool {
    let name = object.name.to_ascii_lowercase();
    let sequence = name
        .strip_suffix("_id_seq")
        .filter(|_| object.kind == ObjectKind::Sequence);
    (object.kind == ObjectKind::Table && is_book(&name)) || sequence.is_some_and(is_book)
}

/// True for a table in which another tool keeps its own books.
pub fn is_book(table: &str) -> bool {
    BOOKS.contains(&table.to_ascii_lowercase().as_str())
}

/// The first few, and how many more there are.
pub fn told(differences: &[Difference]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(|it| clip(&it.to_string(), 400))
        .collect();
    match differences.len().saturating_sub(SHOWN) {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ObjectKind::{Column, Sequence, Table};

    #[test]
    fn the_books_of_other_tools_are_passed_over() {
        let mut expected = Structure::default();
        expected.add(Table, "", "orders", "kind", "table");
        let mut found = expected.clone();
        found.add(Table, "", "django_migrations", "kind", "table");
        found.add(Column, "django_migrations", "id", "type", "int");
        found.add(Sequence, "", "django_migrations_id_seq", "type", "int");
        assert!(differences(&expected, &found).is_empty());
        assert_eq!(differences(&found, &expected).len(), 2);
    }
}
