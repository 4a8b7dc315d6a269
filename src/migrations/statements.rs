//! Where one statement ends and the next begins.
//!
//! Quotes, comments and dollar quotes are told apart by `sqlparser`'s tokenizer; what stands here
//! is only what a `;` means: inside the body of a trigger or routine it does not end the statement.
//! `DELIMITER` lines of the mysql client are understood, because files written for it have them.

use std::collections::HashSet;

use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

use crate::database_url::EngineKind;
use crate::domain::Statement;

use super::body::Body;
use super::offsets::Offsets;

/// Why a file cannot be split, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unsplittable {
    pub message: String,
    pub line: usize,
    pub column: usize,
}

/// Splits a migration into its statements, without their `;` and without the comments around them.
pub fn split(sql: &str, kind: EngineKind) -> Result<Vec<Statement>, Unsplittable> {
    let mut statements = Vec::new();
    for segment in segments(sql, kind) {
        match segment.delimiter {
            None => split_by_semicolon(&segment, kind, &mut statements)?,
            Some(delimiter) => split_by_delimiter(&segment, delimiter, kind, &mut statements)?,
        }
    }
    Ok(statements)
}

/// The words of a statement that are not comments or spaces, in upper case; at most `limit`.
pub(crate) fn words(sql: &str, kind: EngineKind, limit: usize) -> Vec<String> {
    let sql = match kind {
        // To the tokenizer MariaDB's own kind of versioned comment is a plain one.
        EngineKind::Mysql => sql.replace("/*M!", "/*!"),
        _ => sql.to_owned(),
    };
    let tokens = Tokenizer::new(dialect(kind), &sql).tokenize().unwrap_or_default();
    let significant = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)));
    significant
        .take(limit)
        .map(|token| match token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
            other => other.to_string(),
        })
        .collect()
}

/// The lines, from 1, on which comments of one line begin; absent where the text is not understood.
pub(super) fn comment_lines(sql: &str, kind: EngineKind) -> Option<HashSet<usize>> {
    let tokens = Tokenizer::new(dialect(kind), sql).tokenize_with_location().ok()?;
    let is_one = |token: &Token| matches!(token, Token::Whitespace(Whitespace::SingleLineComment { .. }));
    let comments = tokens.iter().filter(|it| is_one(&it.token));
    Some(comments.map(|it| it.span.start.line as usize).collect())
}

/// All tokens of a text, spaces too; absent where it is not understood.
pub(crate) fn tokens(sql: &str, kind: EngineKind) -> Option<Vec<Token>> {
    Tokenizer::new(dialect(kind), sql).tokenize().ok()
}

/// PostgreSQL's statement about the same index, or partition, inside a transaction.
pub(crate) fn without_concurrently(sql: &str) -> String {
    let Ok(tokens) = Tokenizer::new(dialect(EngineKind::Postgres), sql).tokenize() else {
        return sql.to_owned();
    };
    let is = |token: &Token, name: &str| matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(name));
    let kept = tokens.iter().filter(|token| !is(token, "CONCURRENTLY"));
    let plain: String = kept.map(ToString::to_string).collect();
    let place = |name: &str| tokens.iter().position(|token| is(token, name));
    match (place("DETACH"), place("PARTITION"), place("CONCURRENTLY")) {
        (Some(detach), Some(partition), Some(end)) if detach < partition && partition < end => {
            let name: String = tokens[partition + 1..end]
                .iter()
                .map(ToString::to_string)
                .collect();
            bounds_kept(name.trim()) + &plain
        }
        _ => plain,
    }
}

/// A partition that is detached concurrently keeps its bounds as a CHECK constraint; one that is not does not.
/// <https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION>
fn bounds_kept(partition: &str) -> String {
    format!(
        "DO $tenantgate$ DECLARE it regclass := $name${partition}$name$; BEGIN
EXECUTE format('ALTER TABLE %s ADD CHECK (%s)', it, pg_catalog.pg_get_partition_constraintdef(it)); END $tenantgate$;\n"
    )
}

pub(super) fn dialect(kind: EngineKind) -> &'static dyn Dialect {
    match kind {
        EngineKind::Postgres => &PostgreSqlDialect {},
        EngineKind::Mysql => &MySqlDialect {},
        EngineKind::Sqlite => &SQLiteDialect {},
    }
}

/// A run of lines under one delimiter.
struct Segment<'a> {
    text: &'a str,
    /// Line of the segment's first character, from 1.
    line: usize,
    /// Absent: `;`.
    delimiter: Option<&'a str>,
}

/// Cuts the text at `DELIMITER` lines (mysql client, "Defining Stored Programs").
fn segments(sql: &str, kind: EngineKind) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let (mut start, mut first_line, mut delimiter) = (0, 1, None);
    let mut offset = 0;
    for (index, line) in sql.split_inclusive('\n').enumerate() {
        let end = offset + line.len();
        if kind == EngineKind::Mysql
            && let Some(next) = delimiter_command(line)
        {
            segments.push(Segment {
                text: &sql[start..offset],
                line: first_line,
                delimiter,
            });
            delimiter = (next != ";").then_some(next);
            (start, first_line) = (end, index + 2);
        }
        offset = end;
    }
    segments.push(Segment {
        text: &sql[start..],
        line: first_line,
        delimiter,
    });
    segments
}

fn delimiter_command(line: &str) -> Option<&str> {
    let (command, argument) = line.trim().split_once(char::is_whitespace)?;
    let argument = argument.trim();
    (command.eq_ignore_ascii_case("delimiter") && !argument.is_empty()).then_some(argument)
}

/// The mysql client looks for a custom delimiter as plain text; at the end of a line is where it is written.
fn split_by_delimiter(
    segment: &Segment<'_>,
    delimiter: &str,
    kind: EngineKind,
    statements: &mut Vec<Statement>,
) -> Result<(), Unsplittable> {
    let offsets = Offsets::new(segment.text);
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut offset = 0;
    for line in segment.text.split_inclusive('\n') {
        let end = offset + line.len();
        if let Some(kept) = line.trim_end().strip_suffix(delimiter) {
            push(segment, &offsets, start, offset + kept.len(), &mut pieces);
            start = end;
        }
        offset = end;
    }
    push(segment, &offsets, start, segment.text.len(), &mut pieces);
    for piece in pieces {
        let inner = Segment {
            text: &piece.sql,
            line: piece.line,
            delimiter: None,
        };
        let mut found = Vec::new();
        // The body of a routine is what the delimiter is for. Anything else that has several statements
        // would be recorded as one: what failed behind the first would be lost.
        if split_by_semicolon(&inner, kind, &mut found).is_ok()
            && found.len() > 1
            && !has_body(&found[0].sql, kind)
        {
            return Err(Unsplittable {
                message: format!("several statements up to one delimiter `{delimiter}`: end each with it"),
                line: piece.line,
                column: piece.column,
            });
        }
        statements.push(piece);
    }
    Ok(())
}

/// A statement that creates a routine, or MariaDB's anonymous block.
fn has_body(sql: &str, kind: EngineKind) -> bool {
    let tokens = Tokenizer::new(dialect(kind), sql).tokenize().unwrap_or_default();
    let mut body = Body::new(kind);
    for token in tokens
        .iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
    {
        body.see(token);
    }
    body.compound
}

fn split_by_semicolon(
    segment: &Segment<'_>,
    kind: EngineKind,
    statements: &mut Vec<Statement>,
) -> Result<(), Unsplittable> {
    // The tokenizer would look into versioned comments, with places that are not the file's.
    let closed = match kind {
        EngineKind::Mysql => segment.text.replace("/*!", "/* ").replace("/*M!", "/*M "),
        _ => segment.text.to_owned(),
    };
    let tokens = Tokenizer::new(dialect(kind), &closed)
        .tokenize_with_location()
        .map_err(|error| Unsplittable {
            message: error.message,
            line: error.location.line as usize + segment.line - 1,
            column: error.location.column as usize,
        })?;
    let offsets = Offsets::new(segment.text);
    let mut body = Body::new(kind);
    let mut begin: Option<usize> = None;
    for TokenWithSpan { token, span } in &tokens {
        let start = offsets.byte(span.start.line, span.start.column);
        match token {
            Token::Whitespace(_) if !(kind == EngineKind::Mysql && is_versioned(&segment.text[start..])) => {}
            Token::EOF => {}
            Token::SemiColon if body.depth == 0 => {
                if let Some(begin) = begin.take() {
                    push(segment, &offsets, begin, start, statements);
                }
                body = Body::new(kind);
            }
            token => {
                begin.get_or_insert(start);
                body.see(token);
            }
        }
    }
    if let Some(begin) = begin {
        push(segment, &offsets, begin, segment.text.len(), statements);
        // Never guessed: a statement hidden in what is taken for a body would neither be looked at
        // nor recorded.
        if let Some(statement) = statements.last().filter(|_| body.depth > 0) {
            return Err(Unsplittable {
                message: "the body that begins in this statement has no END".to_owned(),
                line: statement.line,
                column: statement.column,
            });
        }
    }
    Ok(())
}

/// `/*! … */` and MariaDB's `/*M! … */` are statements to these servers, comments to everyone else.
pub(super) fn is_versioned(text: &str) -> bool {
    text.starts_with("/*!") || text.starts_with("/*M!")
}

fn push(
    segment: &Segment<'_>,
    offsets: &Offsets<'_>,
    start: usize,
    end: usize,
    statements: &mut Vec<Statement>,
) {
    let raw = &segment.text[start..end];
    let sql = raw.trim();
    if sql.is_empty() {
        return;
    }
    let (line, column) = offsets.place(start + raw.len() - raw.trim_start().len());
    statements.push(Statement {
        sql: sql.to_owned(),
        line: segment.line + line - 1,
        column,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str, kind: EngineKind) -> Vec<String> {
        split(sql, kind)
            .expect("splits")
            .into_iter()
            .map(|statement| statement.sql)
            .collect()
    }

    #[test]
    fn quotes_comments_and_dollar_quotes_hide_semicolons() {
        let sql = "-- a;b\nselect ';' /* ; */;\n\ndo $x$ begin perform 1; end $x$;select \"a;b\"";
        assert_eq!(
            texts(sql, EngineKind::Postgres),
            [
                "select ';' /* ; */",
                "do $x$ begin perform 1; end $x$",
                "select \"a;b\""
            ]
        );
    }

    #[test]
    fn statements_know_where_they_begin() {
        let found = split(
            "-- ä\n\n  create table a(b int);\ninsert into a values (1);",
            EngineKind::Sqlite,
        )
        .expect("splits");
        let places: Vec<_> = found
            .iter()
            .map(|statement| (statement.line, statement.column))
            .collect();
        assert_eq!(places, [(3, 3), (4, 1)]);
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let sql = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET x = CASE WHEN 1 THEN 2 END;\n  DELETE FROM b;\nEND;\nSELECT 1;";
        let found = texts(sql, EngineKind::Sqlite);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("END"));
    }

    #[test]
    fn a_procedure_with_nested_blocks_is_one_statement() {
        let sql = "CREATE DEFINER=`a`@`b` PROCEDURE p(IN n INT)\nBEGIN\n  DECLARE i INT DEFAULT 0;\n  WHILE i < n DO\n    IF i = 1 THEN SET i = IF(1, 2, 3); ELSE SELECT 1; END IF;\n    CASE i WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE;\n    SET i = i + 1;\n  END WHILE;\n  DROP TABLE IF EXISTS x;\nEND;\nSELECT 2";
        let found = texts(sql, EngineKind::Mysql);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert_eq!(found[1], "SELECT 2");
    }

    #[test]
    fn delimiter_lines_are_understood() {
        let sql = "SELECT 1;\nDELIMITER //\nCREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; END//\nDELIMITER ;\nSELECT 3;\n";
        let found = split(sql, EngineKind::Mysql).expect("splits");
        assert_eq!(found.len(), 3, "{found:#?}");
        assert_eq!((found[1].line, found[2].line), (3, 5));
        assert!(found[1].sql.ends_with("END"));
    }

    #[test]
    fn an_atomic_body_is_one_statement() {
        let sql =
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3";
        assert_eq!(texts(sql, EngineKind::Postgres).len(), 2);
    }

    #[test]
    fn a_table_called_event_has_no_body() {
        let sql = "create table event (id int, begin date, finish date); commit; select 1";
        for kind in [EngineKind::Postgres, EngineKind::Mysql, EngineKind::Sqlite] {
            assert_eq!(texts(sql, kind).len(), 3, "{kind:?}");
        }
        let sql = "create trigger tr before insert on event for each row execute function begin(); commit";
        assert_eq!(texts(sql, EngineKind::Postgres).len(), 2);
    }

    #[test]
    fn a_body_without_end_is_an_error_with_a_place() {
        let sql =
            "select 1;\ncreate trigger t before insert on a for each row begin set new.b = 1; select 2;";
        let error = split(sql, EngineKind::Mysql).expect_err("no END");
        assert_eq!((error.line, error.column), (2, 1));
    }

    #[test]
    fn several_statements_up_to_one_delimiter_are_refused() {
        let sql = "DELIMITER //\ncreate table a (b int);\ninsert into a values (1);\n//\n";
        assert!(split(sql, EngineKind::Mysql).is_err());
        let body = "DELIMITER //\ncreate procedure p() begin select 1; select 2; end;\n//\n";
        assert_eq!(texts(body, EngineKind::Mysql).len(), 1);
    }

    #[test]
    fn a_versioned_comment_keeps_its_slash() {
        let sql = "/*!40101 SET NAMES utf8mb4 */;\n  /*!40014 SET foreign_key_checks = 0 */;";
        let found = split(sql, EngineKind::Mysql).expect("splits");
        assert_eq!(found[0].sql, "/*!40101 SET NAMES utf8mb4 */");
        assert!(words(&found[0].sql, EngineKind::Mysql, 2).contains(&"SET".to_owned()));
        assert_eq!(
            split("/*M!100100 use other */;", EngineKind::Mysql)
                .expect("splits")
                .len(),
            1
        );
        assert_eq!(words("/*M!100100 use other */", EngineKind::Mysql, 1), ["USE"]);
        assert_eq!(
            (found[1].sql.as_str(), found[1].line, found[1].column),
            ("/*!40014 SET foreign_key_checks = 0 */", 2, 3)
        );
    }

    #[test]
    fn only_comments_is_nothing() {
        for kind in [EngineKind::Postgres, EngineKind::Mysql, EngineKind::Sqlite] {
            assert!(texts("-- nothing\n/* here */\n;;\n", kind).is_empty());
        }
    }

    #[test]
    fn an_open_quote_is_an_error_with_a_place() {
        let error = split("select 1;\nselect 'abc", EngineKind::Mysql).expect_err("open quote");
        assert_eq!(error.line, 2);
    }

    #[test]
    fn mysql_escapes_and_hash_comments() {
        let sql = "insert into a values ('it\\'s; ok'); # note; here\ninsert into a values (\"x;\")";
        assert_eq!(texts(sql, EngineKind::Mysql).len(), 2);
    }
}
