//! `-- tenantgate: batch key=id size=5000`: the one statement of such a file, cut where a range goes.
//!
//! The range is put in by its place among the statement's words, so what stands in quotes, comments and
//! parentheses cannot be mistaken for its WHERE.

use sqlparser::tokenizer::Token;

use crate::database_url::EngineKind;
use crate::domain::{Batch, Statement};

use super::placed::{Placed, placed};

/// What the directive says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    key: String,
    size: u64,
    table: Option<String>,
}

/// Why a file cannot run over ranges, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) hint: &'static str,
    /// The statement that it is about.
    pub(super) statement: usize,
}

const FORM: &str = "write `-- tenantgate: batch key=COLUMN size=ROWS`, and `table=NAME` where the statement does not say it plainly";

/// Reads what follows `batch`.
pub(super) fn parse(arguments: &str) -> Result<Directive, String> {
    let (mut key, mut size, mut table) = (None, None, None);
    for argument in arguments.split_whitespace() {
        let Some((name, value)) = argument.split_once('=') else {
            return Err(format!("`{argument}` is no NAME=VALUE: {FORM}"));
        };
        let slot = match name {
            "key" => &mut key,
            "size" => &mut size,
            "table" => &mut table,
            _ => return Err(format!("a batch has no `{name}`: {FORM}")),
        };
        if slot.replace(value.to_owned()).is_some() {
            return Err(format!("`{name}` is there twice"));
        }
    }
    let Some(key) = key.filter(|it| !it.is_empty()) else {
        return Err(format!("a batch needs `key`: {FORM}"));
    };
    let Some(size) = size else {
        return Err(format!("a batch needs `size`: {FORM}"));
    };
    match size.parse() {
        Ok(size) if (1..=10_000_000).contains(&size) => Ok(Directive { key, size, table }),
        _ => Err(format!("`size={size}` is no number of rows from 1 to 10000000")),
    }
}

/// Cuts the statement, or says why that cannot be.
pub(super) fn cut(
    directive: &Directive,
    statements: &[Statement],
    kind: EngineKind,
) -> Result<Batch, Refusal> {
    let refuse = |message: String, hint| Refusal {
        message,
        hint,
        statement: 0,
    };
    let Some(statement) = statements.first().filter(|_| statements.len() == 1) else {
        return Err(Refusal {
            message: format!(
                "a batch runs one statement over ranges, and this file has {}",
                statements.len()
            ),
            hint: "put the others into migrations of their own, before or after it",
            statement: 1,
        });
    };
    let Some(words) = placed(&statement.sql, kind) else {
        let hint = "write it without versioned comments (`/*! … */`)";
        return Err(refuse(
            "cannot tell the words of this statement apart".to_owned(),
            hint,
        ));
    };
    let is_update = words.first().is_some_and(|it| it.is("UPDATE"));
    if !is_update && !words.first().is_some_and(|it| it.is("DELETE")) {
        let what = words.first().map_or_else(String::new, |it| it.token.to_string());
        let message = format!("`{what}` cannot run over ranges of a key");
        return Err(refuse(
            message,
            "a batch is one UPDATE or DELETE; without the directive it runs in one transaction",
        ));
    }
    let Some(top) = top_level(&words) else {
        let message =
            "its parentheses do not match: a `)` without its `(`, or the other way around".to_owned();
        return Err(refuse(message, "write the statement as it would run by itself"));
    };
    if let Some(word) = top
        .iter()
        .find(|it| ["RETURNING", "LIMIT", "ORDER"].iter().any(|word| it.is(word)))
    {
        let message = format!("`{}` has no meaning over ranges", word.token);
        return Err(refuse(
            message,
            "take it out: every range is taken in the key's order, up to its `size`",
        ));
    }
    let key = names(&directive.key, kind).ok_or_else(|| several(&directive.key))?;
    let (named, place) = match &directive.table {
        Some(table) => (names(table, kind), table.clone()),
        None => plain_table(&words, kind)
            .map(|(from, to)| {
                let text = &statement.sql[from..to];
                (names(text, kind), text.to_owned())
            })
            .unwrap_or_default(),
    };
    let Some(mut named) = named else {
        let message = "cannot tell which table's key the ranges are of".to_owned();
        return Err(refuse(
            message,
            "say it in the directive: `-- tenantgate: batch key=… size=… table=NAME`",
        ));
    };
    let column = key.last().cloned().unwrap_or_default();
    if kind == EngineKind::Postgres && column.name.eq_ignore_ascii_case("ctid") {
        let message = "`ctid` is a row's place, which every change of it moves".to_owned();
        return Err(refuse(message, "take a column, such as the primary key"));
    }
    if is_update && assigns(&top, &column.name) {
        let message = format!(
            "the statement changes `{}`, over which its ranges go",
            column.name
        );
        return Err(refuse(
            message,
            "take another key: a row that moves could be met twice, or never",
        ));
    }
    let (opening, closing) = split_at_where(&statement.sql, &top);
    let table_name = named.pop().map(|it| it.name).unwrap_or_default();
    Ok(Batch {
        key: directive.key.clone(),
        column: column.written,
        table: place,
        table_name,
        table_schema: named.pop().map(|it| it.name),
        size: directive.size,
        opening,
        closing,
    })
}

fn several(key: &str) -> Refusal {
    let message = if key.contains(',') {
        format!("`key={key}` names several columns")
    } else {
        format!("`key={key}` is no column's name")
    };
    Refusal {
        message,
        hint: "name one column, with an index of its own: `key=id`, or `key=o.id` behind an alias",
        statement: 0,
    }
}

/// A name, and as it was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Name {
    name: String,
    written: String,
}

/// The parts of `a."B".c`.
fn names(text: &str, kind: EngineKind) -> Option<Vec<Name>> {
    let words = placed(text, kind)?;
    let mut names = Vec::new();
    for (index, word) in words.iter().enumerate() {
        match (&word.token, index % 2) {
            (Token::Word(name), 0) => names.push(Name {
                name: name.value.clone(),
                written: word.token.to_string(),
            }),
            (Token::Period, 1) => {}
            _ => return None,
        }
    }
    (words.len() % 2 == 1 && words.len() <= 5).then_some(names)
}

/// The words outside of all parentheses, with those that open one; none: they do not match, so that those
/// around the range would close or open them.
fn top_level(words: &[Placed]) -> Option<Vec<&Placed>> {
    let mut depth = 0_usize;
    let mut top = Vec::new();
    for word in words {
        if word.token == Token::RParen {
            depth = depth.checked_sub(1)?;
        } else if depth == 0 {
            top.push(word);
        }
        depth += usize::from(word.token == Token::LParen);
    }
    (depth == 0).then_some(top)
}

/// Where the name of the only table stands, in bytes; none: it is not plain to see.
fn plain_table(words: &[Placed], kind: EngineKind) -> Option<(usize, usize)> {
    const MODIFIERS: [&str; 5] = ["ONLY", "LOW_PRIORITY", "IGNORE", "QUICK", "FROM"];
    let update = words.first()?.is("UPDATE");
    let mut at = 1;
    loop {
        let word = words.get(at)?;
        if update && word.is("OR") {
            at += 2;
        } else if MODIFIERS.iter().any(|it| word.is(it)) {
            at += 1;
        } else {
            break;
        }
    }
    let from = words.get(at)?.start;
    if !update && !words[at - 1].is("FROM") && !words[at - 1].is("ONLY") {
        return None;
    }
    let mut to = word_end(words.get(at)?)?;
    while words.get(at + 1).is_some_and(|it| it.token == Token::Period) {
        at += 2;
        to = word_end(words.get(at)?)?;
    }
    at += 1;
    if words.get(at).is_some_and(|it| it.token == Token::Mul) {
        at += 1;
    }
    let ends = |word: Option<&Placed>| match word {
        None => !update,
        Some(word) if update => word.is("SET"),
        Some(word) => word.is("WHERE") || (word.is("USING") && kind == EngineKind::Postgres),
    };
    if !ends(words.get(at)) {
        at += usize::from(words.get(at)?.is("AS"));
        word_end(words.get(at)?)?;
        at += 1;
    }
    ends(words.get(at)).then_some((from, to))
}

fn word_end(word: &Placed) -> Option<usize> {
    matches!(word.token, Token::Word(_)).then_some(word.end)
}

/// Whether the statement sets the column, alone or in a list.
fn assigns(top: &[&Placed], column: &str) -> bool {
    let mut words = top.iter().skip_while(|it| !it.is("SET")).skip(1).peekable();
    let mut left = true;
    while let Some(word) = words.next() {
        if ["WHERE", "FROM"].iter().any(|it| word.is(it)) {
            return false;
        }
        match &word.token {
            Token::Comma => left = true,
            // `(id, a) = (…)`: its names stand inside, so whoever writes this is not guessed at.
            Token::LParen if left => return true,
            Token::Eq => left = false,
            Token::Word(name) if left => {
                let qualifies = words.peek().is_some_and(|it| it.token == Token::Period);
                if !qualifies && name.value.eq_ignore_ascii_case(column) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// What stands before and behind the range. A comment may end the statement, so what follows it begins
/// in a line of its own.
fn split_at_where(sql: &str, top: &[&Placed]) -> (String, String) {
    match top.iter().find(|it| it.is("WHERE")) {
        None => (format!("{sql}\nWHERE ("), ")".to_owned()),
        Some(word) => {
            let (before, condition) = sql.split_at(word.end);
            (format!("{before} ({condition}\n) AND ("), ")".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineKind::{Mysql, Postgres, Sqlite};

    fn cut_one(arguments: &str, sql: &str, kind: EngineKind) -> Result<Batch, Refusal> {
        let statements = super::super::split(sql, kind).expect("splits");
        cut(&parse(arguments).expect("a directive"), &statements, kind)
    }

    fn within(arguments: &str, sql: &str, kind: EngineKind) -> String {
        cut_one(arguments, sql, kind).expect("cut").within("id > '5'")
    }

    #[test]
    fn the_range_goes_to_the_statements_own_where() {
        for (kind, sql, expected) in [
            (
                Postgres,
                "UPDATE t SET a = 1",
                "UPDATE t SET a = 1\nWHERE (id > '5')",
            ),
            (
                Postgres,
                "update t set a = 1 where b = 2 or c = 3;",
                "update t set a = 1 where ( b = 2 or c = 3\n) AND (id > '5')",
            ),
            (
                Postgres,
                "UPDATE t SET a = (SELECT max(b) FROM u WHERE u.x = t.x) WHERE a IS NULL -- ) or true",
                "UPDATE t SET a = (SELECT max(b) FROM u WHERE u.x = t.x) WHERE ( a IS NULL -- ) or true\n) AND (id > '5')",
            ),
            (
                Postgres,
                "UPDATE t SET a = ' where ', b = $$ WHERE $$ /* WHERE */ FROM u WHERE t.x = u.x",
                "UPDATE t SET a = ' where ', b = $$ WHERE $$ /* WHERE */ FROM u WHERE ( t.x = u.x\n) AND (id > '5')",
            ),
            (
                Mysql,
                "DELETE FROM t WHERE a = 'it\\'s where' # where\n",
                "DELETE FROM t WHERE ( a = 'it\\'s where' # where\n) AND (id > '5')",
            ),
            (
                Sqlite,
                "DELETE FROM t WHERE(a=1)",
                "DELETE FROM t WHERE ((a=1)\n) AND (id > '5')",
            ),
            (
                Sqlite,
                "UPDATE t SET \"where\" = 'Größe' WHERE x",
                "UPDATE t SET \"where\" = 'Größe' WHERE ( x\n) AND (id > '5')",
            ),
        ] {
            let range = within("key=id size=5", sql, kind);
            assert_eq!(range.replace("# where\n\n)", "# where\n)"), expected);
        }
    }

    #[test]
    fn the_table_is_read_where_it_is_plain() {
        for (kind, sql, table, name) in [
            (
                Postgres,
                "UPDATE ONLY \"My T\" AS o SET a = 1",
                "\"My T\"",
                "My T",
            ),
            (Postgres, "UPDATE s.t * x SET a = 1 FROM u", "s.t", "t"),
            (Postgres, "DELETE FROM t USING u WHERE t.a = u.a", "t", "t"),
            (
                Mysql,
                "UPDATE LOW_PRIORITY IGNORE `a`.`b` SET c = 1",
                "`a`.`b`",
                "b",
            ),
            (Mysql, "DELETE QUICK FROM t", "t", "t"),
            (Sqlite, "UPDATE OR IGNORE t SET a = 1", "t", "t"),
        ] {
            let batch = cut_one("key=id size=5", sql, kind).expect(sql);
            assert_eq!((batch.table.as_str(), batch.table_name.as_str()), (table, name));
        }
        for (kind, sql) in [
            (Mysql, "UPDATE t JOIN u ON t.a = u.a SET t.b = 1"),
            (Mysql, "UPDATE t, u SET t.b = 1"),
            (Mysql, "DELETE t FROM t JOIN u ON t.a = u.a"),
            (Mysql, "DELETE FROM t USING t JOIN u"),
        ] {
            let refused = cut_one("key=t.id size=5", sql, kind).expect_err(sql);
            assert!(refused.message.contains("which table"), "{refused:?}");
            let batch = cut_one("key=t.id size=5 table=t", sql, kind).expect(sql);
            assert_eq!((batch.column.as_str(), batch.table.as_str()), ("id", "t"));
        }
    }

    #[test]
    fn what_cannot_run_over_ranges_is_refused() {
        for (sql, why) in [
            ("UPDATE t SET a = 1; UPDATE t SET b = 1", "has 2"),
            ("INSERT INTO t SELECT 1", "`INSERT`"),
            ("SELECT 1", "`SELECT`"),
            ("WITH x AS (SELECT 1) UPDATE t SET a = 1", "`WITH`"),
            ("DELETE FROM t WHERE a = 1 RETURNING id", "`RETURNING`"),
            ("DELETE FROM t ORDER BY id", "`ORDER`"),
            ("UPDATE t SET a = 1 LIMIT 5", "`LIMIT`"),
            ("UPDATE t SET a = 1, id = id + 1", "changes `id`"),
            ("UPDATE t AS o SET o.ID = 2 WHERE a", "changes `id`"),
            ("UPDATE t SET (id, a) = (1, 2)", "changes `id`"),
            ("UPDATE t SET a = 1 WHERE b = 1) OR (b = 2", "do not match"),
            ("UPDATE t SET a = 1 WHERE (b = 1", "do not match"),
        ] {
            let refused = cut_one("key=id size=5", sql, Sqlite).expect_err(sql);
            assert!(refused.message.contains(why), "{sql}: {refused:?}");
        }
        for sql in [
            "UPDATE t SET a = id",
            "UPDATE t SET a = 1 WHERE id = 4",
            "UPDATE t SET a = f(1, id = 2), b = 3",
        ] {
            cut_one("key=id size=5", sql, Sqlite).expect(sql);
        }
        let moving = cut_one("key=ctid size=5", "UPDATE t SET a = 1", Postgres).expect_err("it moves");
        assert!(moving.message.contains("which every change of it moves"));
        let several = cut_one("key=a,b size=5", "DELETE FROM t", Sqlite).expect_err("two");
        assert!(several.message.contains("several columns"));
        let none = cut_one("key=lower(a) size=5", "DELETE FROM t", Sqlite).expect_err("no column");
        assert!(none.message.contains("no column's name"));
    }

    #[test]
    fn a_directive_that_is_not_whole_is_refused() {
        for (arguments, why) in [
            ("", "needs `key`"),
            ("size=5", "needs `key`"),
            ("key=id", "needs `size`"),
            ("key=id size=0", "no number of rows"),
            ("key=id size=many", "no number of rows"),
            ("key=id size=5 key=b", "twice"),
            ("key=id size=5 speed=9", "no `speed`"),
            ("id", "no NAME=VALUE"),
        ] {
            let wrong = parse(arguments).expect_err(arguments);
            assert!(wrong.contains(why), "{arguments}: {wrong}");
        }
    }
}
