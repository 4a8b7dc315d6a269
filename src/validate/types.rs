//! One type or default, written differently by people and by engines.

use crate::database_url::EngineKind;

/// True where both name the same type.
pub(super) fn same_type(kind: EngineKind, expected: &str, found: &str) -> bool {
    let (expected, found) = (canonical_type(kind, expected), canonical_type(kind, found));
    // MySQL 8 dropped the display width that MariaDB still prints: int(11), int.
    expected == found || (kind == EngineKind::Mysql && without_width(&expected) == without_width(&found))
}

fn canonical_type(kind: EngineKind, text: &str) -> String {
    let text = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    let text = text.replace(", ", ",").replace(" (", "(");
    // `timestamp(3) with time zone[]` is a name in two halves, parameters, and dimensions.
    let (text, dimensions) = match text.find('[') {
        Some(at) => (text[..at].to_owned(), text[at..].to_owned()),
        None => (text, String::new()),
    };
    let (name, parameters) = match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => (
            format!("{}{}", &text[..open], &text[close + 1..]),
            text[open..=close].to_owned(),
        ),
        _ => (text, String::new()),
    };
    let name = match kind {
        EngineKind::Postgres => postgres_name(&name),
        EngineKind::Mysql => mysql_name(&name),
        EngineKind::Sqlite => &name,
    };
    format!("{name}{parameters}{dimensions}")
}

/// PostgreSQL, "Data Types", table 8.1: aliases.
fn postgres_name(base: &str) -> &str {
    match base {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "varchar" => "character varying",
        "char" => "character",
        "decimal" => "numeric",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "timetz" => "time with time zone",
        "time" => "time without time zone",
        "varbit" => "bit varying",
        other => other,
    }
}

fn mysql_name(base: &str) -> &str {
    match base {
        "integer" => "int",
        "boolean" | "bool" => "tinyint(1)",
        "numeric" | "dec" => "decimal",
        // MariaDB keeps JSON as longtext with a check.
        "json" => "longtext",
        other => other,
    }
}

fn without_width(text: &str) -> String {
    let integer = ["tinyint", "smallint", "mediumint", "int", "bigint"];
    let first = text.split([' ', '(']).next().unwrap_or_default();
    match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if integer.contains(&first) => {
            format!("{}{}", &text[..open], &text[close + 1..])
        }
        _ => text.to_owned(),
    }
}

/// True where both are the same default expression: a literal with or without quotes, with or
/// without the cast that PostgreSQL adds.
pub(super) fn same_default(expected: &str, found: &str) -> bool {
    canonical_default(expected) == canonical_default(found)
}

fn canonical_default(text: &str) -> String {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        text = inner.trim();
    }
    let uncast = match text.rsplit_once("::") {
        Some((value, cast)) if !cast.contains('\'') => value,
        _ => text,
    };
    match uncast.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(literal) => literal.replace("''", "'"),
        None => uncast.to_lowercase().trim_end_matches("()").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineKind::{Mysql, Postgres, Sqlite};

    #[test]
    fn aliases_are_one_type() {
        for (kind, expected, found) in [
            (Postgres, "int", "integer"),
            (Postgres, "varchar(63)", "character varying(63)"),
            (Postgres, "NUMERIC(12, 2)", "numeric(12,2)"),
            (Postgres, "timestamptz", "timestamp with time zone"),
            (Postgres, "timestamptz(3)", "timestamp(3) with time zone"),
            (Postgres, "int[]", "integer[]"),
            (Mysql, "int", "int(11)"),
            (Mysql, "bigint unsigned", "bigint(20) unsigned"),
            (Mysql, "boolean", "tinyint(1)"),
            (Sqlite, "text", "TEXT"),
        ] {
            assert!(same_type(kind, expected, found), "{expected} {found}");
        }
    }

    #[test]
    fn different_types_stay_different() {
        for (kind, expected, found) in [
            (Postgres, "numeric(12,2)", "numeric(10,2)"),
            (Postgres, "timestamp", "timestamp with time zone"),
            (Mysql, "varchar(10)", "varchar(20)"),
            (Mysql, "int", "int(11) unsigned"),
            (Sqlite, "text", "INTEGER"),
        ] {
            assert!(!same_type(kind, expected, found), "{expected} {found}");
        }
    }

    #[test]
    fn defaults_lose_quotes_and_casts() {
        assert!(same_default("open", "'open'::text"));
        assert!(same_default("0", "'0'"));
        assert!(same_default("now()", "now()"));
        assert!(same_default("CURRENT_TIMESTAMP", "current_timestamp()"));
        assert!(!same_default("0", "1"));
        assert!(!same_default("open", "'Open'"));
    }
}
