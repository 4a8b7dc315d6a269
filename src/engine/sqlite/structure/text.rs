//! SQL as it was typed, without how it was typed: spaces, comments, the case of words and quotes around plain
//! names are no difference.

use sqlparser::tokenizer::Token;

use crate::database_url::EngineKind;
use crate::migrations::tokens;

/// One token that is not a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A keyword or a name; in lower case, as SQLite compares them.
    Word { lower: String, typed: String },
    /// A name in quotes. SQLite also takes it for a text where there is no such column, so its case is kept.
    Quoted(String),
    /// A text in quotes, or a sign.
    Other(String),
}

/// Absent: it is not understood.
pub(super) fn pieces(sql: &str) -> Option<Vec<Piece>> {
    let all = tokens(sql, EngineKind::Sqlite)?;
    let significant = all
        .into_iter()
        .filter(|it| !matches!(it, Token::Whitespace(_) | Token::EOF));
    Some(significant.map(piece).collect())
}

fn piece(token: Token) -> Piece {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Piece::Word {
            lower: word.value.to_lowercase(),
            typed: word.value,
        },
        Token::Word(word) => Piece::Quoted(word.value),
        Token::SingleQuotedString(text) => Piece::Other(format!("'{}'", text.replace('\'', "''"))),
        other => Piece::Other(other.to_string()),
    }
}

impl Piece {
    /// Whether it is this keyword, given in lower case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word { lower, .. } if lower == keyword)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self, Self::Other(text) if text == sign)
    }

    /// The name that it is, as it was typed.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Word { typed, .. } => typed.clone(),
            Self::Quoted(name) => name.clone(),
            // SQLite takes texts for names, too.
            Self::Other(text) => match text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
                Some(inner) => inner.replace("''", "'"),
                None => text.clone(),
            },
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Word { lower, .. } => lower.clone(),
            Self::Quoted(name) if is_plain(name) => name.clone(),
            Self::Quoted(name) => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::Other(text) => text.clone(),
        }
    }
}

/// Whether a name means the same without quotes.
fn is_plain(name: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(word) && name.chars().all(|c| word(c) || c.is_ascii_digit()) && !KEYWORDS.contains(&name)
}

/// One way to write them.
pub(super) fn written(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut close = true;
    for piece in pieces {
        let word = piece.written();
        let tight = matches!(word.as_str(), ")" | "," | "." | ";");
        let called = word == "(" && text.ends_with(|c: char| c.is_alphanumeric());
        if !(close || tight || called) {
            text.push(' ');
        }
        close = matches!(word.as_str(), "(" | ".");
        text.push_str(&word);
    }
    text
}

/// SQLite, "SQLite Keywords", in lower case.
const KEYWORDS: &[&str] = &[
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyze",
    "and",
    "as",
    "asc",
    "attach",
    "autoincrement",
    "before",
    "begin",
    "between",
    "by",
    "cascade",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "commit",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "fail",
    "false",
    "filter",
    "first",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "generated",
    "glob",
    "group",
    "groups",
    "having",
    "if",
    "ignore",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "key",
    "last",
    "left",
    "like",
    "limit",
    "match",
    "materialized",
    "natural",
    "no",
    "not",
    "nothing",
    "notnull",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "or",
    "order",
    "others",
    "outer",
    "over",
    "partition",
    "plan",
    "pragma",
    "preceding",
    "primary",
    "query",
    "raise",
    "range",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "set",
    "table",
    "temp",
    "temporary",
    "then",
    "ties",
    "to",
    "transaction",
    "trigger",
    "true",
    "unbounded",
    "union",
    "unique",
    "update",
    "using",
    "vacuum",
    "values",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "without",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn plainly(sql: &str) -> String {
        written(&pieces(sql).expect("tokens"))
    }

    #[test]
    fn how_it_was_typed_is_no_difference() {
        let one = plainly("SELECT \"id\", COUNT( * ) -- all\nFROM [orders]  WHERE `total`>=0");
        assert_eq!(one, "select id, count(*) from orders where total >= 0");
        assert_eq!(plainly("select ID,count(*)from orders where total >= 0"), one);
    }

    #[test]
    fn what_means_another_thing_stays_another() {
        for (one, other) in [
            ("\"Open\"", "\"open\""),
            ("\"null\"", "null"),
            ("'a''b'", "'a' 'b'"),
            ("a <> b", "a < > b"),
            ("\"a b\"", "a b"),
            ("x'ab'", "'ab'"),
            ("1.5", "1 .5"),
        ] {
            assert_ne!(plainly(one), plainly(other), "{one} and {other}");
        }
    }
}
