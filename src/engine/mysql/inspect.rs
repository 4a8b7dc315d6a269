//! Tables, columns, indexes and foreign keys by name, for many databases at once.

use crate::engine::found::gather;
use crate::engine::{FoundColumn, FoundTable};

use super::connect::Answer;
use super::sql::list;

/// The version, then tables, columns, indexes, foreign keys.
pub(super) fn statements(databases: &[String], tables: &[&str]) -> String {
    let of_table = format!(
        "TABLE_SCHEMA IN ({}) AND TABLE_NAME IN ({})",
        list(databases.iter().map(String::as_str)),
        list(tables.iter().copied())
    );
    format!(
        "START TRANSACTION READ ONLY;
SELECT version();
SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE {of_table};
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT
FROM information_schema.COLUMNS WHERE {of_table} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION;
SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS WHERE {of_table} AND SEQ_IN_INDEX = 1;
SELECT DISTINCT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE
WHERE {of_table} AND REFERENCED_TABLE_NAME IS NOT NULL;
COMMIT"
    )
}

/// The tables of each database, in the order of the databases.
pub(super) fn tables(databases: &[String], answers: Vec<Answer>) -> Vec<Vec<FoundTable>> {
    // The first answer is the transaction's.
    let mut answers = answers.into_iter().skip(1);
    let version = answers.next().unwrap_or_default();
    let mariadb = version.value().is_some_and(|it| it.contains("MariaDB"));
    let column = |name, data_type, nullable: String, default: Option<String>| FoundColumn {
        name,
        data_type,
        nullable: nullable == "YES",
        default: if mariadb { default.and_then(value) } else { default },
    };
    gather(databases, answers.map(|answer| answer.rows), column)
}

/// A default as MySQL writes it: a constant without its quotes, so that `0` and `'0'` are one, and
/// none where it is NULL. MariaDB writes the
/// [expression](https://mariadb.com/kb/en/information-schema-columns-table/) instead.
fn value(expression: String) -> Option<String> {
    if expression == "NULL" {
        return None;
    }
    let inner = expression.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    let constant = inner.filter(|it| !it.replace("''", "").replace("\\'", "").contains('\''));
    match constant {
        Some(text) => Some(text.replace("''", "'").replace("\\'", "'").replace("\\\\", "\\")),
        None => Some(expression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_as_values() {
        let value = |text: &str| value(text.to_owned());
        assert_eq!(value("NULL"), None);
        assert_eq!(value("'NULL'"), Some("NULL".to_owned()));
        assert_eq!(value("'0'"), value("0"));
        assert_eq!(value("'it''s'"), Some("it's".to_owned()));
        assert_eq!(value("''"), Some(String::new()));
        assert_eq!(value("concat('a','b')"), Some("concat('a','b')".to_owned()));
        assert_eq!(value("'a' + 'b'"), Some("'a' + 'b'".to_owned()));
    }
}
