//! What a change of a column's type may do to values without an error.

/// Under a strict mode the server refuses what is too long, too large or no label; all else it converts without a
/// word: it rounds, cuts times off, takes labels for their numbers. Why a change must not be made without looking.
pub(super) fn lossy(found: &str, expected: &str) -> Option<&'static str> {
    const CHANGED: &str = "would change what is there";
    let (was, digits) = parts(found);
    let (is, kept) = parts(expected);
    let (of_was, of_is) = (family(was), family(is));
    let last = |numbers: &[u32]| numbers.last().copied().unwrap_or(0);
    // What a timestamp holds is a moment; all else holds what somebody's clock showed.
    let zoned = (was == "timestamp") != (is == "timestamp");
    if zoned && of_was == Family::Time && matches!(of_is, Family::Time | Family::Text) {
        return Some("would take the session's time zone for it");
    }
    let keeps = match (of_was, of_is) {
        // Too many digits before the point are refused.
        (Family::Integer, Family::Integer | Family::Decimal) => true,
        (Family::Decimal, Family::Decimal) => last(&kept) >= last(&digits),
        (Family::Real, Family::Real) => was == is || is == "double",
        (Family::Time, Family::Time) => {
            (was == is || (was, is) == ("date", "datetime")) && last(&kept) >= last(&digits)
        }
        (Family::Label, Family::Label) => was == is,
        (Family::Text, Family::Label) => true,
        // What is as long as its column loses blanks at its end, or gets some.
        (Family::Text, Family::Text) => is != "char" || was == "char",
        (Family::Text | Family::Binary, Family::Binary) => is != "binary" || (was, digits) == (is, kept),
        (Family::Binary, Family::Text) => is != "char",
        (Family::Other, _) => was == is,
        (_, Family::Text) => true,
        _ => false,
    };
    (!keeps).then_some(CHANGED)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Integer,
    Decimal,
    Real,
    Text,
    Binary,
    Label,
    Time,
    Other,
}

fn family(kind: &str) -> Family {
    match kind {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Family::Integer,
        "decimal" => Family::Decimal,
        "float" | "double" => Family::Real,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Family::Binary,
        "enum" | "set" => Family::Label,
        "date" | "datetime" | "timestamp" | "time" => Family::Time,
        kind if kind.ends_with("char") || kind.ends_with("text") => Family::Text,
        _ => Family::Other,
    }
}

/// `decimal` and 12, 2 of `decimal(12,2) unsigned`.
fn parts(kind: &str) -> (&str, Vec<u32>) {
    let name = kind.split(['(', ' ']).next().unwrap_or_default();
    let inner = kind.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let numbers = inner.map_or("", |(inner, _)| inner).split(',');
    (name, numbers.filter_map(|it| it.trim().parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_change_in_silence_is_known() {
        for (found, expected) in [
            ("decimal(14,4)", "decimal(10,2)"),
            ("decimal(10,2)", "int(11)"),
            ("double", "decimal(10,2)"),
            ("bigint(20)", "double"),
            ("int(11)", "float"),
            ("int(11)", "year(4)"),
            ("varchar(20)", "decimal(10,2)"),
            ("varchar(20)", "date"),
            ("varchar(20)", "char(20)"),
            ("varbinary(4)", "binary(8)"),
            ("enum('10','20')", "int(11)"),
            ("set('a')", "enum('a')"),
            ("datetime(6)", "datetime"),
            ("datetime", "date"),
            ("date", "time"),
            ("timestamp(3)", "datetime(3)"),
            ("datetime", "timestamp"),
            ("timestamp", "varchar(30)"),
        ] {
            assert!(lossy(found, expected).is_some(), "{found} {expected}");
        }
        for (found, expected) in [
            ("decimal(10,2)", "decimal(12,2)"),
            ("decimal(10,2)", "varchar(20)"),
            ("float", "double"),
            ("datetime", "datetime(6)"),
            ("date", "datetime"),
            ("int(11)", "decimal(10,2)"),
            ("bigint(20) unsigned", "int(11)"),
            ("varchar(20)", "varchar(5)"),
            ("longtext", "varchar(5)"),
            ("varchar(9)", "enum('a')"),
            ("enum('a','b')", "enum('a')"),
            ("timestamp", "timestamp(6)"),
            ("bit(1)", "bit(8)"),
        ] {
            assert_eq!(lossy(found, expected), None, "{found} {expected}");
        }
    }
}
