//! A type that holds less than the one before.

use crate::database_url::EngineKind;
use crate::domain::{Migration, Statement};

use super::super::read::Act;
use super::super::seen::{Hit, Seen};
use super::super::tokens::pieces;

pub(super) fn check(seen: &Seen<'_>) -> Vec<Hit> {
    seen.each(|act| {
        let Act::ChangeColumn {
            table,
            column,
            data_type,
            ..
        } = act
        else {
            return None;
        };
        let known = seen.catalog.find(seen.which.0, table, seen.world)?;
        let before = known.columns.get(&column.to_lowercase())?;
        (narrows(before, data_type, seen.world.kind) && !seen.is_new(table)).then(|| {
            format!("`{table}`.`{column}` becomes {data_type}, was {before}: what it holds may not fit")
        })
    })
}

/// What a type holds, as far as two of them can be compared.
#[derive(Debug, PartialEq, Eq)]
enum Holds {
    /// Bytes of a whole number, and whether it has no sign.
    Whole {
        bytes: u8,
        unsigned: bool,
    },
    /// Digits before and behind the point; none: any.
    Decimal(Option<(u32, u32)>),
    /// A floating number of so many bytes.
    Float(u8),
    /// Characters; none: any number.
    Letters(Option<u64>),
    /// MySQL's own: text of so many bytes.
    Text(u64),
    /// So many bytes.
    Bytes(u64),
    /// A day, with or without the time of day.
    Date,
    Time,
    Other,
}

fn holds(data_type: &str, kind: EngineKind) -> Holds {
    let text = data_type.to_lowercase();
    let (name, parameters) = match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close => {
            let numbers = text[open + 1..close].split(',');
            let numbers: Option<Vec<u64>> = numbers.map(|it| it.trim().parse().ok()).collect();
            let rest = format!("{} {}", &text[..open], &text[close + 1..]);
            (rest, numbers.unwrap_or_default())
        }
        _ => (text.clone(), Vec::new()),
    };
    if name.contains('[') {
        return Holds::Other;
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    let unsigned = words.contains(&"unsigned");
    let whole = |bytes| Holds::Whole { bytes, unsigned };
    let first = parameters.first().copied();
    match words.first().copied().unwrap_or_default() {
        "tinyint" => whole(1),
        "smallint" | "int2" | "smallserial" => whole(2),
        "mediumint" => whole(3),
        "int" | "integer" | "int4" | "serial" => whole(4),
        "bigint" | "int8" | "bigserial" => whole(8),
        "numeric" | "decimal" | "dec" => Holds::Decimal(first.map(|precision| {
            let scale = parameters.get(1).copied().unwrap_or_default();
            (precision.saturating_sub(scale) as u32, scale as u32)
        })),
        "real" | "float4" => Holds::Float(4),
        "double" | "float8" => Holds::Float(8),
        "varchar" | "nvarchar" | "varying" => Holds::Letters(first),
        "char" | "character" | "nchar" => {
            let varying = words.get(1) == Some(&"varying");
            Holds::Letters(first.or((!varying).then_some(1)))
        }
        word if kind == EngineKind::Mysql && lob(word).is_some() => match (lob(word), first) {
            // `text(99)` is the smallest that holds so many characters.
            (Some(holds), None) => holds,
            _ => Holds::Other,
        },
        "binary" | "varbinary" if kind == EngineKind::Mysql => Holds::Bytes(first.unwrap_or(1)),
        "tinytext" => Holds::Letters(Some(255)),
        "text" if first.is_none() => Holds::Letters(None),
        "mediumtext" | "longtext" | "citext" => Holds::Letters(None),
        "date" => Holds::Date,
        "timestamp" | "timestamptz" | "datetime" => Holds::Time,
        _ => Holds::Other,
    }
}

/// Reference Manual, "Data Type Storage Requirements".
fn lob(word: &str) -> Option<Holds> {
    Some(match word {
        "tinytext" => Holds::Text(255),
        "text" => Holds::Text(65_535),
        "mediumtext" => Holds::Text(16_777_215),
        "longtext" => Holds::Text(4_294_967_295),
        "tinyblob" => Holds::Bytes(255),
        "blob" => Holds::Bytes(65_535),
        "mediumblob" => Holds::Bytes(16_777_215),
        "longblob" => Holds::Bytes(4_294_967_295),
        _ => return None,
    })
}

/// The new type holds less, for certain.
fn narrows(before: &str, after: &str, kind: EngineKind) -> bool {
    use Holds::{Bytes, Date, Decimal, Float, Letters, Text, Time, Whole};
    match (holds(before, kind), holds(after, kind)) {
        (Text(bytes), Text(then)) | (Bytes(bytes), Bytes(then)) => then < bytes,
        // A character may be one byte.
        (Text(bytes), Letters(Some(then))) => then < bytes,
        (Letters(Some(length)), Text(then)) => then < length,
        (Text(_), Whole { .. } | Decimal(_) | Float(_) | Date | Time) => true,
        (
            Whole { bytes, unsigned },
            Whole {
                bytes: then,
                unsigned: then_unsigned,
            },
        ) => then < bytes || (then_unsigned && !unsigned) || (unsigned && !then_unsigned && then <= bytes),
        (Decimal(None), Decimal(Some(_))) => true,
        (Decimal(Some((whole, part))), Decimal(Some((then_whole, then_part)))) => {
            then_whole < whole || then_part < part
        }
        (Decimal(_) | Float(_), Whole { .. }) => true,
        (Float(bytes), Float(then)) => then < bytes,
        (Letters(None), Letters(Some(_))) => true,
        (Letters(Some(length)), Letters(Some(then))) => then < length,
        (Letters(_), Whole { .. } | Decimal(_) | Float(_) | Date | Time) => true,
        (Time, Date) => true,
        _ => false,
    }
}

/// PostgreSQL changes no row for it ("ALTER TABLE", on SET DATA TYPE): longer text, more digits before the point.
pub(in super::super) fn only_widens(before: &str, after: &str) -> bool {
    let is_char = |it: &str| it.starts_with("char") && !it.starts_with("character varying");
    let postgres = EngineKind::Postgres;
    match (holds(before, postgres), holds(after, postgres)) {
        (Holds::Letters(_), Holds::Letters(_)) => {
            !narrows(before, after, postgres) && !is_char(before) && !is_char(after)
        }
        (Holds::Decimal(Some((_, part))), Holds::Decimal(Some((_, then_part)))) => {
            part == then_part && !narrows(before, after, postgres)
        }
        (Holds::Decimal(_), Holds::Decimal(None)) => true,
        _ => false,
    }
}

/// With the time zone at UTC a time with one is the same bytes as one without (PostgreSQL 12, "Release Notes", E.23.3.1).
pub(in super::super) fn rewrites_nothing(before: &str, after: &str) -> bool {
    let bare = |it: &str| match it.to_lowercase().as_str() {
        "timestamp" | "timestamp without time zone" => Some(false),
        "timestamptz" | "timestamp with time zone" => Some(true),
        _ => None,
    };
    bare(before)
        .zip(bare(after))
        .is_some_and(|(one, other)| one != other)
}

/// The last statement before this one that sets the time zone sets it to UTC.
pub(in super::super) fn in_utc(migration: &Migration, statement: &Statement) -> bool {
    let place = |it: &Statement| (it.line, it.column);
    let before = migration
        .statements
        .iter()
        .filter(|it| place(it) < place(statement));
    let mut zones = before.filter_map(|it| {
        let pieces = pieces(it, EngineKind::Postgres);
        let mut words = pieces
            .iter()
            .filter(|it| !matches!(it.text.as_str(), "LOCAL" | "SESSION" | "="));
        let mut next = || words.next().map(|it| it.text.to_uppercase()).unwrap_or_default();
        match (next().as_str(), next().as_str()) {
            ("SET", "TIMEZONE") => Some(next()).map(|it| if it == "TO" { next() } else { it }),
            ("SET", "TIME") if next() == "ZONE" => Some(next()),
            ("RESET", "TIMEZONE" | "ALL") | ("ROLLBACK", _) => Some(String::new()),
            _ => None,
        }
    });
    let last = zones.next_back().unwrap_or_default();
    matches!(last.as_str(), "UTC" | "GMT" | "ETC/UTC" | "ETC/GMT")
}

/// Whether MySQL and MariaDB write a table anew.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewrite {
    None,
    Perhaps,
    Certain,
}

/// A longer varchar is done in place as long as its length takes as many bytes as before: one up to 255 bytes of
/// text, and a character has one to four (Reference Manual, "Online DDL Operations", on VARCHAR).
pub(super) fn rewrite(before: &str, after: &str) -> Rewrite {
    let length = |it: &str| match holds(it, EngineKind::Mysql) {
        Holds::Letters(Some(length)) if it.to_lowercase().contains("varchar") => Some(length),
        _ => None,
    };
    match (length(before), length(after)) {
        (Some(length), Some(then)) if then >= length => match () {
            () if length >= 256 || then <= 63 => Rewrite::None,
            () => Rewrite::Perhaps,
        },
        _ => Rewrite::Certain,
    }
}

/// The same type, as far as the words tell.
pub(super) fn same_type(before: &str, after: &str, kind: EngineKind) -> bool {
    let (held, holds) = (holds(before, kind), holds(after, kind));
    before.eq_ignore_ascii_case(after) || (held == holds && held != Holds::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_less_is_told() {
        for (before, after) in [
            ("varchar(100)", "varchar(50)"),
            ("character varying(100)", "character varying(50)"),
            ("text", "varchar(255)"),
            ("bigint", "int"),
            ("bigint(20)", "int(11)"),
            ("int unsigned", "int"),
            ("int", "int unsigned"),
            ("numeric(12,2)", "numeric(10,2)"),
            ("numeric(12,2)", "numeric(12,1)"),
            ("numeric", "numeric(10,2)"),
            ("numeric(10,2)", "integer"),
            ("double precision", "real"),
            ("timestamptz", "date"),
            ("text", "integer"),
        ] {
            assert!(
                narrows(before, after, EngineKind::Postgres),
                "{before} -> {after}"
            );
        }
    }

    #[test]
    fn what_holds_as_much_is_none() {
        for (before, after) in [
            ("varchar(50)", "varchar(100)"),
            ("varchar(50)", "text"),
            ("int", "bigint"),
            ("serial", "bigint"),
            ("int", "bigint unsigned"),
            ("numeric(10,2)", "numeric(12,2)"),
            ("numeric(10,2)", "numeric"),
            ("int(10)", "int(11)"),
            ("int", "text"),
            ("integer[]", "int"),
            ("jsonb", "text"),
        ] {
            // An unsigned number does not hold those below zero.
            let unsigned = after.contains("unsigned") && !before.contains("unsigned");
            assert_eq!(
                narrows(before, after, EngineKind::Postgres),
                unsigned,
                "{before} -> {after}"
            );
        }
        assert!(only_widens("varchar(50)", "text") && only_widens("numeric(10,2)", "numeric(12,2)"));
        assert!(!only_widens("numeric(10,2)", "numeric(12,3)") && !only_widens("int", "bigint"));
        assert!(!only_widens("char(3)", "text") && !only_widens("text", "varchar(9)"));
        let same = |before, after| same_type(before, after, EngineKind::Mysql);
        assert!(same("int(10)", "int(11)") && same("int", "integer"));
        assert!(!same("varchar(50)", "varchar(60)") && !same("json", "xml") && !same("text", "longtext"));
    }

    #[test]
    fn mysqls_texts_hold_bytes() {
        let narrows = |before, after| narrows(before, after, EngineKind::Mysql);
        for (before, after) in [
            ("longtext", "text"),
            ("mediumtext", "text"),
            ("text", "tinytext"),
            ("text", "varchar(255)"),
            ("varchar(300)", "tinytext"),
            ("longblob", "blob"),
            ("varbinary(300)", "tinyblob"),
            ("longtext", "int"),
        ] {
            assert!(narrows(before, after), "{before} -> {after}");
        }
        for (before, after) in [
            ("text", "longtext"),
            ("varchar(255)", "text"),
            ("tinytext", "varchar(255)"),
            ("blob", "longblob"),
            ("text(99)", "tinytext"),
        ] {
            assert!(!narrows(before, after), "{before} -> {after}");
        }
    }

    #[test]
    fn a_longer_varchar_is_often_done_in_place() {
        assert_eq!(rewrite("varchar(256)", "varchar(512)"), Rewrite::None);
        assert_eq!(rewrite("varchar(32)", "varchar(63)"), Rewrite::None);
        assert_eq!(rewrite("varchar(100)", "varchar(255)"), Rewrite::Perhaps);
        assert_eq!(rewrite("varchar(255)", "varchar(256)"), Rewrite::Perhaps);
        assert_eq!(rewrite("varchar(512)", "varchar(256)"), Rewrite::Certain);
        assert_eq!(rewrite("varchar(512)", "text"), Rewrite::Certain);
        assert_eq!(rewrite("char(3)", "char(9)"), Rewrite::Certain);
    }
}
