//! A type that holds less than the one before.

use super::super::read::Act;
use super::super::rule::{Group, Level, Levels, Rule};
use super::super::seen::{Hit, Seen};

pub(super) const RULE: Rule = Rule {
    id: "narrowing-type",
    group: Group::Data,
    title: "a column gets a type that holds less",
    why: "it fails at the first value that does not fit, in the middle of the tenants; or the value is cut",
    safe: "ask first whether all values fit, in every environment: an assertion in [expect] does it for all tenants",
    levels: Levels::all(Level::Warning),
    squawk: false,
};

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
        (narrows(before, data_type) && !seen.is_new(table)).then(|| {
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
    /// A day, with or without the time of day.
    Date,
    Time,
    Other,
}

fn holds(data_type: &str) -> Holds {
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
        "tinytext" => Holds::Letters(Some(255)),
        "text" if first.is_none() => Holds::Letters(None),
        "mediumtext" | "longtext" | "citext" => Holds::Letters(None),
        "date" => Holds::Date,
        "timestamp" | "timestamptz" | "datetime" => Holds::Time,
        _ => Holds::Other,
    }
}

/// The new type holds less, for certain.
fn narrows(before: &str, after: &str) -> bool {
    use Holds::{Date, Decimal, Float, Letters, Time, Whole};
    match (holds(before), holds(after)) {
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
    match (holds(before), holds(after)) {
        (Holds::Letters(_), Holds::Letters(_)) => {
            !narrows(before, after) && !is_char(before) && !is_char(after)
        }
        (Holds::Decimal(Some((_, part))), Holds::Decimal(Some((_, then_part)))) => {
            part == then_part && !narrows(before, after)
        }
        (Holds::Decimal(_), Holds::Decimal(None)) => true,
        _ => false,
    }
}

/// The same type, as far as the words tell.
pub(super) fn same_type(before: &str, after: &str) -> bool {
    let (held, holds) = (holds(before), holds(after));
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
            assert!(narrows(before, after), "{before} -> {after}");
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
            assert_eq!(narrows(before, after), unsigned, "{before} -> {after}");
        }
        assert!(only_widens("varchar(50)", "text") && only_widens("numeric(10,2)", "numeric(12,2)"));
        assert!(!only_widens("numeric(10,2)", "numeric(12,3)") && !only_widens("int", "bigint"));
        assert!(!only_widens("char(3)", "text") && !only_widens("text", "varchar(9)"));
        assert!(same_type("int(10)", "int(11)") && same_type("int", "integer"));
        assert!(!same_type("varchar(50)", "varchar(60)") && !same_type("json", "xml"));
    }
}
