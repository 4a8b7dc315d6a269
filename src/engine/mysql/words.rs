//! A statement's words, and what it does to the session that sends it.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// A significant token: a bare word in upper case for comparing, and as it was written.
pub(super) struct Word {
    pub(super) upper: String,
    /// Absent where it cannot be a name.
    pub(super) name: Option<String>,
}

/// The words of a statement, without spaces and comments.
pub(super) fn words(sql: &str) -> Vec<Word> {
    let sql = sql.trim();
    // `/*!50700 … */` is a statement here.
    let sql = sql
        .strip_prefix("/*!")
        .or_else(|| sql.strip_prefix("/*M!"))
        .map_or(sql, |inner| {
            inner
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .trim_end_matches("*/")
        });
    let tokens = Tokenizer::new(&MySqlDialect {}, sql)
        .tokenize()
        .unwrap_or_default();
    let significant = tokens
        .into_iter()
        .filter(|it| !matches!(it, Token::Whitespace(_)));
    significant
        .map(|token| match token {
            Token::Word(word) => Word {
                upper: match word.quote_style {
                    None => word.value.to_uppercase(),
                    // Not to be taken for a keyword.
                    Some(_) => format!("`{}`", word.value),
                },
                name: Some(word.value),
            },
            other => Word {
                upper: other.to_string(),
                name: None,
            },
        })
        .collect()
}

/// A statement that changes the session rather than the database.
pub(super) fn sets_session(sql: &str) -> bool {
    let words = words(sql);
    let elsewhere = [
        "GLOBAL",
        "PERSIST",
        "PERSIST_ONLY",
        "PASSWORD",
        "ROLE",
        "RESOURCE",
        "STATEMENT",
        "TRANSACTION",
    ];
    words.first().is_some_and(|it| it.upper == "SET")
        && !words.iter().take(3).any(|it| {
            let word = it.upper.trim_start_matches('@');
            elsewhere.contains(&word) || elsewhere.iter().any(|it| word.starts_with(&format!("{it}.")))
        })
}

/// A session is not what it was after one of these: settings, variables, temporary tables, locks.
pub(super) fn leaves_traces(sql: &str) -> bool {
    let words = words(sql);
    let upper = |index: usize| words.get(index).map(|it: &Word| it.upper.as_str());
    let temporary = words.iter().take(4).any(|it| it.upper == "TEMPORARY");
    matches!(
        upper(0),
        Some("SET" | "PREPARE" | "LOCK" | "HANDLER" | "CALL" | "EXECUTE" | "BEGIN")
    ) || sql.trim_start().starts_with("/*")
        || temporary
        || sql.contains(":=")
        || sql.to_ascii_lowercase().contains("get_lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_settings_are_told_from_others() {
        assert!(sets_session("SET foreign_key_checks = 0"));
        assert!(sets_session("set session sql_mode = ''"));
        assert!(sets_session("SET @a = 1"));
        assert!(!sets_session("SET GLOBAL x = 1"));
        assert!(!sets_session("SET @@global.x = 1"));
        assert!(!sets_session("UPDATE a SET b = 1"));
        assert!(leaves_traces("CREATE TEMPORARY TABLE x (a int)"));
        assert!(!leaves_traces("CREATE TABLE x (a int)"));
    }
}
